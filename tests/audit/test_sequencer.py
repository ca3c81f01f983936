"""The sequencer: one order, one writer, always a prefix; it signs nothing when things contradict each other."""

from __future__ import annotations

import shutil
import threading
from contextlib import closing

import pytest
from sqlalchemy import create_engine, select, text

from audit import index, keys, leaves, outbox, tables
from audit.canonical import decode
from audit.errors import LogBusyError, LogConflictError, NoteError
from audit.event import Event
from audit.merkle import EMPTY_ROOT, consistent
from audit.reader import LogReader
from audit.sequencer import HEARTBEAT, Sequencer
from audit.tiles import WIDTH, Tile
from audit.verify import verify_log
from tests.audit.logs import SIGNER, VKEY


def ids_in(folder) -> list[str]:
    return [decode(data)["id"] for _, data in LogReader(folder, VKEY).entries()]


def restarted(engine, folder, **options):
    return closing(Sequencer(engine, folder, SIGNER, SIGNER.name, **options))


def code_of(sequencer) -> str:
    with pytest.raises(LogConflictError) as caught:
        sequencer.step()
    return caught.value.code


def test_an_empty_log_is_published_at_once(sequencer, log_folder) -> None:
    assert sequencer.step() == 0
    checkpoint = LogReader(log_folder, VKEY).checkpoint
    assert (checkpoint.size, checkpoint.root) == (0, EMPTY_ROOT)
    assert verify_log(log_folder, VKEY).ok


def test_entries_are_published_in_the_order_of_insertion_and_searchable(sequencer, engine, add, log_folder) -> None:
    ids = add(300) + add(1)
    assert sequencer.step() == 301
    assert sequencer.step() == 0
    assert ids_in(log_folder) == ids
    with engine.connect() as connection:
        assert index.length(connection) == 301
        assert leaves.waiting(connection) == 0
    assert verify_log(log_folder, VKEY).ok


def test_every_checkpoint_is_a_prefix_of_every_later_one(sequencer, add, log_folder) -> None:
    seen = []
    for count in (1, 255, 0, 1, 300, 7):
        add(count)
        sequencer.step()
        seen.append(LogReader(log_folder, VKEY).checkpoint)
    reader = LogReader(log_folder, VKEY)
    for old in seen:
        proof = reader.consistency(old.size)
        assert consistent((old.size, reader.size), (old.root, reader.checkpoint.root), proof)


def test_partial_tiles_go_when_the_full_one_is_published(sequencer, add, log_folder) -> None:
    for count in (100, 100, 56):
        add(count)
        sequencer.step()
    assert not (log_folder / "tile/0/000.p").exists()
    assert not (log_folder / "tile/entries/000.p").exists()
    assert (log_folder / "tile/0/000").exists()


def test_a_large_backlog_is_published_in_batches(engine, add, log_folder) -> None:
    ids = add(700)
    with restarted(engine, log_folder, batch=256) as sequencer:
        assert sequencer.step() == 700
    assert ids_in(log_folder) == ids


def test_a_restarted_sequencer_goes_on_where_the_log_ends(engine, add, log_folder) -> None:
    ids = []
    for count in (3, 260, 1):
        ids += add(count)
        with restarted(engine, log_folder) as sequencer:
            assert sequencer.step() == count
    assert ids_in(log_folder) == ids
    assert verify_log(log_folder, VKEY).ok


def test_an_entry_that_commits_late_with_a_low_position_is_not_skipped(postgres_url, log_folder) -> None:
    engine = create_engine(postgres_url)
    tables.metadata.create_all(engine)
    event = Event("thing.add", "done", "u-1")
    with restarted(engine, log_folder) as sequencer, engine.connect() as slow:
        late = outbox.append(slow, event, observer="test")
        with engine.begin() as connection:
            early = outbox.append(connection, event, observer="test")
        assert sequencer.step() == 1
        slow.commit()
        assert sequencer.step() == 1
    engine.dispose()
    assert ids_in(log_folder) == [early, late]


def test_an_entry_below_the_searched_part_waits_for_the_full_search(engine, add, log_folder, monkeypatch) -> None:
    monkeypatch.setattr(leaves, "SLACK", 2)
    ids = add(10)
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO audit_leaf (leaf_index, entry_id) VALUES (0, :id)"), {"id": ids[9]})
    assert leaves.number(engine, everywhere=False, limit=100) == 2
    assert leaves.number(engine, everywhere=False, limit=100) == 1
    assert leaves.number(engine, everywhere=True, limit=4) == 4
    assert leaves.number(engine, everywhere=True, limit=100) == 2
    assert leaves.number(engine, everywhere=True, limit=100) == 0
    with engine.connect() as connection:
        assert leaves.count(connection) == 10


def test_bytes_past_the_outbox_are_kept_in_the_log_and_marked(sequencer, engine, log_folder) -> None:
    with engine.begin() as connection:
        for name, data in [
            ("A" * 26, b"\xff not json"),
            ("B" * 26, b'{"action":5,"actor":"x","subjects":{"count":"y"}}'),
        ]:
            connection.execute(tables.audit_entry.insert(), {"id": name, "bytes": data})
    assert sequencer.step() == 2
    with engine.connect() as connection:
        actions = connection.scalars(
            select(tables.audit_index.c.action).order_by(tables.audit_index.c.leaf_index)
        ).all()
    assert actions == [index.UNREADABLE, ""]
    assert LogReader(log_folder).entry(0) == b"\xff not json"


def test_a_second_sequencer_is_kept_out(sequencer, engine, log_folder) -> None:
    with pytest.raises(LogBusyError) as caught:
        Sequencer(engine, log_folder, SIGNER, SIGNER.name)
    assert caught.value.code == "audit.log-busy"


def test_the_name_of_the_key_is_the_origin(engine, log_folder) -> None:
    with pytest.raises(LogConflictError) as caught:
        Sequencer(engine, log_folder, SIGNER, "another.test/log")
    assert caught.value.code == "audit.origin"


def test_temporary_files_of_a_killed_writer_are_removed(engine, log_folder) -> None:
    log_folder.mkdir()
    (log_folder / ".new-123").write_bytes(b"half")
    with restarted(engine, log_folder) as sequencer:
        sequencer.step()
    assert [path.name for path in log_folder.iterdir()] == ["checkpoint"]


def test_the_index_can_be_thrown_away_and_derived_again(sequencer, engine, add) -> None:
    add(20, project="P-7", details={"n": 3})
    sequencer.step()

    def rows():
        with engine.connect() as connection:
            return connection.execute(select(tables.audit_index).order_by(tables.audit_index.c.leaf_index)).all()

    before = rows()
    assert len(before) == 20
    index.rebuild(engine, 20)
    assert rows() == before


# --- contradictions: each is refused before anything is signed ---------------------------------------------------


@pytest.fixture
def published(engine, add, log_folder):
    """Three entries published; the sequencer is closed again."""
    add(3)
    with restarted(engine, log_folder) as sequencer:
        sequencer.step()
    return log_folder


def tampered(engine, statement, **values) -> None:
    """Change the database as somebody could who owns it: without its triggers."""
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            for name in connection.scalars(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all():
                connection.exec_driver_sql(f"DROP TRIGGER {name}")
        else:
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        connection.execute(text(statement), values)


def refused(engine, folder) -> str:
    before = (folder / "checkpoint").read_bytes() if (folder / "checkpoint").exists() else b""
    with restarted(engine, folder) as sequencer:
        code = code_of(sequencer)
        assert code_of(sequencer) == code
    assert ((folder / "checkpoint").read_bytes() if before else b"") == before
    return code


def test_an_entry_changed_in_the_database_is_noticed_before_signing(engine, add, published) -> None:
    tampered(engine, "UPDATE audit_entry SET bytes = :data WHERE position = 2", data=b"forged")
    add(1)
    assert refused(engine, published) == "audit.database-differs"


def test_entries_removed_from_the_database_are_noticed(engine, published) -> None:
    tampered(engine, "DELETE FROM audit_leaf WHERE leaf_index = 2")
    tampered(engine, "DELETE FROM audit_entry WHERE position = 3")
    assert refused(engine, published) == "audit.database-behind"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_leaf SET leaf_index = 5 WHERE leaf_index = 1",
        "INSERT INTO audit_leaf (leaf_index, entry_id) SELECT 7, id FROM audit_entry WHERE position = 4",
    ],
    ids=["among what is published", "behind it"],
)
def test_a_gap_in_the_numbers_is_noticed(engine, add, published, statement) -> None:
    add(1)
    tampered(engine, statement)
    assert refused(engine, published) == "audit.database-differs"


def test_an_index_beyond_the_numbered_entries_is_not_filled(engine, published) -> None:
    with pytest.raises(LogConflictError) as caught:
        index.rebuild(engine, 5)
    assert caught.value.code == "audit.leaf-missing"
    with engine.connect() as connection:
        assert index.length(connection) == 3


def test_a_log_folder_that_lost_its_checkpoint_is_not_begun_anew(engine, published) -> None:
    (published / "checkpoint").unlink()
    assert refused(engine, published) == "audit.log-missing"


def test_a_tile_that_was_changed_is_noticed(engine, add, published) -> None:
    path = published / Tile(0, 0, 3).path
    path.write_bytes(bytes(96))
    assert refused(engine, published) == "audit.tiles-differ"


def test_a_tile_that_was_removed_is_noticed(engine, published) -> None:
    (published / Tile(0, 0, 3).path).unlink()
    assert refused(engine, published) == "audit.tile-missing"


def test_a_file_in_the_way_with_other_content_is_not_overwritten(engine, add, published) -> None:
    path = published / Tile(0, 0, 4).path
    path.write_bytes(b"something else")
    add(1)
    assert refused(engine, published) == "audit.tiles-differ"
    assert path.read_bytes() == b"something else"


def test_a_checkpoint_put_back_to_an_older_one_is_only_taken_when_it_is_a_prefix(
    engine, add, published, tmp_path
) -> None:
    old = tmp_path / "old"
    shutil.copytree(published, old)
    add(2)
    with restarted(engine, published) as sequencer:
        sequencer.step()
        newest = (published / "checkpoint").read_bytes()
        shutil.copy(old / "checkpoint", published / "checkpoint")
        assert sequencer.step() == 2
    assert (published / "checkpoint").read_bytes() == newest


def test_a_checkpoint_of_another_key_is_refused(engine, published, tmp_path) -> None:
    other = keys.create(tmp_path / "other", name=SIGNER.name)
    with closing(Sequencer(engine, published, other, SIGNER.name)) as sequencer, pytest.raises(NoteError):
        sequencer.step()


def test_after_a_failed_write_the_next_step_publishes_all(engine, add, log_folder, monkeypatch) -> None:
    ids = add(5)
    with restarted(engine, log_folder) as sequencer:
        with monkeypatch.context() as patch:
            patch.setattr("audit.durable.os.fsync", full_disk)
            with pytest.raises(OSError, match="No space"):
                sequencer.step()
        assert sequencer.step() == 5
    assert ids_in(log_folder) == ids


def full_disk(_descriptor) -> None:
    raise OSError(28, "No space left on device")


# --- running -----------------------------------------------------------------------------------------------------


def run_until(sequencer, condition, **options) -> None:
    stop = threading.Event()
    thread = threading.Thread(target=sequencer.run, args=(stop, 0.01), kwargs=options)
    thread.start()
    try:
        for _ in range(3000):
            if condition():
                break
            stop.wait(0.01)
        assert condition()
    finally:
        stop.set()
        thread.join()


def test_a_running_sequencer_publishes_what_is_committed(sequencer, add, log_folder) -> None:
    sequencer.step()
    ids = add(3)
    run_until(sequencer, lambda: LogReader(log_folder).size == 3)
    assert ids_in(log_folder) == ids


def test_silence_is_broken_by_a_heartbeat_entry(sequencer, log_folder) -> None:
    sequencer.step()
    run_until(sequencer, lambda: LogReader(log_folder).size >= 2, heartbeat_s=0.05)
    records = [decode(data) for _, data in LogReader(log_folder).entries()]
    assert {record["action"] for record in records} == {HEARTBEAT}


def test_a_database_that_is_away_is_tried_again(engine, add, log_folder, sequencer, monkeypatch) -> None:
    sequencer.step()
    add(1)
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE audit_leaf RENAME TO audit_leaf_away")

    def come_back() -> bool:
        with engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE audit_leaf_away RENAME TO audit_leaf")
        return True

    warned = threading.Event()
    monkeypatch.setattr("audit.outage.logger.warning", lambda *_: warned.is_set() or (come_back(), warned.set()))
    run_until(sequencer, lambda: LogReader(log_folder).size == 1)
    assert warned.is_set()


def test_a_contradiction_ends_the_run(engine, add, published) -> None:
    add(WIDTH)
    tampered(engine, "UPDATE audit_entry SET bytes = :data WHERE position = 2", data=b"forged")
    with restarted(engine, published) as sequencer, pytest.raises(LogConflictError):
        sequencer.run(threading.Event(), 0.01)
