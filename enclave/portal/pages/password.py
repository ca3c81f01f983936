"""One's own password: the old one, and a new one twice. Every try is an entry; wrong ones count as at the sign-in."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from enclave.commands import credentials
from enclave.errors import EnclaveError
from enclave.portal.acting import actor_of
from enclave.portal.visit import Here, OwnForm, Visit

router = APIRouter()


def show(visit: Visit, error: EnclaveError | None = None) -> Response:
    """Return the page; nothing that was typed is sent back."""
    by_provider = visit.portal.settings.oidc is not None
    return visit.page("password.html", status=error.status if error else 200, error=error, by_provider=by_provider)


@router.get("/password")
def one(visit: Here) -> Response:
    """Show the form."""
    return show(visit)


@router.post("/password")
def change(visit: Here, form: OwnForm) -> Response:
    """Replace the password."""
    old, new, again = form.text("old"), form.text("new"), form.text("again")
    try:
        store, actor = visit.portal.store, actor_of(visit)
        credentials.change_password(store, actor, old=old, new=new, again=again, now=visit.now)
    except EnclaveError as error:
        return show(visit, error)
    return visit.go("/", "password.changed")
