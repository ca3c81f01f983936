"""Signing in and proving a second factor. Every failure counts, is recorded, and tells no more than it must."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlalchemy import select

from enclave import credentials, reserved
from enclave.actions import Action
from enclave.actor import Actor
from enclave.commands.acting import intent, present
from enclave.errors import Denied, Invalid
from enclave.forwarded import plain
from enclave.model.desk import Seat
from enclave.model.people import Account
from enclave.policy import people as policy
from enclave.queries.people import load_account, roles_now, standing_facts
from enclave.store import Store, Tx
from enclave.vault import Vault


@dataclass(frozen=True)
class Enrolment:
    """What an authenticator app needs, shown once: the secret (base32) and its `otpauth://` address."""

    login: str
    secret: str
    uri: str


def enrol_totp(store: Store, vault: Vault, actor: Actor, *, login: str, now: datetime) -> Enrolment:
    """Give an account a new second factor; an earlier one stops working. Operators (not for themselves) and console.

    Raises `Denied`, `NotFound`.
    """
    secret = credentials.new_totp_secret()
    with store.write(intent(Action.ACCOUNT_ENROL, actor, ("account", login))) as tx:
        account = load_account(tx.session, login, lock=True)
        tx.record(object_id=account.id)
        policy.check_may_change_rights(present(tx.session, actor, now), account.id)
        account.totp_sealed = vault.seal(secret.encode(), purpose=f"totp:{account.id}")
        account.totp_last_step = 0
        return Enrolment(login, secret, credentials.totp_uri(secret, login))


def log_in(  # noqa: PLR0913 - keyword-only facts of one attempt
    store: Store,
    vault: Vault,
    *,
    login: str,
    password: str,
    code: str,
    ip: str,
    session_id: str,
    now: datetime,
    browser: str = "",
) -> Actor:
    """Return who signed in, with a fresh second factor; the account's seat is now here, and nowhere else (R11, R28).

    Raises `Denied`: `account.wrong` (login, password or code, not told which), `account.locked`, `account.closed`,
    `account.not-enrolled`. Five wrong attempts in a row lock the account.
    """
    # Slow on purpose, and so outside the transaction; the same work is done for a login nobody has.
    right = credentials.password_matches(_stored_hash(store, login), password)
    nobody = Actor(_hidden(login), login, frozenset(), "", ip, session_id)
    with store.write(intent(Action.ACCOUNT_LOG_IN, nobody, ("account", _hidden(login)))) as tx:
        account = tx.session.scalar(select(Account).where(Account.login == login).with_for_update())
        if account is None or login in reserved.LOGINS:
            tx.refuse(_wrong())
        tx.record(actor_id=account.id, object_id=account.id)
        policy.check_account_open(standing_facts(account), now)
        if not right:
            _count_failure(tx, account, now)
        if account.totp_sealed is None:
            raise _not_enrolled()
        _use_code(tx, vault, account, code, now)
        account.failed_logins, account.last_login_at = 0, now
        tx.session.merge(Seat(account_id=account.id, address=plain(ip), browser=browser, since=now))
        actor = Actor(account.id, login, roles_now(account, now), account.organisation_id, ip, session_id, now)
        tx.record(actor_role=actor.role_names)
        return actor


def log_in_by_claim(  # noqa: PLR0913 - keyword-only facts of one attempt
    store: Store, *, subject: str, trusted: bool, ip: str, session_id: str, now: datetime, browser: str = ""
) -> Actor:
    """Return who an identity provider's claim names; the account's seat is now here (ADR 4). Each attempt is an entry.

    `trusted`: whether there is a provider at all. Raises `Denied`: `core.no-provider`, `account.wrong` (no account has
    that login, or it is the drill's), `account.locked`, `account.closed`.
    """
    nobody = Actor(_hidden(subject), subject, frozenset(), "", ip, session_id)
    with store.write(intent(Action.ACCOUNT_LOG_IN, nobody, ("account", _hidden(subject)))) as tx:
        tx.record(details={"by": "oidc"})
        if not trusted:
            raise _no_provider()  # else whoever speaks for the hub could sign in anybody without a password
        account = tx.session.scalar(select(Account).where(Account.login == subject).with_for_update())
        if account is None or reserved.is_reserved(subject):
            raise _no_account()
        tx.record(actor_id=account.id, object_id=account.id)
        policy.check_account_open(standing_facts(account), now)
        account.last_login_at = now
        tx.session.merge(Seat(account_id=account.id, address=plain(ip), browser=browser, since=now))
        actor = Actor(account.id, account.login, roles_now(account, now), account.organisation_id, ip, session_id, now)
        tx.record(actor_role=actor.role_names)
        return actor


def log_out(store: Store, actor: Actor, *, now: datetime) -> None:  # noqa: ARG001 - every command takes it
    """Record that a session ended; ending the session itself is the door's part and never waits for this."""
    with store.write(intent(Action.ACCOUNT_LOG_OUT, actor, ("account", actor.account_id))):
        pass


def confirm_second_factor(store: Store, vault: Vault, actor: Actor, *, code: str, now: datetime) -> Actor:
    """Return the actor with `second_factor_at` set to now. A code is good once, here or at the sign-in.

    Raises `Denied`: `account.wrong`, `account.locked` (after five in a row), `account.not-enrolled`.
    """
    with store.write(intent(Action.ACCOUNT_SECOND_FACTOR, actor, ("account", actor.account_id))) as tx:
        query = select(Account).where(Account.id == actor.account_id).with_for_update()
        account = tx.session.scalar(query)
        if account is None:
            raise _wrong()
        policy.check_account_open(standing_facts(account), now)
        if account.totp_sealed is None:
            raise _not_enrolled()
        _use_code(tx, vault, account, code, now)
        account.failed_logins = 0
        roles, organisation = roles_now(account, now), account.organisation_id
        return Actor(account.id, account.login, roles, organisation, actor.ip, actor.session_id, now)


def prove_again(  # noqa: PLR0913 - keyword-only facts of one form
    store: Store, vault: Vault, actor: Actor, *, password: str | None, code: str, now: datetime
) -> Actor:
    """Return the actor after they proved themselves anew, with password (None: an identity provider's) and code.

    Raises `Denied` as `confirm_second_factor` does; a wrong password counts like a wrong code.
    """
    if password is not None:
        right = credentials.password_matches(_stored_hash(store, actor.login), password)
        if not right:
            with store.write(intent(Action.ACCOUNT_SECOND_FACTOR, actor, ("account", actor.account_id))) as tx:
                account = load_account(tx.session, actor.login, lock=True)
                policy.check_account_open(standing_facts(account), now)
                _count_failure(tx, account, now)
    return confirm_second_factor(store, vault, actor, code=code, now=now)


def change_password(  # noqa: PLR0913 - keyword-only fields of one form
    store: Store, actor: Actor, *, old: str, new: str, again: str, now: datetime
) -> None:
    """Replace one's own password; `again`: the new one typed a second time.

    Raises `Denied` (`account.wrong`; counted), `Invalid` (too short; `account.password-same`,
    `account.password-differs`).
    """
    event = intent(Action.ACCOUNT_PASSWORD, actor, ("account", actor.account_id))
    with store.prepare(event):
        credentials.check_password_strength(new, actor.login)
        if again != new:
            raise Invalid(
                "account.password-differs",
                ko="두 번 적은 새 비밀번호가 서로 다릅니다. 비밀번호를 바꾸지 않았습니다.",
                en="The new password was typed differently the second time. It was not changed.",
                remedy_ko="새 비밀번호를 두 칸에 똑같이 적으세요.",
                remedy_en="Type the new password the same in both fields.",
            )
        if new == old:
            raise Invalid(
                "account.password-same",
                ko="새 비밀번호가 지금 비밀번호와 같습니다.",
                en="The new password is the present one.",
                remedy_ko="다른 비밀번호를 정하세요.",
                remedy_en="Choose another.",
            )
        right = credentials.password_matches(_stored_hash(store, actor.login), old)
        replacement = credentials.hash_password(new)
    with store.write(event) as tx:
        present(tx.session, actor, now)
        account = load_account(tx.session, actor.login, lock=True)
        if not right:
            _count_failure(tx, account, now)
        account.password_hash, account.failed_logins = replacement, 0


def _stored_hash(store: Store, login: str) -> str | None:
    with store.read() as session:
        return session.scalar(select(Account.password_hash).where(Account.login == login))


def _use_code(tx: Tx, vault: Vault, account: Account, code: str, now: datetime) -> None:
    sealed = account.totp_sealed or b""
    secret = vault.open(sealed, purpose=f"totp:{account.id}").decode()
    step = credentials.accepted_step(secret, code, now, account.totp_last_step)
    if step is None:
        _count_failure(tx, account, now)
    else:
        account.totp_last_step = step


def _count_failure(tx: Tx, account: Account, now: datetime) -> None:
    """Count one failure, lock at the fifth, and refuse; the count is kept although the act is not."""
    account.failed_logins += 1
    if account.failed_logins >= policy.MAX_FAILED_LOGINS:
        account.locked_at = now
    tx.record(details={"failures": account.failed_logins, "locked": account.locked_at is not None})
    tx.refuse(_wrong())


def _hidden(login: str) -> str:
    """Name an unknown login in the log without its text: people type passwords into the wrong field."""
    return f"login-{sha256(login.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"


def _no_provider() -> Denied:
    return Denied(
        "core.no-provider",
        ko="이 구역에는 외부 신원 확인 기관이 설정되어 있지 않습니다.",
        en="No identity provider is configured here.",
        remedy_ko="아이디와 비밀번호로 로그인하세요.",
        remedy_en="Sign in with login and password.",
    )


def _no_account() -> Denied:
    return Denied(
        "account.wrong",
        ko="이 신원에 연결된 계정이 없습니다.",
        en="No account belongs to this identity.",
        remedy_ko="운영자에게 계정 개설을 요청하세요.",
        remedy_en="Ask an operator for an account.",
    )


def _wrong() -> Denied:
    return Denied(
        "account.wrong",
        ko="아이디, 비밀번호 또는 인증번호가 맞지 않습니다.",
        en="Login, password or code is wrong.",
        remedy_ko="다시 입력하세요. 한 번 쓴 번호는 못 쓰니 다음 번호를 기다리세요. 5회 연속 실패하면 잠깁니다.",
        remedy_en="Try again. A code works once: wait for the next one. Five failures in a row lock the account.",
    )


def _not_enrolled() -> Denied:
    return Denied(
        "account.not-enrolled",
        ko="2차 인증이 아직 등록되지 않은 계정입니다.",
        en="No second factor is enrolled for this account.",
        remedy_ko="운영자에게 2차 인증 등록을 요청하세요.",
        remedy_en="Ask an operator to enrol one.",
    )
