"""Projects as pages and REST show them, with what this actor may do to each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session, selectinload
from sqlalchemy.sql.base import ExecutableOption

from deid.manifest import Manifest
from enclave import pledge, reserved
from enclave.actor import Actor
from enclave.errors import NotFound
from enclave.model.data import Dataset, Snapshot
from enclave.model.project import LegalBasis, Project, ProjectColumn, ProjectMember
from enclave.policy import project as policy
from enclave.policy.allows import allows
from enclave.policy.people import check_is
from enclave.queries.manifests import read_manifest
from enclave.states import PROJECT, ColumnState, ProjectState
from enclave.store import Store


@dataclass(frozen=True)
class ColumnView:
    """One column asked for, with its label and treatment from the signed manifest, and the steward's word on it."""

    dataset_id: str
    provider_id: str
    snapshot_id: str
    table: str
    column: str
    label_ko: str
    label_en: str
    treatment: str
    state: ColumnState
    reason: str | None
    decided_by: str | None
    decided_at: datetime | None


@dataclass(frozen=True)
class MemberView:
    """One person of a project; `pledged_at` is set if they signed the edition of the pledge now in force."""

    account_id: str
    login: str
    name: str
    organisation_id: str
    pledged_at: datetime | None


@dataclass(frozen=True)
class ProjectView:
    """One project. `may` names the commands (`apply`, `decide_columns`, `sign_pledge` …) open to this actor."""

    id: str
    title: str
    purpose: str
    legal_basis: LegalBasis | None
    combination_approval: str
    expected_outputs: str
    ethics: str
    safety_plan: str
    starts_on: date | None
    ends_on: date | None
    lead_id: str
    lead_login: str
    lead_name: str
    organisation_id: str
    organisation_name: str
    state: ProjectState
    state_reason: str
    created_at: datetime
    submitted_at: datetime | None
    decided_at: datetime | None
    activated_at: datetime | None
    ended_at: datetime | None
    members: tuple[MemberView, ...]
    columns: tuple[ColumnView, ...]
    may: frozenset[str]


def mine(store: Store, actor: Actor, *, now: datetime) -> tuple[ProjectView, ...]:
    """Return the projects the actor leads or belongs to, newest first."""
    member = select(ProjectMember.project_id).where(ProjectMember.account_id == actor.account_id)
    return _several(store, actor, now, or_(Project.id.in_(member), Project.lead_id == actor.account_id))


def to_decide(store: Store, actor: Actor, *, now: datetime) -> tuple[ProjectView, ...]:
    """Return the applications that wait for this steward's word, oldest submission first; others get none."""
    waiting = (
        select(ProjectColumn.project_id)
        .join(Dataset, Dataset.id == ProjectColumn.dataset_id)
        .where(ProjectColumn.state == ColumnState.PENDING, Dataset.organisation_id == actor.organisation_id)
    )
    found = _several(store, actor, now, Project.id.in_(waiting) & (Project.state == ProjectState.SUBMITTED))
    return tuple(each for each in reversed(found) if "decide_columns" in each.may)


def all_projects(store: Store, actor: Actor, *, now: datetime) -> tuple[ProjectView, ...]:
    """Return all projects, newest first, for operators, reviewers, auditors and checkers; raises `Denied`."""
    check_is(actor, *policy.SEES_PROJECTS)
    return _several(store, actor, now, Project.id != reserved.PROJECT)


def project(store: Store, actor: Actor, project_id: str, *, now: datetime) -> ProjectView:
    """Return one project; raises `NotFound`, or `Denied` if it is none of the actor's business."""
    with store.read() as session:
        found = load_project(session, project_id)
        policy.check_may_see(actor, facts(found))
        return project_view(found, actor, now)


def load_project(session: Session, project_id: str, *, lock: bool = False) -> Project:
    """Return the row, locked until the transaction ends if asked; raises `NotFound` (`project.unknown`)."""
    query = select(Project).where(Project.id == project_id)
    found = session.scalar(query.with_for_update() if lock else query)
    if found is None:
        raise NotFound(
            "project.unknown",
            ko=f"과제 {project_id}이(가) 없습니다.",
            en=f"There is no project {project_id}.",
            remedy_ko="내 과제 목록에서 확인하세요.",
            remedy_en="See the list of your projects.",
        )
    return found


def facts(found: Project) -> policy.ProjectFacts:
    """Return what policies ask about a project."""
    return policy.ProjectFacts(
        lead_id=found.lead_id,
        organisation_id=found.organisation_id,
        member_ids=frozenset(member.account_id for member in found.members),
        providers=frozenset(column.snapshot.dataset.organisation_id for column in found.columns),
        starts_on=found.starts_on,
        ends_on=found.ends_on,
    )


def project_view(found: Project, actor: Actor, now: datetime) -> ProjectView:
    """Return the row as pages show it."""
    return ProjectView(
        id=found.id,
        title=found.title,
        purpose=found.purpose,
        legal_basis=found.legal_basis,
        combination_approval=found.combination_approval,
        expected_outputs=found.expected_outputs,
        ethics=found.ethics,
        safety_plan=found.safety_plan,
        starts_on=found.starts_on,
        ends_on=found.ends_on,
        lead_id=found.lead_id,
        lead_login=found.lead.login,
        lead_name=found.lead.name,
        organisation_id=found.organisation_id,
        organisation_name=found.organisation.name,
        state=found.state,
        state_reason=found.state_reason,
        created_at=found.created_at,
        submitted_at=found.submitted_at,
        decided_at=found.decided_at,
        activated_at=found.activated_at,
        ended_at=found.ended_at,
        members=tuple(_member_view(member, found) for member in found.members),
        columns=_column_views(found),
        may=_may(found, actor, now),
    )


def has_pledged(found: Project, account_id: str) -> bool:
    """Return whether this person signed, for this project, the edition of the pledge now in force."""
    return _pledged_at(found, account_id) is not None


def _several(store: Store, actor: Actor, now: datetime, condition: ColumnElement[bool]) -> tuple[ProjectView, ...]:
    with store.read() as session:
        query = select(Project).where(condition).options(*_loaded())
        found = session.scalars(query.order_by(Project.created_at.desc(), Project.id)).all()
        return tuple(project_view(each, actor, now) for each in found)


def _loaded() -> tuple[ExecutableOption, ...]:
    return (
        selectinload(Project.members).selectinload(ProjectMember.account),
        selectinload(Project.pledges),
        selectinload(Project.columns).selectinload(ProjectColumn.snapshot).selectinload(Snapshot.dataset),
        selectinload(Project.lead),
        selectinload(Project.organisation),
    )


def _may(found: Project, actor: Actor, now: datetime) -> frozenset[str]:
    about = facts(found)
    state, after = found.state, PROJECT[found.state]
    offered = {
        "apply": ProjectState.SUBMITTED in after and allows(policy.check_is_lead, actor, about),
        "save_draft": state is ProjectState.DRAFT and allows(policy.check_is_lead, actor, about),
        "decide_columns": state is ProjectState.SUBMITTED and _pending_for(found, actor, about),
        "return_application": state is ProjectState.SUBMITTED and _pending_for(found, actor, about),
        "sign_pledge": state in {ProjectState.APPROVED, ProjectState.ACTIVE}
        and allows(policy.check_is_member, actor, about)
        and not has_pledged(found, actor.account_id),
        "activate": ProjectState.ACTIVE in after
        and has_pledged(found, found.lead_id)
        and allows(policy.check_may_activate, actor, about)
        and allows(policy.check_period, about, now),
        "end_project": ProjectState.ENDED in after and allows(policy.check_may_end, actor, about),
    }
    return frozenset(name for name, open_to in offered.items() if open_to)


def _pending_for(found: Project, actor: Actor, about: policy.ProjectFacts) -> bool:
    return any(
        column.state is ColumnState.PENDING
        and allows(policy.check_may_decide_columns, actor, about, column.snapshot.dataset.organisation_id)
        for column in found.columns
    )


def _member_view(member: ProjectMember, found: Project) -> MemberView:
    account = member.account
    signed = _pledged_at(found, account.id)
    return MemberView(account.id, account.login, account.name, account.organisation_id, signed)


def _pledged_at(found: Project, account_id: str) -> datetime | None:
    for one in found.pledges:
        if (one.account_id, one.version, one.text_sha256) == (
            account_id,
            pledge.CURRENT.version,
            pledge.CURRENT.sha256,
        ):
            return one.signed_at
    return None


def _column_views(found: Project) -> tuple[ColumnView, ...]:
    signed = {column.snapshot_id: read_manifest(column.snapshot.manifest) for column in found.columns}
    return tuple(_column_view(column, signed[column.snapshot_id]) for column in found.columns)


def _column_view(column: ProjectColumn, signed: Manifest) -> ColumnView:
    about = signed.tables[column.table_name].columns[column.column_name]
    return ColumnView(
        dataset_id=column.dataset_id,
        provider_id=column.snapshot.dataset.organisation_id,
        snapshot_id=column.snapshot_id,
        table=column.table_name,
        column=column.column_name,
        label_ko=about.label_ko,
        label_en=about.label_en,
        treatment=about.treatment,
        state=column.state,
        reason=column.reason,
        decided_by=column.decided_by,
        decided_at=column.decided_at,
    )
