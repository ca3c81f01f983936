"""Searching what was shown for identifiers, a few workspaces at a turn, in sealed children.

A batch that fails is tried text by text, so that one text made to break the search hides no other for long; what
still fails is told as not searched.
"""

from __future__ import annotations

import logging
import time

from enclave import clock
from enclave.airlock import shown
from enclave.airlock.sealing.pool import SealedFailure
from enclave.airlock.shown import Found, Shown
from enclave.commands.seen import text_of
from enclave.commands.shown import record_search
from enclave.errors import Unavailable
from enclave.portal.parts import Portal
from enclave.queries import watch
from enclave.queries.watch import WaitingBatch

LOG = logging.getLogger("ansim.portal.searching")
# Seconds that one turn may take: the other chores wait for us.
TURN_S = 15.0


def search_shown(portal: Portal) -> int:
    """Search what is ready; returns how many texts were dealt with."""
    deadline, dealt = time.monotonic() + TURN_S, 0
    for batch in watch.ready(portal.store, now=clock.now()):
        if time.monotonic() >= deadline:
            break
        texts = {each.event_id: _opened(portal, each) for each in batch.texts}
        found = {**dict.fromkeys(texts), **_search(batch, _there(texts), deadline)}
        record_search(portal.store, portal.vault, workspace_id=batch.workspace_id, found=found, now=clock.now())
        dealt += len(found)
    return dealt


def _opened(portal: Portal, each: watch.WaitingText) -> Shown | None:
    try:
        return Shown(each.mime, text_of(portal.vault.open(each.sealed, purpose=f"display:{each.event_id}")))
    except Unavailable:  # sealed with a key that is no more: it will never be searched, and that is told
        return None


def _there(texts: dict[str, Shown | None]) -> dict[str, Shown]:
    return {event_id: text for event_id, text in texts.items() if text is not None}


def _search(batch: WaitingBatch, texts: dict[str, Shown], deadline: float) -> dict[str, Found | None]:
    try:
        return dict(zip(texts, shown.search(list(texts.values())), strict=True))
    except SealedFailure as failure:
        LOG.warning("workspace %s: %d texts were not searched: %s", batch.workspace_id, len(texts), failure.why)
    return {event_id: _alone(text, deadline) for event_id, text in texts.items()}


def _alone(text: Shown, deadline: float) -> Found | None:
    left = deadline - time.monotonic()
    if left < 1:
        return None
    try:
        return shown.search([text], timeout_s=min(left, shown.TIMEOUT_S))[0]
    except SealedFailure:
        return None
