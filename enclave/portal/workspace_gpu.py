"""What a notebook asks about GPUs from inside its workspace, through the gate: my turn, a place in the queue, back.

The project is the workspace's own, the person the workspace's owner; see `workspace_api` for how that is known.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from enclave import clock
from enclave.commands import gpu as commands
from enclave.errors import NotFound
from enclave.gpu.endings import REASONS
from enclave.gpu.rules import SHORTEST_MINUTES, GpuRules
from enclave.portal.workspace_api import Caller, Inside
from enclave.queries import gpu
from enclave.queries.gpu import LeaseView

router = APIRouter(tags=["workspace"])


class Time(BaseModel):
    """For how long."""

    model_config = ConfigDict(extra="forbid", strict=True)
    minutes: Annotated[int, Field(ge=1, le=100_000)]


class Nothing(BaseModel):
    """An empty object."""

    model_config = ConfigDict(extra="forbid")


@router.get("/gpu")
def mine(caller: Caller) -> dict[str, Any]:
    """Say what this project may ask for and where the caller stands."""
    return _standing(caller)


@router.post("/gpu/request")
def ask(caller: Caller, body: Time) -> dict[str, Any]:
    """Take a place in the queue for this workspace's project."""
    commands.request_lease(
        caller.portal.store,
        _rules(caller),
        caller.actor,
        project_id=caller.workspace.project_id,
        minutes=body.minutes,
        now=clock.now(),
    )
    return _standing(caller)


@router.post("/gpu/release")
def release(caller: Caller, _body: Nothing) -> dict[str, Any]:
    """Leave the queue or give the device back; a workspace that has it is stopped a moment later."""
    turn = gpu.mine(caller.portal.store, _rules(caller), caller.actor, now=clock.now())
    if turn is None:
        raise _no_turn()
    commands.release_lease(caller.portal.store, _rules(caller), caller.actor, lease_id=turn.id, now=clock.now())
    return _standing(caller)


def _rules(caller: Inside) -> GpuRules:
    return GpuRules.of(caller.portal.settings)


def _standing(caller: Inside) -> dict[str, Any]:
    store, rules, now = caller.portal.store, _rules(caller), clock.now()
    about = gpu.of_project(store, rules, caller.actor, caller.workspace.project_id, now=now)
    turn = gpu.mine(store, rules, caller.actor, now=now)
    last = gpu.last(store, rules, caller.actor, now=now)
    return {
        "profile": about.profile.value,
        "least_minutes": SHORTEST_MINUTES,
        "most_minutes": rules.longest_minutes,
        "turn": None if turn is None else _turn(turn, caller, now),
        "last": None if last is None else {"ko": REASONS[last.reason][0], "en": REASONS[last.reason][1]},
    }


def _turn(turn: LeaseView, caller: Inside, now: datetime) -> dict[str, Any]:
    return {
        "state": turn.state.value,
        "here": turn.in_use and turn.workspace_id == caller.workspace.id,
        "place": turn.place,
        "expected_at": _text(turn.expected_at),
        "claim_by": _text(turn.claim_by),
        "expires_at": _text(turn.expires_at),
        "soon": turn.state == "granted" and turn.ends_soon(now),
    }


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _no_turn() -> NotFound:
    return NotFound(
        "gpu.no-turn",
        ko="반납할 GPU가 없습니다.",
        en="There is no GPU to give back.",
        remedy_ko="ansim.gpu()로 지금 상태를 확인하세요.",
        remedy_en="See where you stand with ansim.gpu().",
    )
