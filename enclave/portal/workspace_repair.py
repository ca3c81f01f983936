"""One-step repairs asked for from inside a workspace: a file of the outbox in, a new file and its verdict out.

Nothing is stored and nothing is requested: the new file goes back into the workspace it came from. That it was checked
is an entry like any check before a request.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from enclave import clock
from enclave.airlock.repairing import repair as make
from enclave.commands import egress as commands
from enclave.commands.content import Checked, CollectedFile
from enclave.portal.taking import collected, measures_of, some_refused
from enclave.portal.workspace_api import NAME, Caller, file_json

router = APIRouter(tags=["workspace"])


class Wanted(BaseModel):
    """One file in the outbox, and the id of a repair that a finding offered."""

    model_config = ConfigDict(extra="forbid")
    file: NAME
    repair: Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[a-z-]+$")]


@router.post("/egress/repair")
def repair(caller: Caller, body: Wanted) -> dict[str, Any]:
    """Return the repaired file (`name`, `content` in base64) with its verdict and findings."""
    project_id = caller.workspace.project_id
    with collected(caller.portal, caller.workspace.id, [body.file]) as (taken, refused):
        if refused:
            raise some_refused(refused)
        measures = measures_of(caller.portal, caller.actor, project_id)
        name = body.file.rpartition("/")[2]
        made = make(taken[0].path, name, body.repair, measures.rules, known=measures.known)
    file = CollectedFile(made.name, hashlib.sha256(made.content).hexdigest(), len(made.content))
    commands.preflight(
        caller.portal.store,
        caller.actor,
        project_id=project_id,
        files=[Checked(file, made.report)],
        now=clock.now(),
    )
    return file_json(made.report, made.name) | {"content": base64.b64encode(made.content).decode()}
