"""The sample of a snapshot's texts as JSON: its list, one text beside its masked form, judging it, closing it all."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field

from enclave.commands import text_sample as commands
from enclave.commands.samples import MOST
from enclave.commands.text_drawing import TEXTS
from enclave.portal.acting import actor_of
from enclave.portal.rest import Changing, Key, once
from enclave.portal.rest_bodies import Body, Long, Short
from enclave.portal.rest_json import told
from enclave.portal.rest_sample_lists import closed, governed
from enclave.portal.visit import Here

router = APIRouter(tags=["snapshots"])
Json = Any
Count = Annotated[int, Field(ge=0, le=MOST)]


class ValueBody(Body):
    """One identifier that is left in the text, as it stands there, and its type."""

    type: Short
    value: Short


class JudgementBody(Body):
    """What is left in one text: how many of which type (nothing: none), and, for the next run, the values."""

    missed: dict[Short, Count] = Field(default_factory=dict)
    values: Annotated[list[ValueBody], Field(max_length=MOST)] = Field(default_factory=list)
    note: Long = ""


@router.get("/snapshots/{snapshot_id}/sample")
def sample(visit: Here, snapshot_id: str) -> Json:
    """Show how the sample was drawn and how far it is, without any text; null where the recipe asks for none."""
    return {"sample": told(governed(visit, snapshot_id).sample)}


@router.get("/snapshots/{snapshot_id}/sample/{number}")
def one(visit: Here, snapshot_id: str, number: int) -> Json:
    """Show one text beside its masked form; the look is an entry."""
    portal = visit.portal
    opened = commands.look(
        portal.store, portal.vault, actor_of(visit), snapshot_id=snapshot_id, number=number, now=visit.now
    )
    return told(opened)


@router.put("/snapshots/{snapshot_id}/sample/{number}")
def judge(visit: Changing, snapshot_id: str, number: int, body: JudgementBody, key: Key = "") -> Json:
    """Say what is left in one text; until the review is closed it may be said again."""
    portal = visit.portal

    def act() -> object:
        commands.judge(
            portal.store,
            portal.vault,
            actor_of(visit),
            snapshot_id=snapshot_id,
            number=number,
            missed=body.missed,
            note=body.note,
            values=[(each.type, each.value) for each in body.values],
            now=visit.now,
        )
        return sample(visit, snapshot_id)

    return once(visit, key, act)


@router.post("/snapshots/{snapshot_id}/sample/close")
def close(visit: Changing, snapshot_id: str, key: Key = "") -> Json:
    """Close the review: it passes, or the version is sent back. The originals are deleted either way."""
    return closed(visit, TEXTS, snapshot_id, key)
