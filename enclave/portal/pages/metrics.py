"""How the airlock is doing: times, overrides, agreement, causes of refusal, what is stuck. No names of people."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from enclave.portal.acting import actor_of
from enclave.portal.visit import Here
from enclave.queries import metrics

router = APIRouter()


@router.get("/metrics")
def page(visit: Here, days: str = "90") -> Response:
    """Show the measures of the last 30, 90 or 365 days."""
    since = metrics.period(days, visit.now)
    found = metrics.metrics(visit.portal.store, actor_of(visit), since=since, now=visit.now)
    return visit.page("metrics.html", here="metrics", found=found, days_shown=(visit.now - since).days)
