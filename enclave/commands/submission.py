"""The form of an egress request: files as our own checker saw them, purpose, context, receiver (korea.md R45, R70)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from enclave.actor import Actor
from enclave.commands.acting import require
from enclave.commands.content import Checked
from enclave.errors import Denied, Invalid
from enclave.ids import new_id
from enclave.model.egress import EgressRequest, FileFinding, OutputFile
from enclave.model.people import Account
from enclave.model.project import Project
from enclave.model.workspace import Workspace
from enclave.policy import egress, ends
from enclave.queries.ends import frozen_facts
from enclave.queries.people import load_account
from enclave.queries.project import facts as project_facts
from enclave.queries.workspace import no_workspace
from enclave.states import WorkspaceState

MAX_FILES = 100


@dataclass(frozen=True, kw_only=True)
class Submission:
    """What is asked for.

    `receiver_login`: a member of the project, the requester if None. `idempotency_key`: any text that is new for a new
    request and the same for a repeated click. `request_id`: the returned request whose next round this is.
    """

    project_id: str
    files: Sequence[Checked]
    purpose: str
    context: str
    idempotency_key: str
    receiver_login: str | None = None
    workspace_id: str | None = None
    request_id: str | None = None


def check_may_ask(session: Session, acting: Actor, project: Project, workspace_id: str | None, now: datetime) -> None:
    """Raise `Denied` unless the actor may ask for files now: of an active project, or out of their frozen workspace."""
    found = session.get(Workspace, workspace_id) if workspace_id else None
    if found is not None and found.project_id == project.id and found.state is WorkspaceState.FROZEN:
        ends.check_may_ask(acting, frozen_facts(found), now)
    else:
        egress.check_may_submit(acting, project_facts(project), project.state, now)


def check_form(form: Submission) -> None:
    """Raise `Invalid` unless the texts are there and the files belong to their reports."""
    require(
        ("반출 목적", "purpose", form.purpose),
        ("설명", "context", form.context),
        ("신청 열쇠", "idempotency key", form.idempotency_key),
    )
    check_files(form.files)


def check_files(files: Sequence[Checked]) -> None:
    """Raise `Invalid` (`egress.files`) for no file, too many, a name twice, or a report about other bytes."""
    names = [one.file.name for one in files]
    twice = sorted({name for name in names if names.count(name) > 1})
    strange = [one.file.name for one in files if one.report.sha256 != one.file.sha256]
    if not files or len(files) > MAX_FILES:
        raise _bad_files(f"파일 수가 {len(files)}개입니다(1~{MAX_FILES}개)", f"{len(files)} files (1 to {MAX_FILES})")
    if twice:
        raise _bad_files(f"이름이 겹칩니다: {twice!a}", f"the same name twice: {twice!a}")
    if strange:
        raise _bad_files(f"점검 결과가 다른 내용에 대한 것입니다: {strange!a}", f"reports on other bytes: {strange!a}")


def receiver(session: Session, project: Project, form: Submission, acting: Actor) -> Account:
    """Return who will receive the files: a member of the project; checks the workspace named, too.

    Raises `Denied` (`egress.receiver`), `NotFound` (`account.unknown`, `workspace.unknown`).
    """
    if form.workspace_id is not None:
        place = session.get(Workspace, form.workspace_id)
        if place is None or (place.account_id, place.project_id) != (acting.account_id, project.id):
            raise no_workspace(form.workspace_id)
    found = load_account(session, form.receiver_login or acting.login)
    if found.id not in {member.account_id for member in project.members}:
        raise Denied(
            "egress.receiver",
            ko=f"수령인 ‘{found.login}’은(는) 이 과제의 참여자가 아닙니다.",
            en=f"The receiver ‘{found.login}’ is not a member of this project.",
            remedy_ko="과제 참여자 가운데서 수령인을 고르세요.",
            remedy_en="Choose a receiver among the project's members.",
        )
    return found


def file_row(found: EgressRequest, one: Checked, position: int, now: datetime) -> OutputFile:
    """Return the row of one file of the present round, with its findings."""
    report = one.report
    file = OutputFile(
        id=new_id("f"),
        request_id=found.id,
        round=found.round,
        position=position,
        name=one.file.name,
        sha256=one.file.sha256,
        size=one.file.size,
        kind=report.kind,
        rows=report.rows,
        columns=report.columns,
        verdict=report.verdict,
        checked_at=now,
    )
    file.findings = [
        FileFinding(
            id=new_id("n"),
            position=number,
            rule=each.rule,
            severity=each.severity,
            ko=each.ko,
            en=each.en,
            place=each.place,
            sample=each.sample,
        )
        for number, each in enumerate(report.findings)
    ]
    return file


def _bad_files(ko: str, en: str) -> Invalid:
    return Invalid(
        "egress.files",
        ko=f"신청할 파일이 올바르지 않습니다. {ko}.",
        en=f"The files cannot be requested: {en}.",
        remedy_ko="파일 목록을 고쳐 다시 제출하세요.",
        remedy_en="Mend the list of files and submit again.",
    )
