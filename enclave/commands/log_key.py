"""The log's signing key is replaced: two entries, for the files change outside the database."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from audit.rotation import Handover
from enclave.actions import Action
from enclave.actor import Actor
from enclave.commands.acting import intent
from enclave.commands.anchoring import as_refusal
from enclave.policy.anchors import check_may_appoint
from enclave.settings import Settings
from enclave.store import Store


def hand_over_key(
    store: Store,
    settings: Settings,
    actor: Actor,
    *,
    rotate: Callable[[], Handover],
    now: datetime,  # noqa: ARG001 - every command takes it
) -> Handover:
    """Have `rotate` replace the key (`audit.rotation.hand_over`, which needs the log's user); record before and after.

    Console. A run that was broken off is finished, and recorded, by the next one. Raises `Denied`, `Conflict`
    (`audit.log-busy` while the sequencer runs, `audit.*`), `Unavailable` (`log.folder`).
    """
    thing = ("log", settings.log_origin)
    with store.write(intent(Action.LOG_KEY_REQUESTED, actor, thing)):
        check_may_appoint(actor)
    event = intent(Action.LOG_KEY_DONE, actor, thing)
    with store.prepare(event), as_refusal():
        done = rotate()
    with store.write(event) as tx:
        tx.record(details={"size": done.size, "old": done.old.key_id.hex(), "new": done.new.key_id.hex()})
    return done
