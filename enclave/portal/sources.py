"""What a project may compute with: its approved columns, by data set, and the signed snapshot they are of."""

from __future__ import annotations

from enclave import clock
from enclave.actor import Actor
from enclave.airlock.recompute.snapshot import Source
from enclave.portal.parts import Portal
from enclave.queries import dataset, project
from enclave.queries.project import ProjectView
from enclave.snapshot_keys import store_of
from enclave.states import ColumnState


def sources(portal: Portal, actor: Actor, project_id: str) -> tuple[Source, ...]:
    """Return what the project may compute with, by data set and snapshot. Raises `Denied`, `NotFound`."""
    return sources_of(portal, actor, project.project(portal.store, actor, project_id, now=clock.now()))


def sources_of(portal: Portal, actor: Actor, about: ProjectView) -> tuple[Source, ...]:
    """Return the same of a project that was read already. Raises `NotFound`."""
    found: dict[tuple[str, str], dict[str, tuple[str, ...]]] = {}
    for each in about.columns:
        if each.state is ColumnState.APPROVED:
            tables = found.setdefault((each.dataset_id, each.snapshot_id), {})
            tables[each.table] = (*tables.get(each.table, ()), each.column)
    keys = store_of(portal.settings) if found else None
    return tuple(
        Source(name, snapshot, dataset.snapshot(portal.store, actor, snapshot).path, tables, keys)
        for (name, snapshot), tables in sorted(found.items())
    )
