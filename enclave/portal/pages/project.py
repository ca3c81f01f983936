"""One project: what was applied for and approved, its people and their pledges, its columns and requests."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from enclave import pledge
from enclave.commands import project as commands
from enclave.errors import EnclaveError
from enclave.portal import closing
from enclave.portal.acting import Typed, actor_of, done, tried, typed
from enclave.portal.forms import Form
from enclave.portal.pages import gpu as gpu_page
from enclave.portal.usage import Usage, usage_if_any
from enclave.portal.visit import Here, OwnForm, Visit
from enclave.portal.words import Language
from enclave.queries import display, egress, ends, gpu, project, recalls, watch, workspace
from enclave.states import WorkspaceState

router = APIRouter()


def show(visit: Visit, project_id: str, form: Form | None = None, error: EnclaveError | None = None) -> Response:
    """Return the project's page."""
    actor, store = actor_of(visit), visit.portal.store
    found = project.project(store, actor, project_id, now=visit.now)
    edition = pledge.CURRENT
    return visit.page(
        "project.html",
        here="home",
        status=error.status if error else 200,
        error=error,
        errors=Typed(),
        typed=typed(form),
        project=found,
        ended_versions=recalls.ended_for(store, actor, found),
        gpu=gpu.of_project(store, gpu_page.rules_of(visit), actor, project_id, now=visit.now),
        kinds=gpu_page.kinds(visit),
        pledge=edition,
        pledge_text=edition.ko if visit.language is Language.KO else edition.en,
        display=display.of_project(store, actor, project_id, visit.portal.settings),
        ends=ends.of_project(store, actor, project_id, now=visit.now),
        findings=watch.in_project(store, actor, project_id),
        usage=_own_usage(visit, project_id),
        requests=[each for each in egress.mine(store, actor, now=visit.now) if each.project_id == project_id],
    )


def _own_usage(visit: Visit, project_id: str) -> Usage | None:
    """Return what the visitor's own open workspace in the project has shown, if there is one."""
    own = workspace.mine(visit.portal.store, actor_of(visit))
    running = [each.id for each in own if each.project_id == project_id and each.state is WorkspaceState.RUNNING]
    return usage_if_any(visit.portal, running[0]) if running else None


@router.get("/projects/{project_id}")
def one(visit: Here, project_id: str) -> Response:
    """Show one project."""
    return show(visit, project_id)


@router.get("/projects/{project_id}/start")
def start(visit: Here, project_id: str) -> Response:
    """Remember the project and go to the hub, which asks the core API whether a workspace may open in it."""
    visit.portal.choices.note(actor_of(visit).login, project_id, visit.now)
    return RedirectResponse(visit.portal.spawn_url, 302)


@router.post("/projects/{project_id}/pledge")
def sign(visit: Here, form: OwnForm, project_id: str) -> Response:
    """Sign the pledge: exactly the edition that was on the page."""

    def act() -> str:
        commands.sign_pledge(
            visit.portal.store,
            actor_of(visit),
            project_id=project_id,
            version=form.text("version"),
            text_sha256=form.text("text_sha256"),
            now=visit.now,
        )
        return f"/projects/{project_id}"

    return tried(
        lambda: done(visit, form, act, "project.signed_now"), lambda error: show(visit, project_id, form, error)
    )


@router.post("/projects/{project_id}/activate")
def activate(visit: Here, form: OwnForm, project_id: str) -> Response:
    """Open the project."""

    def act() -> str:
        commands.activate(visit.portal.store, actor_of(visit), project_id=project_id, now=visit.now)
        return f"/projects/{project_id}"

    return tried(
        lambda: done(visit, form, act, "columns.activated"), lambda error: show(visit, project_id, form, error)
    )


@router.post("/projects/{project_id}/end")
def end(visit: Here, form: OwnForm, project_id: str) -> Response:
    """End the project; its workspaces are frozen by the command and stopped at the gate."""

    def act() -> str:
        running = closing.open_in(visit.portal, project_id)
        commands.end_project(
            visit.portal.store,
            actor_of(visit),
            project_id=project_id,
            reason=form.text("reason"),
            now=visit.now,
        )
        closing.stop(visit.portal, running)
        return f"/projects/{project_id}"

    return tried(
        lambda: done(visit, form, act, "project.ended_now"), lambda error: show(visit, project_id, form, error)
    )
