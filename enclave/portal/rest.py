"""The same commands as JSON, for programs that sign in as a person does: `/services/portal/api/v1/…`.

Every answer about a thing lists `allowed`: the commands this person may call on it now. Changes need the header
`X-CSRF-Token` (from `GET /me`); with `Idempotency-Key` a repeated change is one change. Errors are
`{code, ko, en, remedy_ko, remedy_en}`. The handlers hold no rule: each is one query or one command.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header
from starlette.responses import Response

from enclave import pledge
from enclave.commands import people as commands
from enclave.commands import project
from enclave.portal import closing, ending
from enclave.portal import rest_bodies as bodies
from enclave.portal.acting import actor_of
from enclave.portal.rest_json import told
from enclave.portal.signed_files import has_twin, twin_answer
from enclave.portal.visit import Here, Visit, check_token
from enclave.queries import dataset, people
from enclave.queries import project as projects
from enclave.queries import workspace as workspaces

router = APIRouter(tags=["portal"])
Json = Any


def changing(visit: Here, x_csrf_token: Annotated[str, Header()] = "") -> Visit:
    """Return the visit if the request carries the session's token. Raises: Denied otherwise."""
    check_token(visit, x_csrf_token)
    return visit


Changing = Annotated[Visit, Depends(changing)]
Key = Annotated[str, Header(alias="Idempotency-Key", max_length=100)]


def once(visit: Visit, key: str, act: Callable[[], Any]) -> Json:
    """Return what `act` returns as JSON; with a key, do it once."""
    route = f"{visit.request.method} {visit.request.url.path} {key}"
    return visit.once(route, lambda: told(act())) if key else told(act())


@router.get("/me")
def me(visit: Here) -> Json:
    """Who is signed in, what they may do, and the token that changes need."""
    actor = actor_of(visit)
    account = people.account(visit.portal.store, actor, actor.login, now=visit.now)
    token = visit.session.csrf if visit.session else ""
    return told(account) | {"csrf_token": token, "second_factor_at": told(actor.second_factor_at)}


@router.get("/projects")
def my_projects(visit: Here) -> Json:
    """One's own projects, newest first."""
    return {"projects": told(projects.mine(visit.portal.store, actor_of(visit), now=visit.now))}


@router.get("/projects/to-decide")
def projects_to_decide(visit: Here) -> Json:
    """Applications that wait for this steward."""
    return {"projects": told(projects.to_decide(visit.portal.store, actor_of(visit), now=visit.now))}


@router.post("/projects", status_code=201)
def apply(visit: Changing, body: bodies.ApplicationBody, key: Key = "") -> Json:
    """Submit an application, or keep it as a draft."""
    return _apply(visit, body, key, None)


@router.get("/projects/{project_id}")
def one_project(visit: Here, project_id: str) -> Json:
    """One project."""
    return told(projects.project(visit.portal.store, actor_of(visit), project_id, now=visit.now))


@router.put("/projects/{project_id}")
def apply_again(visit: Changing, project_id: str, body: bodies.ApplicationBody, key: Key = "") -> Json:
    """Submit a draft or a returned application."""
    return _apply(visit, body, key, project_id)


@router.post("/projects/{project_id}/columns")
def decide_columns(visit: Changing, project_id: str, body: bodies.ColumnsBody, key: Key = "") -> Json:
    """Decide on the columns of one's own organisation's data set."""
    return once(
        visit,
        key,
        lambda: project.decide_columns(
            visit.portal.store,
            actor_of(visit),
            project_id=project_id,
            dataset_id=body.dataset_id,
            approve=body.approve,
            reason=body.reason,
            now=visit.now,
        ),
    )


@router.post("/projects/{project_id}/return")
def return_application(visit: Changing, project_id: str, body: bodies.ReasonBody, key: Key = "") -> Json:
    """Send an application back."""
    act = _on(project.return_application, visit, project_id=project_id, reason=body.reason)
    return once(visit, key, act)


@router.get("/pledge")
def pledge_text(_visit: Here) -> Json:
    """Show the pledge now in force: version, hash and text in both languages."""
    text = pledge.CURRENT
    return {"version": text.version, "text_sha256": text.sha256, "ko": text.ko, "en": text.en}


@router.post("/projects/{project_id}/pledge")
def sign_pledge(visit: Changing, project_id: str, body: bodies.PledgeBody, key: Key = "") -> Json:
    """Sign the pledge."""
    return once(visit, key, _on(project.sign_pledge, visit, project_id=project_id, **body.model_dump()))


@router.post("/projects/{project_id}/activate")
def activate(visit: Changing, project_id: str, key: Key = "") -> Json:
    """Open an approved project."""
    return once(visit, key, _on(project.activate, visit, project_id=project_id))


@router.post("/projects/{project_id}/end")
def end_project(visit: Changing, project_id: str, body: bodies.ReasonBody, key: Key = "") -> Json:
    """End a project and stop its workspaces."""
    running = closing.open_in(visit.portal, project_id)
    answer = once(visit, key, _on(project.end_project, visit, project_id=project_id, reason=body.reason))
    closing.stop(visit.portal, running)
    return answer


@router.get("/datasets")
def datasets(visit: Here) -> Json:
    """Show the catalogue: data sets with their snapshots and the columns of each."""
    found = dataset.datasets(visit.portal.store, actor_of(visit))
    return {"datasets": [_with_tables(each) for each in found]}


@router.get("/snapshots/{snapshot_id}/twin")
def twin(visit: Here, snapshot_id: str) -> Response:
    """Give the synthetic twin of a snapshot as a zip file: the same files and types, no patient in it."""
    return twin_answer(dataset.snapshot(visit.portal.store, actor_of(visit), snapshot_id))


@router.get("/workspaces")
def my_workspaces(visit: Here) -> Json:
    """One's own workspaces, and for each project whether one may open now or why not."""
    store, actor = visit.portal.store, actor_of(visit)
    options = workspaces.options(store, actor, now=visit.now)
    return {"workspaces": told(workspaces.mine(store, actor)), "options": told(options)}


@router.get("/accounts")
def accounts(visit: Here) -> Json:
    """All accounts, for operators, reviewers and auditors."""
    return {"accounts": told(people.accounts(visit.portal.store, actor_of(visit), now=visit.now))}


@router.post("/accounts/{login}/grant")
def grant(visit: Changing, login: str, body: bodies.RoleBody, key: Key = "") -> Json:
    """Grant a role."""
    return once(visit, key, _on(commands.grant_role, visit, login=login, role=body.role, reason=body.reason))


@router.post("/accounts/{login}/revoke")
def revoke(visit: Changing, login: str, body: bodies.RoleBody, key: Key = "") -> Json:
    """Take a role away."""
    return once(visit, key, lambda: ending.revoke_role(visit, login, body.role, body.reason))


def _apply(visit: Visit, body: bodies.ApplicationBody, key: str, project_id: str | None) -> Json:
    command = project.save_draft if body.draft else project.apply
    return once(visit, key, _on(command, visit, application=body.application(), project_id=project_id))


def _on(command: Callable[..., Any], visit: Visit, **fields: Any) -> Callable[[], Any]:
    """Return a call of the command as this person, now."""
    return lambda: command(visit.portal.store, actor_of(visit), now=visit.now, **fields)


def snapshot_told(found: dataset.SnapshotView) -> dict[str, Json]:
    """Return a version with its tables, and whether it has a twin."""
    return {**told(found), "tables": told(found.manifest.tables), "twin": has_twin(found)}


def _with_tables(found: dataset.DatasetView) -> Json:
    return told(found) | {"snapshots": [snapshot_told(each) for each in found.snapshots]}
