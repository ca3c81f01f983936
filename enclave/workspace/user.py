"""The user id of a workspace: one of its own, because the kernel counts some things by user and not by container.

Inotify instances and watches, message queues, pending signals (every timer needs one), descriptors that are waited
for, processes: whoever shares a user id with others shares these limits with them, and one can use up all of them
(docs/adr/0014-drill.md). An id that nobody else has makes them the workspace's own.
"""

from __future__ import annotations

import hashlib

# Ids that neither people, services, nor the usual ranges for other containers have (systemd's UIDS-GIDS).
FIRST, COUNT = 0x7000_0000, 0x0FFF_FFF0


def uid_of(workspace_id: str) -> int:
    """Return the user id, and group id, of everything in this workspace; drawn from its own id, the same at each start.

    Two of a thousand running workspaces share one with a probability of 1 in 500; they then share those limits.
    """
    digest = hashlib.sha256(f"ansim-user\n{workspace_id}".encode()).digest()
    return FIRST + int.from_bytes(digest[:8]) % COUNT
