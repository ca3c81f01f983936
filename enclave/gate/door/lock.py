"""Is somebody there: a locked or idle screen gets nothing but the word that it is locked (korea.md R17).

Kernels go on; the notebook server keeps what they say until the page connects again.
"""

from __future__ import annotations

from enclave.gate.door.refused import explain
from enclave.gate.door.visit import Answer, Visit

LOCKED = 423  # RFC 4918 §11.3
CLOSE_CODE = 4423


async def check_lock(visit: Visit) -> Answer | None:
    """Refuse everything while the screen is locked."""
    doorway = visit.doorway
    if not doorway.screens.of(doorway.plan.workspace_id).locked:
        return None
    return explain(visit, LOCKED, "locked")
