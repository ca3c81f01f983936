"""What pages say when something is wrong with the log: to all what stops their work, the rest to who can mend it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from enclave.actor import Actor
from enclave.policy.log_health import FOR_ALL, Trouble
from enclave.roles import Role

MENDERS = frozenset({Role.OPERATOR, Role.AUDITOR, Role.REVIEWER})


def mends(actor: Actor | None) -> bool:
    """Say whether this visitor is one of those who can mend the log, or who watch that it is mended."""
    return actor is not None and bool(actor.roles & MENDERS)


def of(troubles: Mapping[Trouble, datetime], actor: Actor | None) -> list[tuple[Trouble, datetime]]:
    """Return what this visitor is shown, with the moment it began; the same order on every page."""
    return [
        (trouble, troubles[trouble])
        for trouble in Trouble
        if trouble in troubles and (mends(actor) or trouble in FOR_ALL)
    ]
