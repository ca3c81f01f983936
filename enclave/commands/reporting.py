"""Reports handed out: of a period of the review, of access rights, of a year. Each hand-out is an entry (R85).

Each is printed with the checkpoint of the signed log under which it was made, and says how far witnesses have seen it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from audit.errors import AuditError
from audit.event import Event
from audit.paper import sheet
from enclave.actions import Action
from enclave.actor import Actor
from enclave.clock import korean_date
from enclave.commands import signoff
from enclave.commands.acting import intent, present
from enclave.errors import Invalid, Unavailable
from enclave.model.logreview import ReviewReport
from enclave.policy.logreview import who
from enclave.policy.people import check_is
from enclave.queries import annual_report, rights_report
from enclave.queries.logreview import load_period
from enclave.queries.review_window import Published
from enclave.queries.witnessed import printed
from enclave.reports import annual, html, monthly, pdf, rights
from enclave.reports.basis import Basis
from enclave.reports.document import Document
from enclave.roles import Role
from enclave.settings import Settings
from enclave.store import Store

KINDS: Mapping[str, str] = {"json": "application/json", "html": "text/html; charset=utf-8", "pdf": "application/pdf"}
# Who reads about rights and years: those who watch, and who runs the platform.
SEES = (Role.REVIEWER, Role.AUDITOR, Role.OPERATOR)
FIRST_YEAR = 2020


@dataclass(frozen=True)
class Handed:
    """One file of a report; `source`: the SHA-256 of the data that all its forms are drawn from."""

    name: str
    data: bytes
    media: str
    source: str


def of_period(  # noqa: PLR0913 - keyword-only
    store: Store, actor: Actor, *, period_id: str, kind: str, now: datetime, seen: str = ""
) -> Handed:
    """Return the report of a closed period: as it was signed, or as it is now; `seen`: as in `signoff.make`.

    Reviewers and auditors. Raises `Denied`, `NotFound`, `Conflict` (`period.not-closed`), `Invalid` (`report.kind`).
    """
    event = intent(Action.REPORT_MAKE, actor, ("period", period_id))
    with store.prepare(event), store.read() as session:
        _check_kind(kind)
        who.check_may_see(present(session, actor, now))
        period = load_period(session, period_id)
        source = period.report_sha256 or ""
        files = _kept(session, period_id, source)
        if not files:
            report = signoff.make(session, period, seen)
            source, files = report.sha256, report.files
        made = Handed(f"review-{period.number:03}.{kind}", files[kind], KINDS[kind], source)
    return _hand(store, event, made)


def of_rights(  # noqa: PLR0913 - keyword-only
    store: Store, settings: Settings, actor: Actor, *, day: date, kind: str, now: datetime
) -> Handed:
    """Return who held which right at the end of a Korean day. Reviewers, auditors, operators.

    Its data are the same whenever it is made; the checkpoint printed on it is the newest of `settings`' log.
    Raises `Denied`, `Invalid` (`report.kind`; `report.future`: the day is not over yet), `Unavailable`
    (`report.no-log`).
    """
    event = intent(Action.REPORT_MAKE, actor, ("report", f"rights-{day.isoformat()}"))
    with store.prepare(event), store.read() as session:
        _check_kind(kind)
        check_is(present(session, actor, now), *SEES)
        if day >= korean_date(now):
            raise _future()
        facts = rights_report.rights(session, day)
        basis = _basis(settings)
        made = _drawn(f"rights-{day.isoformat()}.{kind}", facts, rights.document(facts, basis), kind)
    return _hand(store, event, made, basis.size)


def of_year(  # noqa: PLR0913 - keyword-only
    store: Store, settings: Settings, actor: Actor, *, year: int, kind: str, now: datetime
) -> Handed:
    """Return the operations report of a Korean calendar year. Reviewers, auditors, operators.

    Raises `Denied`, `Invalid` (`report.kind`; `report.future`: the year has not begun), `Unavailable`
    (`report.no-log`).
    """
    event = intent(Action.REPORT_MAKE, actor, ("report", f"annual-{year}"))
    with store.prepare(event), store.read() as session:
        _check_kind(kind)
        check_is(present(session, actor, now), *SEES)
        if not FIRST_YEAR <= year <= korean_date(now).year:
            raise _future()
        facts = annual_report.annual(session, year, korean_date(now))
        basis = _basis(settings)
        made = _drawn(f"annual-{year}.{kind}", facts, annual.document(facts, basis), kind)
    return _hand(store, event, made, basis.size)


def _drawn(name: str, facts: Mapping[str, Any], document: Document, kind: str) -> Handed:
    source = monthly.source(facts)
    data = {"json": lambda: source, "html": lambda: html.page(document), "pdf": lambda: pdf.draw(document)}[kind]()
    return Handed(name, data, KINDS[kind], sha256(source).hexdigest())


def _kept(session: Session, period_id: str, source: str) -> dict[str, bytes]:
    """Return the files of a signed report by kind; none while it is not signed."""
    query = select(ReviewReport).where(ReviewReport.period_id == period_id, ReviewReport.source == source)
    return {row.kind: row.data for row in session.scalars(query)}


def _hand(store: Store, event: Event, made: Handed, size: int | None = None) -> Handed:
    more = {} if size is None else {"size": size}
    with store.write(event) as tx:
        digest = sha256(made.data).hexdigest()
        tx.record(object_sha256=digest, details={"file": made.name, "source_sha256": made.source, **more})
    return made


def _basis(settings: Settings) -> Basis:
    """Return the newest checkpoint. Read after the counting, so that it covers everything that was counted."""
    place = Published.of(settings)
    try:
        note = place.reader().note
        found = sheet(note, place.vkey())
    except (AuditError, Unavailable) as error:
        raise _no_log() from error
    size = int(found.lines[1])
    return Basis(found, size, printed(settings, size))


def _check_kind(kind: str) -> None:
    if kind not in KINDS:
        raise Invalid(
            "report.kind",
            ko=f"그런 형식의 보고서는 없습니다: {kind[:20]!a}",
            en=f"There is no report of this kind: {kind[:20]!a}",
            remedy_ko="pdf, html, json 가운데 고르세요.",
            remedy_en="Choose pdf, html or json.",
        )


def _no_log() -> Unavailable:
    return Unavailable(
        "report.no-log",
        ko="서명된 접속기록을 읽을 수 없어 보고서를 만들지 않았습니다.",
        en="The signed log cannot be read; no report was made.",
        remedy_ko="순번기가 실행 중인지, log.pub이 있는지 운영자에게 확인하세요.",
        remedy_en="Ask an operator whether the sequencer runs and log.pub is there.",
    )


def _future() -> Invalid:
    return Invalid(
        "report.future",
        ko="아직 끝나지 않은 날이거나 시작하지 않은 해입니다.",
        en="This day is not over, or this year has not begun.",
        remedy_ko="지난 날이나 해를 고르세요.",
        remedy_en="Choose one that is past.",
    )
