"""The form of a request: files as our own checker saw them, groups, purpose, context, receiver (korea.md R45, R70)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy.orm import Session

from enclave import workdays
from enclave.actor import Actor
from enclave.airlock.report import FileReport, Finding, Status
from enclave.commands.acting import require
from enclave.commands.content import Checked, Content, FileNote, Group
from enclave.commands.details import Details, check_details
from enclave.errors import Denied, Invalid
from enclave.ids import new_id
from enclave.model.egress import AirlockRequest, FileFinding, OutputFile, RequestGroup, RequestRound
from enclave.model.people import Account
from enclave.model.project import Project
from enclave.model.workspace import Workspace
from enclave.policy import ends
from enclave.policy.airlock import who
from enclave.policy.project import check_not_frozen
from enclave.queries.ends import frozen_facts, is_project_frozen
from enclave.queries.people import load_account
from enclave.queries.project import facts as project_facts
from enclave.queries.provider_policy import InForce
from enclave.queries.workspace import no_workspace
from enclave.states import Direction, FileRole, WorkspaceState

MAX_FILES, MAX_GROUPS = 100, 20


@dataclass(frozen=True, kw_only=True)
class Submission:
    """What is asked for.

    `receiver_login`: a member of the project, the requester if None. `idempotency_key`: any text that is new for a new
    request and the same for a repeated click. `request_id`: the draft or returned request whose next round this is.
    `groups`: with none, all files are one group whose context is that of the request; `notes` by file name.
    """

    project_id: str
    files: Sequence[Checked]
    purpose: str
    context: str
    idempotency_key: str
    receiver_login: str | None = None
    workspace_id: str | None = None
    request_id: str | None = None
    direction: Direction = Direction.EGRESS
    groups: Sequence[Group] = ()
    notes: Mapping[str, FileNote] = field(default_factory=dict)
    details: Details = field(default_factory=Details)

    @property
    def all_groups(self) -> Sequence[Group]:
        """The groups, or the one that all files belong to."""
        return self.groups or (Group("", self.context),)

    def note(self, name: str) -> FileNote:
        """Return what is said about a file; one that another names as its code is code."""
        found = self.notes.get(name, FileNote())
        if found.role is None:
            is_code = any(one.file.code == name for one in self.files)
            found = replace(found, role=FileRole.CODE if is_code else FileRole.OUTPUT)
        return found

    def content(self, receiver_id: str) -> Content:
        """Return all that reviewers will judge."""
        return Content(
            files=[one.file for one in self.files],
            receiver_id=receiver_id,
            purpose=self.purpose,
            context=self.context,
            direction=self.direction,
            groups=self.all_groups,
            notes={one.file.name: self.note(one.file.name) for one in self.files},
            details=self.details,
        )


def check_may_ask(session: Session, acting: Actor, project: Project, workspace_id: str | None, now: datetime) -> None:
    """Raise `Denied` unless the actor may ask for files now: of an active project, or out of their frozen workspace."""
    found = session.get(Workspace, workspace_id) if workspace_id else None
    if found is not None and found.project_id == project.id and found.state is WorkspaceState.FROZEN:
        ends.check_may_ask(acting, frozen_facts(found), now)
    else:
        who.check_may_submit(acting, project_facts(project), project.state, now)
    check_not_frozen(frozen=is_project_frozen(project))


def check_form(form: Submission) -> None:
    """Raise `Invalid` unless the texts are there and the files belong to their reports."""
    require(
        ("반출 목적", "purpose", form.purpose),
        ("설명", "context", form.context),
        ("신청 열쇠", "idempotency key", form.idempotency_key),
    )
    check_files(form.files)
    _check_groups(form)
    check_details(form.details)


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


def round_row(found: AirlockRequest, form: Submission, counts: InForce, acting: Actor, now: datetime) -> RequestRound:
    """Return the row of the round that begins: what was asked, under which policy, and until when (working days).

    Who is needed is said once its files are there (`enclave.commands.egress`).
    """
    rules = counts.document.reviewer_rules
    return RequestRound(
        request_id=found.id,
        round=found.round,
        content_sha256=found.content_sha256,
        submitted_at=now,
        submitted_by=acting.account_id,
        purpose=form.purpose,
        context=form.context,
        details=form.details.as_json(),
        reviewers_needed=0,
        need_reasons=[],
        policy_version=counts.document.sha256,
        policy_parts=counts.parts,
        due_at=workdays.after(now, rules.working_days),
        escalate_at=workdays.after(now, rules.working_days * rules.escalate_at),
    )


def group_rows(found: AirlockRequest, form: Submission) -> dict[str, RequestGroup]:
    """Return the rows of the present round's groups, by name."""
    return {
        each.name: RequestGroup(
            id=new_id("o"),
            request_id=found.id,
            round=found.round,
            position=position,
            name=each.name,
            context=each.context,
            controls=each.controls,
        )
        for position, each in enumerate(form.all_groups)
    }


def file_row(found: AirlockRequest, one: Checked, note: FileNote, place: tuple[int, str], now: datetime) -> OutputFile:
    """Return the row of one file of the present round, with its findings; `place` is (position, group id)."""
    report = one.report
    file = OutputFile(
        id=new_id("f"),
        request_id=found.id,
        round=found.round,
        position=place[0],
        group_id=place[1],
        name=one.file.name,
        sha256=one.file.sha256,
        size=one.file.size,
        role=note.role or FileRole.OUTPUT,
        recipe=one.file.recipe,
        code=one.file.code,
        description=note.description,
        statistic=note.statistic,
        subjects=note.subjects,
        smallest_cell=note.smallest_cell,
        kind=report.kind,
        rows=report.rows,
        columns=report.columns,
        verdict=report.verdict,
        recomputed=is_recomputed(report),
        report=report.to_json(),
        rules_sha256=one.rules_sha256,
        carried_from=one.carried_from,
        checked_at=now,
    )
    file.findings = [_finding_row(number, each) for number, each in enumerate(report.findings)]
    return file


def is_recomputed(report: FileReport) -> bool:
    """Return whether our own computation from the snapshot gave every number of the file."""
    ours = {each.status for each in report.evidence if each.kind == "recompute"}
    return ours == {Status.MATCH}


def _finding_row(position: int, found: Finding) -> FileFinding:
    return FileFinding(
        id=new_id("n"),
        position=position,
        rule=found.rule,
        severity=found.severity,
        ko=found.ko,
        en=found.en,
        place=found.place,
        sample=found.sample,
        repairs=list(found.repairs),
    )


def _check_groups(form: Submission) -> None:
    names = [each.name for each in form.all_groups]
    files = {one.file.name for one in form.files}
    notes = [form.note(name) for name in files]
    outputs = any(note.role is FileRole.OUTPUT for note in notes)
    flaws = (
        (len(set(names)) != len(names) or len(names) > MAX_GROUPS, "묶음 이름이 겹치거나 너무 많음", "group names"),
        (any(not each.context.strip() for each in form.all_groups), "묶음 설명이 빠짐", "a group without context"),
        (any(not each.controls.strip() for each in form.groups), "묶음의 통제 설명이 빠짐", "a group without controls"),
        (any(note.group not in names for note in notes if note.group), "없는 묶음", "a group that is not there"),
        (not set(form.notes) <= files, "없는 파일에 대한 설명", "a note on no file"),
        (
            any(one.file.code and one.file.code not in files for one in form.files),
            "없는 코드 파일",
            "code that is not there",
        ),
        (not outputs, "반출 대상 파일이 없음", "no output among the files"),
    )
    for wrong, ko, en in flaws:
        if wrong:
            raise _bad_files(ko, en)


def _bad_files(ko: str, en: str) -> Invalid:
    return Invalid(
        "egress.files",
        ko=f"신청할 파일이 올바르지 않습니다. {ko}.",
        en=f"The files cannot be requested: {en}.",
        remedy_ko="파일 목록을 고쳐 다시 제출하세요.",
        remedy_en="Mend the list of files and submit again.",
    )
