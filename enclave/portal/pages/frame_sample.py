"""Going through a sample of frames: before beside after, marks per kind and by place, the next one; closing it."""

from __future__ import annotations

import base64
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from enclave.commands import frame_sample as commands
from enclave.commands.frame_drawing import MARKABLE
from enclave.commands.frame_sample import OpenedFrame, Place
from enclave.commands.samples import bad_marks
from enclave.errors import EnclaveError
from enclave.frames.drawn import drawn
from enclave.portal.acting import actor_of, done, tried, typed
from enclave.portal.forms import Form
from enclave.portal.pages import sample_list
from enclave.portal.pages.sample_list import PREFIX, marks_of, next_of, show
from enclave.portal.visit import Here, OwnForm, Visit

router = APIRouter()
PARTS = 3


@router.get("/snapshots/{snapshot_id}/frames")
def frames(visit: Here, snapshot_id: str) -> Response:
    """Show the list of the sample, without any picture."""
    return show(visit, snapshot_id, frames=True)


@router.get("/snapshots/{snapshot_id}/frames/{number}")
def one(visit: Here, snapshot_id: str, number: int) -> Response:
    """Show one frame before and after; the look is recorded."""
    return show_frame(visit, snapshot_id, number)


@router.get("/snapshots/{snapshot_id}/frames/{number}/{side}.png")
def picture(visit: Here, snapshot_id: str, number: int, side: str) -> Response:
    """Draw one side for a browser without scripts, in the first window; a look of its own."""
    return Response(drawn(_look(visit, snapshot_id, number), side, None), media_type="image/png")


@router.post("/snapshots/{snapshot_id}/frames/{number}")
def judge(visit: Here, form: OwnForm, snapshot_id: str, number: int) -> Response:
    """Keep what was found in one frame and go to the next."""

    def act() -> str:
        commands.judge(
            visit.portal.store,
            visit.portal.vault,
            actor_of(visit),
            snapshot_id=snapshot_id,
            number=number,
            missed=marks_of(form),
            places=_places(form.text("places")),
            note=form.text("note"),
            now=visit.now,
        )
        return next_of(visit, snapshot_id, number, frames=True)

    return tried(
        lambda: done(visit, form, act, "sample.judged", number=number),
        lambda error: show_frame(visit, snapshot_id, number, error, form),
    )


@router.post("/snapshots/{snapshot_id}/frames-close")
def close(visit: Here, form: OwnForm, snapshot_id: str) -> Response:
    """Close the review."""
    return sample_list.close(visit, form, snapshot_id, frames=True)


def show_frame(
    visit: Visit, snapshot_id: str, number: int, error: EnclaveError | None = None, form: Form | None = None
) -> Response:
    """Return one frame's page."""
    opened = _look(visit, snapshot_id, number)
    start: dict[str, object] = {PREFIX + kind: count for kind, count in (opened.missed or {}).items()}
    places = "\n".join(f"{each.kind} {each.row} {each.column}" for each in opened.places)
    return visit.page(
        "frame_case.html",
        here="datasets",
        status=error.status if error else 200,
        error=error,
        snapshot_id=snapshot_id,
        opened=opened,
        shown=_shown(opened),
        kinds=MARKABLE,
        prefix=PREFIX,
        typed=typed(form, {"note": opened.note, "places": places, **start}),
    )


def _look(visit: Visit, snapshot_id: str, number: int) -> OpenedFrame:
    portal = visit.portal
    return commands.look(
        portal.store, portal.vault, actor_of(visit), snapshot_id=snapshot_id, number=number, now=visit.now
    )


def _shown(opened: OpenedFrame) -> dict[str, Any] | None:
    """Give the page's script what it draws; None where nothing can be shown."""
    if opened.pair is None:
        return None
    packed = [base64.b64encode(each).decode() for each in opened.pair.packed]
    return {**asdict(opened.pair.about), "boxes": opened.boxes, "before": packed[0], "after": packed[1]}


def _places(said: str) -> list[Place]:
    """Read lines of kind, row and column. Raises `Invalid` (`sample.marks`)."""
    found = []
    for line in filter(None, map(str.strip, said.splitlines())):
        kind, *numbers = line.split()
        if len(numbers) != PARTS - 1 or not all(each.isascii() and each.isdigit() for each in numbers):
            raise bad_marks()
        row, column = (int(each[:6]) for each in numbers)
        found.append(Place(kind, row, column))
    return found
