"""How things end, as JSON: freezing a project, frozen files, visits, certificates."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header
from pydantic import Field
from starlette.responses import Response

from enclave.commands import freeze
from enclave.portal import ending, filing, frozen
from enclave.portal.acting import actor_of, proved
from enclave.portal.frozen import Wanted
from enclave.portal.rest import Changing, once
from enclave.portal.rest_bodies import Body, CodeBody, Long, ReasonBody, Short
from enclave.portal.rest_json import told
from enclave.portal.visit import Here
from enclave.queries import certificates, ends

router = APIRouter(tags=["ends"])
Json = Any
Key = Annotated[str, Header(alias="Idempotency-Key", max_length=100)]
Names = Annotated[list[Annotated[str, Field(min_length=1, max_length=400)]], Field(max_length=200)]


class AskBody(Body):
    """Files of a frozen workspace to be released; names as the list of files gives them."""

    outbox: Names = Field(default_factory=list)
    home: Names = Field(default_factory=list)
    purpose: Long
    context: Long = ""
    key: Annotated[str, Field(min_length=8, max_length=100)]


@router.get("/projects/{project_id}/ends")
def of_project(visit: Here, project_id: str) -> Json:
    """Show what is frozen in a project, why and until when."""
    return told(ends.of_project(visit.portal.store, actor_of(visit), project_id, now=visit.now))


@router.post("/projects/{project_id}/freeze")
def freeze_project(visit: Changing, project_id: str, body: ReasonBody, key: Key = "") -> Json:
    """Freeze a whole project; what runs is stopped at once."""
    return once(visit, key, lambda: ending.freeze_project(visit, project_id, body.reason))


@router.post("/projects/{project_id}/thaw")
def thaw_project(visit: Changing, project_id: str, body: ReasonBody, key: Key = "") -> Json:
    """Lift a project's freeze."""
    store, actor = visit.portal.store, actor_of(visit)
    return once(
        visit, key, lambda: freeze.thaw_project(store, actor, project_id=project_id, reason=body.reason, now=visit.now)
    )


@router.post("/workspaces/{workspace_id}/thaw")
def thaw_workspace(visit: Changing, workspace_id: str, body: ReasonBody, key: Key = "") -> Json:
    """Lift the freeze of one workspace."""
    store, actor = visit.portal.store, actor_of(visit)
    return once(
        visit,
        key,
        lambda: freeze.thaw_workspace(store, actor, workspace_id=workspace_id, reason=body.reason, now=visit.now),
    )


@router.get("/frozen/{workspace_id}/files")
def files(visit: Here, workspace_id: str) -> Json:
    """List the files of one's own frozen workspace; this look is an entry."""
    return told(frozen.listing(visit.portal, actor_of(visit), workspace_id))


@router.post("/frozen/{workspace_id}/ask", status_code=201)
def ask(visit: Changing, workspace_id: str, body: AskBody) -> Json:
    """Ask for files of one's own frozen workspace to be released. Same key, same request."""
    names = {name: found for name, found in (("outbox", body.outbox), ("home", body.home)) if found}
    wanted = Wanted(names, body.purpose, body.context, body.key)
    return told(frozen.ask(visit.portal, actor_of(visit), workspace_id, wanted))


@router.get("/visits")
def my_visits(visit: Here) -> Json:
    """One's own visits, newest first."""
    return {"visits": told(certificates.visits(visit.portal.store, actor_of(visit)))}


@router.post("/visits/{visit_id}/certificate")
def issue(visit: Changing, visit_id: Short) -> Json:
    """Issue the certificate of one's own visit; asked for again, it is the same."""
    return told(filing.issue(visit.portal, actor_of(visit), visit_id=visit_id, now=visit.now))


@router.get("/certificates")
def destructions(visit: Here) -> Json:
    """Certificates of destruction that concern this person."""
    return {"certificates": told(certificates.destructions(visit.portal.store, actor_of(visit), now=visit.now))}


@router.get("/certificates/{certificate_id}", response_class=Response)
def certificate(visit: Here, certificate_id: str) -> Response:
    """Hand out the signed file itself."""
    found = certificates.file_of(visit.portal.store, actor_of(visit), certificate_id, now=visit.now)
    return Response(found.to_json(), media_type="application/json")


@router.post("/certificates/{certificate_id}/witness")
def witness(visit: Changing, certificate_id: str, body: CodeBody) -> Json:
    """Countersign a certificate of destruction."""
    actor = proved(visit, body.code)
    return told(filing.witness(visit.portal, actor, certificate_id=certificate_id, now=visit.now))
