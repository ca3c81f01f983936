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
    Complete for unions of one group against unions of another, for pairs, and for chains of three cells or totals.
    """
    sides = [Side(draw(group, people), full_labels(group, people)) for group in new]
    found: list[Conflict] = []
    pool = chains.pool([side.image for side in sides], list(old))
    near = _Near(pool)
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
        inside, around = near.lists(k)
        found += [_named("chain", pool, hit[:3], hit[3]) for hit in chains.chains(pool, inside, around, k)]
    return tuple(found[:MAX_CONFLICTS])


class _Near:
    """Which places of the pool lie in which but for a few people, as far as the overlaps say."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._at = {(int(g), int(p)): at for at, (g, p) in enumerate(zip(pool.group, pool.place, strict=True))}
        self._outside: dict[int, list[tuple[Places, Places]]] = {}
        self._beyond: dict[int, list[tuple[Places, Places]]] = {}

    def note(self, new: int, other: int, seen: unions.Overlap) -> None:
        """Note how many of another group's cells lie outside each new cell at least, and the other way round."""
        table = np.column_stack([seen.table[1:, 1:], seen.table[1:, 1:].sum(1)])
        table = np.vstack([table, table.sum(0)])
        sizes = np.append(seen.old_seen[1:], seen.old_seen[1:].sum())
        mine = np.column_stack([seen.new_seen[1:, 1:], seen.new_seen[1:, :1]])
        mine = np.vstack([mine, mine.sum(0)])
        columns = [*range(len(seen.old_seen) - 1), WHOLE]
        places = [self._at.get((other, column), -1) for column in columns]
        keep = np.array([column for column, place in enumerate(places) if place >= 0], dtype=np.int64)
        if not len(keep):
            return
        target = np.array(places, dtype=np.int64)[keep]
        for row in [*range(len(mine) - 1), WHOLE]:
            at = self._at.get((new, row))
            if at is not None:
                self._outside.setdefault(at, []).append((target, (sizes - table[row])[keep]))
                self._beyond.setdefault(at, []).append((target, (mine[row] - table[row])[keep]))

    def lists(self, k: int) -> tuple[dict[int, Places], dict[int, Places]]:
        """Return, for each new place, what lies inside it and what it lies in, but for fewer than k people."""
        return _below(self._outside, k), _below(self._beyond, k)


def _below(noted: dict[int, list[tuple[Places, Places]]], k: int) -> dict[int, Places]:
    return {at: np.concatenate([places[few < k] for places, few in each]) for at, each in noted.items()}


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
