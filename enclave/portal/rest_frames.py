"""The sample of a snapshot's frames as JSON, each side as PNG; judging one, closing it all."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from enclave.commands import frame_sample as commands
from enclave.commands.frame_drawing import FRAMES
from enclave.commands.frame_sample import LARGEST, OpenedFrame, Place
from enclave.commands.samples import MOST
from enclave.frames.drawn import drawn
from enclave.frames.picture import Window
from enclave.portal.acting import actor_of
from enclave.portal.rest import Changing, Key, once
from enclave.portal.rest_bodies import Body, Long, Short
from enclave.portal.rest_json import told
from enclave.portal.rest_sample_lists import closed, governed
from enclave.portal.visit import Here, Visit

router = APIRouter(tags=["snapshots"])
Json = Any
Count = Annotated[int, Field(ge=0, le=MOST)]
Pixel = Annotated[int, Field(ge=0, lt=LARGEST)]
Unit = Annotated[float | None, Query(ge=-1e9, le=1e9, allow_inf_nan=False)]


class PlaceBody(Body):
    """Where something is left, in pixels of the frame as it is stored, from 0."""

    kind: Short
    row: Pixel
    column: Pixel


class FrameJudgementBody(Body):
    """What is left in one frame: how many of which kind (nothing: none), and where."""

    missed: dict[Short, Count] = Field(default_factory=dict)
    places: Annotated[list[PlaceBody], Field(max_length=MOST)] = Field(default_factory=list)
    note: Long = ""


@router.get("/snapshots/{snapshot_id}/frames")
def frames(visit: Here, snapshot_id: str) -> Json:
    """Show how the sample was drawn and how far it is, without any picture; null where the recipe asks for none."""
    return {"frames": told(governed(visit, snapshot_id).frames)}


@router.get("/snapshots/{snapshot_id}/frames/{number}")
def one(visit: Here, snapshot_id: str, number: int) -> Json:
    """Show what is known of one frame: what was blanked, what is marked, sizes and windows; the look is an entry."""
    return told(_look(visit, snapshot_id, number))


@router.get(
    "/snapshots/{snapshot_id}/frames/{number}/{side}.png",
    response_class=Response,
    responses={200: {"content": {"image/png": {}}}},
)
def picture(  # noqa: PLR0913, PLR0917 - parts of one address
    visit: Here,
    snapshot_id: str,
    number: int,
    side: Literal["before", "after"],
    center: Unit = None,
    width: Unit = None,
) -> Response:
    """Draw one side in a window (in the file's units; else in its own); the look is an entry."""
    window = Window(center, width) if center is not None and width is not None and width > 0 else None
    return Response(drawn(_look(visit, snapshot_id, number), side, window), media_type="image/png")


@router.put("/snapshots/{snapshot_id}/frames/{number}")
def judge(visit: Changing, snapshot_id: str, number: int, body: FrameJudgementBody, key: Key = "") -> Json:
    """Say what is left in one frame; until the review is closed it may be said again."""
    portal = visit.portal

    def act() -> object:
        commands.judge(
            portal.store,
            portal.vault,
            actor_of(visit),
            snapshot_id=snapshot_id,
            number=number,
            missed=body.missed,
            places=[Place(each.kind, each.row, each.column) for each in body.places],
            note=body.note,
            now=visit.now,
        )
        return frames(visit, snapshot_id)

    return once(visit, key, act)


@router.post("/snapshots/{snapshot_id}/frames/close")
def close(visit: Changing, snapshot_id: str, key: Key = "") -> Json:
    """Close the review: it passes, or the version is sent back. The pictures are deleted either way."""
    return closed(visit, FRAMES, snapshot_id, key)


def _look(visit: Visit, snapshot_id: str, number: int) -> OpenedFrame:
    portal = visit.portal
    return commands.look(
        portal.store, portal.vault, actor_of(visit), snapshot_id=snapshot_id, number=number, now=visit.now
    )
