"""What those do who want files through the airlock, in either direction (반출·반입 신청; korea.md R44–R48).

Each is one step of the one machine (`enclave.policy.airlock.machine`). What reviewers do: `enclave.commands.reviewing`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from enclave.actions import Action
from enclave.actor import Actor
from enclave.airlock.report import Verdict
from enclave.commands import populations, provider_policy, rerun
from enclave.commands import submission as forms
from enclave.commands.acting import intent, present, require, text_sha256
from enclave.commands.content import Checked
from enclave.commands.moving import ACTIONS, RULE, VIEWS, begin, cancel_release, move, step
from enclave.commands.submission import Submission
from enclave.errors import Conflict, Denied, NotFound
from enclave.ids import new_id
from enclave.model.egress import AirlockRequest
from enclave.model.people import Account
from enclave.model.project import Project
from enclave.policy.airlock import machine, votes, who
from enclave.queries.airlock_facts import facts, load_request, present_files, present_round
from enclave.queries.airlock_shown import file_view, request_view
from enclave.queries.airlock_views import FileView, RequestView, worst
from enclave.queries.people import load_account
from enclave.queries.project import facts as project_facts
from enclave.queries.project import load_project
from enclave.queries.provider_policy import InForce, in_force
from enclave.states import FileRole, RequestState, Verb
from enclave.store import Store


@dataclass(frozen=True)
class Preflight:
    """What our checker says before anything is asked: the gravest verdict, each file's report, and under what."""

    verdict: Verdict
    files: tuple[Checked, ...]
    policy: InForce


def preflight(store: Store, actor: Actor, *, project_id: str, files: Sequence[Checked], now: datetime) -> Preflight:
    """Return the checker's verdicts without asking for anything. Members of an active project.

    Raises `Denied`, `NotFound`, `Invalid` (a report that is not about its file).
    """
    with store.write(intent(Action.EGRESS_PREFLIGHT, actor, ("project", project_id), project=project_id)) as tx:
        found = load_project(tx.session, project_id)
        who.check_may_submit(present(tx.session, actor, now), project_facts(found), found.state, now)
        forms.check_files(files)
        verdict = worst(one.report.verdict for one in files)
        counts = in_force(tx.session, project_facts(found).providers)
        tx.record(
            details={
                "files": len(files),
                "verdict": verdict.value,
                "policy": counts.document.sha256,
                # The review counts different outputs that were stopped: the same bytes tried twice are one.
                "content_sha256": text_sha256(*sorted(one.file.sha256 for one in files)),
            }
        )
        return Preflight(verdict, tuple(files), counts)


def submit(store: Store, actor: Actor, *, submission: Submission, now: datetime) -> RequestView:
    """Ask for these files to be let through, anew or (with `request_id`) as the next round of a draft or a return.

    The same idempotency key and content again return the first answer: a double click asks once. Members of an
    active project. Raises `Denied`, `NotFound`, `Invalid` (`input.missing`, `egress.files` …), `Conflict`
    (`egress.key-reused`; not returned).
    """
    form = submission
    action = ACTIONS[form.direction][Verb.SUBMIT]
    event = intent(action, actor, ("egress_request", form.request_id or "new"), project=form.project_id)
    with store.write(event) as tx:
        # Locking the project puts two clicks in a row: the second then finds what the first has made.
        project = load_project(tx.session, form.project_id, lock=True)
        acting = present(tx.session, actor, now)
        forms.check_may_ask(tx.session, acting, project, form.workspace_id, now)
        forms.check_form(form)
        receiver = forms.receiver(tx.session, project, form, acting)
        content = form.content(receiver.id).sha256()
        found = _same(tx.session, acting, form)
        if found is None:
            found = _next_round(tx.session, acting, form, now) if form.request_id else _new(project, acting, form, now)
            _fill(tx.session, found, form, (acting, receiver, content), now)
        elif found.content_sha256 != content:
            raise _key_reused()
        tx.record(
            object_id=found.id,
            object_sha256=content,
            rule=RULE,
            # 다운로드 사유: the purpose, which no request is without; its text stays in the database.
            reason_code="purpose.stated",
            details={
                "round": found.round,
                "files": len(form.files),
                "bytes": sum(one.file.size for one in form.files),
                "purpose_sha256": text_sha256(form.purpose),
                "verdict": worst(file.verdict for file in present_files(found)).value,
                "reviewers": votes.need(facts(found, now)).reviewers,
                "policy": _policy_of(found),
            },
        )
        return request_view(found, acting, now)


def withdraw(store: Store, actor: Actor, *, request_id: str, now: datetime) -> RequestView:
    """Take a request back before it leaves. Its requester; for one who is gone, the project's lead or an operator.

    Raises `Denied`, `NotFound`, `Conflict`.
    """
    with store.write(intent(Action.EGRESS_WITHDRAW, actor, ("egress_request", request_id))) as tx:
        begun = step(tx, actor, request_id, Verb.WITHDRAW, now)
        found = begun.found
        tx.record(object_sha256=found.content_sha256 or None)
        move(found, Verb.WITHDRAW, RequestState.WITHDRAWN, now)
        cancel_release(found.release)
        return request_view(found, begun.acting, now)


def reassign(  # noqa: PLR0913 - keyword-only fields of one form
    store: Store, actor: Actor, *, request_id: str, login: str, reason: str, now: datetime
) -> RequestView:
    """Hand a request to another member, who goes on in its author's place; what was reviewed stays as it is.

    Its author, or, when the author is gone, the project's lead or an operator. Raises `Denied` (`egress.heir`: not a
    member who may act), `NotFound`, `Conflict`, `Invalid`.
    """
    with store.write(intent(Action.EGRESS_REASSIGN, actor, ("egress_request", request_id))) as tx:
        begun = step(tx, actor, request_id, Verb.REASSIGN, now)
        require(("사유", "reason", reason))
        heir = load_account(tx.session, login)
        if heir.id not in begun.about.heirs:
            raise _no_heir(login)
        found = begun.found
        tx.record(details={"from": found.requester_id, "to": heir.id, "reason_sha256": text_sha256(reason)})
        move(found, Verb.REASSIGN, found.state, now)
        found.requester = heir
        tx.session.flush()
        return request_view(found, begun.acting, now)


def view_file(store: Store, actor: Actor, *, request_id: str, file_id: str, now: datetime) -> FileView:
    """Record that somebody looks into a file, and return it; the page then shows the sealed preview.

    Whoever may see the request. Raises `Denied`, `NotFound` (`egress.unknown`, `egress.no-file`).
    """
    with store.write(intent(Action.EGRESS_VIEW, actor, ("egress_request", request_id))) as tx:
        begun = begin(tx, actor, request_id, now)
        tx.record(action=VIEWS[begun.found.direction].value)
        who.check_may_see(begun.acting, begun.about)
        file = next((each for each in begun.found.files if each.id == file_id), None)
        if file is None:
            raise NotFound(
                "egress.no-file",
                ko="이 신청에 그런 파일이 없습니다.",
                en="This request has no such file.",
                remedy_ko="화면을 새로 고치세요.",
                remedy_en="Reload the page.",
            )
        tx.record(object_sha256=file.sha256, details={"file": file.id, "round": file.round})
        return file_view(file)


def _policy_of(found: AirlockRequest) -> str:
    current = present_round(found)
    return (current.policy_version if current is not None else None) or ""


def _same(session: Session, acting: Actor, form: Submission) -> AirlockRequest | None:
    query = select(AirlockRequest).where(
        AirlockRequest.requester_id == acting.account_id, AirlockRequest.idempotency_key == form.idempotency_key
    )
    found = session.scalar(query)
    if found is not None and (found.project_id != form.project_id or form.request_id not in {None, found.id}):
        raise _key_reused()
    return found


def _new(project: Project, acting: Actor, form: Submission, now: datetime) -> AirlockRequest:
    return AirlockRequest(
        id=new_id("e"),
        direction=form.direction,
        project=project,
        requester_id=acting.account_id,
        workspace_id=form.workspace_id,
        # A request begins as a draft, even if only for a moment: there is one way to `submitted`.
        state=RequestState.DRAFT,
        round=0,
        created_at=now,
    )


def _next_round(session: Session, acting: Actor, form: Submission, now: datetime) -> AirlockRequest:
    found = load_request(session, form.request_id or "", lock=True)
    machine.check(acting, facts(found, now), Verb.SUBMIT, now)
    if (found.project_id, found.direction) != (form.project_id, form.direction):
        raise _key_reused()
    return found


def _fill(
    session: Session, found: AirlockRequest, form: Submission, about: tuple[Actor, Account, str], now: datetime
) -> None:
    acting, receiver, content = about
    move(found, Verb.SUBMIT, RequestState.SUBMITTED, now)
    found.round += 1
    found.submitted_at, found.content_sha256, found.draft = now, content, None
    found.purpose, found.context, found.receiver_id = form.purpose, form.context, receiver.id
    found.details, found.idempotency_key = form.details.as_json(), form.idempotency_key
    found.workspace_id = form.workspace_id or found.workspace_id
    session.add(found)
    session.flush()
    groups = forms.group_rows(found, form)
    session.add_all(groups.values())
    session.flush()
    first = next(iter(groups.values()))
    for position, one in enumerate(form.files):
        note = form.note(one.file.name)
        session.add(forms.file_row(found, one, note, (position, groups.get(note.group, first).id), now))
        if one.populations is not None and note.role is FileRole.OUTPUT:
            populations.keep(session, found, one.file.name, one.populations, now)
    session.flush()
    session.refresh(found)
    rerun.ask(session, found, now)
    _begin_round(session, found, form, acting, now)


def _begin_round(session: Session, found: AirlockRequest, form: Submission, acting: Actor, now: datetime) -> None:
    """Freeze the policy that counts: this round is decided under it, whatever is in force by then."""
    counts = in_force(session, project_facts(found.project).providers)
    if any(one.policy not in {"", counts.document.sha256} for one in form.files):
        raise _policy_changed()
    for document in (counts.document, *(each.document for each in counts.versions)):
        provider_policy.keep(session, document)
    row = forms.round_row(found, form, counts, acting, now)
    session.add(row)
    session.flush()
    session.refresh(found, ["rounds"])
    need = votes.need(facts(found, now))
    row.reviewers_needed, row.need_reasons = need.reviewers, [reason.value for reason in need.reasons]
    session.flush()


def _no_heir(login: str) -> Denied:
    return Denied(
        "egress.heir",
        ko=f"‘{login[:40]}’은(는) 이 신청을 넘겨받을 수 있는 과제 참여자가 아닙니다.",
        en=f"‘{login[:40]}’ is no other member of the project who could take this request over.",
        remedy_ko="과제 참여자 가운데서 고르세요.",
        remedy_en="Choose among the members of the project.",
    )


def _policy_changed() -> Conflict:
    return Conflict(
        "policy.changed",
        ko="점검하는 사이에 제공기관의 반출 정책이 바뀌어 아무것도 신청하지 않았습니다.",
        en="The provider's policy changed while the files were checked, so nothing was requested.",
        remedy_ko="다시 신청하세요. 새 정책으로 점검합니다.",
        remedy_en="Ask again: the files are then checked under the new one.",
    )


def _key_reused() -> Conflict:
    return Conflict(
        "egress.key-reused",
        ko="같은 신청 열쇠로 다른 내용이 이미 신청되었습니다.",
        en="Something else was already requested under this idempotency key.",
        remedy_ko="신청 목록을 확인한 뒤 새로 신청하세요.",
        remedy_en="Look at your requests, then submit again.",
    )
