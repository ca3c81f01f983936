"""The packages page of a project: what is there, what a list comes to, and asking for it."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from enclave.errors import EnclaveError
from enclave.packages.resolve import Resolved
from enclave.portal import importing
from enclave.portal.acting import actor_of, done, tried, typed
from enclave.portal.forms import Form
from enclave.portal.visit import Here, OwnForm, Visit
from enclave.queries import incoming, project

router = APIRouter()


def show(
    visit: Visit,
    project_id: str,
    form: Form | None = None,
    error: EnclaveError | None = None,
    resolved: Resolved | None = None,
) -> Response:
    """Return a project's packages page."""
    actor, store = actor_of(visit), visit.portal.store
    return visit.page(
        "packages.html",
        status=error.status if error else 200,
        error=error,
        typed=typed(form),
        project=project.project(store, actor, project_id, now=visit.now),
        packages=incoming.packages(store, actor, project_id),
        resolved=resolved,
    )


@router.get("/projects/{project_id}/packages")
def packages(visit: Here, project_id: str) -> Response:
    """Show a project's packages."""
    return show(visit, project_id)


@router.post("/projects/{project_id}/packages/resolve")
def resolve(visit: Here, form: OwnForm, project_id: str) -> Response:
    """Say what a list comes to; asks for nothing."""
    return tried(
        lambda: show(
            visit,
            project_id,
            form,
            resolved=importing.answer(visit.portal, actor_of(visit), project_id, form.text("text")),
        ),
        lambda error: show(visit, project_id, form, error),
    )


@router.post("/projects/{project_id}/packages")
def ask(visit: Here, form: OwnForm, project_id: str) -> Response:
    """Ask for what a list needs."""

    def act() -> str:
        key = form.text("once") or form.text("csrf")
        made = importing.ask_packages(
            visit.portal, actor_of(visit), project_id, form.text("text"), form.text("purpose"), key
        )
        return f"/review/{made.id}"

    return tried(lambda: done(visit, form, act, "packages.asked"), lambda error: show(visit, project_id, form, error))
