"""Organisations, accounts and rights (korea.md R11–R21). A person who sets others up never sets up themselves."""

from __future__ import annotations

import re
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from enclave import reserved
from enclave.actions import Action
from enclave.actor import Actor
from enclave.commands.acting import intent, present, require, text_sha256
from enclave.commands.freezing import freeze_all
from enclave.credentials import check_password_strength, hash_password
from enclave.errors import Conflict, Invalid, NotFound
from enclave.ids import new_id
from enclave.model.people import Account, AccountRole, Organisation, OrganisationKind
from enclave.model.workspace import Workspace
from enclave.policy import people as policy
from enclave.queries.people import (
    AccountView,
    OrganisationView,
    account_view,
    load_account,
    organisation_view,
    roles_now,
)
from enclave.roles import Role
from enclave.states import FreezeCause
from enclave.store import Store

LOGIN = re.compile(r"[a-z][a-z0-9-]{1,30}")
SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


def create_organisation(  # noqa: PLR0913 - keyword-only fields of one form
    store: Store, actor: Actor, *, organisation_id: str, name: str, kind: OrganisationKind, now: datetime
) -> OrganisationView:
    """Register an organisation under a slug. Operators and the console; raises `Invalid`, `Conflict`."""
    event = intent(Action.ORGANISATION_CREATE, actor, ("organisation", organisation_id))
    with store.write(event) as tx:
        policy.check_may_administer(present(tx.session, actor, now))
        require(("기관명", "name", name))
        if not SLUG.fullmatch(organisation_id) or reserved.is_reserved(organisation_id):
            raise _bad_name("기관 식별자", "organisation id", organisation_id, SLUG.pattern)
        if tx.session.get(Organisation, organisation_id) is not None:
            raise _taken(organisation_id)
        made = Organisation(id=organisation_id, name=name.strip(), kind=kind, created_at=now)
        tx.session.add(made)
        tx.record(details={"kind": kind.value})
        return organisation_view(made)


def create_account(  # noqa: PLR0913 - keyword-only fields of one form
    store: Store,
    actor: Actor,
    *,
    login: str,
    name: str,
    organisation_id: str,
    password: str,
    now: datetime,
    ends_on: date | None = None,
) -> AccountView:
    """Open an account without any role. `ends_on`: last day in Korea. Raises `Invalid`, `NotFound`, `Conflict`.

    The first password is to be changed by its owner; a second factor has to be enrolled before the first sign-in.
    """
    account_id = new_id("u")
    with store.prepare(intent(Action.ACCOUNT_CREATE, actor, ("account", account_id))):
        policy.check_may_administer(actor)
        require(("이름", "name", name))
        if not LOGIN.fullmatch(login) or reserved.is_reserved(login):
            raise _bad_name("아이디", "login", login, LOGIN.pattern)
        check_password_strength(password, login)
        # Outside the transaction: a hash takes tens of milliseconds on purpose.
        password_hash = hash_password(password)
    with store.write(intent(Action.ACCOUNT_CREATE, actor, ("account", account_id))) as tx:
        policy.check_may_administer(present(tx.session, actor, now))
        _existing_organisation(tx.session, organisation_id)
        if tx.session.scalar(select(Account.id).where(Account.login == login)) is not None:
            raise _taken(login)
        made = Account(
            id=account_id,
            login=login,
            name=name.strip(),
            organisation_id=organisation_id,
            password_hash=password_hash,
            totp_last_step=0,
            failed_logins=0,
            created_at=now,
            ends_on=ends_on,
        )
        tx.session.add(made)
        tx.session.flush()
        tx.record(details={"organisation": organisation_id})
        return account_view(made, now)


def grant_role(  # noqa: PLR0913 - keyword-only fields of one form
    store: Store, actor: Actor, *, login: str, role: Role, reason: str, now: datetime, ends_on: date | None = None
) -> AccountView:
    """Grant a role until `ends_on` (Korean day) or without end. Operators, never to themselves.

    Raises `Denied` (`role.forbidden-pair`, `role.own`), `Conflict` (`role.held`), `Invalid`, `NotFound`.
    """
    with store.write(intent(Action.ROLE_GRANT, actor, ("account", login))) as tx:
        # Locked, so that two grants at once cannot each see only half of a forbidden pair.
        account = load_account(tx.session, login, lock=True)
        tx.record(object_id=account.id, details={"role": role.value, "reason_sha256": text_sha256(reason)})
        policy.check_may_change_rights(present(tx.session, actor, now), account.id)
        require(("사유", "reason", reason))
        held = {grant.role for grant in account.grants if grant.revoked_at is None}
        policy.check_role_fits(held - {role}, role)
        if role in roles_now(account, now):
            raise _held(login, role)
        grant = AccountRole(
            id=new_id("g"),
            account_id=account.id,
            role=role,
            reason=reason,
            granted_by=actor.account_id,
            granted_at=now,
            ends_on=ends_on,
        )
        account.grants.append(grant)
        tx.session.flush()
        return account_view(account, now)


def revoke_role(  # noqa: PLR0913 - keyword-only fields of one form
    store: Store, actor: Actor, *, login: str, role: Role, reason: str, now: datetime
) -> AccountView:
    """Take a role away at once; the grant stays on record. Operators, never from themselves.

    Raises `Denied`, `NotFound` (`role.not-held`), `Invalid`.
    """
    with store.write(intent(Action.ROLE_REVOKE, actor, ("account", login))) as tx:
        account = load_account(tx.session, login, lock=True)
        tx.record(object_id=account.id, details={"role": role.value, "reason_sha256": text_sha256(reason)})
        policy.check_may_change_rights(present(tx.session, actor, now), account.id)
        require(("사유", "reason", reason))
        take_role(account, role, actor, reason=reason, now=now)
        tx.session.flush()
        return account_view(account, now)


def unlock_account(store: Store, actor: Actor, *, login: str, reason: str, now: datetime) -> AccountView:
    """Open an account that failed attempts have locked. Operators; raises `Denied`, `NotFound`, `Invalid`."""
    with store.write(intent(Action.ACCOUNT_UNLOCK, actor, ("account", login))) as tx:
        account = load_account(tx.session, login, lock=True)
        tx.record(object_id=account.id, details={"reason_sha256": text_sha256(reason)})
        policy.check_may_change_rights(present(tx.session, actor, now), account.id)
        require(("사유", "reason", reason))
        account.locked_at, account.failed_logins = None, 0
        return account_view(account, now)


def end_account(store: Store, actor: Actor, *, login: str, reason: str, now: datetime) -> AccountView:
    """Close an account for good, revoke its roles and freeze its workspaces; the door then revokes them at the gate.

    Operators; raises `Denied`, `NotFound`, `Conflict`, `Invalid`.
    """
    with store.write(intent(Action.ACCOUNT_END, actor, ("account", login))) as tx:
        account = load_account(tx.session, login, lock=True)
        tx.record(object_id=account.id, details={"reason_sha256": text_sha256(reason)})
        policy.check_may_change_rights(present(tx.session, actor, now), account.id)
        require(("사유", "reason", reason))
        tx.record(details={"workspaces_frozen": close_account(tx.session, account, actor, reason=reason, now=now)})
        return account_view(account, now)


def take_role(account: Account, role: Role, actor: Actor, *, reason: str, now: datetime) -> None:
    """Revoke every open grant of a role; raises `NotFound` (`role.not-held`)."""
    open_grants = [grant for grant in account.grants if grant.role is role and grant.revoked_at is None]
    if not open_grants:
        raise _not_held(account.login, role)
    for grant in open_grants:
        grant.revoked_by, grant.revoked_at, grant.revoke_reason = actor.account_id, now, reason


def close_account(session: Session, account: Account, actor: Actor, *, reason: str, now: datetime) -> int:
    """End an account, its grants and its workspaces; returns how many were frozen. Raises `Conflict`."""
    if account.ended_at is not None:
        raise Conflict(
            "account.ended",
            ko=f"‘{account.login}’ 계정은 이미 종료되었습니다.",
            en=f"The account ‘{account.login}’ has already ended.",
            remedy_ko="더 할 일은 없습니다.",
            remedy_en="There is nothing left to do.",
        )
    account.ended_at = now
    for grant in account.grants:
        if grant.revoked_at is None:
            grant.revoked_by, grant.revoked_at, grant.revoke_reason = actor.account_id, now, reason
    return _freeze(session, account, now)


def _freeze(session: Session, account: Account, now: datetime) -> int:
    """Freeze what the account has open or could open again; the hub's own session may live for days yet."""
    found = list(session.scalars(select(Workspace).where(Workspace.account_id == account.id)))
    return freeze_all(session, found, FreezeCause.ACCOUNT, reason="account.ended", now=now)


def _existing_organisation(session: Session, organisation_id: str) -> None:
    if session.get(Organisation, organisation_id) is None or reserved.is_reserved(organisation_id):
        raise NotFound(
            "organisation.unknown",
            ko=f"‘{organisation_id}’ 기관이 없습니다.",
            en=f"There is no organisation ‘{organisation_id}’.",
            remedy_ko="먼저 기관을 등록하세요.",
            remedy_en="Register the organisation first.",
        )


def _bad_name(ko: str, en: str, value: str, pattern: str) -> Invalid:
    return Invalid(
        "name.malformed",
        ko=f"{ko} ‘{value[:64]}’은(는) 쓸 수 없습니다.",
        en=f"The {en} ‘{value[:64]}’ cannot be used.",
        remedy_ko=f"영문 소문자, 숫자, 붙임표만 쓰세요(규칙: {pattern}).",
        remedy_en=f"Use lower-case letters, digits and hyphens (rule: {pattern}).",
    )


def _taken(name: str) -> Conflict:
    return Conflict(
        "name.taken",
        ko=f"‘{name}’은(는) 이미 쓰이고 있습니다.",
        en=f"‘{name}’ is already taken.",
        remedy_ko="다른 이름을 쓰세요.",
        remedy_en="Use another name.",
    )


def _held(login: str, role: Role) -> Conflict:
    return Conflict(
        "role.held",
        ko=f"‘{login}’ 계정에 이미 {role.value} 권한이 있습니다.",
        en=f"‘{login}’ already holds the role {role.value}.",
        remedy_ko="기간을 바꾸려면 먼저 회수하세요.",
        remedy_en="Revoke it first to change its period.",
    )


def _not_held(login: str, role: Role) -> NotFound:
    return NotFound(
        "role.not-held",
        ko=f"‘{login}’ 계정에 {role.value} 권한이 없습니다.",
        en=f"‘{login}’ does not hold the role {role.value}.",
        remedy_ko="계정 화면에서 현재 권한을 확인하세요.",
        remedy_en="See the roles in force on the account's page.",
    )
