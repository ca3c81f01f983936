"""What the portal does by itself for purges of the log: the second entry, once the sequencer has carried one out."""

from __future__ import annotations

from enclave import clock
from enclave.actor import Actor
from enclave.commands import retention
from enclave.portal.parts import Portal


def close(portal: Portal) -> None:
    """Record as done every ordered purge whose entries are gone from the published log."""
    for purge_id in retention.waiting(portal.store, portal.settings):
        retention.finish(portal.store, portal.settings, Actor.system(), purge_id=purge_id, now=clock.now())
