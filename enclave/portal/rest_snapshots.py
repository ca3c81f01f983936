"""A snapshot's way as JSON: what it is and who holds it, its reviews and the decision, its withdrawal.

`way` is where the reviews stand, with `lacking` (why it cannot be offered now) and `allowed` (the steps open to this
person); every change answers with the same object. Judging, waiving and offering need a second factor (`code`).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import Field

from deid.versions.recalls import NEXT_START
from enclave.commands import dataset as commands
from enclave.commands import publication
from enclave.policy.publication import Decision
from enclave.portal.acting import actor_of, proved
from enclave.portal.rest import Changing, Key, once, snapshot_told
from enclave.portal.rest_bodies import Body, CodeBody, Long, ReasonBody, Short
from enclave.portal.rest_json import told
from enclave.portal.visit import Here, Visit
from enclave.queries import dataset, holders, lineage
from enclave.queries.publication import DossierView

router = APIRouter(tags=["snapshots"])
Json = Any


class RiskBody(Body):
    """The risk review: an answer for each question of the guideline, `level_data` and `level_place`."""

    answers: Annotated[dict[Short, Long], Field(max_length=50)]


class SeenBody(CodeBody):
    """The risk review that was read, by its SHA-256."""

    risk_sha256: Short


class AdequacyBody(SeenBody):
    """A reviewer's word and why."""

    adequate: bool
    reason: Long


class WaiverBody(SeenBody):
    """Why no reviewers are asked."""

    reason: Long


class OfferBody(SeenBody):
    """The board's decision: its number and day, and the days from and until which the version is offered."""

    drb_number: Short
    drb_on: date
    starts_on: date
    ends_on: date


class WithdrawalBody(ReasonBody):
    """Why, and when workspaces that run with it end: `now`, or at their `next-start`."""

    mounts_end: Literal["now", "next-start"] = "now"


@router.get("/snapshots/{snapshot_id}")
def snapshot(visit: Here, snapshot_id: str) -> Json:
    """One version: its tables, where its reviews stand, and, to those who answer for the data, who holds it."""
    store, actor = visit.portal.store, actor_of(visit)
    found = dataset.snapshot(store, actor, snapshot_id)
    way = dataset.dossier(store, actor, snapshot_id, now=visit.now)
    held = holders.holders(store, actor, snapshot_id) if "trace" in found.may else None
    more = {
        "files": found.manifest.lineage.get("folder"),
        "difference": found.manifest.difference,
        "parent": found.manifest.parent,
    }
    return {**snapshot_told(found), **told(more), "way": _way(way), "holders": told(held)}


@router.get("/snapshots/{snapshot_id}/releases")
def releases(visit: Here, snapshot_id: str) -> Json:
    """Show what left that came, or may have come, from a version."""
    found = lineage.releases_from(visit.portal.store, actor_of(visit), snapshot_id, now=visit.now)
    return {"releases": told(found)}


@router.post("/snapshots/{snapshot_id}/risk")
def risk(visit: Changing, snapshot_id: str, body: RiskBody, key: Key = "") -> Json:
    """Write the risk review, or write it anew: then words on the former one do not count any more."""
    return _done(visit, key, snapshot_id, publication.write_risk_review, answers=body.answers)


@router.post("/snapshots/{snapshot_id}/adequacy")
def adequacy(visit: Changing, snapshot_id: str, body: AdequacyBody, key: Key = "") -> Json:
    """Say once whether the version is treated adequately."""
    return _done(visit, key, snapshot_id, publication.judge_adequacy, **body.model_dump())


@router.post("/snapshots/{snapshot_id}/waiver")
def waiver(visit: Changing, snapshot_id: str, body: WaiverBody, key: Key = "") -> Json:
    """Do without the reviewers, with a reason."""
    return _done(visit, key, snapshot_id, publication.waive_adequacy, **body.model_dump())


@router.post("/snapshots/{snapshot_id}/offer")
def offer(visit: Changing, snapshot_id: str, body: OfferBody, key: Key = "") -> Json:
    """Offer the version under the board's decision."""
    decision = Decision(**body.model_dump(exclude={"code", "risk_sha256"}))
    fields = {"risk_sha256": body.risk_sha256, "decision": decision}
    return _done(visit, key, snapshot_id, publication.offer, code=body.code, **fields)


@router.post("/snapshots/{snapshot_id}/return")
def send_back(visit: Changing, snapshot_id: str, body: ReasonBody, key: Key = "") -> Json:
    """Send the version back to be built again."""
    return _done(visit, key, snapshot_id, publication.send_back, reason=body.reason)


@router.post("/snapshots/{snapshot_id}/withdraw")
def withdraw(visit: Changing, snapshot_id: str, body: WithdrawalBody, key: Key = "") -> Json:
    """Withdraw a version from all further use."""
    stay = body.mounts_end == NEXT_START
    return _done(visit, key, snapshot_id, commands.withdraw_snapshot, reason=body.reason, running_stay=stay)


@router.post("/snapshots/{snapshot_id}/end-running")
def end_running(visit: Changing, snapshot_id: str, body: ReasonBody, key: Key = "") -> Json:
    """Stop now what still runs with a withdrawn version."""
    return _done(visit, key, snapshot_id, commands.end_running, reason=body.reason)


def _way(found: DossierView) -> Json:
    """Return the way without lists of samples: those are for who goes through them (`rest_samples`, `rest_frames`)."""
    answer = told(found)
    for name in ("sample", "frames"):
        if answer[name] is not None:
            del answer[name]["cases"], answer[name]["seed"]
    return answer


def _done(
    visit: Visit,
    key: str,
    snapshot_id: str,
    command: Callable[..., object],
    *,
    code: str | None = None,
    **fields: object,
) -> Json:
    """Run a command once and show the snapshot; with a `code`, for whoever proves to be there by it."""

    def act() -> object:
        actor = actor_of(visit) if code is None else proved(visit, code)
        command(visit.portal.store, actor, snapshot_id=snapshot_id, now=visit.now, **fields)
        return snapshot(visit, snapshot_id)

    return once(visit, key, act)
