"""Stopping a whole project with one button, and lifting it: forms of the project's page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from enclave.commands import freeze as commands
from enclave.portal.acting import actor_of, done, tried
from enclave.portal.ending import freeze_project
from enclave.portal.forms import Form
from enclave.portal.pages import project
from enclave.portal.visit import Here, OwnForm, Visit

router = APIRouter()


@router.post("/projects/{project_id}/freeze")
def freeze(visit: Here, form: OwnForm, project_id: str) -> Response:
    """Freeze a project: the command freezes the rows, the gate stops what runs, at once."""

    def act() -> str:
        freeze_project(visit, project_id, form.text("freeze_reason"))
        return f"/projects/{project_id}"

    return tried(
        lambda: done(visit, form, act, "ends.frozen_now"), lambda error: project.show(visit, project_id, form, error)
    )


@router.post("/projects/{project_id}/thaw")
def thaw(visit: Here, form: OwnForm, project_id: str) -> Response:
    """Lift a project's freeze."""

    def act() -> str:
        _given(visit, commands.thaw_project, form, project_id=project_id)
        return f"/projects/{project_id}"

    return tried(
        lambda: done(visit, form, act, "ends.thawed_now"), lambda error: project.show(visit, project_id, form, error)
    )


@router.post("/projects/{project_id}/workspaces/{workspace_id}/thaw")
def thaw_one(visit: Here, form: OwnForm, project_id: str, workspace_id: str) -> Response:
    """Lift the freeze of one workspace."""

    def act() -> str:
        _given(visit, commands.thaw_workspace, form, workspace_id=workspace_id)
        return f"/projects/{project_id}"

    return tried(
        lambda: done(visit, form, act, "ends.thawed_now"), lambda error: project.show(visit, project_id, form, error)
    )


def _given(visit: Visit, command: Callable[..., Any], form: Form, **fields: str) -> Any:
    return command(visit.portal.store, actor_of(visit), reason=form.text("freeze_reason"), now=visit.now, **fields)
