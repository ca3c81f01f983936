"""Requests and releases as pages and REST show them, in either direction, and who may see which.

Checkers review blind until all needed reviews are in; those who asked see the reviewers' words once it is decided
(`enclave.policy.airlock.visibility`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from enclave.actor import Actor
from enclave.airlock.report import FileReport
from enclave.model.egress import AirlockRequest, OutputFile, RequestRound
from enclave.model.project import ProjectMember
from enclave.model.release import RecallReceipt, Release
from enclave.policy.airlock import machine, who
from enclave.policy.allows import allows
from enclave.policy.people import check_is
from enclave.queries.airlock_facts import facts, for_policy, load_release, load_request
from enclave.queries.airlock_queue import positions
from enclave.queries.airlock_shown import release_view, request_row, request_view
from enclave.queries.airlock_views import ReleaseView, RequestRow, RequestView
from enclave.roles import Role
from enclave.states import SETTLED, Direction, ReleaseState, RequestState, Verb
from enclave.store import Store

CHECKS = (Role.OUTPUT_CHECKER, Role.DATA_STEWARD)
SEES_STUCK = (Role.OUTPUT_CHECKER, Role.DATA_STEWARD, Role.OPERATOR, Role.REVIEWER, Role.AUDITOR)


def mine(store: Store, actor: Actor, *, now: datetime, limit: int = 100) -> tuple[RequestRow, ...]:
    """Return the actor's own requests and drafts, last submitted first."""
    return _rows(store, actor, AirlockRequest.requester_id == actor.account_id, now=now, limit=limit)


def of_project(
    store: Store, actor: Actor, project_id: str, *, now: datetime, limit: int = 100
) -> tuple[RequestRow, ...]:
    """Return all requests of a project the actor belongs to, last submitted first; for others none."""
    member = select(ProjectMember.project_id).where(
        ProjectMember.account_id == actor.account_id, ProjectMember.project_id == project_id
    )
    return _rows(store, actor, AirlockRequest.project_id.in_(member), now=now, limit=limit)


def queue(
    store: Store, actor: Actor, *, now: datetime, limit: int = 100, direction: Direction | None = None
) -> tuple[RequestRow, ...]:
    """Return the requests this checker can do something for now, longest waiting first; raises `Denied` for others.

    To review for the first time, or to conclude together with the others who reviewed. What waits for its code to be
    run again is among them: it may be sent back meanwhile.
    """
    check_is(actor, *CHECKS)
    wanted = {Verb.REVIEW, Verb.REVISE, Verb.CONCLUDE}
    with store.read() as session:
        query = select(AirlockRequest).where(AirlockRequest.state == RequestState.SUBMITTED)
        if direction is not None:
            query = query.where(AirlockRequest.direction == direction)
        query = query.order_by(AirlockRequest.submitted_at, AirlockRequest.id).options(*for_policy())
        # In pieces: the answer is as quick with a thousand waiting as with a hundred.
        with session.scalars(query, execution_options={"yield_per": max(limit, 1)}) as waiting:
            open_to = (
                each
                for each in waiting
                if any(
                    allows(machine.check, actor, replace(facts(each, now), rerunning=False), verb, now)
                    for verb in wanted
                )
            )
            return _told(session, actor, list(islice(open_to, limit)), now)


def stuck(store: Store, actor: Actor, *, now: datetime, limit: int = 100) -> tuple[RequestRow, ...]:
    """Return the requests that do not move: late (see `to_escalate`), or approved and not built; oldest first.

    For checkers, stewards, operators and overseers; raises `Denied` for others.
    """
    check_is(actor, *SEES_STUCK)
    late = select(RequestRound.request_id).where(
        RequestRound.request_id == AirlockRequest.id,
        RequestRound.round == AirlockRequest.round,
        RequestRound.escalate_at <= now,
    )
    unbuilt = select(Release.request_id).where(Release.state.in_([ReleaseState.REQUESTED, ReleaseState.FAILED]))
    condition = or_(
        (AirlockRequest.state == RequestState.SUBMITTED) & late.exists(),
        (AirlockRequest.state == RequestState.APPROVED) & AirlockRequest.id.in_(unbuilt),
    )
    return _rows(store, actor, condition, now=now, limit=limit, newest_first=False)


def unfinished(store: Store, actor: Actor, *, now: datetime, limit: int = 1000) -> tuple[RequestRow, ...]:
    """Return the requests that wait for somebody, oldest first, without their texts; for whoever sees what is stuck."""
    check_is(actor, *SEES_STUCK)
    return _rows(store, actor, AirlockRequest.state.not_in(SETTLED), now=now, limit=limit, newest_first=False)


def request(store: Store, actor: Actor, request_id: str, *, now: datetime) -> RequestView:
    """Return one request; raises `NotFound`, or `Denied` if it is none of the actor's business."""
    with store.read() as session:
        found = load_request(session, request_id)
        who.check_may_see(actor, facts(found, now))
        return request_view(found, actor, now)


def earlier(store: Store, actor: Actor, request_id: str, *, now: datetime, limit: int = 20) -> tuple[RequestRow, ...]:
    """Return what the same project took out or asked for before this request, newest first (korea.md R123)."""
    with store.read() as session:
        found = load_request(session, request_id)
        who.check_may_see(actor, facts(found, now))
        project_id, before = found.project_id, found.created_at
    same = (AirlockRequest.project_id == project_id) & (AirlockRequest.created_at < before)
    return _rows(store, actor, same & (AirlockRequest.state != RequestState.DRAFT), now=now, limit=limit)


def to_receive(store: Store, actor: Actor, *, now: datetime) -> tuple[ReleaseView, ...]:
    """Return the releases that name the actor as receiver, newest first."""
    with store.read() as session:
        query = select(Release).where(Release.receiver_id == actor.account_id).order_by(Release.requested_at.desc())
        return tuple(release_view(each, actor, now) for each in session.scalars(query))


def release(store: Store, actor: Actor, release_id: str, *, now: datetime) -> ReleaseView:
    """Return one release; raises `NotFound`, or `Denied` if its request is none of the actor's business.

    Who may recall it may see it, and a provider's steward may without seeing the request (korea.md R72).
    """
    with store.read() as session:
        found = load_release(session, release_id)
        about = facts(found.request, now)
        if not allows(who.check_may_recall, actor, about):
            who.check_may_see(actor, about)
        return release_view(found, actor, now)


def unconfirmed_recalls(store: Store, actor: Actor, *, now: datetime) -> tuple[ReleaseView, ...]:
    """Return the recalled releases whose receivers have not all confirmed, oldest first (korea.md R72).

    For checkers, stewards, operators and overseers; raises `Denied` for others.
    """
    check_is(actor, *SEES_STUCK)
    with store.read() as session:
        owed = select(RecallReceipt.release_id).where(RecallReceipt.confirmed_at.is_(None))
        query = select(Release).where(Release.id.in_(owed)).order_by(Release.recalled_at)
        return tuple(release_view(each, actor, now) for each in session.scalars(query))


def earlier_report(  # noqa: PLR0913 - all that a report depends on
    store: Store, request_id: str, *, name: str, sha256: str, rules_sha256: str, said: tuple[str, str] = ("", "")
) -> tuple[str, FileReport] | None:
    """Return (file id, report) of the same file in the request's last round, if nothing it depends on has changed.

    The same name, bytes and rules, and the same (recipe, code): then running the checks again would say the same.
    """
    with store.read() as session:
        query = (
            select(OutputFile)
            .join(AirlockRequest, AirlockRequest.id == OutputFile.request_id)
            .where(
                OutputFile.request_id == request_id,
                OutputFile.round == AirlockRequest.round,
                OutputFile.name == name,
                OutputFile.sha256 == sha256,
                OutputFile.rules_sha256 == rules_sha256,
                OutputFile.recipe == said[0],
                OutputFile.code == said[1],
                OutputFile.report.is_not(None),
            )
        )
        found = session.scalar(query)
        if found is None or not rules_sha256:
            return None
        return found.id, FileReport.from_json(found.report or "")


def idle(store: Store, *, now: datetime) -> tuple[str, ...]:
    """Return the requests whose time is over, for the chore that closes them."""
    open_ones = AirlockRequest.state.in_([RequestState.DRAFT, RequestState.RETURNED, RequestState.APPROVED])
    left = select(Release.request_id).where(Release.state == ReleaseState.DONE, Release.expires_at <= now)
    uncollected = (AirlockRequest.state == RequestState.RELEASED) & AirlockRequest.id.in_(left)
    system = Actor.system()
    with store.read() as session:
        query = select(AirlockRequest).where(or_(open_ones, uncollected)).options(*for_policy())
        found = session.scalars(query).all()
        return tuple(each.id for each in found if allows(machine.check, system, facts(each, now), Verb.EXPIRE, now))


def to_escalate(store: Store, *, now: datetime) -> tuple[str, ...]:
    """Return the requests under review past the share of their time after which somebody is told, not told yet."""
    with store.read() as session:
        query = (
            select(AirlockRequest.id)
            .join(RequestRound, RequestRound.request_id == AirlockRequest.id)
            .where(
                AirlockRequest.state == RequestState.SUBMITTED,
                RequestRound.round == AirlockRequest.round,
                RequestRound.escalate_at <= now,
                RequestRound.escalated_at.is_(None),
            )
        )
        return tuple(session.scalars(query))


def _rows(  # noqa: PLR0913 - who asks, what for, and how many
    store: Store,
    actor: Actor,
    condition: ColumnElement[bool],
    *,
    now: datetime,
    limit: int,
    newest_first: bool = True,
) -> tuple[RequestRow, ...]:
    order = AirlockRequest.submitted_at.desc() if newest_first else AirlockRequest.submitted_at.asc()
    with store.read() as session:
        query = select(AirlockRequest).where(condition).order_by(order, AirlockRequest.id).limit(limit)
        return _told(session, actor, session.scalars(query.options(*for_policy())).all(), now)


def _told(session: Session, actor: Actor, found: Sequence[AirlockRequest], now: datetime) -> tuple[RequestRow, ...]:
    places = positions(session, [each.id for each in found])
    return tuple(request_row(each, actor, now, places.get(each.id)) for each in found)
