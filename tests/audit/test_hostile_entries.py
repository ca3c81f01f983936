"""Somebody with the portal's role may insert any bytes as an entry: the sequencer, its index and search go on."""

from __future__ import annotations

import json
from datetime import datetime

import pytest
from sqlalchemy import insert, select

from audit import hours, index
from audit.query import LogFilter, count, search
from audit.tables import audit_entry, audit_index
from audit.verify import verify_log
from tests.audit.logs import VKEY

# No two characters alike, so that no database can make it short.
LONG = "".join(chr(0x4E00 + number) for number in range(20_000))


def spelled(**record: object) -> bytes:
    return json.dumps(record, ensure_ascii=False).encode()


HOSTILE = {
    "a zero character": b'{"action":"a.b","actor":{"id":"u\\u0000"},"reason":{"text":"\\u0000"}}',
    "half a character": b'{"action":"a.b","actor":{"id":"u\\ud800"},"details":{"x":"\\udfff"},"rule":"\\ud800"}',
    "half a character for a name": b'{"\\ud800":1,"action":"a.b"}',
    "more people than there are numbers": b'{"subjects":{"count":' + b"9" * 40 + b"}}",
    "fewer people than none": b'{"subjects":{"count":-' + b"9" * 40 + b"}}",
    "a yes for a number": b'{"subjects":{"count":true,"kind":7}}',
    "keys longer than an index takes": spelled(
        action=LONG[:5_000], actor={"id": LONG[:5_000]}, project=LONG[5_000:10_000], at=LONG[:20]
    ),
    "each key as long as it may be": spelled(
        action="\U0001f600" * 3_000,
        actor={"id": "\U0001f601" * 3_000},
        project="\U0001f602" * 3_000,
        at="\U0001f603" * 99,
    ),
    "a session and an object of 60 thousand": spelled(
        object={"id": LONG[:10_000]}, **{"from": {"session": LONG[:9_000]}}
    ),
    "a day that there is not": spelled(action="a.b", at="2026-02-31T00:00:00.000000Z"),
    "no time at all": spelled(action="a.b", at="zzz"),
    "brackets in brackets": b'{"a":' + b"[" * 990 + b"]" * 990 + b"}",
    "a number of 5,000 digits": b'{"a":' + b"9" * 5_000 + b"}",
    "no characters": b"\xff\xfe\x00",
    "a list": b"[]",
}


def test_whatever_is_inserted_the_log_goes_on_and_is_searched(engine, add, sequencer, log_folder) -> None:
    rows = [{"id": f"{number:026}", "bytes": data} for number, data in enumerate(HOSTILE.values())]
    for row in rows:
        with engine.begin() as connection:
            connection.execute(insert(audit_entry), row)
        add(1, action="thing.after")
    for _ in range(3):
        sequencer.step()
    size = 2 * len(HOSTILE)
    with engine.connect() as connection:
        assert index.length(connection) == size
        found = search(connection, filters=LogFilter(action="thing.after"))
        assert len(found.rows) == len(HOSTILE)
        assert count(connection, LogFilter()) == size
        kept = connection.execute(select(audit_index)).mappings().all()
        assert sum(each.entries for each in hours.activity(connection)) <= size
    for row in kept:
        assert not row["at"] or datetime.fromisoformat(row["at"])
    assert all(0 <= row["subjects_count"] < 2**53 for row in kept)
    report = verify_log(log_folder, VKEY)
    assert report.ok, report.text("en")


@pytest.mark.parametrize("case", HOSTILE)
def test_a_row_is_the_same_however_often_it_is_derived(case) -> None:
    made = index.row(0, "0" * 26, HOSTILE[case])
    assert made == index.row(0, "0" * 26, HOSTILE[case])
    for value in made.values():
        assert isinstance(value, int) or (value.encode() and "\0" not in value) or not value
