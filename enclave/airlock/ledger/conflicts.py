"""Which combinations of published and newly asked numbers depend on 1 … k−1 people (docs/adr/0024).

`conflicts` is the seam: images of what is asked for and of what is out already, in; what must not leave together, out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pyroaring import BitMap

from enclave.airlock.ledger import chains, unions
from enclave.airlock.ledger.cells import Cell, Group, Origin
from enclave.airlock.ledger.chains import WHOLE, Places, Pool
from enclave.airlock.ledger.image import Image, draw, full_labels
from enclave.airlock.ledger.unions import Side

MAX_CONFLICTS = 50
KNOWN = Origin(known=True)


@dataclass(frozen=True)
class Part:
    """Cells of one publication that take part in a combination; `new` if they are being asked for now."""

    origin: Origin
    cells: tuple[str, ...]
    new: bool


@dataclass(frozen=True)
class Conflict:
    """Numbers whose combination depends on `people` persons, 1 … k−1; `kind`: pair, union or chain."""

    kind: str
    parts: tuple[Part, ...]
    people: int


def everyone(people: int | BitMap) -> Group:
    """Return the population that everybody knows: all people of a snapshot (0 … people−1, or those given)."""
    members = people if isinstance(people, BitMap) else BitMap(range(people))
    return Group(KNOWN, (Cell("*", members),))


def conflicts(new: Sequence[Group], old: Sequence[Image], k: int, *, people: int) -> tuple[Conflict, ...]:
    """Return what the new groups give away together with each other and the old ones; at most 50 conflicts.

    `people`: how many there are in the data set's list; all ranks are below. `old` should hold the image of `everyone`.
    Complete for unions of one group against unions of another, for pairs, and for chains of three cells or totals, all
    of one measure.
    """
    found: list[Conflict] = []
    for measure in dict.fromkeys(each.origin.measure for each in new):
        asked = [each for each in new if each.origin.measure == measure]
        out = [each for each in old if each.origin.measure == measure]
        found += _of_one_measure(asked, out, k, people)
    return tuple(found[:MAX_CONFLICTS])


def _of_one_measure(new: Sequence[Group], old: Sequence[Image], k: int, people: int) -> list[Conflict]:
    sides = [Side(draw(group, people), full_labels(group, people)) for group in new]
    found: list[Conflict] = []
    pool = chains.pool([side.image for side in sides], list(old))
    near = _Near(pool, k)
    for at, side in enumerate(sides):
        for other, image in enumerate([*(each.image for each in sides), *old]):
            if other == at or image.n == 0 or side.image.n == 0:
                continue
            seen = unions.overlap(side, image)
            near.note(at, other, seen)
            done = other < at or side.image.loose or image.loose
            hit = None if done else unions.difference(side, image, seen, k)
            if hit is not None:
                found.append(_union(side.image, image, hit, both_new=other < len(sides)))
    found += [_named("pair", pool, hit[:2], hit[2]) for hit in chains.pairs(pool, k) if _loose(pool, hit[:2])]
    if len(found) < MAX_CONFLICTS:
        inside, around = near.lists()
        found += [_named("chain", pool, hit[:3], hit[3]) for hit in chains.chains(pool, inside, around, k)]
    return found


class _Near:
    """Which places of the pool lie in which but for a few people, as far as the overlaps say."""

    def __init__(self, pool: Pool, k: int) -> None:
        self._k = k
        self._at = {(int(g), int(p)): at for at, (g, p) in enumerate(zip(pool.group, pool.place, strict=True))}
        self._inside: list[tuple[Places, Places]] = []
        self._around: list[tuple[Places, Places]] = []

    def note(self, new: int, other: int, seen: unions.Overlap) -> None:
        """Note which of another group's cells (or its total) lie in a new cell (or total), and the other way round."""
        table = _with_totals(seen.table[1:, 1:])
        theirs = np.append(seen.old_seen[1:], seen.old_seen[1:].sum())
        mine = np.column_stack([seen.new_seen[1:, 1:], seen.new_seen[1:, :1]])
        mine = np.vstack([mine, mine.sum(0)])
        rows, columns = self._places(new, len(mine)), self._places(other, len(theirs))
        for noted, few in ((self._inside, theirs - table < self._k), (self._around, mine - table < self._k)):
            row, column = np.nonzero(few)
            known = (rows[row] >= 0) & (columns[column] >= 0)
            noted.append((rows[row[known]], columns[column[known]]))

    def lists(self) -> tuple[dict[int, Places], dict[int, Places]]:
        """Return, for each new place, what lies inside it and what it lies in, but for fewer than k people."""
        return _by_first(self._inside), _by_first(self._around)

    def _places(self, group: int, count: int) -> Places:
        return np.array([self._at.get((group, each), -1) for each in [*range(count - 1), WHOLE]], np.int64)


def _with_totals(table: Places) -> Places:
    wider = np.column_stack([table, table.sum(1)])
    return np.vstack([wider, wider.sum(0)])


def _by_first(noted: list[tuple[Places, Places]]) -> dict[int, Places]:
    if not sum(len(each[0]) for each in noted):
        return {}
    first, second = (np.concatenate([each[at] for each in noted]) for at in range(2))
    order = np.argsort(first, kind="stable")
    firsts, starts = np.unique(first[order], return_index=True)
    ends = np.append(starts[1:], len(order))
    return {int(each): second[order[a:b]] for each, a, b in zip(firsts, starts, ends, strict=True)}


def _loose(pool: Pool, pair: tuple[int, int]) -> bool:
    """Whether a pair was not among the unions already."""
    one, two = (int(pool.group[each]) for each in pair)
    return one == two or pool.images[one].loose or pool.images[two].loose


def _union(new: Image, old: Image, hit: tuple[int, list[int], list[int]], *, both_new: bool) -> Conflict:
    people, mine, theirs = hit
    parts = (_part(new, mine, new=True), _part(old, theirs, new=both_new))
    kind = "pair" if len(mine) == len(theirs) == 1 else "union"
    return Conflict(kind, tuple(part for part in parts if part.cells), people)


def _named(kind: str, pool: Pool, places: Sequence[int], people: int) -> Conflict:
    parts = [_part(pool.images[pool.group[at]], pool.cells(at), new=bool(pool.new[at])) for at in places]
    return Conflict(kind, tuple(parts), people)


def _part(image: Image, cells: Sequence[int], *, new: bool) -> Part:
    return Part(image.origin, tuple(image.labels[each] for each in cells), new)
