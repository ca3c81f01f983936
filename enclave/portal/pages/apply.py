"""The application form: purpose, legal basis, people, period and columns chosen from published snapshots.

Whatever a command refuses, the form comes back with everything that was typed, and the fields at fault are named.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping

from fastapi import APIRouter
from starlette.responses import Response

from enclave.commands import project as commands
from enclave.commands.application import Application
from enclave.errors import EnclaveError
from enclave.model.project import LegalBasis
from enclave.policy.project import check_may_apply
from enclave.portal import refusals
from enclave.portal.acting import Typed, actor_of, day_of, done, one_of, tried, typed
from enclave.portal.forms import Form
from enclave.portal.visit import Here, OwnForm, Visit
from enclave.portal.words import Language
from enclave.queries import dataset, project
from enclave.queries.project import ProjectView

router = APIRouter()
TEXTS = ("title", "purpose", "expected_outputs", "ethics", "safety_plan")
# Which field a refusal is shown beside.
FIELD_OF = {
    "project.purpose-short": "purpose",
    "project.period": "ends_on",
    "project.basis-not-in-force": "legal_basis",
    "project.unknown-column": "columns",
    "project.no-snapshot": "columns",
    "project.cross-provider": "columns",
    "dataset.unknown": "columns",
    "account.unknown": "members",
    "project.person-role": "members",
}
REQUIRED = (*TEXTS, "legal_basis", "starts_on", "ends_on", "columns")


def show(
    visit: Visit, *, project_id: str | None = None, form: Form | None = None, error: EnclaveError | None = None
) -> Response:
    """Return the form: empty, as the saved draft has it, or as it was just sent."""
    actor, store = actor_of(visit), visit.portal.store
    check_may_apply(actor)
    saved = project.project(store, actor, project_id, now=visit.now) if project_id else None
    chosen = set(form.many("columns")) if form is not None else _chosen(saved)
    return visit.page(
        "apply.html",
        here="apply",
        status=error.status if error else 200,
        error=error,
        errors=_errors(visit, form, error),
        typed=typed(form, _saved(saved)),
        chosen=chosen,
        datasets=[each for each in dataset.datasets(store, actor) if each.current is not None],
        bases=[(basis.value, visit.say(f"legal.{basis.name.lower()}")) for basis in LegalBasis],
        returned=saved.state_reason if saved else "",
        action=f"/projects/{project_id}/edit" if project_id else "/apply",
        column_value=column_value,
    )


@router.get("/apply")
def blank(visit: Here) -> Response:
    """Show an empty form."""
    return show(visit)


@router.post("/apply")
def send(visit: Here, form: OwnForm) -> Response:
    """Save or submit a new application."""
    return _send(visit, form, None)


@router.get("/projects/{project_id}/edit")
def edit(visit: Here, project_id: str) -> Response:
    """Show a draft or a returned application for changing."""
    return show(visit, project_id=project_id)


@router.post("/projects/{project_id}/edit")
def send_again(visit: Here, form: OwnForm, project_id: str) -> Response:
    """Save or submit it again."""
    return _send(visit, form, project_id)


def _send(visit: Visit, form: Form, project_id: str | None) -> Response:
    saving = form.text("act") == "save"

    def act() -> str:
        command = commands.save_draft if saving else commands.apply
        made = command(
            visit.portal.store,
            actor_of(visit),
            application=read_application(form),
            now=visit.now,
            project_id=project_id,
        )
        return f"/projects/{made.id}"

    return tried(
        lambda: done(visit, form, act, "apply.saved" if saving else "apply.submitted"),
        lambda error: show(visit, project_id=project_id, form=form, error=error),
    )


def read_application(form: Form) -> Application:
    """Return the form as the command takes it. Raises: Invalid for a date or a choice that is none."""
    basis = form.text("legal_basis")
    return Application(
        **{name: form.text(name) for name in TEXTS},
        legal_basis=one_of(LegalBasis, basis) if basis else None,
        data=read_columns(form.many("columns")),
        people=tuple(form.text("members").replace(",", " ").split()),
        starts_on=day_of(form.text("starts_on"), "시작일", "First day"),
        ends_on=day_of(form.text("ends_on"), "종료일", "Last day"),
        combination_approval=form.text("combination_approval"),
    )


def column_value(dataset_id: str, table: str, column: str) -> str:
    """Return what the box of one column sends: a list as JSON, because names may hold any character."""
    return json.dumps([dataset_id, table, column], ensure_ascii=False)


def read_columns(values: tuple[str, ...]) -> dict[str, dict[str, tuple[str, ...]]]:
    """Return the ticked columns as `{dataset: {table: (column, …)}}`. Raises: Conflict for a value that is none."""
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for value in values:
        try:
            dataset_id, table, column = json.loads(value)
        except (ValueError, TypeError):
            raise refusals.gone() from None
        found[str(dataset_id)][str(table)].append(str(column))
    return {each: {table: tuple(names) for table, names in tables.items()} for each, tables in found.items()}


def _chosen(saved: ProjectView | None) -> set[str]:
    return {column_value(each.dataset_id, each.table, each.column) for each in saved.columns} if saved else set()


def _saved(saved: ProjectView | None) -> Mapping[str, object]:
    if saved is None:
        return {}
    values: dict[str, object] = {name: getattr(saved, name) for name in (*TEXTS, "combination_approval")}
    values |= {"legal_basis": saved.legal_basis, "starts_on": saved.starts_on, "ends_on": saved.ends_on}
    others = [each.login for each in saved.members if each.account_id != saved.lead_id]
    return values | {"members": "\n".join(others)}


def _errors(visit: Visit, form: Form | None, error: EnclaveError | None) -> Typed:
    """Return which fields the refusal is about, by its code; the empty ones when something was missing."""
    if form is None or error is None:
        return Typed()
    if error.code == "input.missing":
        needed = (*REQUIRED, "combination_approval") if form.text("legal_basis") == LegalBasis.COMBINED else REQUIRED
        return Typed({name: visit.say("base.field_empty") for name in needed if not form.text(name)})
    field = FIELD_OF.get(error.code)
    return Typed({field: error.ko if visit.language is Language.KO else error.en} if field else {})
