"""Every error becomes an answer with what happened, what to do now and a code: a page for people, JSON for programs.

No answer ever carries a stack trace; a defect of ours is logged and told as such.
"""

from __future__ import annotations

import contextlib
import logging
from typing import Any
from urllib.parse import urlencode

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, RedirectResponse, Response

from audit.errors import AuditError
from deid.errors import DeidError
from enclave.airlock.errors import AirlockError, FileRefused, PreviewFailed, StoredFileMissing
from enclave.errors import EnclaveError, Invalid
from enclave.portal import refusals
from enclave.portal.pages.sign_in import send_to_hub
from enclave.portal.parts import Portal
from enclave.portal.visit import anyone, signed_in
from enclave.portal.words import has

LOG = logging.getLogger("ansim.portal")
OTHER_ROOMS = (AirlockError, AuditError, DeidError)
STATUS: dict[type[Exception], int] = {FileRefused: 422, PreviewFailed: 422, StoredFileMissing: 404}


def install(app: FastAPI) -> None:
    """Give the application its answers to every kind of error."""
    for kind in (EnclaveError, *OTHER_ROOMS):
        app.add_exception_handler(kind, known)
    app.add_exception_handler(HTTPException, not_ours)
    app.add_exception_handler(RequestValidationError, unreadable)
    app.add_exception_handler(Exception, defect)


def known(request: Request, error: Any) -> Response:
    """Answer one of our errors; a page that needs a sign-in sends the browser to the hub."""
    portal: Portal = request.app.state.portal
    if isinstance(error, refusals.SignInNeeded) and request.method == "GET" and not is_api(request):
        query = f"?{request.url.query}" if request.url.query else ""
        return send_to_hub(portal, request.url.path + query)
    if isinstance(error, refusals.SeatElsewhere) and request.method == "GET" and not is_api(request):
        return RedirectResponse(f"{portal.root}/seat?{urlencode({'to': request.url.path})}", 303)
    return answer(request, error, status_of(error))


def not_ours(request: Request, error: Any) -> Response:
    """Answer what the router could not place: no such page, no such method."""
    with contextlib.suppress(EnclaveError):  # a page of theirs with their menu, where somebody is signed in
        signed_in(request)
    status = error.status_code if has(f"errors.title_{error.status_code}") else 404
    return answer(request, refusals.no_such_page(), status)


def unreadable(request: Request, error: Any) -> Response:
    """Answer a body or parameter that does not have the documented form; the places are named."""
    return answer(request, not_as_documented(error), 422)


def not_as_documented(error: Any) -> Invalid:
    """Return what pydantic found wrong as one of our errors: places only, never what was sent."""
    places = ", ".join(".".join(str(part) for part in one["loc"]) for one in error.errors()[:10])
    return Invalid(
        "portal.unreadable",
        ko=f"요청의 이 부분을 읽을 수 없습니다: {places}",
        en=f"These parts of the request cannot be read: {places}",
        remedy_ko="API 문서의 형식과 견주어 보세요.",
        remedy_en="Compare with the API description.",
    )


def defect(request: Request, error: Exception) -> Response:
    """Answer what should not happen. The server logs the trace; the person gets none of it."""
    LOG.error("%s %s", request.method, request.url.path, exc_info=error)
    return answer(request, refusals.broken(), 500)


def status_of(error: Any) -> int:
    """Return the HTTP status of one of our errors."""
    return int(getattr(error, "status", STATUS.get(type(error), 503)))


def as_json(error: Any) -> dict[str, str]:
    """Return `{code, ko, en, remedy_ko, remedy_en}` of any room's error."""
    return {name: str(getattr(error, name, "")) for name in ("code", "ko", "en", "remedy_ko", "remedy_en")}


def is_api(request: Request) -> bool:
    """Return whether a program is asking."""
    return "/api/" in request.url.path


def answer(request: Request, error: Any, status: int) -> Response:
    """Return the error as a page or as JSON."""
    if is_api(request) or not hasattr(request.app.state.portal, "root"):
        return JSONResponse(as_json(error), status)
    visit = getattr(request.state, "visit", None) or anyone(request)
    shown = status if has(f"errors.title_{status}") else 500
    return visit.page("error.html", status=status, error=error, shown=shown)
