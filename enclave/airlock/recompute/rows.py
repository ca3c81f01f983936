"""Rows of data in their groups, and the pairs of group and person in them: sorted once, asked often.

Plain sorting throughout: at a million rows a hash set of numpy takes ten times as long.
"""

from __future__ import annotations

import array
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from pyroaring import BitMap

from enclave.airlock.recompute.frame import Array


@dataclass(frozen=True)
class Pairs:
    """Each group and person once, in order. ``starts``: where their rows begin in ``order``, a sorting of the rows."""

    order: Array
    starts: Array
    groups: Array
    people: Array


@dataclass(frozen=True)
class Rows:
    """Some rows of data: group, person (-1: nobody's) and value of each, and how many groups there are."""

    groups: Array
    people: Array
    values: Array
    count: int

    @cached_property
    def held(self) -> Array:
        """How many rows each group has."""
        return np.bincount(self.groups, minlength=self.count)

    @cached_property
    def pairs(self) -> Pairs:
        """Each group and person once; rows of nobody are left out."""
        known = np.flatnonzero(self.people >= 0)
        groups, people = self.groups[known], self.people[known]
        keys = groups * (int(people.max(initial=0)) + 1) + people
        order = np.argsort(keys)
        keys = keys[order]
        starts = np.flatnonzero(np.append(True, keys[1:] != keys[:-1])) if len(keys) else np.zeros(0, dtype=np.int64)
        firsts = order[starts]
        return Pairs(known[order], starts, groups[firsts], people[firsts])

    @cached_property
    def persons(self) -> Array:
        """How many different people each group has."""
        return np.bincount(self.pairs.groups, minlength=self.count)

    @cached_property
    def ascending(self) -> Array:
        """The values, in order within each group, the groups one after the other."""
        order = np.argsort(self.values)
        groups = self.groups[order].astype(np.int16 if self.count < 1 << 15 else np.int64)
        return np.asarray(self.values[order][np.argsort(groups, kind="stable")])

    @cached_property
    def ends(self) -> tuple[Array, Array]:
        """The smallest and the largest value of each group; infinite where there is none."""
        low, high = np.full(self.count, np.inf), np.full(self.count, -np.inf)
        np.minimum.at(low, self.groups, self.values)
        np.maximum.at(high, self.groups, self.values)
        return low, high

    @cached_property
    def of_two(self) -> Array:
        """Which groups have at most two different values: a sum or a mean of those is a count in disguise."""
        low, high = self.ends
        between = (self.values != low[self.groups]) & (self.values != high[self.groups])
        return np.asarray(np.bincount(self.groups[between], minlength=self.count) == 0)

    def holders(self, values: Array) -> Array:
        """Return how many different people of each group have the value given for it."""
        return self.where(self.values == values[self.groups]).persons

    def where(self, which: Array) -> Rows:
        """Return some of the rows, in the same groups."""
        return Rows(self.groups[which], self.people[which], self.values[which], self.count)

    def populations(self) -> list[BitMap]:
        """Return the people of each group."""
        ends = np.searchsorted(self.pairs.groups, np.arange(self.count + 1))
        people = self.pairs.people.astype(np.uint32)
        return [bitmap(people[ends[at] : ends[at + 1]]) for at in range(self.count)]


def bitmap(people: Array) -> BitMap:
    """Return people, already without nobody, as a bitmap."""
    # An array of the standard library is taken over as it is; numpy's would be read one by one.
    return BitMap(array.array("I", people.astype(np.uint32).tobytes()))


def distinct(groups: Array, people: Array, count: int) -> Array:
    """Return how many different people each of ``count`` groups has."""
    return Rows(groups, people, people, count).persons
