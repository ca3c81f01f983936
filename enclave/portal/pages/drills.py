"""What attack drills found: the newest, barrier by barrier; the earlier ones; the auditor's button; the documents."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from fastapi import APIRouter
from starlette.responses import Response

from enclave.commands import drill as commands
from enclave.errors import EnclaveError
from enclave.policy.allows import allows
from enclave.policy.drill import check_may_request_drill
from enclave.portal.acting import actor_of, done
from enclave.portal.visit import Here, OwnForm, Visit
from enclave.queries import drill as query
from enclave.queries.drill import DrillView, ResultView
from enclave.states import DrillState
from enclave.workspace.barriers.barrier import AREA_NAMES, Area, Barrier
from enclave.workspace.barriers.catalogue import BY_ID

router = APIRouter()


@dataclass(frozen=True)
class Row:
    """One barrier of the list with what a drill found."""

    barrier: Barrier
    result: ResultView


@dataclass(frozen=True)
class Part:
    """One part of the list."""

    names: tuple[str, str]
    rows: tuple[Row, ...]


@router.get("/drills")
def drills(visit: Here) -> Response:
    """Show the newest drill that came to its end, and the list of all."""
    return show(visit)


@router.post("/drills")
def request(visit: Here, form: OwnForm) -> Response:
    """Ask for a drill."""

    def act() -> str:
        commands.request_drill(visit.portal.store, actor_of(visit), now=visit.now)
        return "/drills"

    try:
        return done(visit, form, act, "drills.requested")
    except EnclaveError as error:
        return show(visit, error=error)


@router.get("/drills/{drill_id}")
def one(visit: Here, drill_id: str) -> Response:
    """Show one drill."""
    return show(visit, query.drill(visit.portal.store, actor_of(visit), drill_id))


@router.get("/drills/{drill_id}/document")
def document(visit: Here, drill_id: str) -> Response:
    """Hand out the document exactly as it was signed."""
    found = query.document(visit.portal.store, actor_of(visit), drill_id)
    return _file(found.data, "application/json", f"{drill_id}.json")


@router.get("/drills/{drill_id}/signature")
def signature(visit: Here, drill_id: str) -> Response:
    """Hand out the document's signature, base64."""
    found = query.document(visit.portal.store, actor_of(visit), drill_id)
    return _file(base64.b64encode(found.signature) + b"\n", "text/plain", f"{drill_id}.sig")


def show(visit: Visit, shown: DrillView | None = None, *, error: EnclaveError | None = None) -> Response:
    """Return the page with one drill, the newest that is done unless another is wanted."""
    actor = actor_of(visit)
    everything = query.drills(visit.portal.store, actor)
    shown = shown or query.newest_done(visit.portal.store, actor)
    under_way = any(each.state in {DrillState.REQUESTED, DrillState.RUNNING} for each in everything)
    return visit.page(
        "drills.html",
        here="drills",
        status=error.status if error else 200,
        error=error,
        shown=shown,
        parts_of=_parts(shown) if shown else (),
        drills=everything,
        under_way=under_way,
        may_request=allows(check_may_request_drill, actor) and not under_way,
    )


def _parts(shown: DrillView) -> tuple[Part, ...]:
    rows = [Row(BY_ID[each.barrier_id], each) for each in shown.results if each.known]
    return tuple(Part(AREA_NAMES[area], tuple(row for row in rows if row.barrier.area is area)) for area in Area)


def _file(data: bytes, kind: str, name: str) -> Response:
    # The name is an id of ours; what asked for it was found under it.
    return Response(data, media_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})
