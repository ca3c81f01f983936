"""Closing things from the portal's doors: by their command, and where nothing can be recorded, as an emergency."""

from __future__ import annotations

from typing import Any

from enclave.commands import credentials, people
from enclave.commands.freeze import freeze_project as freeze
from enclave.policy.emergency import Act
from enclave.portal import closing
from enclave.portal.acting import actor_of
from enclave.portal.emergency import unless_writable
from enclave.portal.visit import Visit
from enclave.roles import Role

# What a program is told instead of the thing's new state: done, and to be recorded.
SPOOLED = {"spooled": True}


def freeze_project(visit: Visit, project_id: str, reason: str) -> Any:
    """Freeze a project: the command freezes the rows, the gate stops what runs, at once."""
    portal, actor = visit.portal, actor_of(visit)

    def write() -> Any:
        running = closing.open_in(portal, project_id)
        made = freeze(portal.store, actor, project_id=project_id, reason=reason, now=visit.now)
        closing.stop(portal, running)
        return made

    return unless_writable(write, lambda: _done(visit, Act.FREEZE, project_id, reason))


def revoke_role(visit: Visit, login: str, role: Role, reason: str) -> Any:
    """Take a role away."""
    store, actor = visit.portal.store, actor_of(visit)
    return unless_writable(
        lambda: people.revoke_role(store, actor, login=login, role=role, reason=reason, now=visit.now),
        lambda: _done(visit, Act.REVOKE_ROLE, login, reason, role.value),
    )


def end_account(visit: Visit, login: str, reason: str) -> Any:
    """End an account; its workspaces are frozen by the command and stopped at the gate, its sessions end."""
    portal, actor = visit.portal, actor_of(visit)

    def write() -> Any:
        running = closing.open_of(portal, login)
        ended = people.end_account(portal.store, actor, login=login, reason=reason, now=visit.now)
        closing.stop(portal, running)
        return ended

    return unless_writable(write, lambda: _done(visit, Act.END_ACCOUNT, login, reason))


def log_out(visit: Visit) -> None:
    """End the session here and record it; leaving never waits for the log."""
    portal, actor = visit.portal, actor_of(visit)
    if visit.session is not None:
        portal.sessions.close(visit.session.id)
    unless_writable(
        lambda: credentials.log_out(portal.store, actor, now=visit.now),
        lambda: _done(visit, Act.LOG_OUT, actor.login),
    )


def _done(visit: Visit, act: Act, on: str, reason: str = "", role: str = "") -> Any:
    visit.portal.emergency.act(actor_of(visit), act, on, reason=reason, role=role)
    if act in {Act.END_ACCOUNT, Act.REVOKE_ROLE}:
        visit.portal.sessions.close_of(on)
    return SPOOLED
