"""My frozen workspace: until when, what lies in it, a look into a file, and asking for files to be released."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from starlette.responses import Response

from enclave.errors import EnclaveError
from enclave.portal import frozen, refusals
from enclave.portal.acting import Typed, actor_of, done, tried, typed
from enclave.portal.forms import Form
from enclave.portal.frozen import Wanted
from enclave.portal.visit import Here, OwnForm, Visit

router = APIRouter()


def show(visit: Visit, workspace_id: str, form: Form | None = None, error: EnclaveError | None = None) -> Response:
    """Return the page of a frozen workspace."""
    found = frozen.listing(visit.portal, actor_of(visit), workspace_id)
    return visit.page(
        "frozen.html",
        here="home",
        status=error.status if error else 200,
        error=error,
        errors=Typed(),
        typed=typed(form),
        ticked=set(form.many("file")) if form else set(),
        workspace=found.workspace,
        files=found.files,
        left_out=found.left_out,
        left=left(found.workspace.grace_until, visit.now),
        shows=frozen.shows,
    )


@router.get("/frozen/{workspace_id}")
def one(visit: Here, workspace_id: str) -> Response:
    """Show the files of one's own frozen workspace; this look is an entry."""
    return show(visit, workspace_id)


@router.get("/frozen/{workspace_id}/file")
def file(visit: Here, workspace_id: str, volume: str, name: str) -> Response:
    """Show the safe preview of one file; this look is an entry, too."""
    if volume not in frozen.VOLUMES or not frozen.shows(name):
        raise refusals.no_such_page()
    look = frozen.sight(visit.portal, actor_of(visit), workspace_id, volume=volume, name=name)
    file = {"id": "f", "name": name}
    return visit.page("frozen_file.html", here="home", workspace_id=workspace_id, file=file, look=look)


@router.post("/frozen/{workspace_id}/ask")
def ask(visit: Here, form: OwnForm, workspace_id: str) -> Response:
    """Ask for the ticked files to be released."""

    def act() -> str:
        wanted = Wanted(
            frozen.by_volume(form.many("file")),
            form.text("purpose"),
            form.text("context"),
            f"frozen-{form.text('once')}",
        )
        made = frozen.ask(visit.portal, actor_of(visit), workspace_id, wanted)
        return f"/review/{made.id}"

    return tried(lambda: done(visit, form, act, "frozen.asked"), lambda error: show(visit, workspace_id, form, error))


def left(until: datetime | None, now: datetime) -> tuple[int, int] | None:
    """Return the whole days and hours that are left, never less than none; None without an end."""
    if until is None:
        return None
    hours = max(0, int((until - now).total_seconds())) // 3600
    return hours // 24, hours % 24
