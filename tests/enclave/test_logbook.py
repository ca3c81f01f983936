"""Asking the log, keeping questions, taking entries out: who may, what is found, and that each leaves its entry."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta

import pytest
from sqlalchemy import Engine, select, update

from audit import keys as log_keys
from audit import outbox, purge, tables
from audit.bundle import Source
from audit.errors import EntryError
from audit.event import Event
from audit.keyline import key_from
from audit.purgecheck import ORDER
from audit.reader import LogReader
from audit.sequencer import Sequencer
from audit.tables import HUSK, audit_entry
from audit.verify import verify_bundle
from enclave.actor import Actor
from enclave.commands import log_export, logbook
from enclave.errors import Conflict, Denied, Invalid, NotFound, Unavailable
from enclave.logbook.export_words import ExportForm, ExportReason
from enclave.logbook.files import manifest, name_of
from enclave.logbook.question import Question
from enclave.queries import logbook as queries
from enclave.store import open_engine, writable
from tests.enclave.scene import NOW, Scene

AUDITORS = {"auditor", "reviewer"}


@pytest.fixture(scope="module")
def publish(shared: Scene) -> Callable[[], LogReader]:
    """Publish what is committed; returns the log as it is then."""
    folder = shared.home / "published"
    signer = log_keys.create(folder.with_name("published.key"))

    def act() -> LogReader:
        with closing(
            Sequencer(shared.store.engine.execution_options(ansim_mode="write"), folder, signer, signer.name)
        ) as one:
            one.step()
        return LogReader(folder, signer.vkey)

    return act


def ask(scene: Scene, login: str = "auditor", **asked: str):
    return logbook.ask(scene.store, scene.actor(login), question=Question(**asked), after=None, limit=1_000, now=NOW)


def take(scene: Scene, log: LogReader, *, login: str = "auditor", form: ExportForm = ExportForm.JSONL, **asked: str):
    return log_export.begin(
        scene.store, scene.actor(login), log, question=Question(**asked), form=form,
        reason_code=ExportReason.REVIEW, reason="정기 점검", now=NOW, clock=lambda: NOW + timedelta(seconds=9),
        source=Source(scene.home / "published", key_from(str(scene.home / "published.pub"))),
    )  # fmt: skip


CASES = {
    "ask": lambda s, a, log: logbook.ask(s.store, a, question=Question(), after=None, limit=1, now=NOW),
    "entry": lambda s, a, log: logbook.view_entry(s.store, a, entry="0", now=NOW),
    "activity": lambda s, a, log: logbook.view_activity(
        s.store, a, project=None, account=None, since=NOW - timedelta(days=1), until=NOW, now=NOW
    ),
    "export": lambda s, a, log: log_export.begin(
        s.store, a, log, question=Question(), form=ExportForm.CSV, reason_code=ExportReason.REVIEW, reason="r", now=NOW,
        clock=lambda: NOW,
    ),
    "one export": lambda s, a, log: queries.export(s.store, a, take(s, log).view.id),
    "exports": lambda s, a, log: queries.exports(s.store, a),
    "question": lambda s, a, log: queries.question_of(s.store, a, Question().sha256),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_only_reviewers_and_auditors_and_the_machines_holder_read_the_log(shared: Scene, publish, name: str) -> None:
    log = publish()
    for login in ("auditor", "reviewer", "operator", "lead", "scientist", "checker-a", "steward-a", "nobody"):
        actor = shared.actor(login)
        if login in AUDITORS:
            CASES[name](shared, actor, log)
            continue
        with shared.new_entries() as entries, pytest.raises(Denied):
            CASES[name](shared, actor, log)
        if name not in {"one export", "exports", "question"}:
            assert [each["outcome"] for each in entries] == ["denied"]
    CASES[name](shared, Actor.console(), log)


def test_a_question_is_answered_and_named_by_its_hash_and_its_text_is_kept_apart(shared: Scene, publish) -> None:
    publish()
    with shared.new_entries() as entries:
        answer = ask(shared, actor="auditor", text="홍길동의 기록 log.view")
    details = entries[0]["details"]
    question = Question(actor="auditor", text="홍길동의 기록 log.view")
    assert (entries[0]["action"], details["rows"]) == ("log.view", len(answer.page.rows))
    assert details["question_sha256"] == question.sha256
    assert "홍길동" not in json.dumps(entries, ensure_ascii=False)
    assert queries.question_of(shared.store, shared.actor("reviewer"), question.sha256) == question


def test_a_login_a_task_a_dataset_and_a_moving_period_mean_what_they_say(shared: Scene, publish) -> None:
    shared.usual()
    publish()
    everything = ask(shared).page.rows
    assert {row.actor for row in ask(shared, actor="lead").page.rows} == {"u-lead"}
    assert {row.action for row in ask(shared, task="권한변경").page.rows} <= {row.action for row in everything}
    assert ask(shared, task="권한변경").page.rows
    of_set = ask(shared, dataset="set-a").page.rows
    assert of_set
    assert {row.object_kind for row in of_set} <= {"dataset", "snapshot"}
    assert ask(shared, begin="2001-01-01", end="2001-12-31").page.rows == ()
    assert ask(shared).count == len(ask(shared).page.rows)


@pytest.mark.parametrize(
    "asked",
    [
        {"begin": "gestern"}, {"end": "2026-02-30"}, {"recent": "8"}, {"recent": "²"}, {"outcome": "fine"},
        {"place": "here"}, {"task": "none"}, {"text": "%"}, {"begin": "0001-01-01"}, {"begin": "2026-11-24Tx"},
    ],
    ids=repr,
)  # fmt: skip
def test_a_question_that_means_nothing_is_refused_in_words_and_recorded(shared: Scene, asked: dict[str, str]) -> None:
    with shared.new_entries() as entries, pytest.raises(Invalid) as refused:
        ask(shared, **asked)
    assert refused.value.code in {"log.question", "audit.search-text"}
    assert refused.value.remedy_ko
    assert [(each["action"], each["outcome"]) for each in entries] == [("log.view", "failed")]


def test_an_entry_is_seen_by_number_and_by_id_with_its_session(shared: Scene, publish) -> None:
    log = publish()
    by_number = logbook.view_entry(shared.store, shared.actor("auditor"), entry="3", now=NOW)
    by_id = logbook.view_entry(shared.store, shared.actor("auditor"), entry=by_number.entry.entry_id.lower(), now=NOW)
    assert by_number.entry == by_id.entry
    assert by_number.entry.data == log.entry(3)
    own = ask(shared, session="s-1").page.rows
    middle = own[len(own) // 2]
    with shared.new_entries() as entries:
        seen = logbook.view_entry(shared.store, shared.actor("auditor"), entry=str(middle.leaf_index), now=NOW)
    assert [(each["action"], each["object"]) for each in entries] == [
        ("log.view", {"id": middle.entry_id, "kind": "entry"})
    ]
    at = own.index(middle)
    assert seen.session == own[max(0, at - 5) : at + 6]
    with shared.new_entries() as entries:
        for name in ("99999999", "Z" * 26, "김수한무", "9" * 30):
            with pytest.raises(NotFound):
                logbook.view_entry(shared.store, shared.actor("auditor"), entry=name, now=NOW)
    assert "김수한무" not in json.dumps(entries, ensure_ascii=False)


def test_a_filter_is_kept_replaced_and_dropped_by_its_owner_alone(shared: Scene) -> None:
    auditor, reviewer = shared.actor("auditor"), shared.actor("reviewer")
    with shared.new_entries() as entries:
        made = logbook.keep_filter(shared.store, auditor, name=" 홍길동 ", question=Question(actor="lead"), now=NOW)
        again = logbook.keep_filter(shared.store, auditor, name="홍길동", question=Question(actor="owner"), now=NOW)
    assert [each["action"] for each in entries] == ["log.filter-keep"] * 2
    assert "홍길동" not in json.dumps(entries, ensure_ascii=False)
    assert made.id == again.id
    assert [view.question.actor for view in queries.filters(shared.store, auditor)] == ["owner"]
    assert made.id not in {view.id for view in queries.filters(shared.store, reviewer)}
    with pytest.raises(NotFound):
        logbook.drop_filter(shared.store, reviewer, filter_id=made.id, now=NOW)
    logbook.drop_filter(shared.store, auditor, filter_id=made.id, now=NOW)
    assert queries.filters(shared.store, auditor) == ()
    for name, asked in (("", Question()), ("x", Question(begin="nie"))):
        with pytest.raises(Invalid):
            logbook.keep_filter(shared.store, auditor, name=name, question=asked, now=NOW)
    with pytest.raises(Denied):
        logbook.keep_filter(shared.store, shared.actor("lead"), name="x", question=Question(), now=NOW)


def test_nobody_keeps_more_than_fifty_filters(shared: Scene, monkeypatch) -> None:
    monkeypatch.setattr(logbook, "MAX_KEPT", 2)
    reviewer = shared.actor("reviewer")
    for name in ("a", "b", "b"):
        logbook.keep_filter(shared.store, reviewer, name=name, question=Question(), now=NOW)
    with pytest.raises(Conflict):
        logbook.keep_filter(shared.store, reviewer, name="c", question=Question(), now=NOW)


@pytest.mark.parametrize("form", ExportForm)
def test_an_export_is_two_entries_and_its_file_is_named_by_hash(
    shared: Scene, publish, monkeypatch, tmp_path, form
) -> None:
    monkeypatch.setattr(log_export, "PORTION", 3)
    with pytest.raises(Denied):
        ask(shared, "lead")  # an entry of the lead's, whatever ran before
    log = publish()
    with shared.new_entries() as entries:
        begun = take(shared, log, form=form, actor="lead")
        data = b"".join(begun)
    assert [(e["action"], e["outcome"]) for e in entries] == [
        ("log.export-requested", "done"),
        ("log.export-done", "done"),
    ]
    asked, done = entries
    assert asked["reason"]["code"] == done["reason"]["code"] == "log.periodic-review"
    assert (asked["details"]["size"], asked["details"]["root"]) == (log.size, log.checkpoint.root.hex())
    assert done["object"] == {"id": begun.view.id, "kind": "log_export", "sha256": hashlib.sha256(data).hexdigest()}
    assert "정기 점검" not in json.dumps(entries, ensure_ascii=False)
    told = manifest(begun.view, "auditor")
    assert (told["sha256"], told["filter"], told["checkpoint"]) == (
        hashlib.sha256(data).hexdigest(), {"actor": "lead"}, log.note.decode(),
    )  # fmt: skip
    wanted = [row for row in ask(shared, actor="lead").page.rows if row.leaf_index < log.size]
    assert told["entries"] == done["details"]["rows"] == len(wanted)
    if form is ExportForm.BUNDLE:
        zipfile.ZipFile(io.BytesIO(data)).extractall(tmp_path)
        (folder,) = tmp_path.iterdir()
        report = verify_bundle(folder, key_from(str(shared.home / "published.pub")))
        assert (report.ok, folder.name) == (True, name_of(begun.view).removesuffix(".zip"))
        said = json.loads((folder / "manifest.json").read_text())["selection"]
        assert said == {
            "actor": "lead",
            "export": begun.view.id,
            "question_sha256": begun.view.question.sha256,
            "reason_code": "log.periodic-review",
        }
        assert len((folder / "entries.jsonl").read_bytes().splitlines()) == len(wanted)
    if form is ExportForm.JSONL:
        found = [json.loads(each) for each in data.splitlines()]
        assert [each["leaf_index"] for each in found] == [row.leaf_index for row in wanted]


def rewritten(engine: Engine, entry_id: str, data: bytes) -> bytes:
    """Change an entry as who holds the database's file can, triggers or not; return what was there."""
    lite = engine.dialect.name == "sqlite"
    with engine.begin() as connection:
        off = "DROP TRIGGER audit_entry_no_update" if lite else "ALTER TABLE audit_entry DISABLE TRIGGER USER"
        connection.exec_driver_sql(off)
        own = audit_entry.c.id == entry_id
        before = connection.scalar(select(audit_entry.c.bytes).where(own))
        connection.execute(update(audit_entry).where(own).values(bytes=data))
        on = tables.protecting("audit_entry", "sqlite")[0] if lite else "ALTER TABLE audit_entry ENABLE TRIGGER USER"
        connection.exec_driver_sql(on)
    return bytes(before)


@pytest.mark.parametrize("form", [ExportForm.CSV, ExportForm.JSONL, ExportForm.OCSF])
def test_an_export_has_the_published_entries_whatever_the_database_has_by_now(shared: Scene, publish, form) -> None:
    log = publish()
    found = next(row for row in ask(shared).page.rows if row.leaf_index < log.size)
    engine = writable(open_engine(shared.store.engine.url.render_as_string(hide_password=False)))
    before = rewritten(engine, found.entry_id, b'{"action":"nothing.happened"}')
    try:
        data = b"".join(take(shared, log, form=form))
    finally:
        rewritten(engine, found.entry_id, before)
        engine.dispose()
    assert b"nothing.happened" not in data
    assert found.entry_id.encode() in data


def test_a_bundle_of_nothing_is_refused_before_anything_leaves(shared: Scene, publish) -> None:
    log = publish()
    with shared.new_entries() as entries, pytest.raises(NotFound):
        take(shared, log, form=ExportForm.BUNDLE, actor="lead", outcome="unknown")
    assert [(each["action"], each["outcome"]) for each in entries] == [("log.export-requested", "failed")]


def test_entries_after_the_checkpoint_are_not_in_the_file(shared: Scene, publish) -> None:
    log = publish()
    ask(shared)
    publish()
    found = [json.loads(each)["leaf_index"] for each in b"".join(take(shared, log)).splitlines()]
    assert found == list(range(log.size - 1, -1, -1))


def test_an_export_that_breaks_off_says_so_and_one_never_heard_of_is_reaped(shared: Scene, publish) -> None:
    log = publish()
    broken = iter(take(shared, log, form=ExportForm.OCSF))
    next(broken)
    with shared.new_entries() as entries:
        broken.close()
    assert [(e["action"], e["outcome"]) for e in entries] == [("log.export-failed", "failed")]
    silent = take(shared, log)
    assert log_export.reap(shared.store, now=NOW) == 0
    with shared.new_entries() as entries:
        assert log_export.reap(shared.store, now=NOW + timedelta(days=1)) >= 1
    assert {(e["action"], e["outcome"], e["actor"]["id"]) for e in entries} == {
        ("log.export-failed", "unknown", "system")
    }
    assert queries.export(shared.store, shared.actor("auditor"), silent.view.id).ended_at is not None
    with pytest.raises(Conflict):
        b"".join(silent)


def test_an_export_needs_a_reason_and_an_index_that_reaches_the_checkpoint(shared: Scene, publish) -> None:
    log = publish()
    with pytest.raises(Invalid):
        log_export.begin(
            shared.store, shared.actor("auditor"), log, question=Question(), form=ExportForm.CSV,
            reason_code=ExportReason.INCIDENT, reason=" ", now=NOW, clock=lambda: NOW,
        )  # fmt: skip
    ask(shared)

    class Ahead:
        size, note, checkpoint = log.size + 1_000, log.note, log.checkpoint

    with pytest.raises(Unavailable) as refused:
        take(shared, Ahead())
    assert refused.value.code == "log.index-behind"


def test_activity_counts_what_was_done_in_a_project_and_by_a_person(shared: Scene, publish) -> None:
    made = shared.active()
    publish()
    moments = [row.at for row in ask(shared, project=made).page.rows]
    assert moments
    since, until = NOW - timedelta(days=9_000), NOW + timedelta(days=9_000)
    auditor = shared.actor("auditor")
    of_project = logbook.view_activity(
        shared.store, auditor, project=made, account=None, since=since, until=until, now=NOW
    )
    assert sum(each.entries for each in of_project.done) == len(moments)
    assert sum(count for _, count in of_project.shares) == len(moments)
    with shared.new_entries() as entries:
        of_lead = logbook.view_activity(
            shared.store, auditor, project=None, account="u-lead", since=since, until=until, now=NOW
        )
    assert (made, dict(of_project.shares)["u-lead"]) in of_lead.shares
    assert [(each["action"], each["object"]) for each in entries] == [("log.view", {"id": "u-lead", "kind": "account"})]


def test_an_error_of_the_logs_room_keeps_its_code(shared: Scene) -> None:
    with pytest.raises(Invalid) as refused:
        ask(shared, text="…")
    assert refused.value.code == "audit.search-text"
    assert isinstance(refused.value.__cause__, EntryError)


def test_an_entry_that_was_purged_says_so_and_the_rest_is_found(scene: Scene, tmp_path) -> None:
    engine, later = scene.store.engine.execution_options(ansim_mode="write"), NOW + timedelta(days=3_660)
    signer = log_keys.create(tmp_path / "purged.key")
    with engine.begin() as connection:
        for _ in range(300):
            outbox.append(connection, Event("thing.add", "done", "u-1", session="s-9"), observer="test")
    with closing(Sequencer(engine, tmp_path / "log", signer, signer.name)) as sequencer:
        sequencer.step()
        with engine.begin() as connection:
            event = Event(ORDER, "allowed", "console", details={"end": 256})
            ordered = outbox.append(connection, event, observer="test")
            purge.order(connection, 256, ordered, size=300, now=later)
        sequencer.step()
        purge.carry_out(engine, tmp_path / "log", LogReader(tmp_path / "log", signer.vkey).size)
    auditor = scene.actor("auditor")
    gone = logbook.view_entry(scene.store, auditor, entry="0", now=NOW)
    kept = logbook.view_entry(scene.store, auditor, entry="256", now=NOW)
    assert (gone.purged, gone.row, gone.session, gone.entry.data) == (True, None, (), HUSK)
    assert (kept.purged, kept.row is None) == (False, False)
    assert {row.leaf_index >= 256 for row in kept.session} == {True}
    rows = ask(scene).page.rows
    assert min(row.leaf_index for row in rows) == 256
    assert ask(scene).count == len(rows)
