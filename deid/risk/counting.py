"""Who stands in which class, in integers: the counting under every privacy model. Pure: arrays in, arrays out.

A table is reduced once to its distinct tuples of quasi-identifiers. A class is then any grouping of the tuples, and its
size is the number of distinct patients in it, never of rows: a patient who stands in several tuples of one class counts
once. Patients with one tuple only, nearly all of them, are summed; the others alone are compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.int64]
Flags = NDArray[np.bool_]
# Up to this many possible keys a table of them is quicker than sorting.
DENSE = 1 << 18


@dataclass(frozen=True)
class People:
    """Patients of `single.size` tuples: how many stand in that tuple only, and (patient, tuple) of all the others."""

    single: Codes
    patient: Codes
    place: Codes

    def sizes(self, group: Codes, groups: int) -> Codes:
        """Distinct patients in each of `groups` classes; `group` gives the class of each tuple."""
        alone = np.bincount(group, weights=self.single, minlength=groups).astype(np.int64)
        return alone + distinct_owners(self.patient, group[self.place], groups) if self.place.size else alone


@dataclass(frozen=True)
class Held:
    """How many distinct patients of each class hold each value: sparse, ordered by class, every `count` above 0."""

    group: Codes
    value: Codes
    count: Codes

    def dense(self, first: int, last: int, values: int) -> NDArray[np.float64]:
        """Give the counts of the classes `first` to `last` (exclusive) as a matrix (classes, values)."""
        low, high = np.searchsorted(self.group, [first, last])
        matrix = np.zeros((last - first, values))
        matrix[self.group[low:high] - first, self.value[low:high]] = self.count[low:high]
        return matrix


@dataclass(frozen=True)
class Values:
    """A sensitive column of `size` values: patients per (tuple, value), and (patient, tuple, value) of the others."""

    size: int
    place: Codes
    value: Codes
    count: Codes
    other_patient: Codes
    other_place: Codes
    other_value: Codes

    def held(self, group: Codes, groups: int) -> Held:
        """Count the distinct patients of each of `groups` classes that hold each value."""
        key = group[self.place] * self.size + self.value
        others = group[self.other_place] * self.size + self.other_value
        position, keys = _positions(np.concatenate([key, others]), groups * self.size)
        total = np.bincount(position[: key.size], weights=self.count, minlength=keys.size).astype(np.int64)
        if others.size:
            total += distinct_owners(self.other_patient, position[key.size :], keys.size)
        there = total > 0
        return Held(keys[there] // self.size, keys[there] % self.size, total[there])


def people_of(patient: Codes, place: Codes, places: int) -> People:
    """Split distinct (patient, tuple) pairs into those who stand in one tuple and the others."""
    alone = _stands_once(patient)
    single = np.bincount(place[alone], minlength=places)
    return People(single, patient[~alone], place[~alone])


def values_of(patient: Codes, place: Codes, value: Codes, size: int) -> Values:
    """Split distinct (patient, tuple, value) observations the same way; a patient may hold several values."""
    order = np.lexsort((place, patient))
    changes = (np.diff(patient[order]) == 0) & (np.diff(place[order]) != 0)
    moving = np.zeros(int(patient.max(initial=-1)) + 1, np.bool_)
    moving[patient[order][1:][changes]] = True
    alone = ~moving[patient]
    keys, count = np.unique(place[alone] * size + value[alone], return_counts=True)
    others = (patient[~alone], place[~alone], value[~alone])
    return Values(size, keys // size, keys % size, count, *others)


def distinct_owners(owner: Codes, key: Codes, keys: int) -> Codes:
    """How many distinct owners each key from 0 to `keys` - 1 has."""
    pairs = np.unique(owner * keys + key)
    return np.bincount(pairs % keys, minlength=keys) if keys else np.zeros(0, np.int64)


def grouped(columns: Sequence[Codes], sizes: Sequence[int]) -> tuple[Codes, int]:
    """Give numbers to the combinations of code columns; `sizes`: codes of each. Returns (number, how many)."""
    key = np.zeros(columns[0].size if columns else 0, np.int64)
    room = 1
    for column, size in zip(columns, sizes, strict=True):
        if room * size >= 1 << 62:
            key, room = _numbered(key, room)
        # In place: a new array of a million rows costs more than the arithmetic.
        key *= size
        key += column
        room *= size
    return _numbered(key, room)


def _numbered(key: Codes, room: int) -> tuple[Codes, int]:
    if room > max(DENSE, 4 * key.size):
        found, number = np.unique(key, return_inverse=True)
        return number.astype(np.int64), int(found.size)
    there = np.zeros(room, np.bool_)
    there[key] = True
    number = np.cumsum(there) - 1
    return number[key], int(there.sum())


def _positions(key: Codes, room: int) -> tuple[Codes, Codes]:
    """Where each key stands in a table of keys: of all possible ones if they are few, else of those that occur."""
    if room <= max(DENSE, 4 * key.size):
        return key, np.arange(room)
    keys, position = np.unique(key, return_inverse=True)
    return position.astype(np.int64), keys


def _stands_once(patient: Codes) -> Flags:
    return np.bincount(patient)[patient] == 1 if patient.size else np.zeros(0, np.bool_)
