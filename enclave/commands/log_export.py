"""Taking entries out as a file: an entry before the first one leaves, and one when the file is whole (korea.md R85)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import lru_cache

from sqlalchemy import select

from audit import query
from audit.bundle import Source
from audit.query import LogFilter
from audit.reader import LogReader
from audit.tiles import WIDTH
from enclave.actions import Action
from enclave.actor import Actor
from enclave.commands.acting import intent, present, require, text_sha256
from enclave.commands.logbook import name_question
from enclave.errors import Conflict, NotFound, Unavailable
from enclave.ids import new_id
from enclave.logbook import evidence
from enclave.logbook.export_words import ExportForm, ExportReason
from enclave.logbook.files import WRITERS, File, Writer, name_of
from enclave.logbook.line import Line
from enclave.logbook.question import Question
from enclave.model.logbook import LogExport
from enclave.policy.people import check_may_read_log
from enclave.queries import logbook as queries
from enclave.queries.logbook import ExportView
from enclave.store import Store, Tx

Clock = Callable[[], datetime]
# Entries read at a time while they are taken out: what an export holds in memory.
PORTION = 500
# How long an export may be under way before it is said that it broke off.
PATIENCE = timedelta(hours=12)


class Export:
    """An export under way: its bytes, once, and then how it ended. Whoever iterates to the end ends it."""

    def __init__(  # noqa: PLR0913, PLR0917 - made here alone
        self,
        store: Store,
        actor: Actor,
        log: LogReader,
        view: ExportView,
        filters: LogFilter,
        writer: Writer,
        clock: Clock,
    ) -> None:
        self.view, self._log = view, log
        self._store, self._actor, self._filters, self._writer, self._clock = store, actor, filters, writer, clock

    def __iter__(self) -> Iterator[bytes]:
        """Yield the file piece by piece; record its SHA-256 at the end, or that it broke off."""
        file, whole = File(self._writer, _lines(self._store, self._filters, self._log)), False
        try:
            yield from file
            whole = True
        finally:
            sha256 = file.sha256 if whole else None
            self.view = _end(
                self._store, self._actor, export_id=self.view.id, rows=file.rows, sha256=sha256, now=self._clock()
            )


def begin(  # noqa: PLR0913 - keyword-only fields of one form
    store: Store,
    actor: Actor,
    log: LogReader,
    *,
    question: Question,
    form: ExportForm,
    reason_code: ExportReason,
    reason: str,
    now: datetime,
    clock: Clock,
    source: Source | None = None,
) -> Export:
    """Record that entries are about to be taken out, before the first of them is; `log`: the published checkpoint.

    The export ends when it has been read; `clock` tells when that is. `source`: what an evidence bundle is made of.

    Raises `Denied`, `Invalid`, `Unavailable` (`log.index-behind`) while the index has less than the checkpoint, and
    `NotFound` (`log.nothing-found`) for a bundle of nothing.
    """
    event = intent(Action.LOG_EXPORT_REQUESTED, actor, ("log_export", "new"))
    with store.write(event) as tx:
        check_may_read_log(present(tx.session, actor, now))
        require(("사유", "reason", reason))
        filters = queries.meaning(tx.session, question, now)
        _check_indexed(tx, log.size)
        if form is ExportForm.BUNDLE:
            _check_any(tx, filters, log.size)
        row = LogExport(
            id=new_id("x"),
            account_id=None if actor.is_console else actor.account_id,
            form=form.value,
            asked=question.given(),
            reason_code=reason_code.value,
            reason=reason.strip(),
            checkpoint=log.note.decode(),
            size=log.size,
            asked_at=now,
        )
        tx.session.add(row)
        name_question(tx, question)
        details: dict[str, str | int | bool] = {"form": form.value, "question_sha256": question.sha256}
        details |= {"size": log.size, "root": log.checkpoint.root.hex(), "reason_sha256": text_sha256(reason)}
        tx.record(object_id=row.id, reason_code=reason_code.value, details=details)
        tx.session.flush()
        view = queries.export_view(row)
    return Export(store, actor, log, view, filters, _writer(view, source), clock)


def _writer(view: ExportView, source: Source | None) -> Writer:
    if view.form != ExportForm.BUNDLE:
        return WRITERS[ExportForm(view.form)]
    if source is None:
        raise TypeError("an evidence bundle is made of the published log: give `source`")
    asked = {"export": view.id, "question_sha256": view.question.sha256, "reason_code": view.reason_code}
    name = name_of(view).removesuffix(".zip")
    return evidence.writer(source, name, {**view.question.given(), **asked})


def _lines(store: Store, filters: LogFilter, log: LogReader) -> Iterator[Line]:
    """Yield the entries under a checkpoint that a filter finds, newest first, by portions.

    Their bytes are the published ones: those of the database can be changed by who holds its file.
    """
    after: int | None = log.size
    bundle = lru_cache(2)(lambda number: dict(log.entries(number * WIDTH, number * WIDTH + WIDTH - 1)))
    with store.read() as session:
        logins = queries.logins(session)
    while after is not None:
        with store.read() as session:
            page = query.search(session.connection(), filters=filters, after=after, limit=PORTION)
        for row in page.rows:
            data = bundle(row.leaf_index // WIDTH)[row.leaf_index]
            yield Line(row.leaf_index, row.entry_id, data, logins.get(row.actor, ""))
        after = page.next


def _end(  # noqa: PLR0913 - keyword-only facts of one file
    store: Store, actor: Actor, *, export_id: str, rows: int, sha256: str | None, now: datetime
) -> ExportView:
    """Record how an export ended: with the file's SHA-256, or, without one, broken off after `rows` entries."""
    action = Action.LOG_EXPORT_DONE if sha256 else Action.LOG_EXPORT_FAILED
    with store.write(intent(action, actor, ("log_export", export_id), outcome="done" if sha256 else "failed")) as tx:
        row = queries.load_export(tx.session, export_id)
        if row.ended_at is not None:
            raise _ended(export_id)
        row.ended_at, row.rows, row.sha256 = now, rows, sha256
        tx.record(reason_code=row.reason_code, object_sha256=sha256, details={"rows": rows, "form": row.form})
        return queries.export_view(row)


def reap(store: Store, *, now: datetime) -> int:
    """Say of exports of which nothing was heard for half a day that it is not known how they ended; return how many."""
    left = select(LogExport.id).where(LogExport.ended_at.is_(None), LogExport.asked_at < now - PATIENCE)
    with store.read() as session:
        stuck = list(session.scalars(left))
    for export_id in stuck:
        event = intent(Action.LOG_EXPORT_FAILED, Actor.system(), ("log_export", export_id), outcome="unknown")
        with store.write(event) as tx:
            row = queries.load_export(tx.session, export_id)
            row.ended_at = row.ended_at or now
    return len(stuck)


def _check_indexed(tx: Tx, size: int) -> None:
    indexed = query.indexed(tx.session.connection())
    if indexed < size:
        raise Unavailable(
            "log.index-behind",
            ko=f"색인이 아직 {size:,}건 가운데 {indexed:,}건까지입니다.",
            en=f"The index has {indexed:,} of {size:,} entries so far.",
            remedy_ko="색인이 다 되면 다시 내려받으세요. 접속기록 화면이 진행을 보여 줍니다.",
            remedy_en="Take them out once the index is complete; the log's page shows how far it is.",
        )


def _check_any(tx: Tx, filters: LogFilter, size: int) -> None:
    if not query.search(tx.session.connection(), filters=filters, after=size, limit=1).rows:
        raise NotFound(
            "log.nothing-found",
            ko="조건에 맞는 기록이 없어 증거 묶음을 만들지 않았습니다.",
            en="No entry matches; no evidence bundle was made.",
            remedy_ko="기간과 조건을 넓혀 다시 찾으세요.",
            remedy_en="Widen the period or the conditions.",
        )


def _ended(export_id: str) -> Conflict:
    return Conflict(
        "log.export-ended",
        ko=f"내려받기 {export_id}은(는) 이미 끝났습니다.",
        en=f"The export {export_id} has ended already.",
        remedy_ko="내려받기를 새로 시작하세요.",
        remedy_en="Begin a new export.",
    )
