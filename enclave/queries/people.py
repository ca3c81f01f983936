"""Who there is: organisations, accounts and their grants, as pages and REST show them; and who is at the door."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from enclave import reserved
from enclave.actor import Actor
from enclave.clock import korean_date
from enclave.errors import NotFound
from enclave.model.people import Account, AccountRole, Organisation, OrganisationKind
from enclave.policy import people as policy
from enclave.roles import Role
from enclave.store import Store


@dataclass(frozen=True)
class OrganisationView:
    """One organisation."""

    id: str
    name: str
    kind: OrganisationKind


@dataclass(frozen=True)
class GrantView:
    """One grant of a role, current or past; `granted_by` and `revoked_by` are account ids."""

    id: str
    role: Role
    reason: str
    granted_by: str
    granted_at: datetime
    ends_on: date | None
    revoked_by: str | None
    revoked_at: datetime | None
    revoke_reason: str | None
    current: bool


@dataclass(frozen=True)
class AccountView:
    """One account. `roles` are those in force now; `grants` all there ever were, oldest first."""

    id: str
    login: str
    name: str
    organisation_id: str
    organisation_name: str
    roles: tuple[Role, ...]
    grants: tuple[GrantView, ...]
    enrolled: bool
    locked: bool
    ended: bool
    created_at: datetime
    last_login_at: datetime | None
    ends_on: date | None


def actor(  # noqa: PLR0913 - keyword-only facts of one session
    store: Store,
    login: str,
    *,
    ip: str,
    session_id: str,
    now: datetime,
    second_factor_at: datetime | None = None,
) -> Actor:
    """Return who `login` is at this moment, for the door that has authenticated them.

    Raises `Denied` (`account.closed`, `account.locked`) if the account may not act, `NotFound` if there is none.
    """
    with store.read() as session:
        found = session.scalar(select(Account).where(Account.login == login))
        if found is None:
            raise no_account(login)
        policy.check_account_open(standing_facts(found), now)
        return Actor(
            found.id, found.login, roles_now(found, now), found.organisation_id, ip, session_id, second_factor_at
        )


def accounts(store: Store, actor: Actor, *, now: datetime) -> tuple[AccountView, ...]:
    """Return all accounts by login, for operators, reviewers and auditors; raises `Denied` for others."""
    policy.check_may_see_accounts(actor)
    with store.read() as session:
        query = select(Account).options(selectinload(Account.grants), selectinload(Account.organisation))
        people = query.where(Account.login.not_in(reserved.LOGINS)).order_by(Account.login)
        return tuple(account_view(each, now) for each in session.scalars(people))


def account(store: Store, actor: Actor, login: str, *, now: datetime) -> AccountView:
    """Return one account: one's own, or any for those who may see accounts; raises `Denied`, `NotFound`."""
    if login != actor.login:
        policy.check_may_see_accounts(actor)
    with store.read() as session:
        return account_view(load_account(session, login), now)


def organisations(store: Store) -> tuple[OrganisationView, ...]:
    """Return all organisations by name; everybody who is signed in may see them."""
    with store.read() as session:
        query = select(Organisation).where(Organisation.id != reserved.NAME).order_by(Organisation.name)
        return tuple(organisation_view(each) for each in session.scalars(query))


def load_account(session: Session, login: str, *, lock: bool = False) -> Account:
    """Return the account's row, locked until the transaction ends if asked; raises `NotFound`."""
    query = select(Account).where(Account.login == login)
    found = session.scalar(query.with_for_update() if lock else query)
    # The drill's accounts are nobody's: whoever sets people up does not find them.
    if found is None or login in reserved.LOGINS:
        raise no_account(login)
    return found


def roles_now(account: Account, now: datetime) -> frozenset[Role]:
    """Return the roles in force: granted, not revoked, not past their end."""
    return frozenset(grant.role for grant in account.grants if _is_current(grant, now))


def standing_facts(account: Account) -> policy.Standing:
    """Return what policies ask about an account."""
    return policy.Standing(
        locked=account.locked_at is not None, ended=account.ended_at is not None, ends_on=account.ends_on
    )


def organisation_view(found: Organisation) -> OrganisationView:
    """Return the row as pages show it."""
    return OrganisationView(found.id, found.name, found.kind)


def account_view(found: Account, now: datetime) -> AccountView:
    """Return the row as pages show it."""
    grants = sorted(found.grants, key=lambda grant: (grant.granted_at, grant.id))
    return AccountView(
        id=found.id,
        login=found.login,
        name=found.name,
        organisation_id=found.organisation_id,
        organisation_name=found.organisation.name,
        roles=tuple(sorted(roles_now(found, now))),
        grants=tuple(_grant_view(grant, now) for grant in grants),
        enrolled=found.totp_sealed is not None,
        locked=found.locked_at is not None,
        ended=found.ended_at is not None,
        created_at=found.created_at,
        last_login_at=found.last_login_at,
        ends_on=found.ends_on,
    )


def no_account(login: str) -> NotFound:
    """Return the error for a login that nobody has."""
    return NotFound(
        "account.unknown",
        ko=f"‘{login}’ 계정이 없습니다.",
        en=f"There is no account ‘{login}’.",
        remedy_ko="아이디를 확인하세요.",
        remedy_en="Check the login.",
    )


def _grant_view(grant: AccountRole, now: datetime) -> GrantView:
    return GrantView(
        grant.id,
        grant.role,
        grant.reason,
        grant.granted_by,
        grant.granted_at,
        grant.ends_on,
        grant.revoked_by,
        grant.revoked_at,
        grant.revoke_reason,
        _is_current(grant, now),
    )


def _is_current(grant: AccountRole, now: datetime) -> bool:
    return grant.revoked_at is None and (grant.ends_on is None or korean_date(now) <= grant.ends_on)
