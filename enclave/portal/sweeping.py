"""The sweep: what a rule ends now is ended and stopped at the gate; what is frozen for good gets its grace.

Every 15 seconds, so that nothing runs for a minute after its end (korea.md R31). What the gate still runs although
the database says that it must not (a gate that was away, a portal that was killed) is revoked, too.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

from enclave import clock
from enclave.actor import Actor
from enclave.commands import ends as commands
from enclave.errors import EnclaveError
from enclave.portal import closing
from enclave.portal.parts import Portal
from enclave.queries import ends

LOG = logging.getLogger("ansim.portal.sweep")


def sweep(portal: Portal) -> list[str]:
    """End what must end; returns the workspaces that were ended."""
    now, system = clock.now(), Actor.system()

    def enforce(workspace_id: str) -> None:
        commands.enforce(portal.store, system, workspace_id=workspace_id, now=now)

    def begin_grace(workspace_id: str) -> None:
        commands.begin_grace(portal.store, system, workspace_id=workspace_id, days=portal.settings.grace_days, now=now)

    ended = _each([name for name, _ in ends.must_end(portal.store, now=now)], enforce)
    closing.stop(portal, ended)
    _each(ends.without_grace(portal.store), begin_grace)
    stop_strays(portal)
    return ended


def stop_strays(portal: Portal) -> list[str]:
    """Revoke what the gate runs and the database does not allow to run; returns what was found."""
    try:
        running = portal.gate.status()["relays"]
    except EnclaveError:
        return []
    strays = sorted(set(running) - ends.allowed_to_run(portal.store))
    closing.stop(portal, strays)
    return strays


def _each(workspace_ids: Iterable[str], act: Callable[[str], None]) -> list[str]:
    """Act on each; one that is refused (somebody was quicker, the database is locked) waits for the next sweep."""
    done = []
    for workspace_id in workspace_ids:
        try:
            act(workspace_id)
        except EnclaveError as error:
            LOG.warning("workspace %s: %s", workspace_id, error.code)
        else:
            done.append(workspace_id)
    return done
