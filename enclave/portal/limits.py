"""Bringing display limits to workspaces that run: after a steward's word at once, and again and again for all.

What counts is asked of the gate's own meter, so that a gate that was away, or a word that was said while a workspace
was starting, is made good at the next turn.
"""

from __future__ import annotations

import logging

from enclave import clock
from enclave.commands.display import renew_limits
from enclave.errors import EnclaveError
from enclave.portal.parts import Portal
from enclave.portal.usage import usage_if_any
from enclave.queries import display

LOG = logging.getLogger("ansim.portal.limits")


def bring_limits(portal: Portal, project_id: str = "") -> list[str]:
    """Give every running workspace, of one project or all, the limits in force; returns those that got others."""
    return [
        workspace_id
        for workspace_id, limits in display.running(portal.store, portal.settings, project_id=project_id)
        if (told := usage_if_any(portal, workspace_id)) is not None and told.limits != limits
        if _brought(portal, workspace_id)
    ]


def _brought(portal: Portal, workspace_id: str) -> bool:
    try:
        fresh = renew_limits(portal.store, portal.means(), workspace_id=workspace_id, now=clock.now())
        portal.gate.set_limits(fresh.plan, fresh.signature)
    except EnclaveError as error:
        LOG.warning("workspace %s keeps its display limits for now: %s", workspace_id, error.code)
        return False
    return True
