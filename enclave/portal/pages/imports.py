"""The import page of a project: upload, what the checker says, ask, what was approved; and what a request holds."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter
from starlette.responses import Response

from enclave.airlock.errors import PreviewFailed
from enclave.airlock.incoming import checker
from enclave.airlock.incoming.checker import Lines, Shown
from enclave.airlock.incoming.limits import ImportLimits
from enclave.commands import egress as requests
from enclave.commands import incoming as commands
from enclave.commands import sighting
from enclave.errors import EnclaveError
from enclave.portal import importing
from enclave.portal.acting import actor_of, done, tried, typed
from enclave.portal.forms import Form
from enclave.portal.visit import Here, OwnForm, Visit
from enclave.queries import egress, incoming, project
from enclave.queries.airlock_views import FileView, RequestView
from enclave.states import Verb

router = APIRouter()


def show(visit: Visit, project_id: str, form: Form | None = None, error: EnclaveError | None = None) -> Response:
    """Return a project's import page."""
    actor, store = actor_of(visit), visit.portal.store
    return visit.page(
        "imports.html",
        status=error.status if error else 200,
        error=error,
        typed=typed(form),
        project=project.project(store, actor, project_id, now=visit.now),
        uploads=incoming.uploads(store, actor, project_id),
        arrivals=incoming.arrivals(store, actor, project_id),
        limit=visit.portal.settings.max_import_bytes,
    )


@router.get("/projects/{project_id}/imports")
def imports(visit: Here, project_id: str) -> Response:
    """Show what may be asked for and what was approved."""
    return show(visit, project_id)


@router.post("/projects/{project_id}/imports")
def ask(visit: Here, form: OwnForm, project_id: str) -> Response:
    """Ask for the chosen uploads."""

    def act() -> str:
        asked = commands.ImportForm(
            project_id=project_id,
            name=form.text("name"),
            uploads=form.many("uploads"),
            purpose=form.text("purpose"),
            context=form.text("context"),
            idempotency_key=form.text("once") or form.text("csrf"),
        )
        made = importing.ask(visit.portal, actor_of(visit), asked)
        return f"/review/{made.id}"

    return tried(lambda: done(visit, form, act, "imports.asked"), lambda error: show(visit, project_id, form, error))


@router.post("/imports/{request_id}/recall")
def recall(visit: Here, form: OwnForm, request_id: str) -> Response:
    """Take an import back."""

    def act() -> str:
        commands.take_back(
            visit.portal.store, actor_of(visit), request_id=request_id, reason=form.text("reason"), now=visit.now
        )
        return f"/review/{request_id}"

    return tried(
        lambda: done(visit, form, act, "imports.recalled"), lambda error: content_page(visit, request_id, error)
    )


@dataclass(frozen=True)
class Content:
    """One file of a request with its tree; `shown`: some of its lines, `changes`: what changed since the last import.

    `left`: how many lines this person has not seen yet; 0 when nothing is left, and without that no approval counts.
    """

    file: FileView
    tree: tuple[tuple[str, ...], ...]
    shown: Shown | None = None
    changes: tuple[Lines, ...] = ()
    left: int = 0


@router.get("/imports/{request_id}")
def content(visit: Here, request_id: str) -> Response:
    """Show what a request would bring in: the tree, one file of it, and what changed since the last one."""
    return content_page(visit, request_id)


def content_page(visit: Visit, request_id: str, error: EnclaveError | None = None) -> Response:
    """Return the page of a request's content; each look into a file leaves its entry first."""
    actor, store = actor_of(visit), visit.portal.store
    found = egress.request(store, actor, request_id, now=visit.now)
    trees = incoming.trees(store, actor, request_id, now=visit.now)
    older = {file.name: file.sha256 for file in incoming.before(store, actor, request_id, now=visit.now)}
    asked = visit.request.query_params.get("start", "0")
    start = int(asked) if asked.isdecimal() and len(asked) < 9 else 0  # noqa: PLR2004 - a line's number
    return visit.page(
        "imports_content.html",
        status=error.status if error else 200,
        error=error,
        request=found,
        contents=[_content(visit, found, file, trees.get(file.id, ()), (older, start)) for file in found.files],
    )


def _content(
    visit: Visit,
    request: RequestView,
    file: FileView,
    tree: tuple[tuple[str, ...], ...],
    about: tuple[dict[str, str], int],
) -> Content:
    older, start = about
    requests.view_file(visit.portal.store, actor_of(visit), request_id=request.id, file_id=file.id, now=visit.now)
    if file.kind not in {"code", "model", "packages"} or not tree:
        return Content(file, tree)  # tables are looked through on the review page
    quarantine, limits = visit.portal.quarantine, ImportLimits()
    place, before = quarantine.path(file.sha256), older.get(file.name)
    if file.kind == "model":
        return Content(file, tree, left=_noted(visit, request, file, (0, 1, 1)))
    try:
        shown = checker.shown(place, file.name, start, limits)
        changes = checker.compared(place, file.name, (quarantine.path(before), file.name), limits) if before else ()
    except (PreviewFailed, OSError):
        return Content(file, tree, left=1)
    return Content(file, tree, shown, changes, _noted(visit, request, file, (shown.start, shown.end, shown.total)))


def _noted(visit: Visit, request: RequestView, file: FileView, lines: tuple[int, int, int]) -> int:
    """Remember which lines this checker was shown; all of them once: it is recorded. Return how many are left."""
    if Verb.DECLARE not in request.may:
        return 0
    actor, (start, end, total) = actor_of(visit), lines
    left = visit.portal.lines_seen.note(actor.account_id, file.id, start, end, total)
    if not left:
        visit.portal.coverage.once(
            actor.account_id,
            file.id,
            "whole",
            lambda: sighting.record_shown(
                visit.portal.store, actor, request_id=request.id, file_id=file.id, units=total, now=visit.now
            ),
        )
    return left
