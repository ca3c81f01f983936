"""Opening a workspace of the drill: started by the hub, its screen unlocked as for somebody at a seat.

Nobody ever proves who they are as one of the drill's accounts, so the screen begins locked (korea.md R17): that is a
barrier of its own. The drill, which is root, then gives the portal's word for its own two workspaces.
"""

from __future__ import annotations

from enclave.drill.ground import in_store
from enclave.drill.hub import Door
from enclave.drill.others import as_user
from enclave.gate.client import Gate
from enclave.queries.drill import stage
from enclave.settings import Settings
from enclave.workspace.plan import parse_plan

SEAT = "127.0.0.1"
ELSEWHERE = "127.0.0.2"


def open_workspace(settings: Settings, door: Door, login: str) -> int:
    """Start it and wait until it answers; returns the status with which its locked screen answered before."""
    door.start(login)
    before = door.ask(login, "GET", "/api/status").status
    workspace_id = parse_plan(in_store(settings, lambda store: stage(store).plans)[login].encode()).workspace_id
    as_user(settings.app_user, lambda: Gate(settings.gate_socket).unlock(workspace_id, SEAT))
    door.wait(login)
    return before
