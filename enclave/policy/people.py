"""Who may set up organisations, accounts and roles, and who may hold which roles. Pure."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from enclave.actor import Actor
from enclave.clock import korean_date
from enclave.errors import Denied
from enclave.roles import FORBIDDEN_PAIRS, LABELS, Role

SECOND_FACTOR_AGE = timedelta(minutes=5)
# Five consecutive failures lock any account (korea.md R16).
MAX_FAILED_LOGINS = 5
SEES_ACCOUNTS = frozenset({Role.OPERATOR, Role.REVIEWER, Role.AUDITOR})


@dataclass(frozen=True)
class Standing:
    """Whether an account may act at all."""

    locked: bool
    ended: bool
    ends_on: date | None


def check_account_open(standing: Standing, now: datetime) -> None:
    """Raise `Denied` (`account.closed`, `account.locked`) unless the account may act."""
    if standing.ended or (standing.ends_on is not None and korean_date(now) > standing.ends_on):
        raise Denied(
            "account.closed",
            ko="종료된 계정입니다.",
            en="This account has ended.",
            remedy_ko="계속 필요하면 운영자에게 새 기간을 요청하세요.",
            remedy_en="Ask an operator for a new period if it is still needed.",
        )
    if standing.locked:
        raise Denied(
            "account.locked",
            ko=f"{MAX_FAILED_LOGINS}회 연속 인증 실패로 잠긴 계정입니다.",
            en=f"This account is locked after {MAX_FAILED_LOGINS} failed attempts in a row.",
            remedy_ko="운영자에게 사유를 알리고 잠금 해제를 요청하세요.",
            remedy_en="Ask an operator to unlock it, with a reason.",
        )


def check_is(actor: Actor, *roles: Role) -> None:
    """Raise `Denied` (`role.missing`) unless the actor holds one of the roles."""
    if actor.roles.isdisjoint(roles):
        names_ko = ", ".join(LABELS[role][0] for role in roles)
        names_en = ", ".join(LABELS[role][1].lower() for role in roles)
        raise Denied(
            "role.missing",
            ko=f"{names_ko} 권한이 필요합니다.",
            en=f"This needs the role: {names_en}.",
            remedy_ko="권한이 있어야 한다면 운영자에게 신청하세요.",
            remedy_en="Ask an operator if you should have it.",
        )


def check_may_read_log(actor: Actor) -> None:
    """Raise `Denied` unless the actor may read the log: reviewers, auditors, and whoever holds the machine."""
    if not actor.is_console:
        check_is(actor, Role.REVIEWER, Role.AUDITOR)


def check_may_see_accounts(actor: Actor) -> None:
    """Raise `Denied` unless the actor may see all accounts: operators, reviewers, auditors."""
    check_is(actor, *SEES_ACCOUNTS)


def check_may_administer(actor: Actor) -> None:
    """Raise `Denied` unless the actor may create accounts and organisations: operators."""
    check_is(actor, Role.OPERATOR)


def check_may_change_rights(actor: Actor, account_id: str) -> None:
    """Raise `Denied` unless the actor is an operator and the account is somebody else's."""
    check_is(actor, Role.OPERATOR)
    if actor.account_id == account_id:
        raise Denied(
            "role.own",
            ko="자기 계정의 권한은 스스로 바꿀 수 없습니다.",
            en="Nobody changes their own rights.",
            remedy_ko="다른 운영자에게 요청하세요.",
            remedy_en="Ask another operator.",
        )


def check_role_fits(held: AbstractSet[Role], wanted: Role) -> None:
    """Raise `Denied` (`role.forbidden-pair`) if nobody may hold `wanted` beside a role already held."""
    for role in sorted(held):
        if frozenset({role, wanted}) in FORBIDDEN_PAIRS:
            raise Denied(
                "role.forbidden-pair",
                ko=f"‘{LABELS[role][0]}’와(과) ‘{LABELS[wanted][0]}’ 권한은 한 사람이 함께 가질 수 없습니다.",
                en=f"Nobody may be {LABELS[role][1].lower()} and {LABELS[wanted][1].lower()} at once.",
                remedy_ko="다른 사람에게 부여하거나 먼저 기존 권한을 회수하세요.",
                remedy_en="Grant it to somebody else, or revoke the other role first.",
            )


def check_second_factor_fresh(actor: Actor, now: datetime) -> None:
    """Raise `Denied` (`second-factor.stale`) unless this session proved a second factor in the last 5 minutes."""
    at = actor.second_factor_at
    if at is None or not timedelta(0) <= now - at <= SECOND_FACTOR_AGE:
        raise Denied(
            "second-factor.stale",
            ko="최근 5분 안에 2차 인증을 하지 않았습니다.",
            en="No second factor was proved in the last 5 minutes.",
            remedy_ko="인증 앱의 6자리 번호를 입력한 뒤 다시 시도하세요.",
            remedy_en="Enter the 6-digit code of your authenticator and try again.",
        )
