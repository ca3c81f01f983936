"""Any union of one group's cells against any union of another's: complete, and a smallest cut (docs/adr/0024).

Two groups of disjoint cells make a graph: a node for each cell and one for "in none", and between a cell of one and a
cell of the other an edge that weighs as many people as are in both. Choosing a union of either side is choosing a side
of a cut, and the cut weighs as many people as are in one union and not in the other. So a difference of 1 … k−1 people
exists exactly if some part of the graph has a cut that small.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from enclave.airlock.ledger import cut
from enclave.airlock.ledger.cells import ranks
from enclave.airlock.ledger.image import Image, Labels

Table = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Side:
    """One group that is being asked for: its image and the cell of every person, shape (people,)."""

    image: Image
    labels: Labels
    _samples: dict[int, Table] = field(default_factory=dict)

    def sample(self, step: int) -> Table:
        """Return the cell of every `step`-th person."""
        if step not in self._samples:
            self._samples[step] = self.labels[::step].astype(np.int64)
        return self._samples[step]


@dataclass(frozen=True)
class Overlap:
    """How many people two groups share at least: `table` (n_new + 1, n_old + 1), row and column 0 for "in none".

    `new_seen` (as the table), `old_seen` (n_old + 1,): of how many members of a cell the table could have said so.
    `exact`: of which old cells (by column) it knows everyone; `whole`: of all.
    """

    table: Table
    new_seen: Table
    old_seen: npt.NDArray[np.int64]
    exact: npt.NDArray[np.bool_]

    @property
    def whole(self) -> bool:
        """Whether nothing is estimated."""
        return bool(self.exact.all())


def overlap(new: Side, old: Image) -> Overlap:
    """Return the shared people of two groups, in the sample for large old cells, of everyone for small ones."""
    step = max(new.image.step, old.step)
    mine, theirs = new.sample(step), old.sample[:: step // old.step]
    length = max(len(mine), len(theirs))
    shape = (new.image.n + 1, old.n + 1)
    both = _padded(mine, length) * shape[1] + _padded(theirs, length)
    table = np.bincount(both, minlength=shape[0] * shape[1]).reshape(shape).astype(np.int64)
    new_seen, old_seen = np.repeat(table.sum(1)[:, None], shape[1], 1), table.sum(0)
    exact = np.full(old.n + 1, step == 1)
    if step > 1 and len(old.small):
        places = np.unique(old.owner).astype(np.int64)
        flat = _at(new.labels, old.small) * old.n + old.owner
        known = np.bincount(flat, minlength=shape[0] * old.n).reshape(shape[0], old.n)
        table[:, places + 1] = known[:, places]
        old_seen[places + 1], exact[places + 1] = old.sizes[places], True
        new_seen[1:, places + 1] = new.image.sizes[:, None]
    return Overlap(table, new_seen, old_seen, exact)


def difference(new: Side, old: Image, seen: Overlap, k: int) -> tuple[int, list[int], list[int]] | None:
    """Return (people, cells of `new`, cells of `old`) of a union of each that differ by 1 … k−1 people, or None."""
    if seen.whole:
        return _cut(_graph(seen.table), None, new.image.n, k)
    if _hangs_together(seen.table >= k):
        return None
    count, part = cut.parts(_graph(seen.table), k)
    gone = _closed(new.image, old, count, part)
    left = [each for each in range(count) if each not in gone]
    if len(left) == 1:
        return None
    table = _settled(new, old, seen, part, gone)
    weights = _graph(table)
    # What hangs together in the sample does so among everyone: those nodes are one, and its inside need not be known.
    return _cut(weights, part, new.image.n, k)


def _hangs_together(strong: npt.NDArray[np.bool_]) -> bool:
    """Whether every cell is reached from "in none" over strong edges: then there is no small cut, and most end here."""
    rows, columns = np.zeros(strong.shape[0], bool), np.zeros(strong.shape[1], bool)
    rows[0] = columns[0] = True
    reached = 0
    while (now := int(rows.sum() + columns.sum())) != reached:
        reached = now
        columns |= strong[rows].any(0)
        rows |= strong[:, columns].any(1)
    return reached == sum(strong.shape)


def _closed(new: Image, old: Image, count: int, part: cut.Parts) -> set[int]:
    """Return the parts in which the two unions are the same people: nothing leads out of them."""
    signs = np.concatenate([[0], np.ones(new.n, np.int64), -np.ones(old.n, np.int64)])
    counts = np.zeros((count, new.counts.shape[1]), np.int64)
    hashes = np.zeros(count, np.uint64)
    rows = np.concatenate([np.zeros((1, new.counts.shape[1]), np.int64), new.counts, old.counts])
    bits = np.concatenate([np.zeros(1, np.uint64), new.hashes, np.uint64(0) - old.hashes])
    np.add.at(counts, part, rows * signs[:, None])
    np.add.at(hashes, part, bits)
    return {each for each in range(count) if each != part[0] and not hashes[each] and not counts[each].any()}


def _settled(new: Side, old: Image, seen: Overlap, part: cut.Parts, gone: set[int]) -> Table:
    """Return a table whose weights between parts are exact; inside the part of node 0 it may lack people.

    Old cells outside that part are read in full where the image does not hold them; what then is left of a new cell is
    shared with the part of node 0, whichever of its nodes that is. Closed parts (`gone`) share nobody with the others.
    """
    n = new.image.n
    open_new = np.array([True, *(int(each) not in gone for each in part[1 : n + 1])])
    kept = [place for place, each in enumerate(part[n + 1 :]) if each != part[0] and int(each) not in gone]
    table = np.zeros_like(seen.table)
    for place in kept:
        column = seen.table[:, place + 1]
        if not seen.exact[place + 1]:
            column = np.bincount(_at(new.labels, ranks(old.load(place))), minlength=n + 1)
        table[:, place + 1] = column
    sizes = np.concatenate([[0], new.image.sizes])
    table[1:, 0] = np.where(open_new, sizes - table.sum(1), 0)[1:]
    return table


def _cut(weights: Table, part: cut.Parts | None, n: int, k: int) -> tuple[int, list[int], list[int]] | None:
    if part is None:
        found = cut.small_cut(weights, k)
        side = None if found is None else found[1]
    else:
        joined = cut.merged(weights, int(part.max()) + 1, part)
        found = cut.small_cut(joined, k)
        side = None if found is None else found[1][part]
    if found is None or side is None:
        return None
    if side[0]:
        side = ~side
    nodes = np.flatnonzero(side)
    return found[0], [int(each) - 1 for each in nodes if each <= n], [int(each) - n - 1 for each in nodes if each > n]


def _graph(table: Table) -> Table:
    """Return the weights of the graph: node 0, then the new cells, then the old ones."""
    n, m = table.shape[0] - 1, table.shape[1] - 1
    weights = np.zeros((1 + n + m, 1 + n + m), np.int64)
    weights[1 : n + 1, n + 1 :] = table[1:, 1:]
    weights[0, 1 : n + 1] = table[1:, 0]
    weights[0, n + 1 :] = table[0, 1:]
    return weights + weights.T


def _padded(labels: Table | Labels, length: int) -> Table:
    if len(labels) == length:
        return labels.astype(np.int64, copy=False)
    return np.pad(labels.astype(np.int64), (0, length - len(labels)))


def _at(labels: Labels, members: npt.NDArray[np.uint32]) -> Table:
    """Return the cell of each member; people who came later than the labels are in none."""
    inside = members < len(labels)
    return np.where(inside, labels[np.where(inside, members, 0)], 0).astype(np.int64)
