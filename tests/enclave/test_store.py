"""The door to the database: an act and its entry together or not at all; locked and full said in words."""

from __future__ import annotations

import sqlite3
import subprocess
import threading
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import event, func, select, text
from sqlalchemy.exc import DBAPIError

from audit.errors import AuditError
from enclave.actions import Action
from enclave.actor import Actor
from enclave.commands import people, reviewing
from enclave.commands.acting import intent
from enclave.commands.ballot import Judgements
from enclave.errors import Conflict, Denied, Invalid, NotFound, Unavailable
from enclave.model.people import Organisation, OrganisationKind
from enclave.model.review import Review
from enclave.queries import egress as queries
from enclave.states import RequestState
from enclave.store import Store, writable
from tests.enclave.scene import NOW, Scene, build

EVENT = intent(Action.ORGANISATION_CREATE, Actor.console(), ("organisation", "x"))


def _organisation(name: str) -> Organisation:
    return Organisation(id=name, name=name, kind=OrganisationKind.STARTUP, created_at=NOW)


def _exists(store: Store, name: str) -> bool:
    with store.read() as session:
        return session.get(Organisation, name) is not None


def test_an_act_and_its_entry_become_durable_together(scene):
    with scene.new_entries() as entries, scene.store.write(EVENT) as tx:
        tx.session.add(_organisation("together"))
        tx.record(details={"kind": "startup"})
    assert _exists(scene.store, "together")
    assert [(entry["outcome"], entry["details"]) for entry in entries] == [("done", {"kind": "startup"})]


@pytest.mark.parametrize(
    ("error", "outcome"),
    [(Denied, "denied"), (Conflict, "failed"), (Invalid, "failed"), (NotFound, "failed")],
)
def test_a_refusal_undoes_the_act_and_is_recorded_by_its_code_alone(scene, error, outcome):
    def act() -> None:
        with scene.store.write(EVENT) as tx:
            tx.session.add(_organisation("undone"))
            tx.session.flush()
            tx.also(EVENT)
            tx.record(reason_text="names a patient", object_sha256="0" * 64)
            raise error("test.no", ko="이름이 든 글", en="a text with a name")

    with scene.new_entries() as entries, pytest.raises(error):
        act()
    assert not _exists(scene.store, "undone")
    assert [(entry["outcome"], entry["reason"]) for entry in entries] == [(outcome, {"code": "test.no"})]
    assert "sha256" not in entries[0]["object"]


def test_a_refusal_may_keep_what_it_counted(scene):
    def act() -> None:
        with scene.store.write(EVENT) as tx:
            tx.session.add(_organisation("counted"))
            tx.also(EVENT)
            tx.refuse(Denied("test.no", ko="아니오", en="no"))

    with scene.new_entries() as entries, pytest.raises(Denied):
        act()
    assert _exists(scene.store, "counted")
    assert [entry["outcome"] for entry in entries] == ["denied"]


def test_a_refusal_in_the_slow_part_before_the_transaction_is_recorded_too(scene):
    with scene.new_entries() as entries, pytest.raises(Denied), scene.store.prepare(EVENT):
        raise Denied("test.no", ko="아니오", en="no")
    assert [(entry["outcome"], entry["reason"]) for entry in entries] == [("denied", {"code": "test.no"})]


def test_an_unforeseen_error_leaves_neither_act_nor_entry(scene):
    def act() -> None:
        with scene.store.write(EVENT) as tx:
            tx.session.add(_organisation("broken"))
            tx.session.flush()
            raise ZeroDivisionError

    with scene.new_entries() as entries, pytest.raises(ZeroDivisionError):
        act()
    assert not _exists(scene.store, "broken")
    assert entries == []


def test_a_reading_session_cannot_write(scene):
    # Nothing else is against it: no foreign key, and no guard before a commit.
    with scene.store.read() as session, pytest.raises(DBAPIError, match=r"read-?only"):
        session.execute(text("UPDATE organisation SET name = 'x'"))


def test_a_write_past_the_door_is_refused_and_never_becomes_durable(scene):
    with pytest.raises(AuditError), writable(scene.store.engine).begin() as connection:
        connection.execute(text("UPDATE organisation SET name = 'past the door'"))
    people.create_organisation(
        scene.store, Actor.console(), organisation_id="later", name="l", kind=OrganisationKind.STARTUP, now=NOW
    )
    with scene.store.read() as session:
        names = set(session.scalars(select(Organisation.name)))
    assert "past the door" not in names


def _create(store: Store, name: str) -> object:
    kind = OrganisationKind.STARTUP
    return people.create_organisation(store, Actor.console(), organisation_id="o-1", name=name, kind=kind, now=NOW)


def test_half_a_letter_is_refused_in_words_and_recorded(scene):
    with scene.new_entries() as entries, pytest.raises(Invalid) as refused:
        _create(scene.store, "half a letter \ud800")
    assert (refused.value.code, [entry["outcome"] for entry in entries]) == ("input.text", ["failed"])


def test_a_zero_byte_that_postgresql_cannot_keep_is_refused_in_words(postgres_url, tmp_path):
    scene = build(postgres_url, tmp_path / "home")
    with pytest.raises(Invalid) as refused:
        _create(scene.store, "zero \x00")
    assert refused.value.code == "input.text"
    scene.store.close()


def test_two_new_things_of_one_name_at_once_are_one_thing_and_one_refusal(scene):
    gate, outcomes = threading.Barrier(2), []

    def create() -> None:
        gate.wait()
        try:
            people.create_organisation(
                scene.store, Actor.console(), organisation_id="one", name="n", kind=OrganisationKind.STARTUP, now=NOW
            )
            outcomes.append("made")
        except Conflict:
            outcomes.append("conflict")

    with scene.new_entries() as entries:
        threads = [threading.Thread(target=create) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(outcomes) == ["conflict", "made"]
    assert sorted(entry["outcome"] for entry in entries) == ["done", "failed"]


def _half_decided(scene: Scene) -> tuple[str, object, object]:
    made = scene.submitted(scene.active())
    scene.vote("checker-a", made)
    return made, scene.actor("checker-b"), scene.ballot(made)


def _check_nothing_was_decided(scene: Scene, made: str) -> None:
    view = queries.request(scene.store, scene.actor("scientist"), made, now=NOW)
    with scene.store.read() as session:
        votes = session.scalar(select(func.count()).select_from(Review).where(Review.request_id == made))
    assert (view.state, votes, view.release) == (RequestState.SUBMITTED, 1, None)


def test_a_locked_sqlite_file_is_said_to_be_locked_and_nothing_is_decided(sqlite_url, tmp_path):
    scene = build(sqlite_url, tmp_path / "home")
    made, actor, ballot = _half_decided(scene)
    impatient = Store(sqlite_url, wait_s=0)
    with closing(sqlite3.connect(scene.store.engine.url.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with scene.new_entries() as entries, pytest.raises(Unavailable) as refused:
            reviewing.decide(impatient, actor, request_id=made, vote=ballot, now=NOW)
        other.execute("ROLLBACK")
    assert (refused.value.code, entries) == ("store.locked", [])
    _check_nothing_was_decided(scene, made)
    decided = reviewing.decide(impatient, actor, request_id=made, vote=ballot, now=NOW)
    assert decided.state is RequestState.APPROVED
    impatient.close()
    scene.store.close()


def test_a_locked_postgresql_row_is_said_to_be_locked_and_nothing_is_decided(postgres_url, tmp_path):
    scene = build(postgres_url, tmp_path / "home")
    made, actor, ballot = _half_decided(scene)
    impatient = Store(postgres_url, wait_s=1)
    with writable(scene.store.engine).connect() as other:
        other.execute(text("SELECT id FROM egress_request FOR UPDATE"))
        with pytest.raises(Unavailable) as refused:
            reviewing.decide(impatient, actor, request_id=made, vote=ballot, now=NOW)
        other.rollback()
    assert refused.value.code == "store.locked"
    _check_nothing_was_decided(scene, made)
    impatient.close()
    scene.store.close()


def test_a_full_sqlite_file_is_said_to_be_full_and_nothing_is_decided(sqlite_url, tmp_path):
    scene = build(sqlite_url, tmp_path / "home")
    made, actor, ballot = _half_decided(scene)
    full = Store(sqlite_url)
    with full.engine.connect() as connection:
        pages = connection.execute(text("PRAGMA page_count")).scalar()
    # A limit of its present size: SQLite answers as on a full disk (SQLITE_FULL) at the first new page.
    event.listen(full.engine, "connect", lambda connection, _: connection.execute(f"PRAGMA max_page_count = {pages}"))
    full.engine.dispose()
    long = Judgements("가" * 100_000, "나" * 100_000, "다")
    with pytest.raises(Unavailable) as refused:
        reviewing.decide(full, actor, request_id=made, vote=scene.ballot(made, judgements=long), now=NOW)
    assert refused.value.code == "store.full"
    _check_nothing_was_decided(scene, made)
    assert reviewing.decide(scene.store, actor, request_id=made, vote=ballot, now=NOW).state is RequestState.APPROVED
    full.close()
    scene.store.close()


def _fill(filler: Path) -> None:
    with filler.open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 4096)


def test_a_full_disk_under_the_database_loses_nothing(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", disk], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("mounting a small disk needs root")
    try:
        scene = build(f"sqlite:///{disk / 'small.sqlite'}", tmp_path / "home")
        made, actor, ballot = _half_decided(scene)
        filler = disk / "filler"
        with pytest.raises(OSError, match="space"):
            _fill(filler)
        long = Judgements("가" * 100_000, "나" * 100_000, "다")
        with pytest.raises(Unavailable) as refused:
            reviewing.decide(scene.store, actor, request_id=made, vote=scene.ballot(made, judgements=long), now=NOW)
        assert refused.value.code == "store.full"
        _check_nothing_was_decided(scene, made)
        filler.unlink()
        assert reviewing.decide(scene.store, actor, request_id=made, vote=ballot, now=NOW).release is not None
        scene.store.close()
    finally:
        subprocess.run(["umount", disk], check=True)


def test_a_postgresql_that_is_gone_is_said_to_be_gone():
    store = Store("postgresql+psycopg://postgres@/nowhere?host=/nonexistent", wait_s=1)
    with pytest.raises(Unavailable) as refused, store.write(EVENT):
        pass
    assert refused.value.code == "store.gone"
    store.close()


def test_a_sqlite_file_in_a_folder_that_is_gone_is_said_to_be_gone(tmp_path):
    store = Store(f"sqlite:///{tmp_path}/none/ansim.sqlite")
    with pytest.raises(Unavailable) as refused, store.read() as session:
        session.execute(text("SELECT 1"))
    assert refused.value.code == "store.gone"
    store.close()
