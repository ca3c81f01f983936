"""Search: each filter, free text that cannot become a pattern, pages that never shift; entry, proof, status."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta, timezone

import pytest

from audit import tables
from audit.errors import NotInLogError
from audit.merkle import leaf_hash, root_from_inclusion
from audit.query import LogFilter, entry, proof, search, status
from tests.audit.logs import VKEY


@pytest.fixture
def filled(engine, sequencer, add):
    add(1, action="egress.submit", actor_id="u-2", project="P-2", object_kind="egress", object_id="E-1", outcome="done")
    add(
        1,
        action="egress.decide",
        actor_id="u-3",
        project="P-2",
        object_kind="egress",
        object_id="E-1",
        outcome="denied",
    )
    add(1, action="log.in", actor_id="u-2", from_ip="10.0.0.7", session="s-1", reason_text="100% 확인_완료")
    add(1, action="egresses.list", actor_id="U-2", details={"file": "Table1.CSV"}, rule="egress/v3")
    sequencer.step()
    return engine


HOUR = timedelta(hours=1)
# Read when a test runs: a run of all tests takes long, and its processes must name the same cases.
MOMENTS = {
    "an hour ago": lambda: datetime.now(UTC) - HOUR,
    "in an hour": lambda: datetime.now(UTC) + HOUR,
    "in an hour in Seoul": lambda: datetime.now(timezone(9 * HOUR)) + HOUR,
}


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({}, [3, 2, 1, 0]),
        ({"actor": "u-2"}, [2, 0]),
        ({"action": "egress.submit"}, [0]),
        ({"action": "egress."}, [1, 0]),
        ({"action": "egress"}, []),
        ({"project": "P-2"}, [1, 0]),
        ({"project": "P-2", "outcome": "denied"}, [1]),
        ({"object_kind": "egress", "object_id": "E-1"}, [1, 0]),
        ({"from_ip": "10.0.0.7"}, [2]),
        ({"since": "an hour ago"}, [3, 2, 1, 0]),
        ({"since": "in an hour"}, []),
        ({"until": "an hour ago"}, []),
        ({"until": "in an hour in Seoul"}, [3, 2, 1, 0]),
        ({"text": "확인"}, [2]),
        ({"text": "TABLE1"}, [3]),
        ({"text": "egress/V3"}, [3]),
        ({"text": "100%"}, [2]),
        ({"text": "확인_완"}, [2]),
        ({"text": "확인%완"}, []),
        ({"text": "100_"}, []),
        ({"text": "' OR 1=1 --"}, []),
        ({"text": "100% --"}, []),
        ({"text": ""}, [3, 2, 1, 0]),
    ],
    ids=repr,
)
def test_a_filter_finds_what_it_names_newest_first(filled, filters, found) -> None:
    read = {name: MOMENTS[value]() if name in {"since", "until"} else value for name, value in filters.items()}
    with filled.connect() as connection:
        page = search(connection, filters=LogFilter(**read))
    assert [row.leaf_index for row in page.rows] == found
    assert page.next is None


def test_a_row_shows_the_fields_of_its_entry(filled) -> None:
    with filled.connect() as connection:
        row = search(connection, filters=LogFilter(action="log.in")).rows[0]
        whole = entry(connection, row.entry_id)
    assert (row.actor, row.from_ip, row.session, row.reason_text) == ("u-2", "10.0.0.7", "s-1", "100% 확인_완료")
    assert whole.leaf_index == row.leaf_index == 2
    assert whole.record["at"] == row.at


def test_pages_do_not_shift_when_entries_are_added(engine, sequencer, add) -> None:
    add(25)
    sequencer.step()
    seen, after = [], None
    with engine.connect() as connection:
        while True:
            page = search(connection, filters=LogFilter(), after=after, limit=10)
            seen.append([row.leaf_index for row in page.rows])
            connection.rollback()
            add(3)
            sequencer.step()
            if page.next is None:
                break
            after = page.next
    assert seen == [list(range(24, 14, -1)), list(range(14, 4, -1)), list(range(4, -1, -1))]


@pytest.mark.parametrize(("limit", "rows"), [(0, 1), (-5, 1), (4, 4), (10**9, 4)])
def test_a_page_is_never_empty_by_request_nor_unbounded(filled, limit, rows) -> None:
    with filled.connect() as connection:
        assert len(search(connection, filters=LogFilter(), limit=limit).rows) == rows


def test_an_entry_is_found_before_it_has_a_place(engine, add) -> None:
    [name] = add(1)
    with engine.connect() as connection:
        found = entry(connection, name)
    assert (found.entry_id, found.leaf_index) == (name, None)
    assert found.record["id"] == name


def test_unreadable_bytes_are_shown_as_they_are(engine) -> None:
    with engine.begin() as connection:
        connection.execute(tables.audit_entry.insert(), {"id": "A" * 26, "bytes": b"x"})
        found = entry(connection, "A" * 26)
    assert (found.data, found.record) == (b"x", {})


def test_an_unknown_entry_is_named(engine) -> None:
    with engine.connect() as connection, pytest.raises(NotInLogError, match="nothing-like-it") as caught:
        entry(connection, "nothing-like-it")
    assert caught.value.code == "audit.no-entry"


def test_a_proof_leads_from_the_entry_to_the_checkpoint(filled, log_folder) -> None:
    with filled.connect() as connection:
        row = search(connection, filters=LogFilter(action="log.in")).rows[0]
        data = entry(connection, row.entry_id).data
    found, state = proof(log_folder, row.leaf_index), status(log_folder)
    assert root_from_inclusion(found.index, state.size, leaf_hash(data), found.hashes) == state.root


@pytest.mark.parametrize("leaf_index", [-1, 4])
def test_there_is_no_proof_of_what_is_not_published(filled, log_folder, leaf_index) -> None:
    with pytest.raises(NotInLogError) as caught:
        proof(log_folder, leaf_index)
    assert caught.value.code == "audit.not-in-log"


def test_the_status_counts_what_waits(filled, log_folder, add, sequencer) -> None:
    add(2)
    with filled.connect() as connection:
        state = status(log_folder, connection)
    assert (state.origin, state.size, state.waiting) == (VKEY.name, 4, 2)
    assert abs(state.published_at - datetime.now(UTC)) < timedelta(minutes=5)
    sequencer.step()
    with filled.connect() as connection:
        assert status(log_folder, connection).waiting == 0
    assert status(log_folder).waiting is None


def test_a_folder_without_a_log_is_named(tmp_path) -> None:
    with pytest.raises(NotInLogError, match=tmp_path.name) as caught:
        status(tmp_path)
    assert caught.value.code == "audit.no-log"


def test_readers_of_a_log_that_grows_always_see_one_whole_state(engine, sequencer, add, log_folder) -> None:
    add(200)
    sequencer.step()
    stop = threading.Event()
    thread = threading.Thread(target=sequencer.run, args=(stop, 0.001))
    thread.start()
    try:
        for _ in range(30):
            add(9)
            size = status(log_folder).size
            assert proof(log_folder, size - 1).index == size - 1
    finally:
        stop.set()
        thread.join()
