"""Who may have to do with a request: its author, its project, disinterested checkers, overseers. Pure."""

from __future__ import annotations

from datetime import datetime

from enclave.actor import Actor
from enclave.errors import Conflict, Denied
from enclave.policy.airlock.facts import RequestFacts
from enclave.policy.ends import check_in_grace
from enclave.policy.people import check_is, check_second_factor_fresh
from enclave.policy.project import ProjectFacts, check_is_member, check_not_frozen, check_period
from enclave.policy.workspace import check_active
from enclave.roles import Role
from enclave.states import Direction, ProjectState

# Whoever looks after data may also let code and reference data in (korea.md R35); out goes only what checkers saw.
REVIEWS = {
    Direction.EGRESS: (Role.OUTPUT_CHECKER,),
    Direction.IMPORT: (Role.OUTPUT_CHECKER, Role.DATA_STEWARD),
}
OVERSEES = (Role.AUDITOR, Role.REVIEWER)


def check_may_submit(actor: Actor, project: ProjectFacts, state: ProjectState, now: datetime) -> None:
    """Raise `Denied` unless the actor is a member of an active project in its period."""
    check_is_member(actor, project)
    check_active(state)
    check_period(project, now)


def check_is_requester(actor: Actor, request: RequestFacts) -> None:
    """Raise `Denied` (`egress.not-requester`) unless the actor made this request."""
    if actor.account_id != request.requester_id:
        raise Denied(
            "egress.not-requester",
            ko="이 신청을 낸 사람만 할 수 있습니다.",
            en="Only the person who made this request may do this.",
            remedy_ko="신청자에게 요청하세요.",
            remedy_en="Ask the requester.",
        )


def check_may_see(actor: Actor, request: RequestFacts) -> None:
    """Raise `Denied` unless the actor is a member, the receiver, an entitled checker, or oversees the log.

    What was never submitted is its project's alone, also once it is withdrawn or has expired.
    """
    if actor.account_id in request.project.member_ids | {request.requester_id, request.receiver_id}:
        return
    if request.round == 0:
        check_is_member(actor, request.project)
    if not actor.roles.isdisjoint(REVIEWS[request.direction]) and Role.AUDITOR not in actor.roles:
        check_no_interest(actor, request)
        return
    check_is(actor, Role.OUTPUT_CHECKER, *OVERSEES)


def check_is_checker(actor: Actor, request: RequestFacts) -> None:
    """Raise `Denied` unless the actor may judge requests of this direction and has no interest in this one."""
    check_is(actor, *REVIEWS[request.direction])
    check_no_interest(actor, request)


def check_no_interest(actor: Actor, request: RequestFacts) -> None:
    """Raise `Denied` if the actor made the request, is a member, shares its organisation, or declared a conflict."""
    if actor.account_id == request.requester_id:
        raise refused(
            "egress.two-person", "신청자는 자기 신청을 심사할 수 없습니다.", "Nobody decides on their own request."
        )
    if actor.account_id in request.insiders:
        raise refused(
            "egress.member",
            "과제 참여자와 수령인은 그 과제의 신청을 심사할 수 없습니다.",
            "No member of the project, and not the receiver, may decide on its requests.",
        )
    if actor.organisation_id in request.own_organisations:
        raise refused(
            "egress.own-organisation",
            "신청자나 수령인과 같은 기관 소속은 심사할 수 없습니다.",
            "Nobody decides on what their own organisation asks for or receives.",
        )
    if actor.account_id in request.conflicted:
        raise refused(
            "egress.conflict",
            "이해충돌을 신고한 신청은 심사할 수 없습니다.",
            "You declared a conflict of interest in this request.",
        )


def check_may_reassign(actor: Actor, request: RequestFacts) -> None:
    """Raise `Denied` unless the actor is its author, or its author is gone and the actor leads or runs the platform."""
    if actor.account_id == request.requester_id:
        return
    if request.requester_here:
        check_is_requester(actor, request)
    check_stands_in(actor, request)


def check_stands_in(actor: Actor, request: RequestFacts) -> None:
    """Raise `Denied` unless the actor acts for an author who is gone: the project's lead or an operator."""
    if actor.account_id != request.project.lead_id:
        check_is(actor, Role.OPERATOR)


def check_may_withdraw(actor: Actor, request: RequestFacts) -> None:
    """Raise `Denied` unless the actor is the author, or stands in for an author who is gone."""
    if request.requester_here or actor.account_id == request.requester_id:
        check_is_requester(actor, request)
    else:
        check_stands_in(actor, request)


def check_may_receive(actor: Actor, receiver_id: str, now: datetime) -> None:
    """Raise `Denied` unless the actor is the named receiver with a fresh second factor (korea.md R70)."""
    if actor.account_id != receiver_id:
        raise refused("release.not-receiver", "지정된 수령인이 아닙니다.", "You are not the named receiver.")
    check_second_factor_fresh(actor, now)


def check_may_collect(actor: Actor, request: RequestFacts, now: datetime) -> None:
    """Raise `Denied` unless the receiver still is a member, entitled to use data, of a project that still lives.

    An ended project's results may be collected in the grace of the workspace they came from; none while it is held, or
    its project is frozen.
    """
    check_is_member(actor, request.project)
    if request.frozen is not None:
        check_in_grace(request.frozen, now)
    else:
        check_active(request.project_state)
        check_period(request.project, now)
    check_not_frozen(frozen=request.project_frozen)


def check_may_recall(actor: Actor, request: RequestFacts) -> None:
    """Raise `Denied` unless the actor is a disinterested checker or a steward of a provider of the data."""
    if Role.DATA_STEWARD in actor.roles and actor.organisation_id in request.project.providers:
        return
    check_is(actor, *REVIEWS[request.direction])
    check_no_interest(actor, request)


def not_under_review() -> Conflict:
    """Return the error of a review that comes too late."""
    return Conflict(
        "egress.not-under-review",
        ko="심사 중인 신청이 아닙니다(이미 결정되었거나 철회됨).",
        en="This request is not under review: it was decided or withdrawn.",
        remedy_ko="화면을 새로 고쳐 결과를 확인하세요.",
        remedy_en="Reload the page to see the outcome.",
    )


def refused(code: str, ko: str, en: str, remedy: tuple[str, str] | None = None) -> Denied:
    """Return a refusal whose remedy, unless given, is to leave it to somebody else."""
    remedy_ko, remedy_en = remedy or (
        "이해관계가 없는 다른 기관의 심사자에게 넘기세요.",
        "Leave it to a disinterested checker of another organisation.",
    )
    return Denied(code, ko=ko, en=en, remedy_ko=remedy_ko, remedy_en=remedy_en)
