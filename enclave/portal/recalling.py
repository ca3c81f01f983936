"""Ending versions in which somebody withdrew, every 15 seconds and before the sweep that stops what runs with them."""

from __future__ import annotations

import logging

from deid.versions.recalls import recalls
from enclave import clock
from enclave.actor import Actor
from enclave.commands.recall import recall_snapshot
from enclave.errors import EnclaveError
from enclave.portal.parts import Portal
from enclave.queries.recalls import due

LOG = logging.getLogger("ansim.portal.recalls")


def take(portal: Portal) -> list[str]:
    """End each version that `ansim deid withdraw` recalled and that is still in use; returns their ids."""
    done = []
    for recall in due(portal.store, recalls(portal.settings.snapshot_keys)):
        try:
            recall_snapshot(portal.store, Actor.system(), recall=recall, now=clock.now())
        except EnclaveError as error:
            LOG.warning("recall of %s: %s", recall.snapshot[:12], error.code)
        else:
            done.append(recall.snapshot)
    return done
