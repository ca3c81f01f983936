"""Entries whose time is over give up their bytes by an order in the log itself; everything else still proves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, func, inspect, select, text
from sqlalchemy.exc import DBAPIError

from audit import bundle, index, outbox, purge, query, tables
from audit.bundle import Source
from audit.bundlecheck import MANIFEST
from audit.errors import LogConflictError, NotInLogError
from audit.event import Event
from audit.folder import first_kept
from audit.purgecheck import ORDER, years_before
from audit.query import LogFilter
from audit.reader import LogReader
from audit.sequencer import Sequencer
from audit.tables import HUSK, audit_entry, audit_index, audit_leaf
from audit.verify import verify_bundle, verify_log
from tests import databases
from tests.audit.logs import SIGNER, VKEY

LATER = datetime.now(UTC) + timedelta(days=3 * 366)


class Clock(datetime):
    """The outbox's clock, which runs `ahead` of the real one."""

    ahead = timedelta(0)

    @classmethod
    def now(cls, tz=None):
        return datetime.now(tz) + cls.ahead


@pytest.fixture(autouse=True)
def clock(monkeypatch) -> None:
    monkeypatch.setattr(Clock, "ahead", timedelta(0))
    monkeypatch.setattr(outbox, "datetime", Clock)


def order(engine: Engine, end: int, *, size: int, now: datetime = LATER, said: int | None = None) -> str:
    """What whoever keeps the machine does, at `now`: the entry and the order in one transaction."""
    Clock.ahead = now - datetime.now(UTC)
    with engine.begin() as connection:
        details = {"end": end if said is None else said}
        entry_id = outbox.append(connection, Event(ORDER, "allowed", "console", details=details), observer="test")
        purge.order(connection, end, entry_id, size=size, now=now)
    return entry_id


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def ready(request, tmp_path_factory) -> Iterator[Engine]:
    """A published log of 600 entries, 256 of which were ordered to go and are still there; for what is refused."""
    folder = tmp_path_factory.mktemp("ready")
    lite = f"sqlite:///{folder / 'ready.sqlite'}"
    url = lite if request.param == "sqlite" else databases.create(request.getfixturevalue("postgres_cluster"), "purge")
    engine = create_engine(url)
    tables.metadata.create_all(engine)
    with engine.begin() as connection:
        for _ in range(600):
            outbox.append(connection, Event("thing.add", "done", "u"), observer="test")
    with closing(Sequencer(engine, folder / "log", SIGNER, SIGNER.name)) as running:
        running.step()
    order(engine, 256, size=600)
    yield engine
    engine.dispose()


def codes(folder: Path) -> list[str]:
    return [claim.code for claim in verify_log(folder, VKEY).claims if claim.ok]


@pytest.fixture
def filled(engine, add, sequencer) -> Engine:
    add(530)
    add(70, action="thing.take", project="P-9", reason_text="옛말")
    sequencer.step()
    return engine


def test_bytes_go_and_hashes_stay(filled, log_folder, request) -> None:
    running, before = request.getfixturevalue("sequencer"), LogReader(log_folder)
    root, proofs = before.root(600), {at: before.proof(at).hashes for at in (520, 599)}
    order(filled, 512, size=600)
    running.step()
    after = LogReader(log_folder, VKEY)
    assert (after.kept, after.size, after.root(600)) == (512, 601, root)
    assert [at for at, _ in after.entries(512)] == list(range(512, 601))
    for at in (0, 511):
        with pytest.raises(NotInLogError) as caught:
            after.entry(at)
        assert caught.value.code == "audit.purged"
    assert codes(log_folder)[:5] == ["checkpoint", "log.entries", "log.purged", "log.root", "log.files"]
    old = LogReader(log_folder, note=before.note)
    assert {at: old.proof(at).hashes for at in proofs} == proofs
    with filled.connect() as connection:
        husks = select(func.count()).select_from(audit_entry).where(audit_entry.c.bytes == HUSK)
        assert connection.scalar(husks) == 512
        assert connection.scalar(select(func.min(audit_index.c.leaf_index))) == 512
        assert connection.scalar(select(func.count()).select_from(audit_leaf)) == 601
        assert len(query.search(connection, filters=LogFilter(action="thing.add"), limit=500).rows) == 18
        assert query.count(connection, LogFilter(action="thing.add")) == 18


def test_what_is_left_can_still_be_proved_to_an_outsider(filled, log_folder, tmp_path, request) -> None:
    order(filled, 512, size=600)
    request.getfixturevalue("sequencer").step()
    folder = tmp_path / "evidence"
    bundle.write(folder, Source(log_folder, VKEY), indexes=range(512, 601), selection={})
    assert (folder / MANIFEST).exists()
    assert verify_bundle(folder, VKEY).ok
    with pytest.raises(NotInLogError):
        bundle.write(tmp_path / "gone", Source(log_folder, VKEY), indexes=[5], selection={})


def test_the_index_made_anew_begins_behind_what_went(filled, log_folder, request) -> None:
    order(filled, 512, size=600)
    request.getfixturevalue("sequencer").step()
    with filled.connect() as connection:
        before = connection.execute(select(audit_index)).all()
    index.rebuild(filled, 601)
    with filled.connect() as connection:
        assert connection.execute(select(audit_index)).all() == before


def test_a_second_purge_covers_the_first(filled, log_folder, request, add) -> None:
    running = request.getfixturevalue("sequencer")
    order(filled, 256, size=600)
    running.step()
    add(600)
    running.step()
    order(filled, 1024, size=1201, now=LATER + timedelta(days=3 * 366))
    running.step()
    assert LogReader(log_folder).kept == 1024
    assert "log.purged" in codes(log_folder)
    assert verify_log(log_folder, VKEY).ok


REFUSED = {
    "not whole bundles": ({"end": 500}, "audit.purge-range"),
    "nothing": ({"end": 0}, "audit.purge-range"),
    "what was ordered before": ({"end": 256}, "audit.purge-range"),
    "what is not published": ({"end": 768, "size": 600}, "audit.purge-range"),
    "a day too early": ({"end": 512, "now": LATER - timedelta(days=2 * 366)}, "audit.purge-young"),
    "now": ({"end": 512, "now": LATER - timedelta(days=3 * 366)}, "audit.purge-young"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_an_order_is_refused_for(ready, case) -> None:
    given, code = REFUSED[case]
    with pytest.raises(LogConflictError) as caught:
        order(ready, **{"size": 800, "now": LATER} | given)
    assert caught.value.code == code
    with ready.connect() as connection:
        assert purge.ordered(connection) == 256


def test_the_end_of_february_is_two_years_after_that_of_a_leap_year() -> None:
    leap = datetime(2028, 2, 29, 12, tzinfo=UTC)
    assert years_before(leap, 2) == datetime(2026, 2, 28, 12, tzinfo=UTC)
    assert years_before(leap, 4) == datetime(2024, 2, 29, 12, tzinfo=UTC)


def test_an_entry_that_says_it_is_old_goes_by_the_moment_of_its_id(engine, request) -> None:
    running = request.getfixturevalue("sequencer")
    old = Event("thing.add", "done", "u").entry(entry_id="0" * 26, at="2001-01-01T00:00:00.000000Z", observer="test")
    with engine.begin() as connection:
        for _ in range(600):
            entry_id = outbox._new_id(datetime.now(UTC))
            connection.execute(audit_entry.insert(), {"id": entry_id, "bytes": old})
    running.step()
    with pytest.raises(LogConflictError, match="2년"):
        order(engine, 256, size=600, now=datetime.now(UTC) + timedelta(days=300))


def test_an_entry_with_an_old_id_goes_by_what_it_says(engine, request) -> None:
    running = request.getfixturevalue("sequencer")
    now = datetime.now(UTC)
    said = Event("thing.add", "done", "u").entry(entry_id="0" * 26, at=f"{now:%Y-%m-%dT%H:%M:%S.%fZ}", observer="test")
    with engine.begin() as connection:
        for _ in range(600):
            entry_id = outbox._new_id(datetime(2001, 1, 1, tzinfo=UTC))
            connection.execute(audit_entry.insert(), {"id": entry_id, "bytes": said})
    running.step()
    with pytest.raises(LogConflictError, match="2년"):
        order(engine, 256, size=600, now=now + timedelta(days=300))


def test_nothing_goes_before_the_order_is_published(filled, log_folder) -> None:
    order(filled, 512, size=600)
    assert purge.carry_out(filled, log_folder, 600) == 0
    assert (log_folder / "tile/entries/000").exists()


STOPS = ["audit.purge._empty_rows", "audit.index.forget", "audit.durable._sync_folder", "pathlib.Path.unlink"]


class KilledError(BaseException):
    """Stands for the end of the process."""


@pytest.mark.parametrize("place", STOPS)
def test_stopped_anywhere_it_is_done_by_the_next_step_and_verifies_meanwhile(
    filled, log_folder, request, monkeypatch, place
) -> None:
    running = request.getfixturevalue("sequencer")
    order(filled, 512, size=600)
    module, _, name = place.rpartition(".")
    real, calls = getattr(__import__(module, fromlist=["x"]) if module != "pathlib.Path" else Path, name), []

    def stopping(*given, **named):
        if "_sync_folder" in place and "entries" not in str(given[0]):
            return real(*given, **named)
        if module == "pathlib.Path" and "entries" not in str(given[0]):
            return real(*given, **named)
        calls.append(1)
        if len(calls) == 2 or module in {"audit.purge", "audit.index"}:
            raise KilledError
        return real(*given, **named)

    monkeypatch.setattr(place, stopping)
    with pytest.raises(KilledError):
        running.step()
    monkeypatch.undo()
    assert verify_log(log_folder, VKEY).ok
    running.step()
    assert first_kept(log_folder, 601) == 2
    assert verify_log(log_folder, VKEY).ok
    with filled.connect() as connection:
        left = select(func.count()).select_from(audit_entry).where(audit_entry.c.bytes == HUSK)
        assert (connection.scalar(left), connection.scalar(select(func.min(audit_index.c.leaf_index)))) == (512, 512)


UNLAWFUL = {
    "without an order": {},
    "beyond the order": {"order": 256},
    "by an order that says less than it does": {"order": 512, "said": 256},
    "from the middle": {"order": 512, "gone": (1,)},
    "by an order that reaches beyond its own place": {"order": 1024},
}


@pytest.mark.parametrize("case", UNLAWFUL)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True, ids=[""])
def test_bundles_that_are_gone(filled, log_folder, request, case) -> None:
    given = UNLAWFUL[case]
    if "order" in given:
        with filled.begin() as connection:
            event = Event(ORDER, "allowed", "console", details={"end": given.get("said", given["order"])})
            outbox.append(connection, event, observer="test")
    request.getfixturevalue("sequencer").step()
    for number in given.get("gone", (0, 1)):
        (log_folder / f"tile/entries/{number:03}").unlink()
    report = verify_log(log_folder, VKEY)
    assert report.failures[0].code == "log.file-missing"


def inserted(engine: Engine, *, end: int, at: str) -> None:
    """What the portal's role can do: any bytes as an entry."""
    data = Event(ORDER, "allowed", "console", details={"end": end}).entry(entry_id="Z" * 26, at=at, observer="portal")
    with engine.begin() as connection:
        connection.execute(audit_entry.insert(), {"id": "Z" * 26, "bytes": data})


FORGED = {
    "an order of now": "2026-11-29T00:00:00.000000Z",
    "an order from the future": "2099-01-01T00:00:00.000000Z",
    "an order without a time": "later",
}


@pytest.mark.parametrize("case", FORGED)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True, ids=[""])
def test_who_writes_an_order_and_removes_young_bundles_is_found_out(filled, log_folder, request, add, case) -> None:
    running = request.getfixturevalue("sequencer")
    inserted(filled, end=512, at=FORGED[case])
    running.step()
    add(1)
    running.step()
    for number in (0, 1):
        (log_folder / f"tile/entries/{number:03}").unlink()
    assert verify_log(log_folder, VKEY).failures[0].code == "log.purged-young"


def test_what_stays_right_behind_must_be_as_old(engine, add, sequencer) -> None:
    """A verifier has nothing else to see the age by."""
    add(256)
    Clock.ahead = timedelta(days=700)
    add(44)
    sequencer.step()
    with pytest.raises(LogConflictError, match="2년"):
        order(engine, 256, size=300, now=datetime.now(UTC) + timedelta(days=740))
    order(engine, 256, size=300, now=datetime.now(UTC) + timedelta(days=700 + 732))


def test_an_order_that_was_refused_covers_nothing(filled, log_folder, add, request) -> None:
    add(1, action=ORDER, outcome="denied", details={"end": 512})
    request.getfixturevalue("sequencer").step()
    (log_folder / "tile/entries/000").unlink()
    # And not for its age alone, which would refuse it here as well.
    assert verify_log(log_folder, VKEY).failures[0].code == "log.file-missing"


FORBIDDEN = [
    "UPDATE audit_entry SET bytes = {husk} WHERE id = :late",
    "UPDATE audit_entry SET bytes = {other} WHERE id = :early",
    "UPDATE audit_entry SET bytes = {husk}, id = '00000000000000000000000000' WHERE id = :early",
    "DELETE FROM audit_entry WHERE id = :early",
    "DELETE FROM audit_leaf WHERE entry_id = :early",
    "UPDATE audit_purge SET end_leaf = 768",
    "DELETE FROM audit_purge",
    "INSERT INTO audit_purge (end_leaf, entry_id) VALUES (100, 'x')",
]


@pytest.mark.parametrize("statement", FORBIDDEN)
def test_even_where_a_purge_was_ordered_the_database_refuses(ready, statement) -> None:
    with ready.connect() as connection:
        place = select(audit_leaf.c.entry_id).where
        ids = {
            "early": connection.scalar(place(audit_leaf.c.leaf_index == 0)),
            "late": connection.scalar(place(audit_leaf.c.leaf_index == 256)),
        }
    lite = ready.dialect.name == "sqlite"
    sql = statement.format(
        husk="x'00'" if lite else "decode('00', 'hex')", other="x'01'" if lite else "decode('01', 'hex')"
    )
    with pytest.raises(DBAPIError), ready.begin() as connection:
        connection.execute(text(sql), {name: value for name, value in ids.items() if f":{name}" in sql})


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True, ids=[""])
@pytest.mark.parametrize("part", ["writer", "reader", "sequencer"])
def test_only_the_keeper_of_the_machine_may_order_a_purge(filled, part) -> None:
    attempts = [
        "INSERT INTO audit_purge (end_leaf, entry_id) VALUES (512, repeat('0', 26))",
        "UPDATE audit_entry SET bytes = decode('00', 'hex')",
        "CREATE TEMP TABLE audit_purge AS SELECT 1024 AS end_leaf; UPDATE audit_entry SET bytes = decode('00', 'hex')",
    ]
    with filled.begin() as connection:
        connection.exec_driver_sql(f"CREATE ROLE p_{part}")
        for statement in tables.grants_sql(f"p_{part}", part):
            connection.exec_driver_sql(statement)
    for statement in attempts:
        with filled.connect() as connection:
            connection.exec_driver_sql(f"SET LOCAL ROLE p_{part}")
            with pytest.raises(DBAPIError):
                connection.exec_driver_sql(statement)
    with filled.begin() as connection:
        connection.exec_driver_sql(f"DROP OWNED BY p_{part}")
        connection.exec_driver_sql(f"DROP ROLE p_{part}")


def test_a_database_of_an_earlier_version_learns_to_purge(database_url, tmp_path) -> None:
    engine = create_engine(database_url)
    with engine.begin() as connection:
        tables.create(connection)
        # As it was made before: no orders, and no change of any kind.
        connection.exec_driver_sql("DROP TABLE audit_purge")
        where = "" if engine.dialect.name == "sqlite" else " ON audit_entry"
        name = "audit_entry_no_update" if not where else "audit_entry_no_change"
        connection.exec_driver_sql(f"DROP TRIGGER {name}{where}")
        if not where:
            refuse = "BEGIN SELECT RAISE(ABORT, 'no'); END"
            connection.exec_driver_sql(f"CREATE TRIGGER {name} BEFORE UPDATE ON audit_entry {refuse}")
    with engine.begin() as connection:
        tables.create(connection)
        assert inspect(connection).has_table("audit_purge")
    with engine.begin() as connection:
        for _ in range(600):
            outbox.append(connection, Event("a.b", "done", "u"), observer="test")
    running = Sequencer(engine, tmp_path / "log", SIGNER, SIGNER.name)
    running.step()
    order(engine, 256, size=600)
    running.step()
    running.close()
    assert LogReader(tmp_path / "log").kept == 256
    engine.dispose()
