"""The gate's own addresses below a workspace, `ansim/…`: the seal put into each page, and what it reports.

Nothing here is believed further than it must be: a script in the page can send the same. A forged `active` keeps the
screen of a session open that is signed in, at the seat; it opens none that is locked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from importlib.resources import files

from enclave.errors import EnclaveError
from enclave.gate.door.refused import explain
from enclave.gate.door.visit import Answer, Visit
from enclave.gate.spool import Draft

PREFIX = "ansim/"
STATIC = {"seal.js": "text/javascript; charset=utf-8", "seal.css": "text/css; charset=utf-8"}
BODY = 1024
SHA256 = re.compile(r"[0-9a-f]{64}")
Act = Callable[[Visit], Awaitable[Answer]]


async def check_unlocked(visit: Visit) -> Answer | None:
    """Answer what may be asked of a locked screen, too: the seal itself, and whether it is locked."""
    name = visit.target.path.removeprefix(PREFIX)
    if not visit.target.path.startswith(PREFIX) or visit.websocket or visit.method != "GET":
        return None
    if name in STATIC:
        body = files("enclave.gate.door").joinpath("static", name).read_bytes()
        return Answer(200, body, STATIC[name])
    return _state(visit) if name == "state" else None


async def check_own(visit: Visit) -> Answer | None:
    """Answer the seal's reports; anything else under our prefix is nobody's."""
    if not visit.target.path.startswith(PREFIX):
        return None
    act = ACTS.get((visit.method, visit.target.path.removeprefix(PREFIX)))
    return await act(visit) if act and not visit.websocket else explain(visit, 403, "other")


def _state(visit: Visit) -> Answer:
    screen = visit.doorway.screens.of(visit.doorway.plan.workspace_id)
    return _json(200, {"locked": screen.locked})


async def _active(visit: Visit) -> Answer:
    visit.doorway.screens.touch(visit.doorway.plan.workspace_id)
    return _json(200, {})


async def _clipboard(visit: Visit) -> Answer:
    """Let a copy out of the page once it is recorded; its text stays with the browser, its hash goes to the log."""
    plan = visit.doorway.plan
    details: dict[str, str | int | bool] = {}
    with suppress(ValueError, KeyError, TypeError):
        said = json.loads(await visit.body(BODY))
        details = {"characters": int(said["characters"]), "sha256": str(said["sha256"])}
    if not details or not SHA256.fullmatch(str(details["sha256"])):
        return _json(422, {"allowed": False})
    if not 0 < int(details["characters"]) <= plan.clipboard_chars:
        return _json(403, {"allowed": False})
    try:
        await visit.doorway.recorder.record(Draft(plan.workspace_id, "clipboard", details | {"outcome": "allowed"}))
    except (EnclaveError, OSError):
        return _json(503, {"allowed": False})
    return _json(200, {"allowed": True})


def _json(status: int, value: object) -> Answer:
    return Answer(status, json.dumps(value).encode(), "application/json")


ACTS: dict[tuple[str, str], Act] = {("POST", "active"): _active, ("POST", "clipboard"): _clipboard}
