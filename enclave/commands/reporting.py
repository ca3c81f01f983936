"""Reports handed out: of a period of the review, of access rights, of a year. Each hand-out is an entry (R85)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from audit.event import Event
from enclave.actions import Action
from enclave.actor import Actor
from enclave.clock import korean_date
from enclave.commands import signoff
from enclave.commands.acting import intent, present
from enclave.errors import Invalid
from enclave.model.logreview import ReviewReport
from enclave.policy.logreview import who
from enclave.policy.people import check_is
from enclave.queries import annual_report, rights_report
from enclave.queries.logreview import load_period
from enclave.reports import annual, html, monthly, pdf, rights
from enclave.reports.document import Document
from enclave.roles import Role
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


def of_rights(store: Store, actor: Actor, *, day: date, kind: str, now: datetime) -> Handed:
    """Return who held which right at the end of a Korean day. Reviewers, auditors, operators.

    Raises `Denied`, `Invalid` (`report.kind`; `report.future`: the day is not over yet).
    """
    event = intent(Action.REPORT_MAKE, actor, ("report", f"rights-{day.isoformat()}"))
    with store.prepare(event), store.read() as session:
        _check_kind(kind)
        check_is(present(session, actor, now), *SEES)
        if day >= korean_date(now):
            raise _future()
        facts = rights_report.rights(session, day)
        made = _drawn(f"rights-{day.isoformat()}.{kind}", facts, rights.document(facts), kind)
    return _hand(store, event, made)


def of_year(store: Store, actor: Actor, *, year: int, kind: str, now: datetime) -> Handed:
    """Return the operations report of a Korean calendar year. Reviewers, auditors, operators.

    Raises `Denied`, `Invalid` (`report.kind`; `report.future`: the year has not begun).
    """
    event = intent(Action.REPORT_MAKE, actor, ("report", f"annual-{year}"))
    with store.prepare(event), store.read() as session:
        _check_kind(kind)
        check_is(present(session, actor, now), *SEES)
        if not FIRST_YEAR <= year <= korean_date(now).year:
            raise _future()
        facts = annual_report.annual(session, year, korean_date(now))
        made = _drawn(f"annual-{year}.{kind}", facts, annual.document(facts), kind)
    return _hand(store, event, made)


def _drawn(name: str, facts: Mapping[str, Any], document: Document, kind: str) -> Handed:
    source = monthly.source(facts)
    data = {"json": lambda: source, "html": lambda: html.page(document), "pdf": lambda: pdf.draw(document)}[kind]()
    return Handed(name, data, KINDS[kind], sha256(source).hexdigest())


def _kept(session: Session, period_id: str, source: str) -> dict[str, bytes]:
    """Return the files of a signed report by kind; none while it is not signed."""
    query = select(ReviewReport).where(ReviewReport.period_id == period_id, ReviewReport.source == source)
    return {row.kind: row.data for row in session.scalars(query)}


def _hand(store: Store, event: Event, made: Handed) -> Handed:
    with store.write(event) as tx:
        digest = sha256(made.data).hexdigest()
        tx.record(object_sha256=digest, details={"file": made.name, "source_sha256": made.source})
    return made


def _check_kind(kind: str) -> None:
    if kind not in KINDS:
        raise Invalid(
            "report.kind",
            ko=f"그런 형식의 보고서는 없습니다: {kind[:20]!a}",
            en=f"There is no report of this kind: {kind[:20]!a}",
            remedy_ko="pdf, html, json 가운데 고르세요.",
            remedy_en="Choose pdf, html or json.",
        )


def _future() -> Invalid:
    return Invalid(
        "report.future",
        ko="아직 끝나지 않은 날이거나 시작하지 않은 해입니다.",
        en="This day is not over, or this year has not begun.",
        remedy_ko="지난 날이나 해를 고르세요.",
        remedy_en="Choose one that is past.",
    )
