"""Requests to take files out, as pages, REST and the notebook see them, with what this actor may do to each.

Checkers review blind: until one has voted in a round, the other votes of that round are not shown to them. The people
of the project see votes only once the round is decided.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session, selectinload
from sqlalchemy.sql.base import ExecutableOption

from enclave.actor import Actor
from enclave.airlock.report import Severity, Verdict
from enclave.errors import NotFound
from enclave.model.data import Snapshot
from enclave.model.egress import EgressRequest, OutputFile, Release, Review
from enclave.model.people import Account
from enclave.model.project import Project, ProjectColumn
from enclave.policy import egress as policy
from enclave.policy.allows import allows
from enclave.policy.people import check_is
from enclave.queries import project as projects
from enclave.queries.people import roles_now
from enclave.roles import Role
from enclave.states import EGRESS, RELEASE, Decision, ReleaseState, RequestState
from enclave.store import Store


@dataclass(frozen=True)
class FindingView:
    """One rule a file hit; `sample` is masked."""

    rule: str
    severity: Severity
    ko: str
    en: str
    place: str
    sample: str


@dataclass(frozen=True)
class FileView:
    """One file of one round. `name` comes from a workspace: escape it. `size` in bytes."""

    id: str
    round: int
    name: str
    sha256: str
    size: int
    kind: str
    rows: int | None
    columns: int | None
    verdict: Verdict
    findings: tuple[FindingView, ...]


@dataclass(frozen=True)
class ReviewView:
    """One vote with its three judgements."""

    reviewer_id: str
    reviewer_login: str
    organisation_id: str
    round: int
    content_sha256: str
    decision: Decision
    reason_code: str
    purpose_relation: str
    identifiability: str
    safety_measures: str
    decided_at: datetime


@dataclass(frozen=True)
class ReleaseView:
    """What became of an approval."""

    id: str
    request_id: str
    project_id: str
    state: ReleaseState
    receiver_id: str
    receiver_login: str
    package_sha256: str | None
    failure: str | None
    requested_at: datetime
    built_at: datetime | None
    expires_at: datetime | None
    handed_over_at: datetime | None
    recalled_at: datetime | None
    recall_reason: str | None
    may: frozenset[str]


@dataclass(frozen=True)
class RequestView:
    """One request. `files` are those of the present round, `earlier_files` of the rounds before."""

    id: str
    project_id: str
    project_title: str
    project_purpose: str
    requester_id: str
    requester_login: str
    requester_organisation_id: str
    receiver_login: str
    state: RequestState
    round: int
    content_sha256: str
    purpose: str
    context: str
    created_at: datetime
    submitted_at: datetime
    decided_at: datetime | None
    decided_reason: str | None
    files: tuple[FileView, ...]
    earlier_files: tuple[FileView, ...]
    reviews: tuple[ReviewView, ...]
    approvals: int
    approvals_needed: int
    release: ReleaseView | None
    may: frozenset[str]

    @property
    def verdict(self) -> Verdict:
        """The gravest verdict of the present round."""
        return worst(file.verdict for file in self.files)


@dataclass(frozen=True)
class RequestRow:
    """One line of a list of requests."""

    id: str
    project_id: str
    project_title: str
    requester_login: str
    state: RequestState
    round: int
    submitted_at: datetime
    file_count: int
    verdict: Verdict


def mine(store: Store, actor: Actor, *, limit: int = 100) -> tuple[RequestRow, ...]:
    """Return the actor's own requests, last submitted first."""
    return _rows(store, EgressRequest.requester_id == actor.account_id, limit, newest_first=True)


def queue(store: Store, actor: Actor, *, now: datetime, limit: int = 100) -> tuple[RequestRow, ...]:
    """Return the requests this checker may vote on now, longest waiting first; raises `Denied` for others."""
    check_is(actor, Role.OUTPUT_CHECKER)
    with store.read() as session:
        query = select(EgressRequest).where(EgressRequest.state == RequestState.SUBMITTED)
        query = query.order_by(EgressRequest.submitted_at, EgressRequest.id).options(*_for_policy())
        # In pieces: the answer is as quick with a thousand waiting as with a hundred.
        with session.scalars(query, execution_options={"yield_per": max(limit, 1)}) as waiting:
            open_to = (each for each in waiting if allows(policy.check_may_review, actor, facts(each, now)))
            return tuple(_row(each) for each in islice(open_to, limit))


def request(store: Store, actor: Actor, request_id: str, *, now: datetime) -> RequestView:
    """Return one request; raises `NotFound`, or `Denied` if it is none of the actor's business."""
    with store.read() as session:
        found = load_request(session, request_id)
        policy.check_may_see(actor, facts(found, now))
        return request_view(found, actor, now)


def earlier(store: Store, actor: Actor, request_id: str, *, now: datetime, limit: int = 20) -> tuple[RequestRow, ...]:
    """Return what the same project took out or asked for before this request, newest first (korea.md R123)."""
    with store.read() as session:
        found = load_request(session, request_id)
        policy.check_may_see(actor, facts(found, now))
        project_id, before = found.project_id, found.created_at
    same = (EgressRequest.project_id == project_id) & (EgressRequest.created_at < before)
    return _rows(store, same, limit, newest_first=True)


def to_receive(store: Store, actor: Actor, *, now: datetime) -> tuple[ReleaseView, ...]:
    """Return the releases that name the actor as receiver, newest first."""
    with store.read() as session:
        query = select(Release).where(Release.receiver_id == actor.account_id).order_by(Release.requested_at.desc())
        return tuple(release_view(each, actor, now) for each in session.scalars(query))


def release(store: Store, actor: Actor, release_id: str, *, now: datetime) -> ReleaseView:
    """Return one release; raises `NotFound`, or `Denied` if its request is none of the actor's business."""
    with store.read() as session:
        found = load_release(session, release_id)
        policy.check_may_see(actor, facts(found.request, now))
        return release_view(found, actor, now)


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the gravest of these verdicts; PASS for none."""
    return max(verdicts, key=list(Verdict).index, default=Verdict.PASS)


def load_request(session: Session, request_id: str, *, lock: bool = False) -> EgressRequest:
    """Return the row, locked until the transaction ends if asked; raises `NotFound` (`egress.unknown`)."""
    query = select(EgressRequest).where(EgressRequest.id == request_id)
    found = session.scalar(query.with_for_update() if lock else query)
    if found is None:
        raise NotFound(
            "egress.unknown",
            ko=f"반출 신청 {request_id}이(가) 없습니다.",
            en=f"There is no egress request {request_id}.",
            remedy_ko="내 반출 신청 목록에서 확인하세요.",
            remedy_en="See the list of your requests.",
        )
    return found


def load_release(session: Session, release_id: str, *, lock: bool = False) -> Release:
    """Return the row, locked until the transaction ends if asked; raises `NotFound` (`release.unknown`)."""
    query = select(Release).where(Release.id == release_id)
    found = session.scalar(query.with_for_update() if lock else query)
    if found is None:
        raise NotFound(
            "release.unknown",
            ko=f"반출물 {release_id}이(가) 없습니다.",
            en=f"There is no release {release_id}.",
            remedy_ko="반출 신청 화면에서 확인하세요.",
            remedy_en="See the page of its request.",
        )
    return found


def facts(found: EgressRequest, now: datetime) -> policy.RequestFacts:
    """Return what policies ask about a request, with the standing its voters have now."""
    return policy.RequestFacts(
        state=found.state,
        round=found.round,
        content_sha256=found.content_sha256,
        requester_id=found.requester_id,
        requester_organisation_id=found.requester.organisation_id,
        receiver_id=found.receiver_id,
        project=projects.facts(found.project),
        votes=tuple(_vote(each, now) for each in found.reviews),
        verdicts=tuple(file.verdict for file in found.files if file.round == found.round),
    )


def file_view(found: OutputFile) -> FileView:
    """Return the row as pages show it."""
    findings = tuple(
        FindingView(each.rule, each.severity, each.ko, each.en, each.place, each.sample) for each in found.findings
    )
    return FileView(
        found.id,
        found.round,
        found.name,
        found.sha256,
        found.size,
        found.kind,
        found.rows,
        found.columns,
        found.verdict,
        findings,
    )


def request_view(found: EgressRequest, actor: Actor, now: datetime) -> RequestView:
    """Return the row as pages show it to this actor."""
    about = facts(found, now)
    files = [file_view(each) for each in found.files]
    return RequestView(
        id=found.id,
        project_id=found.project_id,
        project_title=found.project.title,
        project_purpose=found.project.purpose,
        requester_id=found.requester_id,
        requester_login=found.requester.login,
        requester_organisation_id=found.requester.organisation_id,
        receiver_login=found.receiver.login,
        state=found.state,
        round=found.round,
        content_sha256=found.content_sha256,
        purpose=found.purpose,
        context=found.context,
        created_at=found.created_at,
        submitted_at=found.submitted_at,
        decided_at=found.decided_at,
        decided_reason=found.decided_reason,
        files=tuple(file for file in files if file.round == found.round),
        earlier_files=tuple(file for file in files if file.round != found.round),
        reviews=_visible_reviews(found, actor),
        approvals=len(policy.approved_by(about)),
        approvals_needed=policy.APPROVALS_NEEDED,
        release=release_view(found.release, actor, now) if found.release is not None else None,
        may=_may(found, about, actor),
    )


def release_view(found: Release, actor: Actor, now: datetime) -> ReleaseView:
    """Return the row as pages show it to this actor."""
    ready = found.state is ReleaseState.DONE and found.expires_at is not None and now < found.expires_at
    recallable = ReleaseState.RECALLED in RELEASE[found.state]
    may = {
        "hand_over": ready and actor.account_id == found.receiver_id,
        "recall": recallable and allows(policy.check_may_recall, actor, facts(found.request, now)),
    }
    return ReleaseView(
        id=found.id,
        request_id=found.request_id,
        project_id=found.request.project_id,
        state=found.state,
        receiver_id=found.receiver_id,
        receiver_login=found.receiver.login,
        package_sha256=found.package_sha256,
        failure=found.failure,
        requested_at=found.requested_at,
        built_at=found.built_at,
        expires_at=found.expires_at,
        handed_over_at=found.handed_over_at,
        recalled_at=found.recalled_at,
        recall_reason=found.recall_reason,
        may=frozenset(name for name, open_to in may.items() if open_to),
    )


def _may(found: EgressRequest, about: policy.RequestFacts, actor: Actor) -> frozenset[str]:
    requester = allows(policy.check_is_requester, actor, about)
    offered = {
        "decide": allows(policy.check_may_review, actor, about),
        "withdraw": requester and RequestState.WITHDRAWN in EGRESS[found.state],
        "submit": requester and found.state is RequestState.RETURNED,
    }
    return frozenset(name for name, open_to in offered.items() if open_to)


def _vote(found: Review, now: datetime) -> policy.Vote:
    reviewer = found.reviewer
    entitled = reviewer.ended_at is None and Role.OUTPUT_CHECKER in roles_now(reviewer, now)
    return policy.Vote(
        found.reviewer_id, found.organisation_id, found.round, found.content_sha256, found.decision, entitled
    )


def _visible_reviews(found: EgressRequest, actor: Actor) -> tuple[ReviewView, ...]:
    voted = any(each.reviewer_id == actor.account_id and each.round == found.round for each in found.reviews)
    decided = found.state is not RequestState.SUBMITTED
    return tuple(_review_view(each) for each in found.reviews if decided or voted or each.round < found.round)


def _review_view(found: Review) -> ReviewView:
    return ReviewView(
        reviewer_id=found.reviewer_id,
        reviewer_login=found.reviewer.login,
        organisation_id=found.organisation_id,
        round=found.round,
        content_sha256=found.content_sha256,
        decision=found.decision,
        reason_code=found.reason_code,
        purpose_relation=found.purpose_relation,
        identifiability=found.identifiability,
        safety_measures=found.safety_measures,
        decided_at=found.decided_at,
    )


def _for_policy() -> tuple[ExecutableOption, ...]:
    """Load in a few statements what `facts` walks through, however many requests wait."""
    project = selectinload(EgressRequest.project)
    return (
        selectinload(EgressRequest.files),
        selectinload(EgressRequest.requester),
        selectinload(EgressRequest.reviews).selectinload(Review.reviewer).selectinload(Account.grants),
        project.selectinload(Project.members),
        project.selectinload(Project.columns)
        .selectinload(ProjectColumn.snapshot)
        .defer(Snapshot.manifest)
        .selectinload(Snapshot.dataset),
    )


def _rows(store: Store, condition: ColumnElement[bool], limit: int, *, newest_first: bool) -> tuple[RequestRow, ...]:
    order = EgressRequest.submitted_at.desc() if newest_first else EgressRequest.submitted_at.asc()
    loaded = (
        selectinload(EgressRequest.files),
        selectinload(EgressRequest.requester),
        selectinload(EgressRequest.project),
    )
    with store.read() as session:
        query = select(EgressRequest).where(condition).order_by(order, EgressRequest.id).limit(limit).options(*loaded)
        return tuple(_row(each) for each in session.scalars(query))


def _row(found: EgressRequest) -> RequestRow:
    files = [file for file in found.files if file.round == found.round]
    return RequestRow(
        id=found.id,
        project_id=found.project_id,
        project_title=found.project.title,
        requester_login=found.requester.login,
        state=found.state,
        round=found.round,
        submitted_at=found.submitted_at,
        file_count=len(files),
        verdict=worst(file.verdict for file in files),
    )
