"""What a project may compute with: its approved columns, by data set, and the signed snapshot they are of."""

from __future__ import annotations

from dataclasses import dataclass, field

from enclave import clock
from enclave.actor import Actor
from enclave.portal.parts import Portal
from enclave.queries import project
from enclave.states import ColumnState


@dataclass(frozen=True)
class Source:
    """One data set of a project. ``columns``: the approved ones by table; ``snapshot``: its manifest's SHA-256."""

    dataset: str
    snapshot: str
    columns: dict[str, tuple[str, ...]] = field(default_factory=dict)


def sources(portal: Portal, actor: Actor, project_id: str) -> tuple[Source, ...]:
    """Return what the project may compute with, by data set and snapshot. Raises `Denied`, `NotFound`."""
    found: dict[tuple[str, str], dict[str, tuple[str, ...]]] = {}
    for each in project.project(portal.store, actor, project_id, now=clock.now()).columns:
        if each.state is ColumnState.APPROVED:
            tables = found.setdefault((each.dataset_id, each.snapshot_id), {})
            tables[each.table] = (*tables.get(each.table, ()), each.column)
    return tuple(Source(dataset, snapshot, tables) for (dataset, snapshot), tables in sorted(found.items()))
