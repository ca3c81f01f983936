"""What pages say when something is wrong with the log: to all what stops their work, the rest to who can mend it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from enclave.actor import Actor
from enclave.policy.log_health import FOR_ALL, Trouble
from enclave.roles import Role

MENDERS = frozenset({Role.OPERATOR, Role.AUDITOR, Role.REVIEWER})


def of(troubles: Mapping[Trouble, datetime], actor: Actor | None) -> list[tuple[Trouble, datetime]]:
    """Return what this visitor is shown, with the moment it began; the same order on every page."""
    mends = actor is not None and bool(actor.roles & MENDERS)
    return [
        (trouble, troubles[trouble]) for trouble in Trouble if trouble in troubles and (mends or trouble in FOR_ALL)
    ]
