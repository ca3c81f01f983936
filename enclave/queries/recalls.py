"""Versions that hold somebody who withdrew: which are still to be ended, and what a project is told of its own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from deid.versions.recalls import NOW, Recall
from enclave.actor import Actor
from enclave.model.data import Snapshot
from enclave.queries.dataset import dataset_view
from enclave.queries.project import ProjectView
from enclave.states import ColumnState, SnapshotState
from enclave.store import Store

# What a project is told of the reason; a steward's own words are for those who answer for the data.
REASON = "정보주체의 철회 (a data subject withdrew)"
OPEN = frozenset({SnapshotState.PUBLISHED, SnapshotState.RECEIVED})


@dataclass(frozen=True)
class EndedVersion:
    """A version of which a project has approved columns and that is not offered any more.

    `runs_on`: open workspaces end at their next start. `newer`: the version to apply for instead, if there is one.
    """

    dataset_id: str
    snapshot_id: str
    at: datetime | None
    by_subject: bool
    runs_on: bool
    newer: str | None


def is_due(found: Snapshot | None, recall: Recall) -> bool:
    """Say whether this recall still changes something: the version is in use, or runs on although it must end now."""
    if found is None:
        return False
    return found.state in OPEN or (found.running_stay and recall.mounts_end == NOW)


def due(store: Store, recalls: Iterable[Recall]) -> list[Recall]:
    """Return the recalls that still change something here; of versions that are not known here, none."""
    with store.read() as session:
        return [each for each in recalls if is_due(session.get(Snapshot, each.snapshot), each)]


def ended_for(store: Store, actor: Actor, project: ProjectView) -> tuple[EndedVersion, ...]:
    """Return the ended versions a project holds, by data set; `project` is what the actor was allowed to see."""
    held = {each.snapshot_id for each in project.columns if each.state is ColumnState.APPROVED}
    with store.read() as session:
        query = select(Snapshot).where(Snapshot.id.in_(held), Snapshot.state == SnapshotState.WITHDRAWN)
        rows = session.scalars(query.order_by(Snapshot.dataset_id, Snapshot.id))
        return tuple(_ended(each, actor) for each in rows)


def _ended(found: Snapshot, actor: Actor) -> EndedVersion:
    newest = dataset_view(found.dataset, actor).current
    return EndedVersion(
        dataset_id=found.dataset_id,
        snapshot_id=found.id,
        at=found.withdrawn_at,
        by_subject=found.withdraw_reason == REASON,
        runs_on=found.running_stay,
        newer=newest.id if newest else None,
    )
