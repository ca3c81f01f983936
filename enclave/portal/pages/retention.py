"""Entries whose time of keeping is over: which signed periods there are, who proposed and approved their purge."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from enclave.commands import retention as commands
from enclave.errors import EnclaveError
from enclave.portal.acting import actor_of, done, proved, tried
from enclave.portal.forms import Form
from enclave.portal.visit import Here, OwnForm, Visit
from enclave.queries import logbook, logreview
from enclave.queries import retention as queries
from enclave.roles import Role
from enclave.states import PeriodState

router = APIRouter()


def show(visit: Visit, error: EnclaveError | None = None, sent: Form | None = None) -> Response:
    """Return the page: signed periods that are still there, and all purges; what was typed stays."""
    actor, portal = actor_of(visit), visit.portal
    purges = queries.purges(portal.store, actor)
    gone = max((each.end for each in purges if each.ordered_at is not None), default=0)
    periods = [
        each
        for each in logreview.periods(portal.store, actor, now=visit.now)
        if each.state is PeriodState.SIGNED and (each.size or 0) > gone
    ]
    with portal.store.read() as session:
        names = logbook.logins(session)
    return visit.page(
        "retention.html",
        here="periods",
        status=error.status if error else 200,
        error=error,
        periods=periods,
        purges=purges,
        names=names,
        typed={name: sent.text(name) if sent else "" for name in ("period", "reason")},
        may=Role.REVIEWER in actor.roles,
    )


@router.get("/retention")
def one(visit: Here) -> Response:
    """Show what may be purged and what was."""
    return show(visit)


@router.post("/retention/propose")
def propose(visit: Here, form: OwnForm) -> Response:
    """Propose to purge everything up to the end of a signed period."""

    def act() -> str:
        portal = visit.portal
        given = {"period_id": form.text("period"), "reason": form.text("reason")}
        commands.propose(portal.store, portal.settings, actor_of(visit), now=visit.now, **given)
        return "/retention"

    return tried(lambda: done(visit, form, act, "retention.proposed"), lambda error: show(visit, error, form))


@router.post("/retention/{purge_id}/approve")
def approve(visit: Here, form: OwnForm, purge_id: str) -> Response:
    """Approve what another reviewer proposed."""

    def act() -> str:
        portal, actor = visit.portal, proved(visit, form.text("code"))
        commands.approve(portal.store, portal.settings, actor, purge_id=purge_id, now=visit.now)
        return "/retention"

    return tried(lambda: done(visit, form, act, "retention.approved"), lambda error: show(visit, error))
