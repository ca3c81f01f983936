"""What a notebook asks from inside its workspace, through the gate: check files, submit them, ask how it stands.

Three things must agree: the gate's secret (so that the call came through the gate and not from anybody else on this
machine or through the public proxy), the workspace the gate names, and the hub's token of the person whose workspace
it is. The project is the workspace's own; nothing a notebook sends can name another.
"""

from __future__ import annotations

import contextlib
import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request
from pydantic import BaseModel, ConfigDict, Field

from enclave import clock
from enclave.actor import Actor
from enclave.airlock.checker import check
from enclave.airlock.report import FileReport
from enclave.airlock.rules import CheckRules
from enclave.commands import egress as commands
from enclave.commands.content import Checked, CollectedFile
from enclave.commands.submission import Submission
from enclave.errors import Denied, EnclaveError, Invalid
from enclave.gate.limits import Collected, CollectLimits, RefusedFile
from enclave.portal import refusals
from enclave.portal.failures import as_json
from enclave.portal.oauth import HubAwayError, HubRefusedError
from enclave.portal.parts import Portal
from enclave.portal.usage import usage
from enclave.queries import dataset, egress, people, project, workspace
from enclave.queries.egress import RequestView
from enclave.queries.workspace import WorkspaceView

router = APIRouter(tags=["workspace"])
NAME = Annotated[str, Field(min_length=1, max_length=400)]


@dataclass(frozen=True)
class Inside:
    """A call from inside one workspace: whose, and in which project."""

    portal: Portal
    actor: Actor
    workspace: WorkspaceView


class Files(BaseModel):
    """Names in the outbox."""

    model_config = ConfigDict(extra="forbid")
    files: Annotated[list[NAME], Field(min_length=1, max_length=200)]


class Ask(Files):
    """A request to take files out. `key`: the same key is the same request; `request_id`: a returned one to redo."""

    purpose: Annotated[str, Field(max_length=4000)]
    context: Annotated[str, Field(max_length=8000)] = ""
    key: Annotated[str, Field(min_length=8, max_length=100)]
    receiver: Annotated[str, Field(max_length=40)] = ""
    request_id: Annotated[str, Field(max_length=40)] = ""


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
    with _collected(caller, body.files) as (taken, refused):
        checked = _checked(caller, taken, keep=False)
        told = commands.preflight(
            caller.portal.store,
            caller.actor,
            project_id=caller.workspace.project_id,
            files=checked,
            now=clock.now(),
        )
    verdict = "BLOCK" if refused else told.verdict.value
    files = [_file(each.report, one.name) for each, one in zip(checked, taken, strict=True)]
    return {"verdict": verdict, "files": files + [_refused(each) for each in refused]}


@router.post("/egress/submit")
def submit(caller: Caller, body: Ask) -> dict[str, Any]:
    """Copy the files by hash into quarantine, check them and make the request. Same key, same request."""
    with _collected(caller, body.files) as (taken, refused):
        if refused:
            raise _some_refused(refused)
        made = commands.submit(
            caller.portal.store,
            caller.actor,
            submission=Submission(
                project_id=caller.workspace.project_id,
                files=_checked(caller, taken, keep=True),
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


@router.get("/display")
def display(caller: Caller) -> dict[str, Any]:
    """Say how much was shown in this hour and today, and how much may still be shown."""
    return usage(caller.portal, caller.workspace.id).as_json()


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
        "approvals": found.approvals,
        "approvals_needed": found.approvals_needed,
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
                "verdict": each.verdict.value,
                "findings": [_finding(one) for one in each.findings],
            }
            for each in found.files
        ],
        "allowed": sorted(found.may),
    }


@contextmanager
def _collected(caller: Inside, names: list[str]) -> Iterator[tuple[list[Collected], list[RefusedFile]]]:
    """Have the gate copy files out of the outbox; whatever happens, its copies do not stay in staging."""
    settings = caller.portal.settings
    limits = CollectLimits(
        file_bytes=settings.max_file_bytes,
        total_bytes=settings.max_file_bytes * settings.max_files,
        files=settings.max_files,
    )
    found = caller.portal.gate.collect(caller.workspace.id, names, limits=limits)
    taken = [each for each in found if isinstance(each, Collected)]
    try:
        yield taken, [each for each in found if isinstance(each, RefusedFile)]
    finally:
        for each in taken:
            each.path.unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # the folder is the gate's; it goes with its last copy if we may
                each.path.parent.rmdir()


def _checked(caller: Inside, taken: list[Collected], *, keep: bool) -> list[Checked]:
    """Check each copy; with `keep`, the copy in quarantine is the one that is checked and that may leave."""
    rules = _rules(caller)
    checked = []
    for each in taken:
        path: Path = each.path
        sha256, size = each.sha256, each.size
        if keep:
            stored = caller.portal.quarantine.put(each.path)
            path, sha256, size = caller.portal.quarantine.path(stored.sha256), stored.sha256, stored.size
        name = each.name.rpartition("/")[2]  # the notebook puts each submission into a folder of its own
        checked.append(Checked(CollectedFile(name, sha256, size), check(path, name, rules)))
    return checked


def _rules(caller: Inside) -> CheckRules:
    """Return what the checker needs to know of this project's data: pseudonym columns and how many people."""
    settings, store = caller.portal.settings, caller.portal.store
    about = project.project(store, caller.actor, caller.workspace.project_id, now=clock.now())
    pseudonyms = {each.column for each in about.columns if each.treatment.startswith("pseudonym")}
    used = {each.snapshot_id for each in about.columns}
    subjects = [dataset.snapshot(store, caller.actor, each).subjects for each in used]
    return CheckRules(
        min_cell=settings.min_cell,
        max_bytes=settings.max_file_bytes,
        id_columns=tuple(sorted(pseudonyms)),
        subjects=max(subjects, default=None),
    )


def _file(report: FileReport, asked: str) -> dict[str, Any]:
    return {
        "name": asked,
        "sha256": report.sha256,
        "kind": report.kind,
        "rows": report.rows,
        "columns": report.columns,
        "verdict": report.verdict.value,
        "findings": [_finding(one) for one in report.findings],
    }


def _finding(one: Any) -> dict[str, str]:
    names = ("rule", "severity", "ko", "en", "place", "sample")
    return {name: str(getattr(one, name)) for name in names}


def _refused(each: RefusedFile) -> dict[str, Any]:
    told = as_json(each)
    finding = {"rule": told["code"], "severity": "BLOCK", "place": "", "sample": ""}
    finding |= {"ko": f"{told['ko']} {told['remedy_ko']}", "en": f"{told['en']} {told['remedy_en']}"}
    nothing = {"sha256": "", "kind": "unknown", "rows": None, "columns": None}
    return {"name": each.shown, "verdict": "BLOCK", "findings": [finding], **nothing}


def _some_refused(refused: list[RefusedFile]) -> EnclaveError:
    names = ", ".join(each.shown for each in refused)
    return Invalid(
        refused[0].code,
        ko=f"가져올 수 없는 파일이 있어 아무것도 신청하지 않았습니다: {names}. {refused[0].ko}",
        en=f"Nothing was requested, because these files cannot be taken: {names}. {refused[0].en}",
        remedy_ko=refused[0].remedy_ko,
        remedy_en=refused[0].remedy_en,
    )


def _not_through_gate() -> Denied:
    return Denied(
        "portal.workspace-only",
        ko="이 주소는 작업공간 안에서만 쓸 수 있습니다.",
        en="This address answers from inside a workspace only.",
        remedy_ko="작업공간의 노트북에서 ansim 패키지를 쓰세요.",
        remedy_en="Use the ansim package from a notebook in your workspace.",
    )
