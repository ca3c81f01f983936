"""Stopping workspaces at the gate, one after the other, without waiting for a gate that hangs for each of them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from enclave.errors import EnclaveError

LOG = logging.getLogger("ansim.portal")


def stop_all(revoke: Callable[[str], None], workspace_ids: Sequence[str]) -> list[str]:
    """Revoke these workspaces; returns those that the gate did not stop. What is frozen is tried again by a chore."""
    left: list[str] = []
    for at, workspace_id in enumerate(workspace_ids):
        try:
            revoke(workspace_id)
        except EnclaveError as error:
            LOG.warning("workspace %s was not stopped: %s", workspace_id, error.code)
            if error.code == "gate.unreachable":
                return [*left, *workspace_ids[at:]]
            left.append(workspace_id)
    return left
