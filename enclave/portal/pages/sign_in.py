"""Coming in through the hub."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from enclave.portal import refusals, seats
from enclave.portal.oauth import HANDSHAKE_S, Handshake, HubAwayError, HubRefusedError
from enclave.portal.parts import Portal
from enclave.portal.visit import Anyone, address, cookie_values

router = APIRouter()
CALLBACK = "/oauth_callback"


def send_to_hub(portal: Portal, wanted: str) -> Response:
    """Begin a sign-in and remember where the person wanted to go (a path of ours)."""
    handshake = Handshake.begin(wanted)
    answer = RedirectResponse(portal.hub.authorize_url(handshake), 302)
    answer.set_cookie(
        portal.handshake_cookie,
        handshake.to_cookie(),
        max_age=HANDSHAKE_S,
        path=portal.handshake_path,
        httponly=True,
        samesite="lax",
        secure=portal.https,
    )
    return answer


@router.get(CALLBACK)
def callback(request: Request, visit: Anyone, code: str = "", state: str = "") -> Response:
    """Take the hub's answer: state and verifier must be those of this browser, then a session begins."""
    portal = visit.portal
    cookies = cookie_values(request.headers.getlist("cookie"), portal.handshake_cookie)
    handshake = Handshake.from_cookie(cookies[0]) if len(cookies) == 1 else None
    if handshake is None or not code or not handshake.matches(state):
        raise refusals.bad_handshake()
    try:
        token = portal.hub.exchange(code, handshake.verifier)
        login, browser = portal.hub.owner_of(token)
    except HubRefusedError as error:
        raise refusals.bad_handshake() from error
    except HubAwayError as error:
        raise refusals.hub_away() from error
    session = portal.sessions.open(login, token, visit.now, address=address(request), browser=browser)
    seats.come_in(portal, session, visit.now)
    answer = RedirectResponse(portal.root + own_path(portal, handshake.wanted), 303)
    answer.set_cookie(
        portal.cookie, session.id, path=portal.cookie_path, httponly=True, samesite="lax", secure=portal.https
    )
    answer.delete_cookie(portal.handshake_cookie, path=portal.handshake_path, secure=portal.https, httponly=True)
    return answer


def own_path(portal: Portal, wanted: str) -> str:
    """Return the wanted path below our root, or the first page for anything that could lead elsewhere."""
    path = wanted.removeprefix(portal.root)
    safe = path != wanted and path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if safe and not path.startswith(CALLBACK) else "/"
