"""Where requests stand in the queue: how many of their direction have waited as long or longer, themselves included."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from enclave.model.egress import AirlockRequest
from enclave.states import RequestState


def positions(session: Session, request_ids: Iterable[str]) -> dict[str, int]:
    """Return the places, from 1, of those of these requests that are under review."""
    order = (AirlockRequest.submitted_at, AirlockRequest.id)
    place = func.row_number().over(partition_by=AirlockRequest.direction, order_by=order).label("place")
    queue = select(AirlockRequest.id, place).where(AirlockRequest.state == RequestState.SUBMITTED).subquery()
    rows = session.execute(select(queue.c.id, queue.c.place).where(queue.c.id.in_(list(request_ids))))
    return {each.id: each.place for each in rows}
