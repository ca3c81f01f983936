"""The clocks that the enclave and its log read, stopped where a test began: it lets time pass and sets the clock.

All of them are put at their one source each: `enclave.clock` and the log's own in `audit.outbox`. Other processes, a
sequencer's for one, keep the machine's.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo

import pytest

from audit import outbox
from enclave import clock


class Clocks:
    """`go_on` lets time pass on all clocks; `put` sets the one that can be set, as an operator or an attacker does."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._now, self._steady = clock.now(), clock.steady()
        monkeypatch.setattr(clock, "now", lambda: self._now)
        monkeypatch.setattr(clock, "steady", lambda: self._steady)
        monkeypatch.setattr(outbox, "datetime", self._of_the_log())

    def go_on(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)
        self._steady += seconds

    def put(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)

    def _of_the_log(self) -> type[datetime]:
        clocks = self

        class OfTheLog(datetime):
            @classmethod
            def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
                return clocks._now.astimezone(tz or UTC)

        return OfTheLog
