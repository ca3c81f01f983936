"""What every command begins with: the event it stands for, and who the actor really is at this moment."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from hashlib import sha256

from sqlalchemy.orm import Session

from audit.event import Event, Outcome
from enclave.actions import Action
from enclave.actor import Actor
from enclave.errors import Denied, Invalid
from enclave.model.people import Account
from enclave.policy.people import check_account_open
from enclave.queries.people import roles_now, standing_facts

# Ids of ours and of data sets, logins, snapshots (SHA-256), entries (ULID).
ID = re.compile(r"[A-Za-z][A-Za-z0-9._:/-]{0,127}|[0-9a-f]{64}|[0-9A-HJKMNP-TV-Z]{26}|\d{1,7}")

# Numbers of persons (주민등록번호, 휴대전화) that would pass for an id behind a letter.
PERSONAL = re.compile(
    r"(?<!\d)\d{6}-[1-8]\d{6}(?!\d)|(?<!\d)01\d-\d{3,4}-\d{4}(?!\d)"
    r"|(?<![0-9A-Za-z])[A-Za-z]?(\d{13}|01\d{8,9})(?![0-9A-Za-z])"
)

# An IP address with its zone, or a word of ours (`console`).
ADDRESS = re.compile(r"[0-9A-Fa-f:.]{1,45}(%[A-Za-z0-9]{1,16})?|[a-z-]{0,20}")


def intent(
    action: Action,
    actor: Actor,
    thing: tuple[str, str],
    *,
    project: str | None = None,
    outcome: Outcome = "done",
) -> Event:
    """Return the event of an act on `thing` (kind, id), as it will be recorded if all goes well."""
    kind, object_id = thing
    return Event(
        action=action.value,
        outcome=outcome,
        actor_id=actor.account_id,
        actor_role=actor.role_names,
        from_ip=actor.ip if ADDRESS.fullmatch(actor.ip) else "unknown",
        session=actor.session_id,
        object_kind=kind,
        object_id=name_in_log(object_id),
        project=None if project is None else name_in_log(project),
    )


def name_in_log(given: str) -> str:
    """Return an id as the log may hold it: as it is if it can be one of ours, else a hash of what was sent.

    An address may be asked for with anything in an id's place, a name or a resident number too.
    """
    if not given or is_id(given):
        return given
    return f"unknown-{sha256(given.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"


def is_id(given: str) -> bool:
    """Say whether something can be an id of ours, and is no number of a person."""
    return ID.fullmatch(given) is not None and PERSONAL.search(given) is None


def present(session: Session, actor: Actor, now: datetime) -> Actor:
    """Return the actor with the roles and organisation the database says they have now.

    Raises `Denied` if the account was locked, ended or never existed. Console and system are who they are.
    """
    if actor.is_console or actor.is_system:
        return actor
    account = session.get(Account, actor.account_id)
    if account is None:
        raise Denied(
            "account.closed",
            ko="이 계정은 더 이상 없습니다.",
            en="This account no longer exists.",
            remedy_ko="다시 로그인하세요.",
            remedy_en="Sign in again.",
        )
    check_account_open(standing_facts(account), now)
    return replace(actor, roles=roles_now(account, now), organisation_id=account.organisation_id)


def check_system(actor: Actor) -> None:
    """Raise `Denied` (`workspace.system-only`) unless it is the service itself that acts."""
    if not actor.is_system:
        raise Denied(
            "workspace.system-only",
            ko="시스템만 기록할 수 있습니다.",
            en="Only the system records this.",
            remedy_ko="작업공간은 포털이나 허브에서 여닫으세요.",
            remedy_en="Open and close workspaces in the portal or the hub.",
        )


def require(*fields: tuple[str, str, str]) -> None:
    """Raise `Invalid` (`input.missing`) naming the fields without text; each is (Korean, English, text)."""
    missing = [(ko, en) for ko, en, text in fields if not text.strip()]
    if missing:
        raise missing_fields(missing)


def missing_fields(names: list[tuple[str, str]]) -> Invalid:
    """Return the error that names the missing fields, as (Korean, English)."""
    return Invalid(
        "input.missing",
        ko=f"빠진 항목이 있습니다: {', '.join(ko for ko, _ in names)}",
        en=f"Missing: {', '.join(en for _, en in names)}",
        remedy_ko="해당 항목을 채운 뒤 다시 보내세요.",
        remedy_en="Fill them in and send again.",
    )


def text_sha256(*texts: str) -> str:
    """Return the hash under which free text is named in the log; the text itself stays in the database."""
    return sha256("\n\x00".join(texts).encode("utf-8", "surrogatepass")).hexdigest()
