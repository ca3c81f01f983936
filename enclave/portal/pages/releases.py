"""Handing over: once, to the named receiver, with a second factor proved just now; decrypted while it is sent."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import APIRouter
from starlette.responses import Response, StreamingResponse

from enclave.airlock import package
from enclave.commands import release as commands
from enclave.errors import EnclaveError
from enclave.portal.acting import actor_of, done, proved, tried
from enclave.portal.visit import Here, OwnForm, Visit
from enclave.queries import egress

router = APIRouter()


def show(visit: Visit, release_id: str = "", error: EnclaveError | None = None) -> Response:
    """Return one release, or all that name the visitor as receiver."""
    actor, store = actor_of(visit), visit.portal.store
    mine = egress.to_receive(store, actor, now=visit.now) if not release_id else ()
    releases = (egress.release(store, actor, release_id, now=visit.now),) if release_id else mine
    status = error.status if error else 200
    return visit.page("releases.html", here="releases", status=status, error=error, releases=releases)


@router.get("/releases")
def mine(visit: Here) -> Response:
    """Show what waits for the visitor and what they received."""
    return show(visit)


@router.get("/releases/{release_id}")
def one(visit: Here, release_id: str) -> Response:
    """Show one release."""
    return show(visit, release_id)


@router.post("/releases/{release_id}/hand-over")
def hand_over(visit: Here, form: OwnForm, release_id: str) -> Response:
    """Hand the package over: the entry is written first, then the bytes flow; there is no second time."""
    return tried(lambda: stream(visit, release_id, form.text("code")), lambda error: show(visit, release_id, error))


def stream(visit: Visit, release_id: str, code: str) -> Response:
    """Hand over and return the answer that decrypts the package while it is sent."""
    actor, portal = proved(visit, code), visit.portal
    handed = commands.hand_over(portal.store, portal.depot, actor, release_id=release_id, now=visit.now)
    return StreamingResponse(
        package.open_content(handed.path, handed.key),
        media_type="application/zip",
        headers={"Content-Disposition": disposition(handed.file_name)},
    )


@router.post("/releases/{release_id}/build")
def build(visit: Here, form: OwnForm, release_id: str) -> Response:
    """Try again to make a package that could not be made; only for those who may see its request."""

    def act() -> str:
        portal = visit.portal
        found = egress.release(portal.store, actor_of(visit), release_id, now=visit.now)
        commands.build(portal.store, portal.depot, release_id=found.id, now=visit.now)
        return f"/releases/{release_id}"

    return tried(lambda: done(visit, form, act, "releases.tried"), lambda error: show(visit, release_id, error))


@router.post("/releases/{release_id}/recall")
def recall(visit: Here, form: OwnForm, release_id: str) -> Response:
    """Recall a release: its key is destroyed."""

    def act() -> str:
        portal = visit.portal
        commands.recall(
            portal.store,
            portal.depot,
            actor_of(visit),
            release_id=release_id,
            reason=form.text("reason"),
            now=visit.now,
        )
        return f"/releases/{release_id}"

    return tried(lambda: done(visit, form, act, "releases.recalled"), lambda error: show(visit, release_id, error))


@router.post("/releases/{release_id}/confirm-recall")
def confirm_recall(visit: Here, form: OwnForm, release_id: str) -> Response:
    """Say that one's copies of a recalled release are gone."""

    def act() -> str:
        statement = form.text("statement")
        commands.confirm_recall(
            visit.portal.store, actor_of(visit), release_id=release_id, statement=statement, now=visit.now
        )
        return f"/releases/{release_id}"

    return tried(lambda: done(visit, form, act, "releases.confirmed_now"), lambda error: show(visit, release_id, error))


def disposition(name: str) -> str:
    """Return the header that saves a download under a name, whatever characters it has (RFC 6266, RFC 8187)."""
    return f"attachment; filename*=UTF-8''{quote(name, safe='')}"
