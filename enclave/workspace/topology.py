"""Which network a workspace has: none (sealed), or its project's own internal bridge. Pure.

Why there are two: docs/adr/0011-bridge.md.
"""

from __future__ import annotations

import hashlib
from enum import StrEnum


class Topology(StrEnum):
    """How workspaces are cut off from everything: chosen once for an installation, in `config.toml`."""

    SEALED = "sealed"
    BRIDGE = "bridge"


def network_of(project_id: str, topology: str) -> str:
    """Return the name of the project's network, empty where workspaces are sealed; raises `ValueError` for others."""
    if Topology(topology) is Topology.SEALED:
        return ""
    return f"ansim-{hashlib.sha256(project_id.encode()).hexdigest()[:20]}"
