"""Files with recipes against the ledger: at pre-flight and at submission, in one way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy.orm import Session

from deid.snapshot import read_manifest
from enclave import keys
from enclave.airlock.ledger.asked import Populations, groups_of
from enclave.airlock.ledger.cells import Origin
from enclave.airlock.ledger.conflicts import Conflict
from enclave.airlock.ledger.people import Digests, Positions, digests, place, placed_groups
from enclave.airlock.ledger.wording import told
from enclave.airlock.recipes.form import Recipe
from enclave.airlock.recompute.door import source_of
from enclave.airlock.recompute.frame import Stored
from enclave.airlock.recompute.snapshot import Source, opened
from enclave.airlock.report import Evidence, Finding
from enclave.commands.content import Checked
from enclave.portal.parts import Portal
from enclave.queries import ledger


@dataclass(frozen=True)
class _One:
    """A file with its recipe, and where its snapshot lies."""

    checked: Checked
    recipe: Recipe
    source: Source


def compared(
    portal: Portal,
    project_id: str,
    files: Sequence[tuple[Checked, Recipe | None]],
    may_use: Sequence[Source],
    *,
    smallest: int,
) -> list[Checked]:
    """Return the files with what the ledger says of them; those without known people stay as they are."""
    # All versions of a data set together: two files of one request may differ by a few people of either.
    by_dataset: dict[str, list[_One]] = {}
    for checked, recipe in files:
        source = source_of(recipe, may_use) if recipe is not None and checked.cells else None
        if recipe is not None and source is not None:
            by_dataset.setdefault(source.dataset, []).append(_One(checked, recipe, source))
    asked: dict[str, Populations] = {}
    found: list[Conflict] = []
    for ones in by_dataset.values():
        with portal.store.read() as session:
            populations, conflicts = _compare(portal, session, project_id, ones, smallest)
        asked |= populations
        found += conflicts
    news = told(found, project_id)
    return [_with(one, asked, news) for one, _ in files]


def _with(
    one: Checked, asked: Mapping[str, Populations], news: Mapping[str, tuple[tuple[Finding, ...], Evidence]]
) -> Checked:
    name = one.file.name
    report = one.report
    if name in news:
        findings, evidence = news[name]
        report = report.with_more(findings, (evidence,))
    return replace(one, report=report, populations=asked.get(name))


def _compare(
    portal: Portal, session: Session, project_id: str, ones: Sequence[_One], smallest: int
) -> tuple[dict[str, Populations], Sequence[Conflict]]:
    dataset = ones[0].source.dataset
    placed = _placed(portal, session, ones)
    version = ledger.version(session, dataset)
    asked = {
        one.checked.file.name: Populations(
            dataset,
            one.source.snapshot,
            groups_of(
                one.recipe,
                one.checked.cells,
                Origin(project=project_id, file=one.checked.file.name),
                one_row_each=_one_row_each(portal, one),
                smallest=smallest,
            ),
            placed[one.source.snapshot].fresh,
            version,
            smallest,
        )
        for one in ones
    }
    groups = [
        group for each in asked.values() for group in placed_groups(each.groups, placed[each.snapshot_id].positions)
    ]
    own = [each.positions for each in placed.values() if each.fresh is not None]
    return asked, ledger.compare(session, dataset, groups, smallest, own=own)[1]


@dataclass(frozen=True)
class _People:
    """The places of a snapshot's people in the list; `fresh`: their digests where they are not in it yet."""

    positions: Positions
    fresh: Digests | None


def _placed(portal: Portal, session: Session, ones: Sequence[_One]) -> dict[str, _People]:
    """Return the people of each snapshot of one data set; those not in the list yet as they would come into it."""
    public_key = keys.load_public_key(portal.settings.snapshot_public_key)
    found: dict[str, _People] = {}
    listed: Digests | None = None
    for one in ones:
        snapshot = one.source.snapshot
        if snapshot in found:
            continue
        known = ledger.positions(session, snapshot)
        if known is not None:
            found[snapshot] = _People(known, None)
            continue
        with opened(one.source, one.recipe, public_key) as tables:
            fresh = digests(_pseudonyms(Stored(each.descriptors, each.person) for each in tables.values()))
        listed = ledger.digests(session, one.source.dataset) if listed is None else listed
        came = place(listed, fresh)
        listed = np.concatenate([listed, came.joined])
        found[snapshot] = _People(came.positions, fresh)
    return found


def _pseudonyms(tables: Iterable[Stored]) -> list[str]:
    """Return all pseudonyms of a snapshot once, in the order of `enclave.airlock.recompute.frame.register`."""
    columns = [table.read([table.person])[table.person].cast(pa.large_string()) for table in tables if table.person]
    every = pc.unique(pa.chunked_array([pc.unique(each) for each in columns], pa.large_string())).drop_null()
    found: list[str] = every.take(pc.sort_indices(every)).to_pylist()
    return found


def _one_row_each(portal: Portal, one: _One) -> bool:
    manifest = read_manifest(one.source.folder, keys.load_public_key(portal.settings.snapshot_public_key))
    table = manifest.tables[one.recipe.table]
    return table.rows == table.subjects
