"""Another seat: why this browser may not go on, and moving the account's seat here with a second factor (R11, R28)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from enclave.commands import credentials
from enclave.commands import desk as commands
from enclave.errors import EnclaveError
from enclave.portal import seats
from enclave.portal.acting import actor_of
from enclave.portal.forms import Form
from enclave.portal.pages.sign_in import own_path
from enclave.portal.visit import AtTheDoor, Visit, check_token, form_of
from enclave.queries.desk import seat_of

router = APIRouter()


def show(visit: Visit, to: str, error: EnclaveError | None = None) -> Response:
    """Return the page; nothing of the account's is on it but where it is."""
    seat = seat_of(visit.portal.store, actor_of(visit).account_id)
    return visit.page(
        "seat.html",
        status=error.status if error else 200,
        error=error,
        seat=seat,
        address=actor_of(visit).ip,
        to=visit.portal.root + own_path(visit.portal, to),
    )


@router.get("/seat")
def one(visit: AtTheDoor, to: str = "") -> Response:
    """Say where the account is."""
    return show(visit, to)


@router.post("/seat")
def move(visit: AtTheDoor, form: Annotated[Form, Depends(form_of)]) -> Response:
    """Move the seat here: a code first, then whatever was open elsewhere ends."""
    check_token(visit, form.text("csrf"))
    portal, actor = visit.portal, actor_of(visit)
    try:
        proven = credentials.confirm_second_factor(
            portal.store, portal.vault, actor, code=form.text("code"), now=visit.now
        )
        browser = visit.session.browser if visit.session else ""
        commands.move_seat(portal.store, proven, browser=browser, now=visit.now)
    except EnclaveError as error:
        return show(visit, form.text("to"), error)
    if visit.session is not None:
        visit.session.second_factor_at, visit.session.attended = proven.second_factor_at, True
    seats.follow(portal, proven)
    return visit.go(own_path(portal, form.text("to")), "seat.moved")
