"""Asking to take files out, and deciding on it (반출 신청과 심사; korea.md R44–R48, R66).

The decisive approval records itself and the wish to release in one transaction; the package is then made by
`enclave.commands.release`, which may fail and be tried again without anybody deciding twice.
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
from enclave.commands import submission as forms
from enclave.commands.acting import intent, present, text_sha256
from enclave.commands.content import Checked, CollectedFile, content_sha256
from enclave.commands.submission import Submission
from enclave.errors import Conflict, Invalid, NotFound
from enclave.ids import new_id
from enclave.model.egress import EgressRequest, Release, Review
from enclave.model.people import Account
from enclave.model.project import Project
from enclave.policy import egress as policy
from enclave.policy.allows import allows
from enclave.queries.egress import FileView, RequestView, facts, file_view, load_request, request_view, worst
from enclave.queries.project import facts as project_facts
from enclave.queries.project import load_project
from enclave.states import EGRESS, Decision, ReleaseState, RequestState, check_transition
from enclave.store import Store, Tx

RULE = "egress/v1"
# Closed list, so that the log can be counted (korea.md R68); the first is the one for approvals.
REASON_CODES = (
    "output-checked",
    "small-cell",
    "row-level",
    "identifier",
    "missing-context",
    "missing-counts",
    "file-type",
    "purpose",
    "other",
)
ACTIONS = {
    Decision.APPROVE: Action.EGRESS_APPROVE,
    Decision.RETURN: Action.EGRESS_RETURN,
    Decision.REJECT: Action.EGRESS_REJECT,
}
OUTCOMES = {Decision.RETURN: RequestState.RETURNED, Decision.REJECT: RequestState.REJECTED}


@dataclass(frozen=True)
class Judgements:
    """The three compulsory judgements, each in words (korea.md R46)."""

    purpose_relation: str
    identifiability: str
    safety_measures: str


@dataclass(frozen=True)
class Ballot:
    """One vote, with what its caster looked at: `round` and `content_sha256` as the page showed them."""

    decision: Decision
    round: int
    content_sha256: str
    reason_code: str
    judgements: Judgements


@dataclass(frozen=True)
class Preflight:
    """What our checker says before anything is asked: the gravest verdict and each file's report."""

    verdict: Verdict
    files: tuple[Checked, ...]


def preflight(store: Store, actor: Actor, *, project_id: str, files: Sequence[Checked], now: datetime) -> Preflight:
    """Return the checker's verdicts without asking for anything. Members of an active project.

    Raises `Denied`, `NotFound`, `Invalid` (a report that is not about its file).
    """
    with store.write(intent(Action.EGRESS_PREFLIGHT, actor, ("project", project_id), project=project_id)) as tx:
        found = load_project(tx.session, project_id)
        policy.check_may_submit(present(tx.session, actor, now), project_facts(found), found.state, now)
        forms.check_files(files)
        verdict = worst(one.report.verdict for one in files)
        tx.record(details={"files": len(files), "verdict": verdict.value})
        return Preflight(verdict, tuple(files))


def submit(store: Store, actor: Actor, *, submission: Submission, now: datetime) -> RequestView:
    """Ask for these files to be released, anew or (with `request_id`) as the next round of a returned request.

    The same idempotency key and content again return the first answer: a double click asks once. Members of an
    active project. Raises `Denied`, `NotFound`, `Invalid` (`input.missing`, `egress.files` …), `Conflict`
    (`egress.key-reused`; not returned).
    """
    form = submission
    event = intent(Action.EGRESS_SUBMIT, actor, ("egress_request", form.request_id or "new"), project=form.project_id)
    with store.write(event) as tx:
        # Locking the project puts two clicks in a row: the second then finds what the first has made.
        project = load_project(tx.session, form.project_id, lock=True)
        acting = present(tx.session, actor, now)
        forms.check_may_ask(tx.session, acting, project, form.workspace_id, now)
        forms.check_form(form)
        receiver = forms.receiver(tx.session, project, form, acting)
        content = _content(form, receiver)
        found = _same(tx.session, acting, form)
        if found is None:
            found = _next_round(tx.session, acting, form, now) if form.request_id else _new(project, acting, form, now)
            _fill(tx.session, found, form, receiver, content, now)
        elif found.content_sha256 != content:
            raise _key_reused()
        tx.record(
            object_id=found.id,
            object_sha256=content,
            details={"round": found.round, "files": len(form.files), "verdict": _verdict(found).value},
        )
        return request_view(found, acting, now)


def withdraw(store: Store, actor: Actor, *, request_id: str, now: datetime) -> RequestView:
    """Take a request back before it is decided. Its requester. Raises `Denied`, `NotFound`, `Conflict`."""
    with store.write(intent(Action.EGRESS_WITHDRAW, actor, ("egress_request", request_id))) as tx:
        found = load_request(tx.session, request_id, lock=True)
        acting = present(tx.session, actor, now)
        tx.record(project=found.project_id, object_sha256=found.content_sha256)
        policy.check_is_requester(acting, facts(found, now))
        check_transition(EGRESS, found.state, RequestState.WITHDRAWN, f"반출 신청 {request_id}")
        found.state, found.decided_at = RequestState.WITHDRAWN, now
        return request_view(found, acting, now)


def view_file(store: Store, actor: Actor, *, request_id: str, file_id: str, now: datetime) -> FileView:
    """Record that somebody looks into a file, and return it; the page then shows the sealed preview.

    Whoever may see the request. Raises `Denied`, `NotFound` (`egress.unknown`, `egress.no-file`).
    """
    with store.write(intent(Action.EGRESS_VIEW, actor, ("egress_request", request_id))) as tx:
        found = load_request(tx.session, request_id)
        tx.record(project=found.project_id)
        policy.check_may_see(present(tx.session, actor, now), facts(found, now))
        file = next((each for each in found.files if each.id == file_id), None)
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


def decide(store: Store, actor: Actor, *, request_id: str, vote: Ballot, now: datetime) -> RequestView:
    """Cast one vote. A return or a rejection decides at once; an approval decides with another organisation's.

    Output checkers without an interest, with a second factor of the last 5 minutes. Raises `Denied` (`egress.…`,
    `second-factor.stale`), `NotFound`, `Conflict` (decided meanwhile; the bytes changed), `Invalid` (a judgement is
    empty), `Unavailable` (nothing was decided).
    """
    event = intent(ACTIONS[vote.decision], actor, ("egress_request", request_id))
    with store.write(event) as tx:
        found = load_request(tx.session, request_id, lock=True)
        acting = present(tx.session, actor, now)
        tx.record(project=found.project_id, rule=RULE, details={"round": found.round})
        seen = (vote.round, vote.content_sha256)
        policy.check_vote(acting, facts(found, now), vote.decision, seen, now)
        _check_ballot(vote)
        found.reviews.append(_review(found, acting, vote, now))
        tx.session.flush()
        tx.session.refresh(found, ["reviews"])
        _settle(tx, found, acting, vote, now)
        tx.record(
            object_sha256=found.content_sha256,
            reason_code=vote.reason_code,
            details={"state": found.state.value, "judgements_sha256": text_sha256(*_texts(vote.judgements))},
        )
        return request_view(found, acting, now)


def return_request(store: Store, actor: Actor, *, request_id: str, vote: Ballot, now: datetime) -> RequestView:
    """Send a request back to be mended: `decide` with a vote to return. Raises what `decide` raises."""
    if vote.decision is not Decision.RETURN:
        raise ValueError("return_request takes a vote to return")
    return decide(store, actor, request_id=request_id, vote=vote, now=now)


def _settle(tx: Tx, found: EgressRequest, acting: Actor, vote: Ballot, now: datetime) -> None:
    """Draw the consequence of the votes of this round, if there is one."""
    if vote.decision in OUTCOMES:
        found.state, found.decided_at, found.decided_reason = OUTCOMES[vote.decision], now, vote.reason_code
    elif allows(policy.check_enough_approvals, facts(found, now)):
        found.state, found.decided_at, found.decided_reason = RequestState.APPROVED, now, vote.reason_code
        found.release = Release(
            id=new_id("r"), receiver_id=found.receiver_id, state=ReleaseState.REQUESTED, requested_at=now
        )
        tx.session.flush()
        event = intent(
            Action.RELEASE_REQUESTED, acting, ("release", found.release.id), project=found.project_id, outcome="allowed"
        )
        tx.also(event)


def _check_ballot(vote: Ballot) -> None:
    names = (("목적 관련성", "relation to purpose"), ("개인 식별 가능성", "identifiability"), ("안전조치", "safety"))
    policy.check_judgements((*name, text) for name, text in zip(names, _texts(vote.judgements), strict=True))
    if vote.reason_code not in REASON_CODES:
        raise Invalid(
            "egress.reason-code",
            ko="결정 사유를 목록에서 고르지 않았습니다.",
            en="No reason was chosen from the list.",
            remedy_ko="목록에서 사유를 고르세요.",
            remedy_en="Choose a reason from the list.",
        )


def _texts(judgements: Judgements) -> tuple[str, str, str]:
    return judgements.purpose_relation, judgements.identifiability, judgements.safety_measures


def _review(found: EgressRequest, acting: Actor, vote: Ballot, now: datetime) -> Review:
    return Review(
        id=new_id("v"),
        round=found.round,
        content_sha256=found.content_sha256,
        reviewer_id=acting.account_id,
        organisation_id=acting.organisation_id,
        decision=vote.decision,
        reason_code=vote.reason_code,
        purpose_relation=vote.judgements.purpose_relation,
        identifiability=vote.judgements.identifiability,
        safety_measures=vote.judgements.safety_measures,
        second_factor_at=acting.second_factor_at,
        decided_at=now,
    )


def _content(form: Submission, receiver: Account) -> str:
    files: list[CollectedFile] = [one.file for one in form.files]
    return content_sha256(files, receiver_id=receiver.id, purpose=form.purpose, context=form.context)


def _same(session: Session, acting: Actor, form: Submission) -> EgressRequest | None:
    query = select(EgressRequest).where(
        EgressRequest.requester_id == acting.account_id, EgressRequest.idempotency_key == form.idempotency_key
    )
    found = session.scalar(query)
    if found is not None and (found.project_id != form.project_id or form.request_id not in {None, found.id}):
        raise _key_reused()
    return found


def _new(project: Project, acting: Actor, form: Submission, now: datetime) -> EgressRequest:
    return EgressRequest(
        id=new_id("e"),
        project=project,
        requester_id=acting.account_id,
        workspace_id=form.workspace_id,
        round=1,
        created_at=now,
    )


def _next_round(session: Session, acting: Actor, form: Submission, now: datetime) -> EgressRequest:
    found = load_request(session, form.request_id or "", lock=True)
    policy.check_is_requester(acting, facts(found, now))
    if found.project_id != form.project_id:
        raise _key_reused()
    check_transition(EGRESS, found.state, RequestState.SUBMITTED, f"반출 신청 {found.id}")
    found.round += 1
    found.decided_at = found.decided_reason = None
    return found


def _fill(  # noqa: PLR0913, PLR0917 - the parts of one round
    session: Session, found: EgressRequest, form: Submission, receiver: Account, content: str, now: datetime
) -> None:
    found.state, found.submitted_at, found.content_sha256 = RequestState.SUBMITTED, now, content
    found.purpose, found.context, found.receiver_id = form.purpose, form.context, receiver.id
    found.idempotency_key = form.idempotency_key
    session.add(found)
    session.flush()
    for position, one in enumerate(form.files):
        session.add(forms.file_row(found, one, position, now))
    session.flush()
    session.refresh(found, ["files", "requester", "receiver", "project"])


def _verdict(found: EgressRequest) -> Verdict:
    return worst(file.verdict for file in found.files if file.round == found.round)


def _key_reused() -> Conflict:
    return Conflict(
        "egress.key-reused",
        ko="같은 신청 열쇠로 다른 내용이 이미 신청되었습니다.",
        en="Something else was already requested under this idempotency key.",
        remedy_ko="신청 목록을 확인한 뒤 새로 신청하세요.",
        remedy_en="Look at your requests, then submit again.",
    )
