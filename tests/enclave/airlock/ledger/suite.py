"""Seeded attacks on the ledger and, for each, the honest sequence beside it: the same releases without the remainder.

A story is some releases on the same people (what is out, then what is asked for). In an attack a combination of them
depends on `left` people, 1 … k−1; in its honest twin on nobody, or on k people or more. All stories lie among honest
tables over coarse columns whose every combination holds k people or more, so that nothing else can be isolated.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain as joined
from itertools import pairwise

import numpy as np
from pyroaring import BitMap

from enclave.airlock.ledger.cells import Cell, Group, Origin, groups

K = 10
COARSE = {"sex": 2, "age": 4, "region": 5}


@dataclass(frozen=True)
class Story:
    """Recipes in order of their release; `new` is how many of the last are asked for together."""

    name: str
    people: int
    recipes: tuple[tuple[Origin, tuple[Cell, ...]], ...]
    new: int = 1

    def split(self) -> tuple[list[Group], list[Group]]:
        """What is asked for and what is out."""
        made = [groups(origin, cells, smallest=K) for origin, cells in self.recipes]
        return list(joined.from_iterable(made[-self.new :])), list(joined.from_iterable(made[: -self.new]))


class World:
    """People with coarse columns, in an order of their own."""

    def __init__(self, people: int, seed: int) -> None:
        self.people, self.rng = people, np.random.default_rng(seed)
        self.columns = {name: self.rng.integers(0, count, people) for name, count in COARSE.items()}
        self.count = self.cuts = 0

    def some(self, how_many: int, among: BitMap | None = None) -> BitMap:
        """That many people drawn without replacement."""
        source = np.arange(self.people) if among is None else np.array(among.to_array())
        return BitMap(self.rng.choice(source, how_many, replace=False).tolist())

    def table(self, *keys: str, among: BitMap | None = None) -> tuple[Cell, ...]:
        """A table of counts by these columns, among some people; cells below the minimum are not in it."""
        code = np.zeros(self.people, np.int64)
        for key in keys:
            code = code * COARSE[key] + self.columns[key]
        cells = []
        for value in np.unique(code):
            members = BitMap(np.flatnonzero(code == value).tolist())
            members = members if among is None else members & among
            if len(members) >= K:
                cells.append(Cell(f"{'/'.join(keys)}={value}", members))
        return tuple(cells)

    def cut(self, members: BitMap, pieces: int) -> tuple[Cell, ...]:
        """The people of a set dealt into cells of different size."""
        self.cuts += 1
        order = self.rng.permutation(np.array(members.to_array()))
        least = 2 * K
        borders = np.sort(self.rng.choice(np.arange(1, (len(order) - pieces * least)), pieces - 1, replace=False))
        starts = [0, *(int(border) + least * (at + 1) for at, border in enumerate(borders)), len(order)]
        return tuple(
            Cell(f"part {self.cuts}.{at}", BitMap(order[a:b].tolist())) for at, (a, b) in enumerate(pairwise(starts))
        )

    def release(self, *cells: Cell) -> tuple[Origin, tuple[Cell, ...]]:
        """These cells as a release of its own, every third of another project."""
        self.count += 1
        name = f"r-{self.count}"
        return Origin(name, f"e-{self.count}", f"p-{self.count % 3}", f"{name}.csv"), tuple(cells)


def one(name: str, members: BitMap) -> Cell:
    return Cell(name, members)


Plot = Callable[[World, int], tuple[list[tuple[Origin, tuple[Cell, ...]]], int]]


def pair(w: World, left: int):
    whole = w.some(w.people // 5)
    return [w.release(one("all", whole)), w.release(one("fewer", whole - w.some(left, whole)))], 1


def pair_grown(w: World, left: int):
    part = w.some(w.people // 6)
    return [
        w.release(one("part", part)),
        w.release(one("more", part | w.some(left, BitMap(range(w.people)) - part))),
    ], 1


def nested_filters(w: World, left: int):
    filtered = w.some(w.people // 2)
    stricter = filtered - w.some(left, filtered)
    return [w.release(*w.table("sex", "age", among=filtered)), w.release(*w.table("region", among=stricter))], 1


def totals(w: World, left: int):
    whole = w.some(w.people // 3)
    hidden = w.some(left, whole)
    return [w.release(*w.cut(whole - hidden, 6), one("total", whole))], 1


def totals_later(w: World, left: int):
    whole = w.some(w.people // 3)
    return [w.release(*w.cut(whole - w.some(left, whole), 7)), w.release(one("total", whole))], 1


def time_slices(w: World, left: int):
    days = w.rng.integers(0, 20, w.people)
    last = w.some(left, BitMap(np.flatnonzero(days == 7).tolist()))
    until = BitMap(np.flatnonzero(days < 7).tolist())
    return [
        w.release(one("to day 6", until)),
        w.release(one("other", w.some(900))),
        w.release(one("to day 7", until | last)),
    ], 1


def sliding_window(w: World, left: int):
    if left == 1:
        return pair(w, left)
    window = w.some(w.people // 4)
    away = left // 2
    moved = (window - w.some(away, window)) | w.some(left - away, BitMap(range(w.people)) - window)
    return [w.release(one("window", window)), w.release(one("moved", moved))], 1


def chain(w: World, left: int):
    whole = w.some(w.people // 4)
    kept = whole - w.some(left, whole)
    first = w.some(len(kept) // 3, kept)
    return [w.release(one("whole", whole)), w.release(one("first", first)), w.release(one("second", kept - first))], 1


def chain_whole_last(w: World, left: int):
    base, *others = chain(w, left)[0]
    return [*others, base], 1


def chain_of_totals(w: World, left: int):
    whole = w.some(w.people // 3)
    kept = whole - w.some(left, whole)
    first = w.some(len(kept) // 2, kept)
    return [w.release(*w.cut(whole, 5)), w.release(*w.cut(first, 4)), w.release(*w.cut(kept - first, 6))], 1


def covered_union(w: World, left: int):
    whole = w.some(w.people // 4)
    cells = [*w.cut(whole - w.some(left, whole), 5), *w.cut(BitMap(range(w.people)) - whole, 4)]
    w.rng.shuffle(cells)
    return [w.release(*cells), w.release(one("whole", whole))], 1


def union_against_union(w: World, left: int):
    whole = w.some(w.people // 3)
    fewer = whole - w.some(left, whole)
    rest = BitMap(range(w.people)) - whole
    return [w.release(*w.cut(whole, 4), *w.cut(rest, 3)), w.release(*w.cut(fewer, 6))], 1


def complement(w: World, left: int):
    return [w.release(*w.table("sex")), w.release(*w.cut(BitMap(range(w.people)) - w.some(left), 8))], 1


def complement_of_two(w: World, left: int):
    most = BitMap(range(w.people)) - w.some(left)
    first = w.some(w.people // 3)
    return [w.release(one("first", first & most)), w.release(one("rest", most - first))], 1


def one_request(w: World, left: int):
    releases, _ = chain(w, left)
    return releases, 3


PLOTS: tuple[Plot, ...] = (
    pair, pair_grown, nested_filters, totals, totals_later, time_slices, sliding_window, chain, chain_whole_last,
    chain_of_totals, covered_union, union_against_union, complement, complement_of_two, one_request,
)  # fmt: skip


def story(plot: Plot, seed: int, left: int, *, people: int) -> Story:
    """One plot among honest tables; `left` people are what its combination depends on."""
    w = World(people, seed)
    before = [w.release(*w.table(*keys)) for keys in (("sex",), ("sex", "age"), ("age", "region"))]
    recipes, new = plot(w, left)
    after = [w.release(*w.table("region"))] if seed % 2 and new == 1 else []
    return Story(f"{plot.__name__}-{seed}-{left}", people, (*before, *after, *recipes), new)


def honest_tables(seed: int, *, people: int) -> Story:
    """Tables over coarse columns, some among people of some of their values: unions of parts of k people or more."""
    w = World(people, seed)
    recipes = []
    for _ in range(int(w.rng.integers(2, 7))):
        keys = [str(key) for key in w.rng.permutation(list(COARSE))[: w.rng.integers(1, 4)]]
        column = str(w.rng.choice(list(COARSE)))
        wanted = w.rng.random(COARSE[column]) < 0.6
        among = BitMap(np.flatnonzero(wanted[w.columns[column]]).tolist())
        recipes.append(w.release(*w.table(*keys, among=among if w.rng.random() < 0.5 and len(among) else None)))
    return Story(f"tables-{seed}", people, tuple(recipes), int(w.rng.integers(1, len(recipes) + 1)))


def attacks(*, people: int, seeds: Sequence[int]) -> list[Story]:
    """Every plot with every seed, the remainder from 1 to k−1 in turn."""
    return [
        story(plot, seed, 1 + (seed * 3 + at) % (K - 1), people=people)
        for seed in seeds
        for at, plot in enumerate(PLOTS)
    ]


def honest(*, people: int, seeds: Sequence[int]) -> list[Story]:
    """The twins of the attacks (the remainder nobody, k, or more), and sequences of coarse tables."""
    lefts = (K, 0, 2 * K, K + 1, 3 * K)
    twins = [
        story(plot, seed, lefts[(seed + at) % 5], people=people) for seed in seeds for at, plot in enumerate(PLOTS)
    ]
    return twins + [honest_tables(seed, people=people) for seed in seeds for _ in range(1)]
