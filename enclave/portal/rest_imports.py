"""The import lane and packages as JSON, beside `rest`: a file is sent as the body of a PUT, as it is."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from enclave.commands import incoming as commands
from enclave.portal import importing
from enclave.portal.acting import actor_of
from enclave.portal.rest import Changing, Key, once
from enclave.portal.rest_bodies import Body, Long, ReasonBody, Short
from enclave.portal.rest_json import told
from enclave.portal.visit import Here, Visit
from enclave.queries import incoming

router = APIRouter(tags=["import"])
Json = Any


class ImportBody(Body):
    """Uploads by their ids, under /imports/`name`; `key` as an idempotency key."""

    name: Short
    uploads: Annotated[list[Short], Field(min_length=1, max_length=50)]
    purpose: Long
    context: Long
    key: Short
    request_id: Short | None = None


class PackagesBody(Body):
    """A list of requirements, and why."""

    text: Annotated[str, Field(max_length=65_536)]
    purpose: Long = ""
    key: Short = ""


async def allowed(visit: Changing, project_id: str) -> Visit:
    """Return the visit of somebody who may upload into this project, before a byte of the body is read."""
    store, actor = visit.portal.store, actor_of(visit)
    await run_in_threadpool(incoming.check_may_upload, store, actor, project_id, now=visit.now)
    return visit


@router.put("/projects/{project_id}/uploads/{name}", status_code=201)
async def upload(visit: Annotated[Visit, Depends(allowed)], request: Request, project_id: str, name: str) -> Json:
    """Upload one file into quarantine; the answer has its SHA-256 and what the checker says of it."""
    path = await importing.receive(request, visit.portal)
    try:
        found = await run_in_threadpool(importing.take, visit.portal, actor_of(visit), project_id, name, path)
    finally:
        path.unlink(missing_ok=True)
    return told(found)


@router.get("/projects/{project_id}/imports")
def imports(visit: Here, project_id: str) -> Json:
    """Show what one uploaded, what was approved, and the project's packages."""
    store, actor = visit.portal.store, actor_of(visit)
    return {
        "arrivals": told(incoming.arrivals(store, actor, project_id)),
        "uploads": told(incoming.uploads(store, actor, project_id)),
        "packages": told(incoming.packages(store, actor, project_id)),
    }


@router.post("/projects/{project_id}/imports", status_code=201)
def ask(visit: Changing, project_id: str, body: ImportBody) -> Json:
    """Ask for uploaded files to be let in."""
    form = commands.ImportForm(
        project_id=project_id,
        name=body.name,
        uploads=body.uploads,
        purpose=body.purpose,
        context=body.context,
        idempotency_key=body.key,
        request_id=body.request_id,
    )
    return told(importing.ask(visit.portal, actor_of(visit), form))


@router.post("/imports/{request_id}/recall")
def recall(visit: Changing, request_id: str, body: ReasonBody, key: Key = "") -> Json:
    """Take an import back: no workspace mounts it from its next start on."""
    return once(
        visit,
        key,
        lambda: commands.take_back(
            visit.portal.store, actor_of(visit), request_id=request_id, reason=body.reason, now=visit.now
        ),
    )


@router.post("/projects/{project_id}/packages/resolve")
def resolve(visit: Changing, project_id: str, body: PackagesBody) -> Json:
    """Say of each line of a list whether it is there, needs approval, or is impossible and why. Asks for nothing.

    `advisories`: known ones by a wheel's SHA-256; null where the operator has given none to compare with.
    """
    found = importing.answer(visit.portal, actor_of(visit), project_id, body.text)
    return {"answers": told(found.answers), "lock": found.lock, "advisories": told(found.advisories)}


@router.post("/projects/{project_id}/packages", status_code=201)
def ask_packages(visit: Changing, project_id: str, body: PackagesBody) -> Json:
    """Ask for the packages of a list, with everything they need."""
    return told(importing.ask_packages(visit.portal, actor_of(visit), project_id, body.text, body.purpose, body.key))
