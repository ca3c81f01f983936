"""What a provider's steward decides: which columns of their own organisation's data a project may see."""

from __future__ import annotations

from collections import defaultdict

from fastapi import APIRouter
from starlette.responses import Response

from enclave.commands import project as commands
from enclave.errors import EnclaveError
from enclave.policy.people import check_is
from enclave.portal.acting import Typed, actor_of, done, tried, typed
from enclave.portal.forms import Form
from enclave.portal.pages.apply import column_value, read_columns
from enclave.portal.places import GOVERNORS
from enclave.portal.visit import Here, OwnForm, Visit
from enclave.queries import project

router = APIRouter()


def show(visit: Visit, project_id: str, form: Form | None = None, error: EnclaveError | None = None) -> Response:
    """Return one application with this steward's columns."""
    actor = actor_of(visit)
    found = project.project(visit.portal.store, actor, project_id, now=visit.now)
    mine: dict[str, list[project.ColumnView]] = defaultdict(list)
    for column in found.columns:
        if column.provider_id == actor.organisation_id:
            mine[column.dataset_id].append(column)
    return visit.page(
        "columns_decide.html",
        here="columns",
        status=error.status if error else 200,
        error=error,
        errors=Typed(),
        typed=typed(form),
        approved=set(form.many("approved")) if form else set(),
        sent_for=form.text("dataset") if form else "",
        project=found,
        mine=mine,
        column_value=column_value,
    )


@router.get("/columns")
def waiting(visit: Here) -> Response:
    """Show the applications that wait for this steward."""
    check_is(actor_of(visit), *GOVERNORS)
    found = project.to_decide(visit.portal.store, actor_of(visit), now=visit.now)
    return visit.page("columns.html", here="columns", waiting=found)


@router.get("/columns/{project_id}")
def one(visit: Here, project_id: str) -> Response:
    """Show one application for deciding."""
    return show(visit, project_id)


@router.post("/columns/{project_id}")
def decide(visit: Here, form: OwnForm, project_id: str) -> Response:
    """Decide on every column of one data set: what is not approved is rejected."""
    dataset_id = form.text("dataset")

    def act() -> str:
        commands.decide_columns(
            visit.portal.store,
            actor_of(visit),
            project_id=project_id,
            dataset_id=dataset_id,
            approve=read_columns(form.many("approved")).get(dataset_id, {}),
            reason=form.text("reason"),
            now=visit.now,
        )
        return f"/columns/{project_id}"

    return tried(lambda: done(visit, form, act, "columns.saved"), lambda error: show(visit, project_id, form, error))


@router.post("/columns/{project_id}/return")
def give_back(visit: Here, form: OwnForm, project_id: str) -> Response:
    """Send the application back with what should change."""

    def act() -> str:
        commands.return_application(
            visit.portal.store,
            actor_of(visit),
            project_id=project_id,
            reason=form.text("return_reason"),
            now=visit.now,
        )
        return f"/columns/{project_id}"

    return tried(
        lambda: done(visit, form, act, "columns.return_saved"), lambda error: show(visit, project_id, form, error)
    )
