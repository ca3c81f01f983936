"""The door: an entry lives and dies with the caller's transaction."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select

from audit.canonical import decode
from audit.errors import EntryError
from audit.event import Event
from audit.outbox import append
from audit.tables import audit_entry

EVENT = Event("thing.add", "done", "u-1")


def count(engine) -> int:
    with engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(audit_entry))


def test_the_entry_is_there_after_commit_and_gone_after_rollback(engine) -> None:
    with engine.begin() as connection:
        kept = append(connection, EVENT, observer="test")
    with engine.connect() as connection:
        append(connection, EVENT, observer="test")
        connection.rollback()
    with engine.connect() as connection:
        rows = connection.execute(select(audit_entry)).all()
    assert [row.id for row in rows] == [kept]
    assert decode(rows[0].bytes)["id"] == kept


@pytest.fixture
def in_seoul(monkeypatch) -> Iterator[None]:
    """A machine whose zone is not UTC."""
    with monkeypatch.context() as patched:
        patched.setenv("TZ", "KST-9")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("in_seoul")
def test_the_time_is_now_in_utc_to_the_microsecond(engine) -> None:
    before = datetime.now(UTC)
    with engine.begin() as connection:
        append(connection, EVENT, observer="test")
        data = connection.scalar(select(audit_entry.c.bytes))
    at = datetime.strptime(decode(data)["at"], "%Y-%m-%dT%H:%M:%S.%f%z")
    assert before <= at <= datetime.now(UTC)


def test_ids_are_26_characters_of_base_32_never_the_same_and_sort_by_time(engine) -> None:
    with engine.begin() as connection:
        ids = [append(connection, EVENT, observer="test") for _ in range(300)]
    assert len(set(ids)) == 300
    assert all(len(name) == 26 and set(name) <= set("0123456789ABCDEFGHJKMNPQRSTVWXYZ") for name in ids)
    assert [name[:10] for name in ids] == sorted(name[:10] for name in ids)
    # 80 random bits: the last 16 characters of 300 ids use the whole alphabet.
    assert len(set("".join(name[10:] for name in ids))) == 32


def test_an_entry_that_is_too_large_leaves_nothing_behind(engine) -> None:
    with engine.begin() as connection, pytest.raises(EntryError):
        append(connection, Event("a.b", "done", "u", reason_text="가" * 30_000), observer="test")
    assert count(engine) == 0
