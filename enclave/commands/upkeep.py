"""What the system does to requests by itself: close what nobody goes on with, tell when a review runs late."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from enclave.actions import Action
from enclave.actor import Actor
from enclave.commands.acting import check_system, intent
from enclave.commands.moving import ESCALATES, begin, cancel_release, move, step
from enclave.commands.release import Depot
from enclave.queries.airlock_facts import present_round
from enclave.queries.airlock_shown import request_view
from enclave.queries.airlock_views import RequestView
from enclave.states import RequestState, Verb
from enclave.store import Store


def expire(store: Store, depot: Depot, actor: Actor, *, request_id: str, now: datetime) -> RequestView:
    """Close a draft, a return or an approval that lay too long, or a package nobody collected: its key is destroyed.

    The system. Raises `Denied` (`egress.not-idle`), `Conflict` (it is over already), `NotFound`.
    """
    with store.write(intent(Action.EGRESS_EXPIRE, actor, ("egress_request", request_id))) as tx:
        begun = step(tx, actor, request_id, Verb.EXPIRE, now)
        found = begun.found
        tx.record(reason_code=f"was-{found.state.value}")
        path = found.release.package_path if found.release is not None else None
        move(found, Verb.EXPIRE, RequestState.EXPIRED, now)
        cancel_release(found.release)
        view = request_view(found, begun.acting, now)
    # After the commit: a package whose key is gone is only noise, and `release.reap` removes what a crash leaves.
    if path:
        (depot.folder / Path(path).name).unlink(missing_ok=True)
    return view


def escalate(store: Store, actor: Actor, *, request_id: str, now: datetime) -> None:
    """Record once for each round that 80 % of its time, or as much as its policy says, passed without a decision (R67).

    Checkers and stewards find on their first page how many are late. The system. Raises `Denied`, `NotFound`. A round
    that was decided meanwhile is left alone.
    """
    with store.write(intent(Action.EGRESS_ESCALATE, actor, ("egress_request", request_id))) as tx:
        begun = begin(tx, actor, request_id, now)
        check_system(begun.acting)
        tx.record(action=ESCALATES[begun.found.direction].value, outcome="allowed")
        current = present_round(begun.found)
        if begun.found.state is RequestState.SUBMITTED and current is not None and current.escalated_at is None:
            current.escalated_at = now
            tx.record(outcome="done", details={"due_at": current.due_at.isoformat(timespec="seconds")})
