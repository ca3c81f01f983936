"""Incidents as pages show them: how many hours are left, what is known, and which exports they may concern."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from enclave.actor import CONSOLE_ID, Actor
from enclave.errors import NotFound
from enclave.model.egress import AirlockRequest, OutputFile
from enclave.model.ends import ProjectFreeze
from enclave.model.incident import Incident, IncidentAccount, IncidentKind
from enclave.model.people import Account
from enclave.model.project import Project
from enclave.model.release import Release
from enclave.policy import incident as policy
from enclave.policy.allows import allows
from enclave.policy.incident import IncidentFacts
from enclave.reports.incident import Facts
from enclave.states import FileDecision, IncidentState, ReleaseState
from enclave.store import Store

CHECKS = {
    "revise": policy.check_may_revise,
    "file": policy.check_may_file,
    "close": policy.check_may_close,
    "dismiss": policy.check_may_dismiss,
    "reopen": policy.check_may_reopen,
}


@dataclass(frozen=True)
class AccountView:
    """What was known at one time; `login` is who said so."""

    number: int
    items: str
    circumstances: str
    advice: str
    response: str
    contact: str
    subjects: int | None
    login: str
    made_at: datetime


@dataclass(frozen=True)
class ExportView:
    """A package that left, or may: of which request, to whom, when, how many files, and whether it was recalled."""

    release_id: str
    request_id: str
    receiver: str
    state: ReleaseState
    built_at: datetime | None
    handed_over_at: datetime | None
    recalled_at: datetime | None
    files: int


@dataclass(frozen=True)
class IncidentView:
    """One incident. `hours_left`: until the authority must know, negative when it is late, None once it is over.

    `missing`: fields of §34① that are still empty; `frozen`: whether its project is.
    """

    id: str
    kind: IncidentKind
    state: IncidentState
    project_id: str
    project_title: str
    frozen: bool
    discovered_at: datetime
    due_at: datetime
    hours_left: int | None
    opened_by: str
    opened_at: datetime
    filed_by: str
    filed_at: datetime | None
    receipt: str
    report_sha256: str
    ended_by: str
    ended_at: datetime | None
    end_reason: str
    missing: tuple[str, ...]
    accounts: tuple[AccountView, ...]
    exports: tuple[ExportView, ...]
    may: frozenset[str]

    @property
    def late(self) -> bool:
        """Whether the authority should have been told by now."""
        return self.hours_left is not None and self.hours_left < 0


def incidents(store: Store, actor: Actor, *, now: datetime) -> tuple[IncidentView, ...]:
    """Return the incidents the actor may see, open ones first, what is due soonest first."""
    with store.read() as session:
        rows = session.scalars(select(Incident).order_by(Incident.discovered_at.desc(), Incident.id))
        views = [
            incident_view(session, row, actor, now)
            for row in rows
            if allows(policy.check_may_see, actor, incident_facts(row))
        ]
    return tuple(sorted(views, key=lambda view: (view.hours_left is None, view.due_at if view.hours_left else now)))


def incident(store: Store, actor: Actor, incident_id: str, *, now: datetime) -> IncidentView:
    """Return one incident. Raises `Denied`, `NotFound`."""
    with store.read() as session:
        found = load_incident(session, incident_id)
        policy.check_may_see(actor, incident_facts(found))
        return incident_view(session, found, actor, now)


def facts_of_report(store: Store, actor: Actor, incident_id: str) -> Facts:
    """Return what the report to the authority says. Raises `Denied`, `NotFound`."""
    with store.read() as session:
        found = load_incident(session, incident_id)
        policy.check_may_see(actor, incident_facts(found))
        return report_facts(session, found)


def waiting(store: Store, actor: Actor, *, now: datetime) -> tuple[int, int]:
    """Return how many incidents wait to be reported by somebody like the actor, and how many hours the next one has."""
    if actor.roles.isdisjoint(policy.SEES):
        return 0, 0
    with store.read() as session:
        query = select(Incident.discovered_at).where(Incident.state == IncidentState.OPEN)
        found = [_hours_left(each, now) for each in session.scalars(query)]
    return len(found), min(found, default=0)


def late(store: Store, *, now: datetime) -> tuple[str, ...]:
    """Return the incidents of which it was not yet recorded that they are late: for the chore."""
    with store.read() as session:
        query = select(Incident).where(Incident.state == IncidentState.OPEN, Incident.late_told_at.is_(None))
        return tuple(each.id for each in session.scalars(query) if now >= policy.due_at(each.discovered_at))


def load_incident(session: Session, incident_id: str, *, lock: bool = False) -> Incident:
    """Return the row, locked until the transaction ends if asked; raises `NotFound` (`incident.unknown`)."""
    query = select(Incident).where(Incident.id == incident_id)
    found = session.scalar(query.with_for_update() if lock else query)
    if found is None:
        raise NotFound(
            "incident.unknown",
            ko=f"사고 {incident_id[:40]}이(가) 없습니다.",
            en=f"There is no incident {incident_id[:40]}.",
            remedy_ko="사고 목록에서 고르세요.",
            remedy_en="Choose one from the list of incidents.",
        )
    return found


def incident_facts(found: Incident) -> IncidentFacts:
    """Return what policies ask about an incident."""
    filed_by = (found.filed_by or CONSOLE_ID) if found.filed_at else ""
    missing = tuple(name for name, *_ in policy.ITEMS if not getattr(found.accounts[-1], name).strip())
    return IncidentFacts(found.id, found.state, found.opened_by or CONSOLE_ID, filed_by, missing)


def incident_view(session: Session, found: Incident, actor: Actor, now: datetime) -> IncidentView:
    """Return an incident as this actor sees it."""
    facts = incident_facts(found)
    project = session.get(Project, found.project_id) if found.project_id else None
    open_still = found.state is IncidentState.OPEN
    return IncidentView(
        id=found.id,
        kind=found.kind,
        state=found.state,
        project_id=found.project_id or "",
        project_title=project.title if project else "",
        frozen=_is_frozen(session, found.project_id),
        discovered_at=found.discovered_at,
        due_at=policy.due_at(found.discovered_at),
        hours_left=_hours_left(found.discovered_at, now) if open_still else None,
        opened_by=_login(session, found.opened_by),
        opened_at=found.opened_at,
        filed_by=_login(session, found.filed_by) if found.filed_at else "",
        filed_at=found.filed_at,
        receipt=found.receipt,
        report_sha256=found.report_sha256 or "",
        ended_by=_login(session, found.ended_by) if found.ended_at else "",
        ended_at=found.ended_at,
        end_reason=found.end_reason,
        missing=facts.missing,
        accounts=tuple(_account_view(each) for each in reversed(found.accounts)),
        exports=exports(session, found.project_id),
        may=frozenset(name for name, check in CHECKS.items() if allows(check, actor, facts)),
    )


def exports(session: Session, project_id: str | None) -> tuple[ExportView, ...]:
    """Return the packages of a project that left or may leave, newest first; without a project none."""
    approved = (
        select(func.count())
        .where(OutputFile.request_id == AirlockRequest.id, OutputFile.outcome == FileDecision.APPROVED)
        .scalar_subquery()
    )
    query = (
        select(Release, Account.login, approved)
        .join(AirlockRequest, AirlockRequest.id == Release.request_id)
        .join(Account, Account.id == Release.receiver_id)
        .where(AirlockRequest.project_id == project_id)
        .order_by(Release.requested_at.desc(), Release.id)
    )
    return tuple(
        ExportView(
            row.id, row.request_id, login, row.state, row.built_at, row.handed_over_at, row.recalled_at, files or 0
        )
        for row, login, files in session.execute(query)
    )


def report_facts(session: Session, found: Incident) -> Facts:
    """Return what the report to the authority says of this incident."""
    newest = found.accounts[-1]
    project = session.get(Project, found.project_id) if found.project_id else None
    left = [each for each in exports(session, found.project_id) if each.built_at is not None]
    return Facts(
        id=found.id,
        kind=found.kind.value,
        discovered_at=found.discovered_at,
        due_at=policy.due_at(found.discovered_at),
        project=f"{project.title} ({project.id})" if project else "",
        frozen=_is_frozen(session, found.project_id),
        items=newest.items,
        circumstances=newest.circumstances,
        advice=newest.advice,
        response=newest.response,
        contact=newest.contact,
        subjects=newest.subjects,
        exports=tuple((each.release_id, each.files, each.handed_over_at, each.recalled_at) for each in left),
    )


def _hours_left(discovered_at: datetime, now: datetime) -> int:
    """Return whole hours until the authority must know, rounded down: -1 as soon as it is late."""
    return int((policy.due_at(discovered_at) - now).total_seconds() // 3600)


def _is_frozen(session: Session, project_id: str | None) -> bool:
    query = select(ProjectFreeze.id).where(ProjectFreeze.project_id == project_id, ProjectFreeze.lifted_at.is_(None))
    return bool(project_id) and session.scalar(query.limit(1)) is not None


def _account_view(row: IncidentAccount) -> AccountView:
    login = row.author.login if row.author else CONSOLE_ID
    texts = (row.items, row.circumstances, row.advice, row.response, row.contact)
    return AccountView(row.number, *texts, row.subjects, login, row.made_at)


def _login(session: Session, account_id: str | None) -> str:
    found = session.get(Account, account_id) if account_id else None
    return found.login if found else CONSOLE_ID
