"""Workspaces that the database says run and that the gate has not: what a lost hub or a removed stray left open.

Asked twice before it is believed: a gate that has just restarted takes its workspaces up one by one.
"""

from __future__ import annotations

import logging

from enclave import clock
from enclave.actor import Actor
from enclave.commands.workspace import mark_stopped
from enclave.errors import EnclaveError
from enclave.portal.parts import Portal
from enclave.queries import workspace
from enclave.states import WorkspaceState

LOG = logging.getLogger("ansim.portal.ended")
REASON = "not running at the gate"


class Ended:
    """Remembers what was missing at the last look."""

    def __init__(self) -> None:
        self._missing: frozenset[str] = frozenset()

    def close(self, portal: Portal) -> list[str]:
        """Record as stopped what was missing at the gate now and at the last look; returns their ids."""
        try:
            status = portal.gate.status()
        except EnclaveError:
            return []
        if not status["engine"]:
            return []
        open_now = workspace.running(portal.store, Actor.system())
        running = frozenset(each.id for each in open_now if each.state is WorkspaceState.RUNNING)
        missing = running - set(status["relays"])
        gone, self._missing = sorted(missing & self._missing), missing
        return [each for each in gone if _stopped(portal, each)]


def _stopped(portal: Portal, workspace_id: str) -> bool:
    try:
        mark_stopped(portal.store, Actor.system(), workspace_id=workspace_id, reason=REASON, now=clock.now())
    except EnclaveError as error:
        LOG.warning("workspace %s is not running, and could not be recorded as stopped: %s", workspace_id, error.en)
        return False
    return True
