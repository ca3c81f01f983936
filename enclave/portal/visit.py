"""One request of one signed-in person: who it is, which language, what time, and how to answer.

Roles are read from the database at every request, so a role that was taken away no longer opens a page. Once a
minute the hub is asked whether the session it gave still lives.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated, TypeVar
from urllib.parse import urlencode

from fastapi import Depends, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from enclave import clock
from enclave.actor import Actor
from enclave.forwarded import client_address
from enclave.policy.allows import allows
from enclave.policy.people import check_second_factor_fresh
from enclave.portal import banner, places, refusals, render, seats
from enclave.portal.forms import Form, read
from enclave.portal.oauth import HubAwayError, HubRefusedError
from enclave.portal.parts import Portal
from enclave.portal.session import Session
from enclave.portal.words import Language, say
from enclave.queries import people

LOG = logging.getLogger("ansim.portal")
T = TypeVar("T")
HUB_EVERY = timedelta(minutes=1)
LANGUAGE_COOKIE = "ansim-language"
LANGUAGE_S = 365 * 86400


@dataclass(frozen=True)
class Visit:
    """A request and the person behind it; `actor` and `session` are None where nobody is signed in (error pages)."""

    request: Request
    portal: Portal
    language: Language
    now: datetime
    session: Session | None = None
    actor: Actor | None = None

    def say(self, key: str, **values: object) -> str:
        """Return a text in the visitor's language."""
        return say(self.language, key, **values)

    def page(self, template: str, *, here: str = "", status: int = 200, **values: object) -> HTMLResponse:
        """Answer with a page; `here` names the place in the menu."""
        flash, secret = "", ""
        if self.session is not None:
            flash, self.session.flash = self.session.flash, ""
            secret = self.session.csrf
        values |= frame(self, here=here, flash=flash, secret=secret)
        return self.remember(HTMLResponse(render.page(template, values), status))

    def go(self, path: str, flash: str = "", **values: object) -> Response:
        """Answer a form with a redirect (303) to a page of ours, which will show the sentence `flash` once."""
        if flash and self.session is not None:
            self.session.flash = say(self.language, flash, **values)
        return RedirectResponse(self.portal.root + path, 303)

    def once(self, key: str, act: Callable[[], T]) -> T:
        """Do `act` once for this key; a double click, or a repeated call, gets the first answer."""
        return self.session.once(key, act) if self.session is not None else act()

    def remember(self, answer: HTMLResponse) -> HTMLResponse:
        """Keep a language chosen by `?lang=` in a cookie."""
        if self.request.query_params.get("lang") in set(Language):
            answer.set_cookie(
                LANGUAGE_COOKIE,
                self.language,
                max_age=LANGUAGE_S,
                path=self.portal.root,
                httponly=True,
                samesite="lax",
                secure=self.portal.https,
            )
        return answer


def frame(visit: Visit, *, here: str, flash: str, secret: str) -> dict[str, object]:
    """Return what every page is given: texts, menu, the form's hidden fields, the language switch."""

    def t(key: str, **values: object) -> str:
        return say(visit.language, key, **values)

    other = render.other(visit.language)
    query = [(k, v) for k, v in visit.request.query_params.multi_items() if k != "lang"]
    return {
        "t": t,
        "language": visit.language,
        "root": visit.portal.root,
        "actor": visit.actor,
        "places": places.of(visit.actor),
        "mends": banner.mends(visit.actor),
        "troubles": banner.of(visit.portal.watch.troubles, visit.actor),
        "here": here,
        "flash": flash,
        "now": visit.now,
        "secret": lambda: render.hidden(secret),
        "csrf": secret,
        "fresh": visit.actor is not None and allows(check_second_factor_fresh, visit.actor, visit.now),
        "other_language": {
            "code": other,
            "name": {"ko": "한국어", "en": "English"}[other],
            "href": "?" + urlencode([*query, ("lang", other)]),
        },
    }


def language_of(request: Request) -> Language:
    """Return the language asked for by `?lang=`, else the one kept, else Korean."""
    for asked in (request.query_params.get("lang"), request.cookies.get(LANGUAGE_COOKIE)):
        if asked in set(Language):
            return Language(asked)
    return Language.KO


def anyone(request: Request) -> Visit:
    """Return a visit without looking who it is."""
    portal: Portal = request.app.state.portal
    return Visit(request, portal, language_of(request), clock.now())


def signed_in(request: Request) -> Visit:
    """Return the visit of a signed-in person.

    Raises: SignInNeeded without a live session; Denied if the session cookie came twice or the account has ended.
    """
    visit = at_the_door(request)
    if visit.session is None or visit.actor is None:
        raise refusals.sign_in_needed()
    seats.check(visit.portal, visit.session, visit.actor)
    request.state.visit = visit
    return visit


def at_the_door(request: Request) -> Visit:
    """Return the visit of somebody who has a live session, wherever their account's seat is.

    Raises: SignInNeeded without one; Denied if it is used from another address than it was made at.
    """
    visit = anyone(request)
    session = find_session(request, visit)
    if session is None:
        raise refusals.sign_in_needed()
    actor = people.actor(
        visit.portal.store,
        session.login,
        ip=address(request),
        session_id=session.public_id,
        now=visit.now,
        second_factor_at=session.second_factor_at,
    )
    seats.check_made_here(visit.portal, session, actor, visit.now)
    session.known = actor
    return replace(visit, session=session, actor=actor)


def find_session(request: Request, visit: Visit) -> Session | None:
    """Return the live session that the request's cookie names, having asked the hub about it within a minute.

    Raises: Denied if the cookie is there twice: a page on another host of this domain may have planted one.
    """
    name = visit.portal.cookie
    values = cookie_values(request.headers.getlist("cookie"), name)
    if len(values) > 1:
        raise refusals.two_cookies()
    hand = request.headers.get("x-ansim-by") != "script"
    session = visit.portal.sessions.find(values[0], visit.now, hand=hand) if values else None
    if session is not None and visit.now - session.hub_checked >= HUB_EVERY and not _hub_knows(visit, session):
        visit.portal.sessions.close(session.id)
        return None
    return session


def _hub_knows(visit: Visit, session: Session) -> bool:
    try:
        known = visit.portal.hub.user_of(session.token) == session.login
    except HubRefusedError:
        return False
    except HubAwayError:
        # Without the hub nobody new comes in; who is here goes on working, and stopping things must stay possible.
        LOG.warning("the hub does not answer; session %s goes on", session.public_id)
        known = True
    session.hub_checked = visit.now
    return known


def cookie_values(headers: list[str], name: str) -> list[str]:
    """Return every value that the Cookie headers give for a name, in order."""
    pairs = [part.strip().partition("=") for header in headers for part in header.split(";")]
    return [value for key, _, value in pairs if key == name]


def address(request: Request) -> str:
    """Return the browser's address as the proxy in front of us saw it, "" if that cannot be told."""
    portal: Portal = request.app.state.portal
    peer = request.client.host if request.client else ""
    return client_address(request.headers.getlist("x-forwarded-for"), peer, portal.settings.trusted_proxies)


async def form_of(request: Request) -> Form:
    """Read the form of a request. Raises: Invalid for anything that is no form."""
    return await read(request)


def own_form(visit: Annotated[Visit, Depends(signed_in)], form: Annotated[Form, Depends(form_of)]) -> Form:
    """Return the form if it was opened in this session. Raises: Denied otherwise, before anything is done."""
    check_token(visit, form.text("csrf"))
    return form


def check_token(visit: Visit, sent: str) -> None:
    """Raise `Denied` unless the token is the session's, and the browser does not say it comes from elsewhere."""
    own = visit.request.headers.get("sec-fetch-site", "same-origin") == "same-origin"
    if visit.session is None or not own or not visit.session.same_token(sent):
        raise refusals.stale_form()


Here = Annotated[Visit, Depends(signed_in)]
AtTheDoor = Annotated[Visit, Depends(at_the_door)]
OwnForm = Annotated[Form, Depends(own_form)]
Anyone = Annotated[Visit, Depends(anyone)]
