"""What a notebook asks from inside its workspace, through the gate: check files, submit them, ask how it stands.

Three things must agree: the gate's secret (so that the call came through the gate and not from anybody else on this
machine or through the public proxy), the workspace the gate names, and the hub's token of the person whose workspace
it is. The project is the workspace's own; nothing a notebook sends can name another.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request
from pydantic import BaseModel, ConfigDict, Field

from enclave import clock
from enclave.actor import Actor
from enclave.airlock.recipes.about import About
from enclave.airlock.report import FileReport, Finding
from enclave.commands import egress as commands
from enclave.commands import reviewing
from enclave.commands.content import FileNote
from enclave.commands.submission import Submission
from enclave.errors import Denied
from enclave.gate.limits import RefusedFile
from enclave.portal import refusals
from enclave.portal.asking import DetailsBody, GroupBody, NoteBody
from enclave.portal.failures import as_json
from enclave.portal.oauth import HubAwayError, HubRefusedError
from enclave.portal.parts import Portal
from enclave.portal.rest_json import told
from enclave.portal.sources import sources
from enclave.portal.taking import checked_files, collected, own_name, some_refused
from enclave.portal.usage import usage
from enclave.queries import egress, people, provider_policy, workspace
from enclave.queries.airlock_views import FindingView, RequestView
from enclave.queries.workspace import WorkspaceView
from enclave.states import Audience

router = APIRouter(tags=["workspace"])
NAME = Annotated[str, Field(min_length=1, max_length=400)]


@dataclass(frozen=True)
class Inside:
    """A call from inside one workspace: whose, and in which project."""

    portal: Portal
    actor: Actor
    workspace: WorkspaceView


class Said(NoteBody):
    """What is said about one file: what it is, the recipe that made it, the submitted file whose code did."""

    recipe: dict[str, Any] | None = None
    code: Annotated[str, Field(max_length=400)] = ""


class Files(BaseModel):
    """Names in the outbox, and by name what is said about them."""

    model_config = ConfigDict(extra="forbid")
    files: Annotated[list[NAME], Field(min_length=1, max_length=200)]
    about: Annotated[dict[NAME, Said], Field(max_length=200)] = {}

    def told(self) -> dict[str, About]:
        """Return what is said, by name. Raises `Invalid` where it names no file of this submission."""
        known = set(self.files)
        strange = {*self.about, *(said.code for said in self.about.values() if said.code)} - known
        if strange:
            raise refusals.about_no_file()
        return {name: About(said.recipe, said.code) for name, said in self.about.items()}


class Ask(Files):
    """A request to take files out. `key`: the same key is the same request; `request_id`: a returned one to redo."""

    purpose: Annotated[str, Field(max_length=4000)]
    context: Annotated[str, Field(max_length=8000)] = ""
    key: Annotated[str, Field(min_length=8, max_length=100)]
    receiver: Annotated[str, Field(max_length=40)] = ""
    request_id: Annotated[str, Field(max_length=40)] = ""
    groups: Annotated[list[GroupBody], Field(max_length=20)] = []
    details: DetailsBody = Field(default_factory=DetailsBody)

    def notes(self) -> dict[str, FileNote]:
        """Return what is said about the files, by the name under which each is kept."""
        return {own_name(name): said.note() for name, said in self.about.items()}


class Remark(BaseModel):
    """An answer to the checkers, on the round or on one of its groups."""

    model_config = ConfigDict(extra="forbid")
    text: Annotated[str, Field(min_length=1, max_length=8000)]
    group_id: Annotated[str, Field(max_length=40)] = ""


def inside(
    request: Request,
    authorization: Annotated[str, Header()] = "",
    x_ansim_gate: Annotated[str, Header()] = "",
    x_ansim_workspace: Annotated[str, Header()] = "",
) -> Inside:
    """Return who calls. Raises: Denied unless gate, workspace and person agree; Unavailable without the hub."""
    portal: Portal = request.app.state.portal
    if not hmac.compare_digest(x_ansim_gate.encode(), portal.gate_secret):
        raise _not_through_gate()
    scheme, _, token = authorization.partition(" ")
    try:
        login = portal.hub.user_of(token) if scheme.lower() in {"token", "bearer"} and token else ""
    except HubRefusedError:
        login = ""
    except HubAwayError as error:
        raise refusals.hub_away() from error
    if not login:
        raise _not_through_gate()
    actor = people.actor(portal.store, login, ip="127.0.0.1", session_id=x_ansim_workspace[:64], now=clock.now())
    # Raises `NotFound` for a workspace of somebody else's: the token and the gate must name the same person.
    return Inside(portal, actor, workspace.by_id(portal.store, actor, x_ansim_workspace))


Caller = Annotated[Inside, Depends(inside)]


@router.post("/egress/preflight")
def preflight(caller: Caller, body: Files) -> dict[str, Any]:
    """Check files as they will be checked at submission, and keep nothing."""
    about = body.told()
    with collected(caller.portal, caller.workspace.id, body.files) as (taken, refused):
        place = caller.portal, caller.actor, caller.workspace.project_id
        checked = checked_files(*place, taken, keep=False, about=about)
        found = commands.preflight(
            caller.portal.store,
            caller.actor,
            project_id=caller.workspace.project_id,
            files=checked,
            now=clock.now(),
        )
    verdict = "BLOCK" if refused else found.verdict.value
    files = [file_json(each.report, one.name) for each, one in zip(checked, taken, strict=True)]
    policy = found.policy.as_json()
    return {"verdict": verdict, "policy": policy, "files": files + [_refused(each) for each in refused]}


@router.post("/egress/submit")
def submit(caller: Caller, body: Ask) -> dict[str, Any]:
    """Copy the files by hash into quarantine, check them and make the request. Same key, same request."""
    about = body.told()
    place = caller.portal, caller.actor, caller.workspace.project_id
    with collected(caller.portal, caller.workspace.id, body.files) as (taken, refused):
        if refused:
            raise some_refused(refused)
        made = commands.submit(
            caller.portal.store,
            caller.actor,
            submission=Submission(
                project_id=caller.workspace.project_id,
                files=checked_files(*place, taken, keep=True, about=about, request_id=body.request_id),
                notes=body.notes(),
                groups=[each.group() for each in body.groups],
                details=body.details.details(),
                purpose=body.purpose,
                context=body.context,
                idempotency_key=body.key,
                receiver_login=body.receiver or None,
                workspace_id=caller.workspace.id,
                request_id=body.request_id or None,
            ),
            now=clock.now(),
        )
    return request_json(made)


@router.get("/data")
def data(caller: Caller) -> dict[str, Any]:
    """Say which signed snapshots the approved columns are of, and how few people a cell may have."""
    found = sources(caller.portal, caller.actor, caller.workspace.project_id)
    tables = {each.dataset: {"snapshot": each.snapshot, "tables": each.columns} for each in found}
    counts = provider_policy.of_project(caller.portal.store, caller.actor, caller.workspace.project_id)
    return {"min_cell": counts.document.min_cell, "policy": counts.as_json(), "datasets": tables}


@router.get("/display")
def display(caller: Caller) -> dict[str, Any]:
    """Say how much was shown in this hour and today, and how much may still be shown."""
    return usage(caller.portal, caller.workspace.id).as_json()


@router.get("/egress/requests")
def requests(caller: Caller) -> dict[str, Any]:
    """Say how the caller's own requests of this workspace's project stand, last submitted first."""
    mine = egress.mine(caller.portal.store, caller.actor, now=clock.now())
    rows = [each for each in mine if each.project_id == caller.workspace.project_id]
    return {"requests": told(rows)}


@router.post("/egress/withdraw/{request_id}")
def withdraw(caller: Caller, request_id: str) -> dict[str, Any]:
    """Take one's own request back. Not found for any other project's."""
    status(caller, request_id)
    return request_json(commands.withdraw(caller.portal.store, caller.actor, request_id=request_id, now=clock.now()))


@router.post("/egress/comment/{request_id}")
def comment(caller: Caller, request_id: str, body: Remark) -> dict[str, Any]:
    """Answer the checkers, in a comment that all can read. Not found for any other project's."""
    status(caller, request_id)
    made = reviewing.comment(
        caller.portal.store,
        caller.actor,
        request_id=request_id,
        text=body.text,
        audience=Audience.PUBLIC,
        group_id=body.group_id or None,
        now=clock.now(),
    )
    return request_json(made)


@router.get("/egress/status/{request_id}")
@router.get("/egress/{request_id}", include_in_schema=False)
def status(caller: Caller, request_id: str) -> dict[str, Any]:
    """Say how a request of this workspace's project stands. Not found for any other project's."""
    found = egress.request(caller.portal.store, caller.actor, request_id, now=clock.now())
    if found.project_id != caller.workspace.project_id:
        raise refusals.no_such_page()
    return request_json(found)


def request_json(found: RequestView) -> dict[str, Any]:
    """Return a request as programs read it."""
    return {
        "id": found.id,
        "purpose": found.purpose,
        "project_id": found.project_id,
        "state": found.state.value,
        "round": found.round,
        "verdict": found.verdict.value,
        "content_sha256": found.content_sha256,
        "direction": found.direction.value,
        "phase": found.phase.value,
        "reviews_in": found.reviews_in,
        "reviewers_needed": found.reviewers_needed,
        "queue_position": found.queue_position,
        "reruns": [{"code": code, "state": state} for code, state in found.reruns],
        "due_at": found.due_at.isoformat() if found.due_at else None,
        "due_on": found.due_on.isoformat() if found.due_on else None,
        "need_reasons": list(found.need_reasons),
        "groups": told(found.groups),
        "changes": told(found.changes),
        "comments": told(found.comments),
        "reviews": told(found.reviews),
        "release": told(found.release) if found.release else None,
        "submitted_at": found.submitted_at.isoformat(),
        "decided_at": found.decided_at.isoformat() if found.decided_at else None,
        "decided_reason": found.decided_reason,
        "files": [
            {
                "id": each.id,
                "name": each.name,
                "sha256": each.sha256,
                "size": each.size,
                "kind": each.kind,
                "rows": each.rows,
                "columns": each.columns,
                "role": each.role.value,
                "group_id": each.group_id,
                "carried": each.carried,
                "passed": each.passed,
                "decision": each.decision.value if each.decision else None,
                "verdict": each.verdict.value,
                "findings": [_finding(one) for one in each.findings],
            }
            for each in found.files
        ],
        "allowed": sorted(found.may),
    }


def file_json(report: FileReport, asked: str) -> dict[str, Any]:
    """Return what the checks say about one file, under the name it was asked by, as programs read it."""
    return {
        "name": asked,
        "sha256": report.sha256,
        "kind": report.kind,
        "rows": report.rows,
        "columns": report.columns,
        "verdict": report.verdict.value,
        "findings": [_finding(one) for one in report.findings],
        # That it was found, and not what: the numbers are for checkers.
        "evidence": [{"kind": one.kind, "status": one.status.value} for one in report.evidence],
    }


def _finding(one: Finding | FindingView) -> dict[str, Any]:
    names = ("rule", "severity", "ko", "en", "place", "sample")
    return {each: str(getattr(one, each)) for each in names} | {"repairs": list(one.repairs)}


def _refused(each: RefusedFile) -> dict[str, Any]:
    said = as_json(each)
    finding = {"rule": said["code"], "severity": "BLOCK", "place": "", "sample": "", "repairs": []}
    finding |= {"ko": f"{said['ko']} {said['remedy_ko']}", "en": f"{said['en']} {said['remedy_en']}"}
    nothing = {"sha256": "", "kind": "unknown", "rows": None, "columns": None}
    return {"name": each.shown, "verdict": "BLOCK", "findings": [finding], **nothing}


def _not_through_gate() -> Denied:
    return Denied(
        "portal.workspace-only",
        ko="이 주소는 작업공간 안에서만 쓸 수 있습니다.",
        en="This address answers from inside a workspace only.",
        remedy_ko="작업공간의 노트북에서 ansim 패키지를 쓰세요.",
        remedy_en="Use the ansim package from a notebook in your workspace.",
    )
