"""What ends a workspace, who may stop a whole project, and what is still possible afterwards. Pure.

A final end (period, project, account) freezes for good and begins the grace; whatever may be mended (a pledge, an
approval, a role) only stops. An incident freezes until a steward lifts it: nothing is destroyed meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from enclave.actor import Actor
from enclave.errors import Conflict, Denied
from enclave.policy.people import Standing, check_account_open, check_is
from enclave.policy.project import ProjectFacts, check_is_member, check_may_end, check_period
from enclave.policy.workspace import StartFacts, check_may_run_on
from enclave.roles import Role
from enclave.states import FreezeCause, ProjectState, WorkspaceState

RUNS = frozenset({WorkspaceState.REQUESTED, WorkspaceState.RUNNING})


@dataclass(frozen=True)
class Ruling:
    """Why a workspace must end now: a code for the log, and the cause if it is frozen for good and not just stopped."""

    code: str
    cause: FreezeCause | None = None


@dataclass(frozen=True)
class EndFacts:
    """What decides whether a workspace must end. `columns_now` names today's approvals, `columns_then` the start's."""

    state: WorkspaceState
    start: StartFacts
    standing: Standing
    expires_at: datetime
    columns_then: str
    columns_now: str


@dataclass(frozen=True)
class FrozenFacts:
    """What decides over a frozen workspace. `held`: its whole project is frozen, whatever this one had frozen for."""

    state: WorkspaceState
    owner_id: str
    cause: FreezeCause | None
    grace_until: datetime | None
    project: ProjectFacts
    held: bool = False


def ruling(owner: Actor, facts: EndFacts, now: datetime) -> Ruling | None:
    """Return why this workspace must end now, or None. `owner` is its person, with the roles of now."""
    return _for_good(facts, now) or (_for_now(owner, facts, now) if facts.state in RUNS else None)


def _for_good(facts: EndFacts, now: datetime) -> Ruling | None:
    if facts.state is WorkspaceState.FROZEN or facts.state is WorkspaceState.DESTROYED:
        return None
    if facts.start.state is ProjectState.ENDED:
        return Ruling("project.not-active", FreezeCause.PROJECT)
    try:
        check_period(facts.start.project, now)
    except Denied as error:
        if error.code == "project.expired":
            return Ruling(error.code, FreezeCause.PERIOD)
    try:
        check_account_open(facts.standing, now)
    except Denied as error:
        if error.code == "account.closed":
            return Ruling(error.code, FreezeCause.ACCOUNT)
    return None


def _for_now(owner: Actor, facts: EndFacts, now: datetime) -> Ruling | None:
    try:
        check_account_open(facts.standing, now)
        check_may_run_on(owner, facts.start, now)
    except Denied as error:
        return Ruling(error.code)
    if facts.columns_then and facts.columns_then != facts.columns_now:
        return Ruling("workspace.columns-changed")
    if now >= facts.expires_at:
        return Ruling("workspace.expired")
    return None


def grace_ends(frozen_at: datetime, days: int) -> datetime:
    """Return when the grace of a workspace that was frozen for good is over."""
    return frozen_at + timedelta(days=days)


def check_may_freeze_project(actor: Actor, project: ProjectFacts) -> None:
    """Raise `Denied` unless the actor leads the project, stewards its data, or is an operator."""
    check_may_end(actor, project)


def check_may_thaw(actor: Actor, project: ProjectFacts) -> None:
    """Raise `Denied` unless the actor is a steward of a provider and no member: those who answer for the data."""
    check_is(actor, Role.DATA_STEWARD)
    if actor.organisation_id not in project.providers or actor.account_id in project.member_ids:
        raise Denied(
            "ends.not-provider",
            ko="자료를 제공한 기관의 데이터 관리자만 동결을 풀 수 있습니다.",
            en="Only a steward of an organisation that provided the data may lift a freeze.",
            remedy_ko="제공기관의 데이터 관리자에게 사유와 함께 요청하세요.",
            remedy_en="Ask a steward of the provider, with a reason.",
        )


def check_liftable(cause: FreezeCause | None) -> None:
    """Raise `Conflict` (`ends.final`) unless this freeze is one that can be lifted: an incident's."""
    if cause is not FreezeCause.INCIDENT:
        raise Conflict(
            "ends.final",
            ko="기간 만료나 종료로 동결된 것은 되돌릴 수 없습니다.",
            en="What froze because its time was over cannot be thawed.",
            remedy_ko="자료가 더 필요하면 과제를 새로 신청하세요.",
            remedy_en="Apply for a new project if the data is still needed.",
        )


def check_may_look(actor: Actor, frozen: FrozenFacts) -> None:
    """Raise unless the actor may see the files of this frozen workspace: its own person, still entitled to use data.

    Raises `Denied`, `Conflict` (`ends.not-frozen`: it is open, or destroyed).
    """
    if actor.account_id != frozen.owner_id:
        raise Denied(
            "ends.not-owner",
            ko="본인의 작업공간이 아닙니다.",
            en="This is not your workspace.",
            remedy_ko="자기 작업공간의 파일만 볼 수 있습니다.",
            remedy_en="Only the files of one's own workspace can be seen.",
        )
    check_is_member(actor, frozen.project)
    if frozen.state is not WorkspaceState.FROZEN:
        raise Conflict(
            "ends.not-frozen",
            ko="동결된 작업공간이 아닙니다.",
            en="This workspace is not frozen.",
            remedy_ko="열려 있으면 작업공간에서 보세요. 파기되었으면 남은 파일이 없습니다.",
            remedy_en="Look in the workspace if it is open. If it was destroyed there are no files left.",
        )


def check_may_ask(actor: Actor, frozen: FrozenFacts, now: datetime) -> None:
    """Raise unless the actor may still ask for files of this frozen workspace to be released: within the grace.

    Raises `Denied` (`ends.held`: an incident is being looked into; `ends.grace-over`), and what `check_may_look` does.
    """
    check_may_look(actor, frozen)
    check_in_grace(frozen, now)


def check_in_grace(frozen: FrozenFacts, now: datetime) -> None:
    """Raise `Denied` (`ends.held`, `ends.grace-over`) unless something of this frozen workspace may still go out."""
    if frozen.cause is FreezeCause.INCIDENT or frozen.held:
        raise Denied(
            "ends.held",
            ko="사고 조사로 동결되어 있어 반출을 신청할 수 없습니다.",
            en="Frozen while an incident is looked into; nothing can be asked for.",
            remedy_ko="제공기관의 데이터 관리자에게 동결 해제를 문의하세요.",
            remedy_en="Ask a steward of the provider about lifting the freeze.",
        )
    if frozen.grace_until is not None and now >= frozen.grace_until:
        raise Denied(
            "ends.grace-over",
            ko="유예 기간이 끝났습니다.",
            en="The grace period is over.",
            remedy_ko="파기 뒤에는 되돌릴 수 없습니다. 파기확인서는 확인서 화면에 있습니다.",
            remedy_en="Destruction cannot be undone. Its certificate is on the page of certificates.",
        )


def check_due(frozen: FrozenFacts, now: datetime) -> None:
    """Raise `Conflict` (`ends.not-due`) unless this workspace's grace is over, so that it may be destroyed."""
    over = frozen.grace_until is not None and now >= frozen.grace_until and not frozen.held
    if frozen.state is not WorkspaceState.FROZEN or frozen.cause is FreezeCause.INCIDENT or not over:
        raise Conflict(
            "ends.not-due",
            ko="아직 파기할 때가 아닙니다.",
            en="This is not due to be destroyed.",
            remedy_ko="유예 기간이 끝난 뒤에만 파기합니다.",
            remedy_en="Only after its grace period.",
        )


def check_may_witness(actor: Actor) -> None:
    """Raise `Denied` unless the actor may countersign a destruction: a steward or an auditor, never an operator."""
    check_is(actor, Role.DATA_STEWARD, Role.AUDITOR)
