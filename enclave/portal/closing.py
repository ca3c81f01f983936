"""Stopping at the gate what the database says must not run: after a project or an account ended, and at every start.

The command has frozen the rows already; nothing can be opened again whatever happens here. A gate that does not
answer is logged and tried again by a chore of the portal and by the hub's own stop.
"""

from __future__ import annotations

from enclave.actor import Actor
from enclave.portal.parts import Portal
from enclave.portal.stopping import stop_all
from enclave.queries import workspace


def open_in(portal: Portal, project_id: str) -> list[str]:
    """Return the ids of the workspaces of a project that are open or opening."""
    running = workspace.running(portal.store, Actor.system())
    return [each.id for each in running if each.project_id == project_id]


def open_of(portal: Portal, login: str) -> list[str]:
    """Return the ids of the workspaces of one person that are open or opening."""
    return [each.id for each in workspace.running(portal.store, Actor.system()) if each.login == login]


def stop_frozen(portal: Portal) -> list[str]:
    """Revoke everything that is frozen: what a killed portal, or a gate that was away, left running."""
    return stop(portal, [each.id for each in workspace.frozen(portal.store, Actor.system())])


def stop(portal: Portal, workspace_ids: list[str]) -> list[str]:
    """Revoke these workspaces at the gate; returns those that the gate did not stop."""
    return stop_all(portal.gate.revoke, workspace_ids)
