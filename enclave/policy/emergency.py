"""What may be done while the log cannot be written: closing things. Pure; by the roles that were last known.

Whoever lost a role a moment before may stop something here that they may no longer stop: that errs on the safe side,
and the replay asks again with the roles in the database.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from enclave.actor import Actor
from enclave.errors import Denied
from enclave.policy.people import check_is, check_may_change_rights
from enclave.roles import Role


class Act(StrEnum):
    """What still works; also its name in the entry and its words' key."""

    LOG_OUT = "log-out"
    STOP = "stop"
    FREEZE = "freeze"
    REVOKE_ROLE = "revoke-role"
    END_ACCOUNT = "end-account"


KIND = {
    Act.LOG_OUT: "account",
    Act.STOP: "workspace",
    Act.FREEZE: "project",
    Act.REVOKE_ROLE: "account",
    Act.END_ACCOUNT: "account",
}


@dataclass(frozen=True)
class Running:
    """A workspace as it was last seen to run: whose it is, in which project, and the account that leads that."""

    workspace_id: str
    login: str
    project_id: str
    lead_id: str


@dataclass(frozen=True)
class Emergency:
    """One act that was done before it could be recorded. `on` is a workspace, a project, or an account's login."""

    id: str
    act: Act
    actor: Actor
    on: str
    role: str
    reason: str
    acted_at: datetime


def check_may_act(actor: Actor, act: Act, on: str, running: Mapping[str, Running]) -> None:
    """Raise `Denied` unless the actor may close this now: their own things, and those that their role answers for."""
    if act is Act.LOG_OUT:
        return
    if act is Act.STOP and (place := running.get(on)) is not None and place.login == actor.login:
        return
    if act in {Act.REVOKE_ROLE, Act.END_ACCOUNT}:
        check_may_change_rights(actor, actor.account_id if on == actor.login else "")
        return
    if act is Act.FREEZE and _leads(actor, on, running):
        return
    check_is(actor, Role.OPERATOR, Role.DATA_STEWARD)


def check_known(actor: Actor | None) -> Actor:
    """Return the actor; raises `Denied` for a session of which nobody knows any more who it was."""
    if actor is None:
        raise Denied(
            "emergency.unknown",
            ko="데이터베이스를 읽을 수 없어 누구인지 확인하지 못합니다.",
            en="The database cannot be read, so nobody knows who you are.",
            remedy_ko="운영자에게 전화하세요. 이미 들어와 있던 운영자는 이 화면에서 멈출 수 있습니다.",
            remedy_en="Call an operator: one who was signed in before can stop things on this page.",
        )
    return actor


def _leads(actor: Actor, project_id: str, running: Mapping[str, Running]) -> bool:
    return any(each.project_id == project_id and each.lead_id == actor.account_id for each in running.values())
