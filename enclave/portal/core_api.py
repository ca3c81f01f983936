"""What the hub asks over the unix socket: who may sign in, whether a workspace may start, and what became of it.

The hub holds no rule, no key and no database of ours. It asks, and passes on what it is told: a signed plan or a
refusal with its reason. Errors are `{code, ko, en, remedy_ko, remedy_en}` with the status of their kind.
"""

from __future__ import annotations

import base64
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse

from enclave import clock
from enclave.actor import Actor
from enclave.commands import access, credentials, volume_key
from enclave.commands import workspace as commands
from enclave.errors import EnclaveError
from enclave.forwarded import plain
from enclave.ids import new_id
from enclave.policy.emergency import Act
from enclave.portal import failures, refusals, seats
from enclave.portal.emergency import unless_writable
from enclave.portal.oauth import browser_name
from enclave.portal.parts import Portal
from enclave.queries import people, workspace
from enclave.queries.workspace import WorkspaceView

HUB_SESSION = "hub"
router = APIRouter()
Short = Annotated[str, Field(max_length=200)]
Long = Annotated[str, Field(max_length=2000)]


class Body(BaseModel):
    """A JSON object of exactly the documented fields."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Login(Body):
    """A password and a code, as typed into the hub's form."""

    login: Short
    password: Long
    code: Short = ""
    ip: Short = "unknown"
    browser: Short = ""


class Claim(Body):
    """The account that an OIDC provider named."""

    subject: Short
    ip: Short = "unknown"
    browser: Short = ""


class Wanted(Body):
    """A start that somebody asked for, at this address; without one it is asked for at the account's seat."""

    ip: Short = ""


class Started(Body):
    """A container that runs."""

    workspace_id: Short
    container_id: Short
    plan_sha256: Short


class Failed(Body):
    """A start that came to nothing: a code and a text for the operator."""

    workspace_id: Short
    code: Short
    text: Long = ""


class Stopped(Body):
    """A workspace that is no more."""

    workspace_id: Short
    reason: Short = ""


class HubEvent(Body):
    """Something the hub saw, e.g. `logout`, or `route-refused` with what was wanted."""

    event: Short
    login: Short
    ip: Short = "unknown"
    route: Short = ""
    path_sha256: Short = ""


class Nothing(Body):
    """An empty object."""


def create(portal: Portal) -> FastAPI:
    """Return the core API's application; it is served on the unix socket alone."""
    app = FastAPI(title="Ansim core", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.portal = portal
    app.include_router(router)
    for kind in (EnclaveError, *failures.OTHER_ROOMS):
        app.add_exception_handler(kind, _told)
    app.add_exception_handler(RequestValidationError, _unreadable)
    app.add_exception_handler(Exception, _defect)
    return app


def _portal(request: Request) -> Portal:
    found: Portal = request.app.state.portal
    return found


Parts = Annotated[Portal, Depends(_portal)]


@router.post("/login")
def login(portal: Parts, body: Login) -> dict[str, str]:
    """Check login, password and code; every attempt leaves its entry."""
    actor = credentials.log_in(
        portal.store,
        portal.vault,
        login=body.login,
        password=body.password,
        code=body.code,
        ip=body.ip,
        session_id=new_id("s"),
        now=clock.now(),
        browser=browser_name(body.browser),
    )
    seats.follow(portal, actor)
    return {"login": actor.login}


@router.post("/login/oidc")
def login_by_claim(portal: Parts, body: Claim) -> dict[str, str]:
    """Let in the account that the identity provider has authenticated: its claim is the account's login (ADR 4).

    Every attempt leaves its entry. Raises: Denied if there is no identity provider, no account has that login, or it
    is locked or has ended.
    """
    actor = credentials.log_in_by_claim(
        portal.store,
        subject=body.subject,
        trusted=portal.settings.oidc is not None,
        ip=body.ip,
        session_id=new_id("s"),
        now=clock.now(),
        browser=browser_name(body.browser),
    )
    seats.follow(portal, actor)
    return {"login": actor.login}


@router.post("/workspaces/{login}/plan")
def plan(portal: Parts, login: str, body: Wanted) -> dict[str, str]:
    """Return a signed plan for this person's workspace, known to the gate; or the reason why there is none."""
    actor = seats.at_seat(portal, _person(portal, login, plain(body.ip)))
    wanted = portal.choices.of(login, clock.now())
    start = commands.request_start(portal.store, portal.means(), actor, now=clock.now(), project_id=wanted)
    try:
        keys = volume_key.hand_over(
            portal.store, portal.vault, Actor.system(), workspace_id=start.workspace.id, now=clock.now()
        )
        portal.gate.register_plan(start.plan, start.signature, keys=keys)
        seats.begin_screen(portal, actor, start.workspace.id)
    except EnclaveError as error:
        commands.mark_failed(
            portal.store, Actor.system(), workspace_id=start.workspace.id, reason=error.code, now=clock.now()
        )
        raise
    return {"plan": start.plan.decode(), "signature": base64.b64encode(start.signature).decode()}


@router.post("/workspaces/{login}/started")
def started(portal: Parts, login: str, body: Started) -> dict[str, str]:
    """Record that the workspace runs, from the plan that was handed out last. Conflict for any other plan."""
    if _own(portal, login, body.workspace_id).plan_sha256 != body.plan_sha256:
        raise refusals.other_plan()
    commands.mark_started(
        portal.store,
        Actor.system(),
        workspace_id=body.workspace_id,
        container_id=body.container_id,
        now=clock.now(),
    )
    return {}


@router.post("/workspaces/{login}/failed")
def failed(portal: Parts, login: str, body: Failed) -> dict[str, str]:
    """Record that the start failed; the state is consistent and the next try may begin."""
    found = _own(portal, login, body.workspace_id)
    reason = f"{body.code}: {body.text}".rstrip(": ")
    commands.mark_failed(portal.store, Actor.system(), workspace_id=found.id, reason=reason, now=clock.now())
    return {}


@router.post("/workspaces/{login}/stopped")
def stopped(portal: Parts, login: str, body: Stopped) -> dict[str, str]:
    """Record that the workspace stopped. Works for an account that has just been closed, too."""
    found = _own(portal, login, body.workspace_id)
    commands.mark_stopped(
        portal.store, Actor.system(), workspace_id=found.id, reason=body.reason or "stopped", now=clock.now()
    )
    return {}


@router.post("/events")
def event(portal: Parts, body: HubEvent) -> dict[str, str]:
    """Record something the hub saw; a sign-out is the account's own act."""
    if body.event == "logout":
        unless_writable(
            lambda: credentials.log_out(portal.store, _person(portal, body.login, body.ip), now=clock.now()),
            lambda: _leave(portal, body),
        )
        return {}
    facts = {"ip": body.ip, "route": body.route, "path_sha256": body.path_sha256}
    details = {name: value for name, value in facts.items() if value}
    account = _person(portal, body.login, body.ip).account_id
    access.hub_event(portal.store, login=account, kind=body.event, details=details, now=clock.now())
    return {}


def _leave(portal: Portal, body: HubEvent) -> None:
    """Keep a sign-out to be recorded; whose account it is, the replay finds out."""
    unread = Actor(body.login, body.login, frozenset(), "", body.ip, HUB_SESSION)
    portal.emergency.act(unread, Act.LOG_OUT, body.login)


def _person(portal: Portal, login: str, ip: str = "127.0.0.1") -> Actor:
    return people.actor(portal.store, login, ip=ip, session_id=HUB_SESSION, now=clock.now())


def _own(portal: Portal, login: str, workspace_id: str) -> WorkspaceView:
    """Return the workspace if it is this person's: the hub speaks of one person at a time."""
    found = workspace.by_id(portal.store, Actor.system(), workspace_id)
    if found.login != login:
        raise workspace.no_workspace(workspace_id)
    return found


def _told(_request: Request, error: Any) -> JSONResponse:
    return JSONResponse(failures.as_json(error), failures.status_of(error))


def _unreadable(_request: Request, error: Any) -> JSONResponse:
    return JSONResponse(failures.not_as_documented(error).as_json(), 422)


def _defect(request: Request, error: Exception) -> JSONResponse:
    failures.LOG.error("core API %s", request.url.path, exc_info=error)
    return JSONResponse(failures.as_json(refusals.broken()), 500)
