"""Requests and releases as rows: loading them, and what the policies are told about them."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload
from sqlalchemy.sql.base import ExecutableOption

from enclave.errors import NotFound
from enclave.model.data import Snapshot
from enclave.model.egress import AirlockRequest, OutputFile, RequestRound
from enclave.model.people import Account
from enclave.model.project import Project, ProjectColumn, ProjectMember
from enclave.model.release import Release
from enclave.model.rerun import RerunState
from enclave.model.review import Review
from enclave.policy.airlock import reviewers
from enclave.policy.airlock.facts import RequestFacts, ReviewFacts
from enclave.policy.airlock.who import REVIEWS
from enclave.policy.allows import allows
from enclave.policy.people import check_account_open
from enclave.queries import project as projects
from enclave.queries.ends import frozen_facts, is_project_frozen
from enclave.queries.people import roles_now, standing_facts
from enclave.queries.provider_policy import of_round
from enclave.roles import Role
from enclave.states import FileDecision, RequestState, WorkspaceState

# A draft, a returned request, an approval nobody could build: closed after this long without a step, unless the policy
# of its round says otherwise.
IDLE_DAYS = 30
KOREA = "KR"


def load_request(session: Session, request_id: str, *, lock: bool = False) -> AirlockRequest:
    """Return the row, locked until the transaction ends if asked; raises `NotFound` (`egress.unknown`)."""
    query = select(AirlockRequest).where(AirlockRequest.id == request_id)
    found = session.scalar(query.with_for_update() if lock else query)
    if found is None:
        raise NotFound(
            "egress.unknown",
            ko=f"신청 {request_id}이(가) 없습니다.",
            en=f"There is no request {request_id}.",
            remedy_ko="내 신청 목록에서 확인하세요.",
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


def present_round(found: AirlockRequest) -> RequestRound | None:
    """Return the row of the round that counts; None for a draft."""
    return next((each for each in found.rounds if each.round == found.round), None)


def present_files(found: AirlockRequest) -> list[OutputFile]:
    """Return the files of the round that counts, in their order."""
    return [file for file in found.files if file.round == found.round]


def facts(found: AirlockRequest, now: datetime) -> RequestFacts:
    """Return what policies ask about a request, with the standing its people have now."""
    place, able, under = found.workspace, _able(found.project, now), of_round(present_round(found))
    askers = [each.submitter for each in found.rounds if each.submitter is not None]
    return RequestFacts(
        direction=found.direction,
        state=found.state,
        round=found.round,
        content_sha256=found.content_sha256,
        requester_id=found.requester_id,
        requester_organisation_id=found.requester.organisation_id,
        receiver_id=found.receiver_id,
        project=projects.facts(found.project),
        project_state=found.project.state,
        requester_here=found.requester_id in able,
        heirs=able - {found.requester_id},
        frozen=frozen_facts(place) if place is not None and place.state is WorkspaceState.FROZEN else None,
        project_frozen=is_project_frozen(found.project),
        reviews=tuple(_review(each, found, now) for each in found.reviews),
        files=tuple(file_facts(file) for file in present_files(found)),
        conflicted=frozenset(each.account_id for each in found.conflicts),
        rules=under.reviewer_rules if under is not None else reviewers.ReviewerRules(),
        overseas=found.details.get("receiver_country", KOREA) != KOREA,
        askers=frozenset(each.id for each in askers),
        asking=frozenset(each.organisation_id for each in (*askers, found.receiver)),
        release=found.release.state if found.release is not None else None,
        idle_until=_idle_until(found),
        rerunning=any(each.round == found.round and each.state is not RerunState.DONE for each in found.reruns),
    )


def file_facts(file: OutputFile) -> reviewers.FileFacts:
    """Return what the number of reviewers depends on."""
    return reviewers.FileFacts(
        id=file.id,
        role=file.role,
        kind=file.kind,
        verdict=file.verdict,
        group_id=file.group_id or "",
        recomputed=file.recomputed,
        passed=file.outcome is FileDecision.APPROVED,
        told_at=file.checked_at,
    )


def for_policy() -> tuple[ExecutableOption, ...]:
    """Load in a few statements what `facts` walks through, however many requests wait."""
    project = selectinload(AirlockRequest.project)
    reviews, rounds = selectinload(AirlockRequest.reviews), selectinload(AirlockRequest.rounds)
    return (
        selectinload(AirlockRequest.files),
        selectinload(AirlockRequest.requester),
        selectinload(AirlockRequest.receiver),
        selectinload(AirlockRequest.workspace),
        rounds.selectinload(RequestRound.policy),
        rounds.selectinload(RequestRound.submitter),
        selectinload(AirlockRequest.conflicts),
        selectinload(AirlockRequest.release),
        selectinload(AirlockRequest.reruns),
        reviews.selectinload(Review.votes),
        reviews.selectinload(Review.reviewer).selectinload(Account.grants),
        project.selectinload(Project.members).selectinload(ProjectMember.account).selectinload(Account.grants),
        project.selectinload(Project.columns)
        .selectinload(ProjectColumn.snapshot)
        .defer(Snapshot.manifest)
        .selectinload(Snapshot.dataset),
    )


def _review(found: Review, request: AirlockRequest, now: datetime) -> ReviewFacts:
    reviewer = found.reviewer
    roles = frozenset(REVIEWS[request.direction])
    entitled = reviewer.ended_at is None and not roles.isdisjoint(roles_now(reviewer, now))
    return ReviewFacts(
        reviewer_id=found.reviewer_id,
        organisation_id=found.organisation_id,
        round=found.round,
        content_sha256=found.content_sha256,
        decision=found.decision,
        files={each.file_id: each.vote for each in found.votes},
        entitled=entitled,
        conflicted=found.reviewer_id in {each.account_id for each in request.conflicts},
        overrides=bool(found.override_reason.strip()),
        given_at=found.decided_at,
    )


def _able(project: Project, now: datetime) -> frozenset[str]:
    """Return the members who may act for the project now; a lock is lifted again, so it does not count."""
    uses = {Role.SCIENTIST, Role.PROJECT_LEAD}
    found = set()
    for member in project.members:
        standing = standing_facts(member.account)
        if not standing.locked and not allows(check_account_open, standing, now):
            continue
        if not uses.isdisjoint(roles_now(member.account, now)):
            found.add(member.account_id)
    return frozenset(found)


def _idle_until(found: AirlockRequest) -> datetime | None:
    if found.state is RequestState.RELEASED:
        return found.release.expires_at if found.release is not None else None
    if found.state in {RequestState.DRAFT, RequestState.RETURNED, RequestState.APPROVED}:
        under = of_round(present_round(found))
        days = under.idle_days if under is not None else IDLE_DAYS
        return (found.decided_at or found.submitted_at) + timedelta(days=days)
    return None
