"""From application to the end of a project; columns are granted one by one, by whoever provided them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from enclave import pledge
from enclave.actions import Action
from enclave.actor import Actor
from enclave.commands import application as forms
from enclave.commands.acting import intent, present, require, text_sha256
from enclave.commands.application import Application, Asked
from enclave.commands.freezing import freeze_all
from enclave.errors import Conflict, Denied, Invalid
from enclave.ids import new_id
from enclave.model.people import Account
from enclave.model.project import Pledge, Project, ProjectColumn, ProjectMember
from enclave.model.workspace import Workspace
from enclave.policy import project as policy
from enclave.queries.dataset import load_dataset
from enclave.queries.people import load_account
from enclave.queries.project import ProjectView, facts, has_pledged, load_project, project_view
from enclave.states import PROJECT, ColumnState, FreezeCause, ProjectState, check_transition
from enclave.store import Store, Tx


def save_draft(
    store: Store, actor: Actor, *, application: Application, now: datetime, project_id: str | None = None
) -> ProjectView:
    """Keep an unfinished application; only columns and people named in it must exist. Project leads.

    Raises `Denied`, `Invalid`, `NotFound`, `Conflict` (`project.not-draft`).
    """
    new = project_id or new_id("p")
    with store.write(intent(Action.PROJECT_DRAFT, actor, ("project", new), project=new)) as tx:
        acting = present(tx.session, actor, now)
        policy.check_may_apply(acting)
        found = _own_or_new(tx.session, acting, project_id, new, now)
        if found.state is not ProjectState.DRAFT:
            raise Conflict(
                "project.not-draft",
                ko="이미 제출한 신청서는 초안으로 저장할 수 없습니다.",
                en="An application that was submitted cannot be saved as a draft.",
                remedy_ko="보완 요청을 받은 신청서는 다시 제출하세요.",
                remedy_en="Submit it again after it was returned.",
            )
        _fill(tx.session, found, application, now)
        return project_view(found, acting, now)


def apply(
    store: Store, actor: Actor, *, application: Application, now: datetime, project_id: str | None = None
) -> ProjectView:
    """Submit an application, new or (with `project_id`) a draft or a returned one. Project leads.

    Raises `Invalid` (`input.missing` names the fields; `project.unknown-column`; `project.period` …), `NotFound`,
    `Denied` (`project.cross-provider`; a person without the role), `Conflict`.
    """
    new = project_id or new_id("p")
    with store.write(intent(Action.PROJECT_APPLY, actor, ("project", new), project=new)) as tx:
        acting = present(tx.session, actor, now)
        policy.check_may_apply(acting)
        found = _own_or_new(tx.session, acting, project_id, new, now)
        check_transition(PROJECT, found.state, ProjectState.SUBMITTED, f"과제 {new}")
        forms.check_complete(application, now)
        _fill(tx.session, found, application, now)
        found.state, found.submitted_at, found.decided_at = ProjectState.SUBMITTED, now, None
        tx.session.flush()
        tx.record(
            object_sha256=text_sha256(application.purpose, application.expected_outputs, application.safety_plan),
            details={"columns": len(found.columns), "people": len(found.members)},
        )
        return project_view(found, acting, now)


def decide_columns(  # noqa: PLR0913 - keyword-only fields of one form
    store: Store,
    actor: Actor,
    *,
    project_id: str,
    dataset_id: str,
    approve: Mapping[str, Sequence[str]],
    reason: str,
    now: datetime,
) -> ProjectView:
    """Approve these columns of one data set and reject its others; the last word decides the application.

    Data stewards of the providing organisation. Raises `Denied`, `NotFound`, `Invalid` (no reason; a column that
    was not asked for), `Conflict` (not under review; already decided).
    """
    with store.write(intent(Action.PROJECT_COLUMNS, actor, ("project", project_id), project=project_id)) as tx:
        found, acting = _locked(tx, actor, project_id, now)
        provider = load_dataset(tx.session, dataset_id).organisation_id
        policy.check_may_decide_columns(acting, facts(found), provider)
        require(("심의 의견", "reason", reason))
        pending = _pending(found, dataset_id)
        wanted = {(table, column) for table, columns in approve.items() for column in columns}
        _check_asked(wanted, pending)
        for column in pending:
            chosen = (column.table_name, column.column_name) in wanted
            column.state = ColumnState.APPROVED if chosen else ColumnState.REJECTED
            column.decided_by, column.decided_at, column.reason = actor.account_id, now, reason
        _settle(found, now)
        tx.record(
            details={
                "dataset": dataset_id,
                "approved": len(wanted),
                "rejected": len(pending) - len(wanted),
                "state": found.state.value,
                "reason_sha256": text_sha256(reason),
            }
        )
        return project_view(found, acting, now)


def return_application(store: Store, actor: Actor, *, project_id: str, reason: str, now: datetime) -> ProjectView:
    """Send an application back to be completed. Data stewards of a provider whose columns it asks for.

    Raises `Denied`, `NotFound`, `Invalid`, `Conflict`.
    """
    with store.write(intent(Action.PROJECT_RETURN, actor, ("project", project_id), project=project_id)) as tx:
        found, acting = _locked(tx, actor, project_id, now)
        about = facts(found)
        own = acting.organisation_id if acting.organisation_id in about.providers else ""
        policy.check_may_decide_columns(acting, about, own)
        require(("보완 사유", "reason", reason))
        check_transition(PROJECT, found.state, ProjectState.RETURNED, f"과제 {project_id}")
        found.state, found.state_reason, found.decided_at = ProjectState.RETURNED, reason, now
        tx.record(details={"reason_sha256": text_sha256(reason)})
        return project_view(found, acting, now)


def sign_pledge(  # noqa: PLR0913 - keyword-only fields of one form
    store: Store, actor: Actor, *, project_id: str, version: str, text_sha256: str, now: datetime
) -> ProjectView:
    """Sign the pledge of an approved or active project, naming the text that was read; twice is no error. Members.

    Raises `Denied`, `NotFound`, `Conflict` (`pledge.changed`; the project is in another state).
    """
    with store.write(intent(Action.PROJECT_PLEDGE, actor, ("project", project_id), project=project_id)) as tx:
        found, acting = _locked(tx, actor, project_id, now)
        policy.check_is_member(acting, facts(found))
        if found.state not in {ProjectState.APPROVED, ProjectState.ACTIVE}:
            check_transition(PROJECT, found.state, ProjectState.ACTIVE, f"과제 {project_id}")
        if (version, text_sha256) != (pledge.CURRENT.version, pledge.CURRENT.sha256):
            raise Conflict(
                "pledge.changed",
                ko="읽으신 서약서가 현재 판과 다릅니다.",
                en="The pledge you read is not the edition in force.",
                remedy_ko="화면을 새로 고쳐 현재 서약서를 읽고 서명하세요.",
                remedy_en="Reload the page, read the present text and sign it.",
            )
        if not has_pledged(found, actor.account_id):
            signed = Pledge(id=new_id("s"), account_id=actor.account_id, version=version, text_sha256=text_sha256)
            signed.signed_at = now
            found.pledges.append(signed)
        tx.record(object_sha256=text_sha256, details={"version": version})
        return project_view(found, acting, now)


def activate(store: Store, actor: Actor, *, project_id: str, now: datetime) -> ProjectView:
    """Open an approved project whose period has begun and whose lead has signed. Its lead, or an operator.

    Raises `Denied` (`project.not-begun`, `project.expired`, `project.lead-not-pledged`), `NotFound`, `Conflict`.
    """
    with store.write(intent(Action.PROJECT_ACTIVATE, actor, ("project", project_id), project=project_id)) as tx:
        found, acting = _locked(tx, actor, project_id, now)
        policy.check_may_activate(acting, facts(found))
        check_transition(PROJECT, found.state, ProjectState.ACTIVE, f"과제 {project_id}")
        policy.check_period(facts(found), now)
        if not has_pledged(found, found.lead_id):
            raise Denied(
                "project.lead-not-pledged",
                ko="과제 책임자가 아직 서약하지 않았습니다.",
                en="The project lead has not signed the pledge yet.",
                remedy_ko="책임자가 먼저 과제 화면에서 서약서에 서명해야 합니다.",
                remedy_en="The lead has to sign it on the project's page first.",
            )
        found.state, found.activated_at = ProjectState.ACTIVE, now
        return project_view(found, acting, now)


def end_project(store: Store, actor: Actor, *, project_id: str, reason: str, now: datetime) -> ProjectView:
    """Stop a project for good and freeze its workspaces; the door then revokes them at the gate.

    Its lead, a provider's steward, or an operator. Raises `Denied`, `NotFound`, `Conflict`, `Invalid`.
    """
    with store.write(intent(Action.PROJECT_END, actor, ("project", project_id), project=project_id)) as tx:
        found, acting = _locked(tx, actor, project_id, now)
        policy.check_may_end(acting, facts(found))
        require(("종료 사유", "reason", reason))
        check_transition(PROJECT, found.state, ProjectState.ENDED, f"과제 {project_id}")
        found.state, found.state_reason, found.ended_at = ProjectState.ENDED, reason, now
        open_or_closed = list(tx.session.scalars(select(Workspace).where(Workspace.project_id == project_id)))
        frozen = freeze_all(tx.session, open_or_closed, FreezeCause.PROJECT, reason="project.ended", now=now)
        tx.record(details={"reason_sha256": text_sha256(reason), "workspaces_frozen": frozen})
        return project_view(found, acting, now)


def _locked(tx: Tx, actor: Actor, project_id: str, now: datetime) -> tuple[Project, Actor]:
    return load_project(tx.session, project_id, lock=True), present(tx.session, actor, now)


def _own_or_new(session: Session, actor: Actor, project_id: str | None, new: str, now: datetime) -> Project:
    if project_id is not None:
        found = load_project(session, project_id, lock=True)
        policy.check_is_lead(actor, facts(found))
        return found
    return Project(
        id=new,
        lead=load_account(session, actor.login),
        organisation_id=actor.organisation_id,
        state=ProjectState.DRAFT,
        state_reason="",
        created_at=now,
    )


def _fill(session: Session, found: Project, form: Application, now: datetime) -> None:
    """Write the form into the row; columns and people are looked up first, so a wrong form changes nothing."""
    with session.no_autoflush:
        asked = forms.resolve(session, form, found.id, now)
        members = forms.people(session, form, found.lead, now)
        for name in ("title", "purpose", "legal_basis", "combination_approval", "expected_outputs", "ethics"):
            setattr(found, name, getattr(form, name))
        found.safety_plan, found.starts_on, found.ends_on = form.safety_plan, form.starts_on, form.ends_on
        session.add(found)
    session.flush()
    found.columns.clear()
    _set_members(session, found, members, now)
    session.flush()
    found.columns.extend(_column(one, position) for position, one in enumerate(asked))
    session.flush()
    session.refresh(found, ["members", "columns", "organisation"])


def _set_members(session: Session, found: Project, members: list[Account], now: datetime) -> None:
    kept = {account.id for account in members}
    present_ids = {member.account_id for member in found.members}
    for member in found.members:
        if member.account_id not in kept:
            session.delete(member)
    for account in members:
        if account.id not in present_ids:
            session.add(ProjectMember(project_id=found.id, account_id=account.id, login=account.login, added_at=now))


def _column(one: Asked, position: int) -> ProjectColumn:
    return ProjectColumn(
        id=new_id("c"),
        snapshot_id=one.snapshot.id,
        dataset_id=one.snapshot.dataset_id,
        table_name=one.table,
        column_name=one.column,
        position=position,
        state=ColumnState.PENDING,
    )


def _pending(found: Project, dataset_id: str) -> list[ProjectColumn]:
    if found.state is not ProjectState.SUBMITTED:
        check_transition(PROJECT, found.state, ProjectState.APPROVED, f"과제 {found.id}")
    pending = [each for each in found.columns if (each.dataset_id, each.state) == (dataset_id, ColumnState.PENDING)]
    if not pending:
        raise Conflict(
            "project.decided",
            ko=f"‘{dataset_id}’ 항목은 이미 심의되었거나 신청되지 않았습니다.",
            en=f"The columns of ‘{dataset_id}’ are decided already, or were not asked for.",
            remedy_ko="화면을 새로 고쳐 결과를 확인하세요.",
            remedy_en="Reload the page to see the outcome.",
        )
    return pending


def _check_asked(wanted: set[tuple[str, str]], pending: list[ProjectColumn]) -> None:
    asked = {(column.table_name, column.column_name) for column in pending}
    extra = [f"{table}.{column}" for table, column in sorted(wanted - asked)]
    if extra:
        raise Invalid(
            "project.not-asked",
            ko=f"신청되지 않은 항목입니다: {', '.join(extra)}",
            en=f"These columns were not asked for: {', '.join(extra)}",
            remedy_ko="신청된 항목 가운데서 고르세요.",
            remedy_en="Choose among those that were asked for.",
        )


def _settle(found: Project, now: datetime) -> None:
    states = {column.state for column in found.columns}
    if ColumnState.PENDING in states:
        return
    after = ProjectState.APPROVED if ColumnState.APPROVED in states else ProjectState.REJECTED
    check_transition(PROJECT, found.state, after, f"과제 {found.id}")
    found.state, found.decided_at = after, now
