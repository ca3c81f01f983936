"""Closing workspaces that nobody uses. What is known of each is kept in memory: a portal that restarts counts anew."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

from enclave import clock
from enclave.actor import Actor
from enclave.commands import ends as commands
from enclave.errors import EnclaveError
from enclave.policy.idle import Activity, Watched, is_idle, watched
from enclave.portal import closing
from enclave.portal.parts import Portal
from enclave.queries import workspace
from enclave.states import WorkspaceState

LOG = logging.getLogger("ansim.portal.culling")


class Culling:
    """Remembers the last look at each running workspace."""

    def __init__(self) -> None:
        self._known: dict[str, Watched] = {}

    def cull(self, portal: Portal) -> list[str]:
        """Look at every running workspace and close what was idle for long enough; returns what was closed."""
        open_now = workspace.running(portal.store, Actor.system())
        running = [each.id for each in open_now if each.state is WorkspaceState.RUNNING]
        self._known = {name: known for name, known in self._known.items() if name in running}
        try:
            # Without an answer about GPUs nothing is closed: it might be a job that works.
            holders = set(portal.gate.gpu_holders().values())
        except EnclaveError:
            return []
        closed = [
            name for name in running if self._is_idle(portal, name, name in holders) and self._close(portal, name)
        ]
        closing.stop(portal, closed)
        return closed

    def _is_idle(self, portal: Portal, workspace_id: str, has_gpu: bool) -> bool:  # noqa: FBT001 - one call, above
        try:
            seen = portal.gate.activity(workspace_id)
        except EnclaveError:
            self._known.pop(workspace_id, None)
            return False
        if seen["cpu_ns"] is None:
            return False
        hand = datetime.fromtimestamp(seen["last_hand"], UTC) if seen["last_hand"] is not None else None
        now = Activity(clock.now(), seen["cpu_ns"], hand, has_gpu)
        self._known[workspace_id] = watched(self._known.get(workspace_id), now)
        return is_idle(self._known[workspace_id], portal.settings.cull_hours)

    def _close(self, portal: Portal, workspace_id: str) -> bool:
        known = self._known[workspace_id]
        minutes = (known.last.at - known.idle_since) // timedelta(minutes=1)
        try:
            commands.cull(
                portal.store, Actor.system(), workspace_id=workspace_id, idle_minutes=minutes, now=clock.now()
            )
        except EnclaveError as error:
            LOG.warning("workspace %s is idle, and could not be closed: %s", workspace_id, error.code)
            return False
        return True
