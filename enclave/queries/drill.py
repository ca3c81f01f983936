"""Drills as the pages and the drill's own process see them."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from enclave import reserved
from enclave.actor import Actor
from enclave.errors import NotFound
from enclave.model.drill import DrillRun
from enclave.model.project import Project
from enclave.model.workspace import Workspace
from enclave.policy.drill import check_may_see_drills
from enclave.states import DrillReason, DrillState
from enclave.store import Store
from enclave.workspace.barriers.barrier import Outcome
from enclave.workspace.barriers.catalogue import BY_ID

KEPT_IN_LIST = 60


@dataclass(frozen=True)
class ResultView:
    """What one drill found for one barrier; `known` is False for a barrier that is no longer in the list."""

    barrier_id: str
    outcome: Outcome
    evidence: str

    @property
    def known(self) -> bool:
        """Whether the barrier is still in the list."""
        return self.barrier_id in BY_ID


@dataclass(frozen=True)
class DrillView:
    """One drill; `results` is empty where only the list of drills is shown."""

    id: str
    reason: DrillReason
    state: DrillState
    requested_by: str
    requested_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    held: int
    broken: int
    untestable: int
    failure: str | None
    document_sha256: str | None
    results: tuple[ResultView, ...] = ()


@dataclass(frozen=True)
class Document:
    """A drill's document and its signature by the plan key (Ed25519, over `ansim-drill-v1`, a line feed, and it)."""

    data: bytes
    signature: bytes

    def values(self) -> Any:
        """Return what is written in it."""
        return json.loads(self.data)


def drills(store: Store, actor: Actor) -> tuple[DrillView, ...]:
    """Return the newest drills, newest first, without their results; raises `Denied`."""
    check_may_see_drills(actor)
    with store.read() as session:
        query = select(DrillRun).order_by(DrillRun.requested_at.desc(), DrillRun.id).limit(KEPT_IN_LIST)
        return tuple(drill_view(each) for each in session.scalars(query))


def drill(store: Store, actor: Actor, drill_id: str) -> DrillView:
    """Return one drill with its results; raises `Denied`, `NotFound`."""
    check_may_see_drills(actor)
    with store.read() as session:
        return drill_view(load_drill(session, drill_id), whole=True)


def newest_done(store: Store, actor: Actor) -> DrillView | None:
    """Return the newest drill that came to its end, with its results; raises `Denied`."""
    check_may_see_drills(actor)
    with store.read() as session:
        query = select(DrillRun).where(DrillRun.state == DrillState.DONE).order_by(DrillRun.finished_at.desc())
        found = session.scalars(query.options(selectinload(DrillRun.results)).limit(1)).first()
        return drill_view(found, whole=True) if found else None


def document(store: Store, actor: Actor, drill_id: str) -> Document:
    """Return a drill's document as it was signed; raises `Denied`, `NotFound`."""
    check_may_see_drills(actor)
    with store.read() as session:
        found = load_drill(session, drill_id)
        if found.document is None or found.document_signature is None:
            raise no_drill(drill_id)
        return Document(found.document, found.document_signature)


def latest(store: Store) -> tuple[DrillView, ...]:
    """Return the newest drills for the drill's own process, which decides by them whether another is due."""
    with store.read() as session:
        query = select(DrillRun).order_by(DrillRun.requested_at.desc(), DrillRun.id).limit(KEPT_IN_LIST)
        return tuple(drill_view(each) for each in session.scalars(query))


def load_drill(session: Session, drill_id: str, *, lock: bool = False) -> DrillRun:
    """Return the row, locked until the transaction ends if asked; raises `NotFound` (`drill.unknown`)."""
    query = select(DrillRun).where(DrillRun.id == drill_id)
    found = session.scalar(query.with_for_update() if lock else query)
    if found is None:
        raise no_drill(drill_id)
    return found


def no_drill(drill_id: str) -> NotFound:
    """Return the error for a drill, or a document, that is not there."""
    return NotFound(
        "drill.unknown",
        ko=f"모의침투 {drill_id[:40]}의 기록이 없습니다.",
        en=f"There is no record of a drill {drill_id[:40]}.",
        remedy_ko="모의침투 화면의 목록에서 확인하세요.",
        remedy_en="See the list on the drills' page.",
    )


def drill_view(found: DrillRun, *, whole: bool = False) -> DrillView:
    """Return the row as pages show it."""
    return DrillView(
        id=found.id,
        reason=found.reason,
        state=found.state,
        requested_by=found.requested_by,
        requested_at=found.requested_at,
        started_at=found.started_at,
        finished_at=found.finished_at,
        held=found.held,
        broken=found.broken,
        untestable=found.untestable,
        failure=found.failure,
        document_sha256=found.document_sha256,
        results=tuple(ResultView(r.barrier_id, r.outcome, r.evidence) for r in found.results) if whole else (),
    )


@dataclass(frozen=True)
class Stage:
    """What a drill reads before it attacks: its own workspaces' signed plans, and ids of others that must not show."""

    plans: dict[str, str]
    signatures: dict[str, str]
    others: tuple[str, ...]


def stage(store: Store) -> Stage:
    """Return the plans of the drill's workspaces by login, and ids of everybody else's projects and workspaces."""
    with store.read() as session:
        own = session.scalars(select(Workspace).where(Workspace.project_id == reserved.PROJECT)).all()
        foreign = session.scalars(select(Workspace.id).where(Workspace.project_id != reserved.PROJECT)).all()
        projects = session.scalars(select(Project.id).where(Project.id != reserved.PROJECT)).all()
        return Stage(
            {each.account.login: each.plan.decode() for each in own},
            {each.account.login: base64.b64encode(each.plan_signature).decode() for each in own},
            (*foreign, *projects),
        )
