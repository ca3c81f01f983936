"""Data sets and their snapshots, as pages and REST show them. Everybody who is signed in may see the catalogue."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session, object_session, selectinload

from deid.manifest import Manifest
from enclave import reserved
from enclave.actor import Actor
from enclave.errors import NotFound
from enclave.model.data import Dataset, Snapshot
from enclave.policy.allows import allows
from enclave.policy.dataset import check_may_govern, check_may_trace
from enclave.policy.publication import check_may_see
from enclave.queries.manifests import read_manifest
from enclave.queries.publication import DossierView, dossier_facts, dossier_view, kind_of, was_offered
from enclave.states import SNAPSHOT, SnapshotState
from enclave.store import Store


@dataclass(frozen=True)
class SnapshotView:
    """One signed version; `manifest` is what was signed, `path` its folder (`report.html` lies in it)."""

    id: str
    dataset_id: str
    state: SnapshotState
    path: Path
    manifest: Manifest
    published_by: str
    published_at: datetime
    withdrawn_at: datetime | None
    withdraw_reason: str | None
    running_stay: bool
    may: frozenset[str]

    @property
    def rows(self) -> int:
        """Rows of all tables."""
        return sum(table.rows for table in self.manifest.tables.values())

    @property
    def subjects(self) -> int:
        """Distinct people: the most any one table has."""
        return max((table.subjects for table in self.manifest.tables.values()), default=0)


@dataclass(frozen=True)
class DatasetView:
    """One data set with its snapshots, oldest first."""

    id: str
    title_ko: str
    title_en: str
    description: str
    provider_id: str
    provider_name: str
    created_at: datetime
    snapshots: tuple[SnapshotView, ...]
    may: frozenset[str]

    @property
    def current(self) -> SnapshotView | None:
        """The newest snapshot in force, which a new application is for; one made for a project is that project's."""
        published = [one for one in self.snapshots if one.state is SnapshotState.PUBLISHED and not one.manifest.project]
        return published[-1] if published else None


def datasets(store: Store, actor: Actor) -> tuple[DatasetView, ...]:
    """Return all data sets, by id."""
    with store.read() as session:
        query = select(Dataset).options(selectinload(Dataset.snapshots), selectinload(Dataset.organisation))
        return tuple(
            dataset_view(each, actor)
            for each in session.scalars(query.where(Dataset.id != reserved.NAME).order_by(Dataset.id))
        )


def dataset(store: Store, actor: Actor, dataset_id: str) -> DatasetView:
    """Return one data set; raises `NotFound`."""
    with store.read() as session:
        return dataset_view(load_dataset(session, dataset_id), actor)


def snapshot(store: Store, actor: Actor, snapshot_id: str) -> SnapshotView:
    """Return one snapshot; raises `NotFound`, also for one under review that the actor has nothing to do with."""
    with store.read() as session:
        return snapshot_view(seen_by(session, load_snapshot(session, snapshot_id), actor), actor)


def dossier(store: Store, actor: Actor, snapshot_id: str, *, now: datetime) -> DossierView:
    """Return the way of a snapshot to being offered; raises `NotFound` as `snapshot` does."""
    with store.read() as session:
        return dossier_view(session, seen_by(session, load_snapshot(session, snapshot_id), actor), actor, now)


def seen_by(session: Session, found: Snapshot, actor: Actor) -> Snapshot:
    """Return the snapshot if the actor may know of it; raises `NotFound` (`snapshot.unknown`)."""
    if not _is_visible(session, found, actor):
        raise _no_snapshot(found.id)
    return found


def load_dataset(session: Session, dataset_id: str) -> Dataset:
    """Return the row; raises `NotFound` (`dataset.unknown`)."""
    found = session.get(Dataset, dataset_id)
    if found is None or reserved.is_reserved(dataset_id):
        raise NotFound(
            "dataset.unknown",
            ko=f"‘{dataset_id}’ 데이터셋이 없습니다.",
            en=f"There is no data set ‘{dataset_id}’.",
            remedy_ko="데이터셋 목록에서 이름을 확인하세요.",
            remedy_en="See its name in the list of data sets.",
        )
    return found


def load_snapshot(session: Session, snapshot_id: str, *, lock: bool = False) -> Snapshot:
    """Return the row, locked until the transaction ends if asked; raises `NotFound` (`snapshot.unknown`)."""
    found = session.get(Snapshot, snapshot_id, with_for_update=lock)
    if found is None:
        raise _no_snapshot(snapshot_id)
    return found


def _visible(found: Dataset, actor: Actor) -> list[Snapshot]:
    session = object_session(found)
    return [each for each in found.snapshots if session is not None and _is_visible(session, each, actor)]


def _is_visible(session: Session, found: Snapshot, actor: Actor) -> bool:
    if was_offered(session, found):
        return True
    return allows(check_may_see, actor, dossier_facts(session, found), kind_of(session, actor))


def _no_snapshot(snapshot_id: str) -> NotFound:
    return NotFound(
        "snapshot.unknown",
        ko=f"스냅샷 {snapshot_id[:12]}이(가) 없습니다.",
        en=f"There is no snapshot {snapshot_id[:12]}.",
        remedy_ko="데이터셋 화면에서 버전을 확인하세요.",
        remedy_en="See the versions on the data set's page.",
    )


def dataset_view(found: Dataset, actor: Actor) -> DatasetView:
    """Return the row as pages show it."""
    return DatasetView(
        id=found.id,
        title_ko=found.title_ko,
        title_en=found.title_en,
        description=found.description,
        provider_id=found.organisation_id,
        provider_name=found.organisation.name,
        created_at=found.created_at,
        snapshots=tuple(snapshot_view(each, actor) for each in _visible(found, actor)),
        may=frozenset({"receive_snapshot"} if allows(check_may_govern, actor, found.organisation_id) else ()),
    )


def snapshot_view(found: Snapshot, actor: Actor) -> SnapshotView:
    """Return the row as pages show it."""
    manifest = read_manifest(found.manifest)
    withdrawable = SnapshotState.WITHDRAWN in SNAPSHOT[found.state]
    governs = allows(check_may_govern, actor, found.dataset.organisation_id)
    return SnapshotView(
        id=found.id,
        dataset_id=found.dataset_id,
        state=found.state,
        path=Path(found.path),
        manifest=manifest,
        published_by=found.published_by,
        published_at=found.published_at,
        withdrawn_at=found.withdrawn_at,
        withdraw_reason=found.withdraw_reason,
        running_stay=found.running_stay,
        may=frozenset(
            {
                *(["end_running"] if found.running_stay and governs else []),
                *(["withdraw_snapshot"] if withdrawable and governs else []),
                *(["trace"] if allows(check_may_trace, actor, found.dataset.organisation_id) else []),
            }
        ),
    )
