"""What the watch over the log records: canaries, the clock, disks, alarms. The system alone."""

from __future__ import annotations

from datetime import datetime

from enclave.actions import Action
from enclave.actor import Actor
from enclave.commands.acting import intent
from enclave.policy.log_health import Canary, Trouble, is_clock_wrong
from enclave.store import Store
from enclave.timekeeping import Reading


def canary(store: Store, *, before: Canary, now: datetime) -> str:  # noqa: ARG001 - every command takes it
    """Record one canary and say whether the one before it was found in the published tiles; return its entry's id."""
    entry_ids: list[str] = []
    with store.write(intent(Action.LOG_CANARY, Actor.system(), ("log", "entries"))) as tx:
        tx.with_entry(entry_ids.append)
        if before.found is not None:
            outcome = "done" if before.found else "failed"
            tx.record(outcome=outcome, details={"before": before.entry_id, "found": before.found})
    return entry_ids[0]


def clock(store: Store, *, reading: Reading, now: datetime) -> None:  # noqa: ARG001 - every command takes it
    """Record how far this machine's clock is off, and by whose word (ISMS-P 2.9.6); `failed` when it is too far."""
    with store.write(intent(Action.LOG_CLOCK, Actor.system(), ("clock", reading.source))) as tx:
        tx.record(
            outcome="failed" if is_clock_wrong(reading) else "done",
            details={
                "offset_ms": reading.offset_ms,
                "synchronised": reading.synchronised,
                "jumped_ms": reading.jumped_ms,
            },
        )


def disk(store: Store, *, place: str, percent: int, passed: int, now: datetime) -> None:  # noqa: ARG001 - the same
    """Record that a disk rose above, or fell below, a watermark; `passed` is the highest it reaches now (0: none)."""
    with store.write(intent(Action.LOG_DISK, Actor.system(), ("disk", place))) as tx:
        tx.record(details={"percent": percent, "mark": passed})


def alarm(store: Store, *, trouble: Trouble, since: datetime, over: bool, now: datetime) -> None:
    """Record that something is wrong with the log, or is no more; `since` when it was first seen."""
    with store.write(intent(Action.LOG_ALARM, Actor.system(), ("log", trouble.value))) as tx:
        seconds = int((now - since).total_seconds())
        outcome = "done" if over else "failed"
        tx.record(outcome=outcome, reason_code=f"log.{trouble.value}", details={"over": over, "seconds": seconds})
