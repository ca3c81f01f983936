"""The review office of each test."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, tzinfo

import pytest

from audit import outbox
from tests.enclave.logreview.office import Office, open_office
from tests.enclave.scene import Scene


@pytest.fixture
def office(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    """An office of this test's own, on either database, in which entries are stamped with the office's own time.

    With the wall clock, what is found would depend on the day and the hour at which the tests run.
    """
    made = open_office(scene)

    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return made.now.astimezone(tz)

    monkeypatch.setattr(outbox, "datetime", Clock)
    yield made
    made.shut()
