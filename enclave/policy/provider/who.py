"""Who may propose, activate and withdraw a provider's policy. Pure.

Two persons of the provider, the second with a fresh second factor, after every decided request was replayed. Nobody who
uses the provider's data sets a rule about it, nor does who runs the platform (korea.md R13).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from enclave.actor import Actor
from enclave.errors import Conflict, Denied
from enclave.policy.people import check_is, check_second_factor_fresh
from enclave.roles import Role
from enclave.states import POLICY, PolicyState, check_transition

OF_PROVIDER = (Role.DATA_STEWARD, Role.ASSET_OWNER)
SEES = (*OF_PROVIDER, Role.OUTPUT_CHECKER, Role.AUDITOR, Role.REVIEWER, Role.OPERATOR)


@dataclass(frozen=True)
class ProviderFacts:
    """A providing organisation, and who is a member or lead of a project that asks for its data."""

    id: str
    users: frozenset[str]


@dataclass(frozen=True)
class PolicyFacts:
    """What policies ask about one version. `missing`: decided rounds that were not replayed with what counts now."""

    id: str
    provider: ProviderFacts
    state: PolicyState
    proposed_by: str
    missing: int


def check_may_see(actor: Actor, provider: ProviderFacts) -> None:
    """Raise `Denied` unless the actor belongs to the provider, reviews or oversees."""
    check_is(actor, *SEES)
    if not {Role.OUTPUT_CHECKER, Role.AUDITOR, Role.REVIEWER, Role.OPERATOR} & actor.roles:
        _check_of_provider(actor, provider)


def check_may_propose(actor: Actor, provider: ProviderFacts) -> None:
    """Raise `Denied` unless the actor is a data steward of the provider who uses none of its data."""
    check_is(actor, Role.DATA_STEWARD)
    _check_of_provider(actor, provider)
    _check_no_user(actor, provider)


def check_may_withdraw(actor: Actor, about: PolicyFacts) -> None:
    """Raise `Denied`, or `Conflict` once it has been active."""
    check_may_propose(actor, about.provider)
    check_transition(POLICY, about.state, PolicyState.WITHDRAWN, _name(about))


def check_may_activate(actor: Actor, about: PolicyFacts) -> None:
    """Raise unless a second person of the provider may put a wholly replayed proposal into force.

    `Denied` (`policy.two-person` for one's own), `Conflict` (`policy.not-replayed`, `policy.replay-stale`,
    `state.transition`).
    """
    check_is(actor, *OF_PROVIDER)
    _check_of_provider(actor, about.provider)
    _check_no_user(actor, about.provider)
    if actor.account_id == about.proposed_by:
        raise Denied(
            "policy.two-person",
            ko="정책을 제안한 사람은 스스로 적용할 수 없습니다.",
            en="Whoever proposed a policy cannot put it into force.",
            remedy_ko="같은 기관의 다른 데이터 관리자나 제공기관 담당에게 넘기세요.",
            remedy_en="Leave it to another steward or asset owner of the same provider.",
        )
    if about.state is PolicyState.PROPOSED:
        raise Conflict(
            "policy.not-replayed",
            ko=f"지난 신청 {about.missing}건을 아직 다시 판정하지 않았습니다.",
            en=f"{about.missing} past decisions have not been replayed yet.",
            remedy_ko="재판정이 끝난 뒤 결과를 확인하고 적용하세요.",
            remedy_en="Wait for the replay, look at what would flip, then activate.",
        )
    check_transition(POLICY, about.state, PolicyState.ACTIVE, _name(about))
    if about.missing:
        raise Conflict(
            "policy.replay-stale",
            ko=f"재판정한 뒤에 결정되었거나 기준이 바뀐 신청이 {about.missing}건 있습니다. 그것만 다시 판정합니다.",
            en=f"{about.missing} rounds were decided, or their basis changed, since the replay. They are replayed now.",
            remedy_ko="재판정이 끝나면 새 결과를 확인하고 다시 적용하세요.",
            remedy_en="Wait until they are replayed, look at the result, then activate again.",
        )


def check_activates(actor: Actor, about: PolicyFacts, now: datetime) -> None:
    """Raise what `check_may_activate` raises, and `Denied` (`second-factor.stale`) without a fresh second factor."""
    check_may_activate(actor, about)
    check_second_factor_fresh(actor, now)


def _check_of_provider(actor: Actor, provider: ProviderFacts) -> None:
    if actor.organisation_id != provider.id:
        raise Denied(
            "policy.other-provider",
            ko=f"제공기관 ‘{provider.id}’의 정책은 그 기관만 정합니다.",
            en=f"Only the provider ‘{provider.id}’ sets its own policy.",
            remedy_ko="해당 기관의 데이터 관리자에게 요청하세요.",
            remedy_en="Ask a data steward of that organisation.",
        )


def _check_no_user(actor: Actor, provider: ProviderFacts) -> None:
    if actor.account_id in provider.users:
        raise Denied(
            "policy.own-case",
            ko="이 기관의 데이터를 쓰는 과제의 참여자는 그 정책을 정할 수 없습니다.",
            en="A member of a project that uses this provider's data cannot set its policy.",
            remedy_ko="과제에 참여하지 않는 사람에게 넘기세요.",
            remedy_en="Leave it to somebody outside those projects.",
        )


def _name(about: PolicyFacts) -> str:
    return f"정책 {about.id}"
