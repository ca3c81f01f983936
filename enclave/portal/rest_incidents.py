"""Incidents as JSON: opened, revised, reported, closed; the report's text. Freezing is `/projects/{id}/freeze`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Header
from pydantic import AwareDatetime, Field
from starlette.responses import PlainTextResponse, Response

from enclave.commands import incident as commands
from enclave.commands.incident import Known
from enclave.model.incident import IncidentKind
from enclave.portal.acting import actor_of
from enclave.portal.rest import Changing, once
from enclave.portal.rest_bodies import Body, Long, ReasonBody, Short
from enclave.portal.rest_json import told
from enclave.portal.visit import Here, Visit
from enclave.queries import incident as queries
from enclave.reports import incident as report

router = APIRouter(tags=["incidents"])
Json = Any
Key = Annotated[str, Header(alias="Idempotency-Key", max_length=100)]


class KnownBody(Body):
    """What is known, in the items of PIPA §34①; `subjects`: how many people, null if not known yet."""

    items: Long = ""
    circumstances: Long
    advice: Long = ""
    response: Long = ""
    contact: Long = ""
    subjects: Annotated[int, Field(ge=0, lt=1_000_000_000)] | None = None

    def known(self) -> Known:
        """Return it as commands take it."""
        return Known(**self.model_dump(include=set(KnownBody.model_fields)))


class OpenBody(KnownBody):
    """An incident: what kind, when it was found, and the project, if one is concerned."""

    kind: IncidentKind
    discovered_at: AwareDatetime
    project_id: Short | None = None


class ReceiptBody(Body):
    """The number under which the authority took the report."""

    receipt: Short


@router.get("/incidents")
def incidents(visit: Here) -> Json:
    """Show the incidents this person may see, what is due soonest first."""
    return {"incidents": told(queries.incidents(visit.portal.store, actor_of(visit), now=visit.now))}


@router.post("/incidents", status_code=201)
def open_incident(visit: Changing, body: OpenBody, key: Key = "") -> Json:
    """Open an incident; 72 hours run from `discovered_at`."""
    found_at: datetime = body.discovered_at
    return once(
        visit,
        key,
        lambda: commands.open_incident(
            visit.portal.store,
            actor_of(visit),
            kind=body.kind,
            discovered_at=found_at,
            project_id=body.project_id,
            known=body.known(),
            now=visit.now,
        ),
    )


@router.get("/incidents/{incident_id}")
def incident(visit: Here, incident_id: str) -> Json:
    """Show one incident: hours left, what is known, the exports it may concern."""
    return told(queries.incident(visit.portal.store, actor_of(visit), incident_id, now=visit.now))


@router.get("/incidents/{incident_id}/report", response_class=Response)
def report_text(visit: Here, incident_id: str) -> Response:
    """Hand out the text of the report to the authority."""
    facts = queries.facts_of_report(visit.portal.store, actor_of(visit), incident_id)
    return PlainTextResponse(report.text(facts))


@router.post("/incidents/{incident_id}/revise")
def revise(visit: Changing, incident_id: str, body: KnownBody, key: Key = "") -> Json:
    """Say anew what is known."""
    return _on(visit, key, commands.revise, incident_id, known=body.known())


@router.post("/incidents/{incident_id}/file")
def file_report(visit: Changing, incident_id: str, body: ReceiptBody, key: Key = "") -> Json:
    """Record that the authority was told."""
    return _on(visit, key, commands.file_report, incident_id, receipt=body.receipt)


@router.post("/incidents/{incident_id}/close")
def close(visit: Changing, incident_id: str, body: ReasonBody, key: Key = "") -> Json:
    """End a reported incident."""
    return _on(visit, key, commands.close, incident_id, reason=body.reason)


@router.post("/incidents/{incident_id}/dismiss")
def dismiss(visit: Changing, incident_id: str, body: ReasonBody, key: Key = "") -> Json:
    """Say that it was no incident."""
    return _on(visit, key, commands.dismiss, incident_id, reason=body.reason)


@router.post("/incidents/{incident_id}/reopen")
def reopen(visit: Changing, incident_id: str, body: ReasonBody, key: Key = "") -> Json:
    """Take a dismissed incident up again."""
    return _on(visit, key, commands.reopen, incident_id, reason=body.reason)


def _on(visit: Visit, key: str, command: Callable[..., Any], incident_id: str, **fields: Any) -> Json:
    store, actor = visit.portal.store, actor_of(visit)
    return once(visit, key, lambda: command(store, actor, incident_id=incident_id, now=visit.now, **fields))
