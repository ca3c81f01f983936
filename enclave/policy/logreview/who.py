"""Who may ask, explain, accept and sign in the review of the log, and what stands in the way. Pure.

The person concerned explains and never judges their own case; a period is signed by two different reviewers, neither
with an open finding of their own, once nothing is open and no download is without a reason (audit-log.md §8).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from enclave.actor import Actor
from enclave.errors import Conflict, Denied, EnclaveError
from enclave.policy.people import check_is, check_second_factor_fresh
from enclave.roles import Role
from enclave.states import FINDING, PERIOD, FindingState, PeriodState, check_transition

OPEN = frozenset({FindingState.RAISED, FindingState.ASKED, FindingState.ANSWERED})
SEES = (Role.REVIEWER, Role.AUDITOR)


@dataclass(frozen=True)
class FindingFacts:
    """One finding. `account`: whom it concerns ("": an operator answers); `lacks_reason`: a download without one."""

    id: str
    state: FindingState
    account: str
    answered_by: str
    lacks_reason: bool


@dataclass(frozen=True)
class PeriodFacts:
    """One period: `open` findings, downloads `lacking` a reason, `earlier` periods that are not signed yet."""

    id: str
    number: int
    state: PeriodState
    reviewer: str
    open: int
    lacking: int
    earlier: int


def check_may_see(actor: Actor) -> None:
    """Raise `Denied` unless the actor may see the review: reviewers and auditors."""
    check_is(actor, *SEES)


def check_may_ask(actor: Actor, about: FindingFacts) -> None:
    """Raise unless a reviewer whom it does not concern may ask for an explanation now (`Denied`, `Conflict`)."""
    check_is(actor, Role.REVIEWER)
    _check_not_concerned(actor, about)
    check_transition(FINDING, about.state, FindingState.ASKED, _name(about))


def check_may_answer(actor: Actor, about: FindingFacts) -> None:
    """Raise `Denied` (`finding.not-yours`) unless the actor is whom it concerns; `Conflict` unless they were asked."""
    mine = actor.account_id == about.account if about.account else Role.OPERATOR in actor.roles
    if not mine:
        raise Denied(
            "finding.not-yours",
            ko="다른 사람에게 요청한 소명입니다.",
            en="Somebody else was asked to explain this.",
            remedy_ko="자기에게 온 소명 요청만 답할 수 있습니다.",
            remedy_en="Answer only what you were asked.",
        )
    check_transition(FINDING, about.state, FindingState.ANSWERED, _name(about))


def check_may_accept(actor: Actor, about: FindingFacts) -> None:
    """Raise unless a reviewer whom it does not concern may accept the explanation (`Denied`, `Conflict`)."""
    check_is(actor, Role.REVIEWER)
    _check_not_concerned(actor, about)
    check_transition(FINDING, about.state, FindingState.ACCEPTED, _name(about))
    if about.lacks_reason:
        raise Conflict(
            "finding.reason-missing",
            ko="다운로드 사유가 아직 없습니다.",
            en="There is no reason for this download yet.",
            remedy_ko="사유를 고르도록 소명을 다시 요청하거나, 오용이면 조치로 넘기세요.",
            remedy_en="Ask again for a reason, or escalate it as misuse.",
        )


def check_may_escalate(actor: Actor, about: FindingFacts) -> None:
    """Raise unless a reviewer whom it does not concern may hand it on: answered, or asked and not answered."""
    check_is(actor, Role.REVIEWER)
    _check_not_concerned(actor, about)
    check_transition(FINDING, about.state, FindingState.ESCALATED, _name(about))


def check_may_close(actor: Actor, about: PeriodFacts) -> None:
    """Raise `Denied` unless the actor is a reviewer, `Conflict` unless the period is open."""
    check_is(actor, Role.REVIEWER)
    check_transition(PERIOD, about.state, PeriodState.CLOSED, _period(about))


def blockers(about: PeriodFacts) -> tuple[EnclaveError, ...]:
    """Return what stands in the way of signing a period, in the order in which it is to be settled."""
    found: list[EnclaveError] = []
    if about.open:
        found.append(
            Conflict(
                "period.findings-open",
                ko=f"끝나지 않은 이상징후가 {about.open}건 있습니다.",
                en=f"{about.open} findings are not settled.",
                remedy_ko="소명을 받아 수용하거나 조치로 넘기세요.",
                remedy_en="Have them explained, then accept or escalate each.",
            )
        )
    if about.lacking:
        found.append(
            Conflict(
                "period.reason-missing",
                ko=f"사유가 없는 반출·다운로드가 {about.lacking}건 있습니다.",
                en=f"{about.lacking} downloads have no reason.",
                remedy_ko="사유를 받거나, 오용으로 판단해 조치로 넘기세요.",
                remedy_en="Get the reason, or escalate it as misuse.",
            )
        )
    if about.earlier:
        found.append(
            Conflict(
                "period.earlier",
                ko=f"먼저 끝내야 할 앞선 기간이 {about.earlier}개 있습니다.",
                en=f"{about.earlier} earlier periods are not signed yet.",
                remedy_ko="앞선 기간부터 확정하고 승인하세요.",
                remedy_en="Sign the earlier ones first.",
            )
        )
    return tuple(found)


def check_may_review(actor: Actor, about: PeriodFacts, own_open: int) -> None:
    """Raise unless a reviewer without open findings of their own may sign this period first (`Denied`, `Conflict`)."""
    check_is(actor, Role.REVIEWER)
    check_transition(PERIOD, about.state, PeriodState.REVIEWED, _period(about))
    _check_signs(about, own_open)


def check_may_approve(actor: Actor, about: PeriodFacts, own_open: int) -> None:
    """Raise unless a second reviewer may sign it: `Denied` (`period.two-person`, `period.own-finding`), `Conflict`."""
    check_is(actor, Role.REVIEWER)
    check_transition(PERIOD, about.state, PeriodState.SIGNED, _period(about))
    if actor.account_id == about.reviewer:
        raise Denied(
            "period.two-person",
            ko="점검을 확정한 사람은 승인할 수 없습니다.",
            en="Whoever signed the review cannot approve it.",
            remedy_ko="다른 접속기록 점검자가 승인해야 합니다.",
            remedy_en="Another reviewer has to approve it.",
        )
    _check_signs(about, own_open)


def check_may_return(actor: Actor, about: PeriodFacts) -> None:
    """Raise `Denied` unless a reviewer, `Conflict` unless it waits for its approval."""
    check_is(actor, Role.REVIEWER)
    check_transition(PERIOD, about.state, PeriodState.CLOSED, _period(about))


def check_signs(actor: Actor, now: datetime) -> None:
    """Raise `Denied` (`second-factor.stale`) unless the second factor was proved in the last 5 minutes."""
    check_second_factor_fresh(actor, now)


def check_may_activate(actor: Actor, proposed_by: str, *, active: bool) -> None:
    """Raise unless a second reviewer may put proposed limits into force (`review-limits.two-person`, `….active`)."""
    check_is(actor, Role.REVIEWER)
    if active:
        raise Conflict(
            "review-limits.active",
            ko="이미 적용한 점검 기준입니다.",
            en="These limits were put into force already.",
            remedy_ko="화면을 새로 고치세요.",
            remedy_en="Reload the page.",
        )
    if actor.account_id == proposed_by:
        raise Denied(
            "review-limits.two-person",
            ko="점검 기준을 제안한 사람은 스스로 적용할 수 없습니다.",
            en="Whoever proposed limits cannot put them into force.",
            remedy_ko="다른 접속기록 점검자에게 넘기세요.",
            remedy_en="Leave it to another reviewer.",
        )


def _check_signs(about: PeriodFacts, own_open: int) -> None:
    if own_open:
        raise Denied(
            "period.own-finding",
            ko=f"자기에 관한 끝나지 않은 이상징후가 {own_open}건 있는 사람은 서명할 수 없습니다.",
            en=f"Nobody with open findings of their own ({own_open}) signs.",
            remedy_ko="먼저 소명하고 다른 점검자의 판단을 받으세요.",
            remedy_en="Explain them first and have another reviewer decide.",
        )
    for each in blockers(about):
        raise each


def _check_not_concerned(actor: Actor, about: FindingFacts) -> None:
    if actor.account_id in {about.account, about.answered_by} - {""}:
        raise Denied(
            "finding.own-case",
            ko="자기에 관한 이상징후는 스스로 판단할 수 없습니다.",
            en="Nobody judges a finding about themselves.",
            remedy_ko="다른 접속기록 점검자에게 넘기세요.",
            remedy_en="Leave it to another reviewer.",
        )


def _name(about: FindingFacts) -> str:
    return f"이상징후 {about.id}"


def _period(about: PeriodFacts) -> str:
    return f"점검 기간 {about.number}"
