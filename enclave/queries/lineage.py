"""Which releases came from one version of a data set (korea.md R72): what a recall of that version would be about.

A file with a recipe names the snapshot it was computed from, and was recomputed from it. A file without one may be made
of anything that its project was given: it is listed as possible for every snapshot of the project.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from enclave.actor import Actor
from enclave.model.egress import AirlockRequest, OutputFile
from enclave.model.project import ProjectColumn
from enclave.model.release import Release
from enclave.policy.airlock import machine
from enclave.policy.allows import allows
from enclave.policy.dataset import check_may_trace
from enclave.queries.airlock_facts import facts, present_files
from enclave.queries.dataset import load_snapshot
from enclave.states import RELEASE, ColumnState, Direction, FileDecision, ReleaseState, Verb
from enclave.store import Store


@dataclass(frozen=True, kw_only=True)
class TracedFile:
    """A file that left. `certain`: its recipe reads this snapshot; otherwise its project merely had it."""

    name: str
    sha256: str
    certain: bool


@dataclass(frozen=True, kw_only=True)
class TracedRelease:
    """A release with the files of it that touch a snapshot.

    `unconfirmed`: how many receivers have yet to say that their copies are gone. `may`: `recall`, if the viewer may.
    """

    release_id: str
    request_id: str
    project_id: str
    state: ReleaseState
    receiver_login: str
    requested_at: datetime
    handed_over_at: datetime | None
    unconfirmed: int
    files: tuple[TracedFile, ...]
    may: frozenset[str]

    @property
    def certain(self) -> bool:
        """Whether any of its files was surely made from the snapshot."""
        return any(file.certain for file in self.files)


def releases_from(store: Store, actor: Actor, snapshot_id: str, *, now: datetime) -> tuple[TracedRelease, ...]:
    """Return every release that came, or may have come, from a snapshot, newest first.

    For stewards and owners of its provider, overseers, and the machine's console; raises `Denied` or `NotFound`.
    """
    with store.read() as session:
        snapshot = load_snapshot(session, snapshot_id)
        check_may_trace(actor, snapshot.dataset.organisation_id)
        found = (_traced(each, snapshot_id, actor, now) for each in _released(session, snapshot_id))
        return tuple(each for each in found if each.files)


def _released(session: Session, snapshot_id: str) -> Iterable[Release]:
    given = select(ProjectColumn.project_id).where(
        ProjectColumn.snapshot_id == snapshot_id, ProjectColumn.state == ColumnState.APPROVED
    )
    named = select(OutputFile.request_id).where(OutputFile.recipe.contains(snapshot_id, autoescape=True))
    query = (
        select(Release)
        .join(AirlockRequest, AirlockRequest.id == Release.request_id)
        .where(
            AirlockRequest.direction == Direction.EGRESS,
            AirlockRequest.project_id.in_(given) | AirlockRequest.id.in_(named),
        )
        .order_by(Release.requested_at.desc(), Release.id)
        .options(selectinload(Release.receipts), selectinload(Release.request))
    )
    return session.scalars(query).all()


def _traced(found: Release, snapshot_id: str, actor: Actor, now: datetime) -> TracedRelease:
    recallable = ReleaseState.RECALLED in RELEASE[found.state]
    recall = recallable and allows(machine.check, actor, facts(found.request, now), Verb.RECALL, now)
    return TracedRelease(
        release_id=found.id,
        request_id=found.request_id,
        project_id=found.request.project_id,
        state=found.state,
        receiver_login=found.receiver.login,
        requested_at=found.requested_at,
        handed_over_at=found.handed_over_at,
        unconfirmed=sum(each.confirmed_at is None for each in found.receipts),
        files=tuple(_files(found.request, snapshot_id)),
        may=frozenset({"recall"} if recall else ()),
    )


def _files(request: AirlockRequest, snapshot_id: str) -> Iterable[TracedFile]:
    """Yield the released files that read the snapshot, and those of which nobody knows what they read."""
    for file in present_files(request):
        if file.outcome is not FileDecision.APPROVED:
            continue
        reads = json.loads(file.recipe).get("snapshot") if file.recipe else None
        if reads in {None, snapshot_id}:
            yield TracedFile(name=file.name, sha256=file.sha256, certain=reads == snapshot_id)
