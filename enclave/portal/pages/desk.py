"""The desk: a workspace inside the portal's own page, under the watermark, with its lock (korea.md R17, R26, R27).

What a kernel serves lies on another origin, in the frame: it can neither see nor change this page. Lock and seat are
enforced by the gate; this page shows them and asks the commands.
"""

from __future__ import annotations

import re
from urllib.parse import quote, unquote

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from enclave import clock
from enclave.commands import desk as commands
from enclave.errors import EnclaveError
from enclave.gate.screen import Screen
from enclave.portal import kst
from enclave.portal.acting import actor_of
from enclave.portal.headers import desk_policy
from enclave.portal.render import size
from enclave.portal.usage import usage_if_any
from enclave.portal.visit import Here, OwnForm, Visit
from enclave.queries import workspace
from enclave.states import WorkspaceState

router = APIRouter()
# What may be opened in the frame: a page of JupyterLab's, by its address below the workspace.
PAGE = re.compile(r"(lab|doc)(/[^/\\?#]+)*")
START = "lab"
PERMISSIONS = ", ".join(
    f"{name}=()"
    for name in (
        "camera", "microphone", "geolocation", "display-capture", "clipboard-read", "clipboard-write", "fullscreen",
        "picture-in-picture", "web-share", "usb", "serial", "hid", "bluetooth", "midi", "payment",
    )
)  # fmt: skip


@router.get("/desk/{workspace_id}")
def one(visit: Here, workspace_id: str, at: str = "") -> Response:
    """Show the desk, with a page of JupyterLab's in the frame."""
    return show(visit, workspace_id, at)


def show(visit: Visit, workspace_id: str, at: str = "", error: EnclaveError | None = None) -> Response:
    """Return the desk: the frame, or the lock screen over an empty one."""
    found = workspace.by_id(visit.portal.store, actor_of(visit), workspace_id)
    origin, _, path = visit.portal.workspace_url(found.login).partition("/user/")
    running = found.state is WorkspaceState.RUNNING
    screen = visit.portal.gate.screen(workspace_id) if running else None
    answer = visit.page(
        "desk.html",
        here="home",
        status=error.status if error else 200,
        error=error,
        place=found,
        running=running,
        locked=screen is None or screen.locked,
        idle_minutes=screen.idle_minutes if screen else visit.portal.settings.idle_lock_minutes,
        password=visit.portal.settings.oidc is None,
        frame=f"{origin}/user/{path.removesuffix(START)}{page_of(at)}",
        origin=origin,
        seat=actor_of(visit).ip,
        left=_left(visit, workspace_id) if running else "",
    )
    answer.headers["Content-Security-Policy"] = desk_policy(origin, visit.portal.settings.public_url)
    answer.headers["Permissions-Policy"] = PERMISSIONS
    return answer


@router.get("/desk/{workspace_id}/api/state")
def state(visit: Here, workspace_id: str) -> JSONResponse:
    """Return what the page must know every few seconds: locked or running, what may still be shown, the time."""
    found = workspace.by_id(visit.portal.store, actor_of(visit), workspace_id)
    running = found.state is WorkspaceState.RUNNING
    screen = visit.portal.gate.screen(workspace_id) if running else None
    _attend(visit, screen)
    now = kst.moment(visit.now)
    left = _left(visit, workspace_id) if running else ""
    body = {"running": running, "locked": screen is None or screen.locked, "now": now, "left": left}
    return JSONResponse(body)


@router.post("/desk/{workspace_id}/lock")
def lock(visit: Here, _form: OwnForm, workspace_id: str) -> Response:
    """Lock the screen now."""
    commands.lock(visit.portal.store, actor_of(visit), workspace_id=workspace_id, now=visit.now)
    visit.portal.gate.lock(workspace_id)
    return JSONResponse({}) if _by_script(visit) else visit.go(f"/desk/{workspace_id}")


@router.post("/desk/{workspace_id}/unlock")
def unlock(visit: Here, form: OwnForm, workspace_id: str) -> Response:
    """Open the screen for somebody who proves who they are, with password and code."""
    portal = visit.portal
    password = form.text("password") if portal.settings.oidc is None else None
    try:
        proven = commands.unlock(
            portal.store,
            portal.vault,
            actor_of(visit),
            workspace_id=workspace_id,
            password=password,
            code=form.text("code"),
            now=visit.now,
        )
    except EnclaveError as error:
        if _by_script(visit):
            return JSONResponse(error.as_json(), error.status)
        return show(visit, workspace_id, error=error)
    portal.gate.unlock(workspace_id, proven.ip)
    if visit.session is not None:
        visit.session.second_factor_at, visit.session.attended = proven.second_factor_at, True
    return JSONResponse({}) if _by_script(visit) else visit.go(f"/desk/{workspace_id}")


def page_of(at: str) -> str:
    """Return which page of JupyterLab to open, written anew; its first one for anything that is none."""
    plain = unquote(at)
    fine = PAGE.fullmatch(plain) and plain.isprintable() and not {".", ".."} & set(plain.split("/"))
    return quote(plain) if fine else START


def _attend(visit: Visit, screen: Screen | None) -> None:
    """Count a hand in the frame as one at this session, which would else end while somebody works."""
    session = visit.session
    if session is not None and screen is not None and not screen.locked:
        session.seen = max(session.seen, min(screen.active_at, clock.now()))


def _left(visit: Visit, workspace_id: str) -> str:
    """Return how much may still be shown in this hour, in words; nothing while the gate cannot say."""
    told = usage_if_any(visit.portal, workspace_id)
    if told is None:
        return ""
    left = {line.kind: line.left for line in told.lines if line.window == "hour"}
    return visit.say("desk.left", size=size(left["bytes"]), rows=f"{left['rows']:,}", pictures=f"{left['pictures']:,}")


def _by_script(visit: Visit) -> bool:
    return visit.request.headers.get("x-ansim-by") == "script"
