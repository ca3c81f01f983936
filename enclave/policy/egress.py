"""Who may ask for a release, who may decide, and when votes suffice. Pure.

Two people, two organisations, one hash: an approval counts only for the bytes and the round it was given for, and
only together with another by somebody of another organisation. The number is ours, never the caller's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from enclave.actor import Actor
from enclave.airlock.report import Verdict
from enclave.errors import Conflict, Denied, Invalid
from enclave.policy.people import check_is, check_second_factor_fresh
from enclave.policy.project import ProjectFacts, check_is_member, check_period
from enclave.policy.workspace import check_active
from enclave.roles import Role
from enclave.states import Decision, ProjectState, RequestState

APPROVALS_NEEDED = 2


@dataclass(frozen=True)
class Vote:
    """One vote as it stands in the database; `entitled`: whether its caster may still check outputs."""

    reviewer_id: str
    organisation_id: str
    round: int
    content_sha256: str
    decision: Decision
    entitled: bool = True


@dataclass(frozen=True)
class RequestFacts:
    """What policies ask about a request. `votes` are all votes of all rounds, `verdicts` those of this round's files.

    `requester_organisation_id` is where the requester belongs; the project may belong to another organisation.
    """

    state: RequestState
    round: int
    content_sha256: str
    requester_id: str
    requester_organisation_id: str
    receiver_id: str
    project: ProjectFacts
    votes: tuple[Vote, ...] = ()
    verdicts: tuple[Verdict, ...] = ()


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
            ko="이 반출을 신청한 사람만 할 수 있습니다.",
            en="Only the person who made this request may do this.",
            remedy_ko="신청자에게 요청하세요.",
            remedy_en="Ask the requester.",
        )


def check_may_see(actor: Actor, request: RequestFacts) -> None:
    """Raise `Denied` unless the actor is a member, the receiver, an entitled checker, or oversees the log."""
    if actor.account_id in request.project.member_ids | {request.requester_id, request.receiver_id}:
        return
    if Role.OUTPUT_CHECKER in actor.roles and Role.AUDITOR not in actor.roles:
        check_no_interest(actor, request)
        return
    check_is(actor, Role.OUTPUT_CHECKER, Role.AUDITOR, Role.REVIEWER)


def check_no_interest(actor: Actor, request: RequestFacts) -> None:
    """Raise `Denied` if the actor made the request, is a member, or belongs to the requester's organisation."""
    if actor.account_id == request.requester_id:
        raise _refused(
            "egress.two-person", "신청자는 자기 반출 신청을 심사할 수 없습니다.", "Nobody decides on their own request."
        )
    if actor.account_id in request.project.member_ids | {request.project.lead_id, request.receiver_id}:
        raise _refused(
            "egress.member",
            "과제 참여자와 수령인은 그 과제의 반출을 심사할 수 없습니다.",
            "No member of the project, and not the receiver, may decide on its requests.",
        )
    if actor.organisation_id in {request.requester_organisation_id, request.project.organisation_id}:
        raise _refused(
            "egress.own-organisation",
            "신청자와 같은 기관 소속은 심사할 수 없습니다.",
            "Nobody decides on a request of their own organisation.",
        )


def check_may_review(actor: Actor, request: RequestFacts) -> None:
    """Raise `Denied` unless the actor may vote on this round: entitled, disinterested, not of a voter's organisation.

    Raises `Conflict` (`egress.not-under-review`) when the request is not under review.
    """
    check_is(actor, Role.OUTPUT_CHECKER)
    check_no_interest(actor, request)
    if request.state is not RequestState.SUBMITTED:
        raise Conflict(
            "egress.not-under-review",
            ko="심사 중인 신청이 아닙니다(이미 결정되었거나 철회됨).",
            en="This request is not under review: it was decided or withdrawn.",
            remedy_ko="화면을 새로 고쳐 결과를 확인하세요.",
            remedy_en="Reload the page to see the outcome.",
        )
    for vote in _of_this_round(request):
        if vote.reviewer_id == actor.account_id:
            raise _refused("egress.voted", "이번 회차에 이미 심사했습니다.", "You have already voted in this round.")
        if vote.organisation_id == actor.organisation_id:
            raise _refused(
                "egress.two-organisations",
                "같은 기관의 심사자가 이미 심사했습니다.",
                "A checker of your organisation has already voted in this round.",
            )


def check_vote(actor: Actor, request: RequestFacts, decision: Decision, seen: tuple[int, str], now: datetime) -> None:
    """Raise unless this vote may be cast now; `seen` is (round, content hash) of what the checker looked at.

    Raises `Denied` (who, second factor, blocked file) or `Conflict` (state; the bytes have changed since).
    """
    check_may_review(actor, request)
    check_second_factor_fresh(actor, now)
    if seen != (request.round, request.content_sha256):
        raise Conflict(
            "egress.content-changed",
            ko=f"심사한 내용과 현재 내용이 다릅니다(현재 {request.round}회차).",
            en=f"What you reviewed is no longer what is requested (now round {request.round}).",
            remedy_ko="화면을 새로 고쳐 현재 파일을 다시 심사하세요.",
            remedy_en="Reload the page and review the present files.",
        )
    if decision is Decision.APPROVE and Verdict.BLOCK in request.verdicts:
        raise _refused(
            "egress.blocked-file",
            "차단 판정을 받은 파일이 있는 신청은 승인할 수 없습니다.",
            "A request with a blocked file cannot be approved.",
            ("보완 요청이나 반려를 선택하세요.", "Return or reject it."),
        )


def check_judgements(judgements: Iterable[tuple[str, str, str]]) -> None:
    """Raise `Invalid` (`egress.judgement-missing`) naming the judgements without text; items are (ko, en, text)."""
    empty = [(ko, en) for ko, en, text in judgements if not text.strip()]
    if empty:
        raise Invalid(
            "egress.judgement-missing",
            ko=f"필수 판단이 비어 있습니다: {', '.join(ko for ko, _ in empty)}",
            en=f"A compulsory judgement is empty: {', '.join(en for _, en in empty)}",
            remedy_ko="세 가지 판단을 모두 글로 적으세요.",
            remedy_en="Write all three judgements.",
        )


def approved_by(request: RequestFacts) -> frozenset[str]:
    """Return who has approved exactly these bytes in this round."""
    return frozenset(vote.reviewer_id for vote in _of_this_round(request) if vote.decision is Decision.APPROVE)


def check_enough_approvals(request: RequestFacts) -> None:
    """Raise `Denied` (`egress.two-person`) unless two outsiders of two organisations approved these very bytes.

    A vote whose caster has lost the right to check since, or joined the project, no longer counts.
    """
    votes = [vote for vote in _of_this_round(request) if vote.decision is Decision.APPROVE and vote.entitled]
    outside = [vote for vote in votes if _is_outside(vote, request)]
    people = {vote.reviewer_id for vote in outside}
    organisations = {vote.organisation_id for vote in outside}
    if min(len(people), len(organisations)) < APPROVALS_NEEDED:
        raise _refused(
            "egress.two-person",
            f"서로 다른 기관의 심사자 {APPROVALS_NEEDED}명의 승인이 필요합니다(현재 {len(people)}명).",
            f"Approvals of {APPROVALS_NEEDED} checkers of different organisations are needed (now {len(people)}).",
        )


def check_may_receive(actor: Actor, receiver_id: str, now: datetime) -> None:
    """Raise `Denied` unless the actor is the named receiver with a fresh second factor (korea.md R70)."""
    if actor.account_id != receiver_id:
        raise _refused("release.not-receiver", "지정된 수령인이 아닙니다.", "You are not the named receiver.")
    check_second_factor_fresh(actor, now)


def check_may_recall(actor: Actor, request: RequestFacts) -> None:
    """Raise `Denied` unless the actor is a disinterested checker or a steward of a provider of the data."""
    if Role.DATA_STEWARD in actor.roles and actor.organisation_id in request.project.providers:
        return
    check_is(actor, Role.OUTPUT_CHECKER)
    check_no_interest(actor, request)


def _is_outside(vote: Vote, request: RequestFacts) -> bool:
    insiders = request.project.member_ids | {request.requester_id, request.receiver_id, request.project.lead_id}
    own = {request.requester_organisation_id, request.project.organisation_id}
    return vote.reviewer_id not in insiders and vote.organisation_id not in own


def _of_this_round(request: RequestFacts) -> list[Vote]:
    return [
        vote for vote in request.votes if (vote.round, vote.content_sha256) == (request.round, request.content_sha256)
    ]


def _refused(code: str, ko: str, en: str, remedy: tuple[str, str] | None = None) -> Denied:
    remedy_ko, remedy_en = remedy or (
        "이해관계가 없는 다른 기관의 심사자에게 넘기세요.",
        "Leave it to a disinterested checker of another organisation.",
    )
    return Denied(code, ko=ko, en=en, remedy_ko=remedy_ko, remedy_en=remedy_en)
