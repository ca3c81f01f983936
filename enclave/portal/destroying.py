"""Destroying what is due, step by step, and taking up what a crash left: nothing is certified that was not done."""

from __future__ import annotations

import logging

from enclave import clock, keys
from enclave.actor import Actor
from enclave.commands import destruction
from enclave.errors import EnclaveError
from enclave.portal import filing
from enclave.portal.parts import Portal
from enclave.queries import ends

LOG = logging.getLogger("ansim.portal.destroying")


def destroy_due(portal: Portal) -> list[str]:
    """Ask for the destruction of what is due, then finish all that was asked for; returns what is destroyed now."""
    for workspace_id in ends.due(portal.store, now=clock.now()):
        try:
            destruction.request(portal.store, Actor.system(), workspace_id=workspace_id, now=clock.now())
        except EnclaveError as error:
            LOG.warning("workspace %s is not destroyed yet: %s", workspace_id, error.code)
    done = [each for each in ends.in_destruction(portal.store) if _finished(portal, each)]
    filing.file_all(portal)
    return done


def _finished(portal: Portal, workspace_id: str) -> bool:
    try:
        destroy(portal, workspace_id)
    except EnclaveError as error:
        LOG.warning("workspace %s is not destroyed yet: %s", workspace_id, error.code)
        return False
    return True


def destroy(portal: Portal, workspace_id: str) -> None:
    """Take the three steps of one destruction that was asked for. Raises `EnclaveError`: the next turn goes on."""
    store, system = portal.store, Actor.system()
    # Read first: without it nothing is begun that could not be certified.
    key = keys.load_signing_key(portal.settings.certificate_key)
    destruction.destroy_keys(store, system, workspace_id=workspace_id, now=clock.now())
    portal.gate.revoke(workspace_id)
    portal.gate.remove_volumes(workspace_id)
    destruction.finish(
        store, key, system, workspace_id=workspace_id, enclave=portal.settings.log_origin, now=clock.now()
    )
