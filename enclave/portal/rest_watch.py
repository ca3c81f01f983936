"""What the gate saw, and how much may be shown, as JSON: executed code, findings, display limits."""

from __future__ import annotations

from dataclasses import fields
from typing import Annotated, Any

from fastapi import APIRouter, Header
from pydantic import Field

from enclave.commands import code as commands
from enclave.commands.display import set_display_policy
from enclave.portal.acting import actor_of
from enclave.portal.limits import bring_limits
from enclave.portal.rest import Changing, once
from enclave.portal.rest_bodies import Body, Long
from enclave.portal.rest_json import told
from enclave.portal.visit import Here
from enclave.queries import display, watch
from enclave.workspace.plan import Display

router = APIRouter(tags=["watch"])
Json = Any
Amount = Annotated[int, Field(ge=0, le=1 << 40)]
Key = Annotated[str, Header(alias="Idempotency-Key", max_length=100)]


class DisplayBody(Body):
    """How much may be shown of one's own organisation's data in a project: bytes, rows of tables, pictures."""

    message_bytes: Amount
    content_bytes: Amount
    hour_bytes: Amount
    day_bytes: Amount
    hour_rows: Amount
    day_rows: Amount
    hour_pictures: Amount
    day_pictures: Amount
    reason: Long

    def limits(self) -> Display:
        """Return them as the command takes them."""
        return Display(**{field.name: getattr(self, field.name) for field in fields(Display)})


@router.get("/projects/{project_id}/display")
def limits(visit: Here, project_id: str) -> Json:
    """Show how much may be shown in a project: what counts, what is usual, what each provider said."""
    return told(display.of_project(visit.portal.store, actor_of(visit), project_id, visit.portal.settings))


@router.put("/projects/{project_id}/display")
def set_limits(visit: Changing, project_id: str, body: DisplayBody, key: Key = "") -> Json:
    """Say how much may be shown, as a data steward of a provider; of several the strictest counts."""

    def act() -> object:
        said = set_display_policy(
            visit.portal.store,
            visit.portal.settings,
            actor_of(visit),
            project_id=project_id,
            limits=body.limits(),
            reason=body.reason,
            now=visit.now,
        )
        bring_limits(visit.portal, project_id)
        return said

    return once(visit, key, act)


@router.get("/projects/{project_id}/findings")
def project_findings(visit: Here, project_id: str) -> Json:
    """Show that there are findings on screens of a project; null to those who may not know."""
    found = watch.in_project(visit.portal.store, actor_of(visit), project_id)
    return {"findings": told(found) if found else None}


@router.get("/code")
def executed(visit: Here, project_id: str = "", before: str = "") -> Json:
    """Show what ran, newest first, as hashes; `before` is the id of the last one seen."""
    found = watch.executed(visit.portal.store, actor_of(visit), project_id=project_id, before=before)
    return {"code": told(found)}


@router.get("/code/{code_id}/text")
def code_text(visit: Here, code_id: str) -> Json:
    """Read one execution's text, for auditors; the look is an entry."""
    portal = visit.portal
    return told(commands.view_code(portal.store, portal.vault, actor_of(visit), code_id=code_id, now=visit.now))


@router.get("/findings")
def findings(visit: Here, project_id: str = "") -> Json:
    """Show the newest findings on screens: kinds and counts."""
    return {"findings": told(watch.findings(visit.portal.store, actor_of(visit), project_id=project_id))}


@router.get("/findings/{finding_id}/samples")
def finding_samples(visit: Here, finding_id: str) -> Json:
    """Read one finding's masked samples, for auditors; the look is an entry."""
    portal = visit.portal
    return told(
        commands.view_finding(portal.store, portal.vault, actor_of(visit), finding_id=finding_id, now=visit.now)
    )
