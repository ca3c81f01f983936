"""One measure over groups of rows: its values, and what only the microdata tell: who contributed, and how much.

All functions take rows already chosen: ``groups`` numbers them, ``people`` says whose they are, and there are ``count``
groups. Sums run in one order or another, so each value has a ``slack``: what a rightful second computation may differ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from enclave.airlock.recipes.form import Measure, RecipeRefused
from enclave.airlock.recompute.frame import Array, Frame
from enclave.airlock.recompute.rows import Rows
from enclave.airlock.recompute.where import column_of

LOOSE = 1e-11
MAGNITUDES = frozenset({"sum", "mean", "std"})
EXTREMES = frozenset({"min", "max"})


@dataclass(frozen=True)
class Stat:
    """One measure of each group: value (NaN: none), slack, people, and the shares of the largest one and two of them.

    ``alone``: the fewest people of whom the number tells more than that they are there: those that hold the very value
    shown (minimum, maximum), those that make a sum, mean or deviation what it is; else as many as contribute.
    """

    values: Array
    slack: Array
    people: Array
    top: Array
    two: Array
    alone: Array


def stat(measure: Measure, rows: Rows) -> Stat:
    """Compute one measure of every group."""
    people = rows.persons
    values, slack = people.astype(float), np.zeros(rows.count)
    if measure.op != "persons":
        values, slack = OPERATIONS[measure.op](rows)
    top, two = shares(rows, weigh=measure.op in MAGNITUDES)
    alone = people
    if measure.op in EXTREMES:
        alone = rows.holders(values)
    elif measure.op in MAGNITUDES:
        alone = _bearers(rows)
    return Stat(values, slack, people, top, two, alone)


def rows_of(frame: Frame, column: str | None, at: Array, groups: Array, count: int) -> Rows:
    """Return the rows that a measure is of: those with a value, if it is of a column. Raises `RecipeRefused`."""
    people = frame.people[at] if frame.people is not None else at
    if column is None:
        return Rows(groups, people, np.ones(len(at)), count)
    found = column_of(frame, column)
    there = found.valid[at]
    return Rows(groups[there], people[there], found.values[at[there]].astype(float), count)


def check_measures(frame: Frame, measures: Iterable[Measure]) -> None:
    """Raise `RecipeRefused` unless what is added up or ordered are numbers."""
    for measure in measures:
        if measure.column is None or measure.op == "count":
            continue
        if column_of(frame, measure.column).kind not in {"whole", "number", "bool"}:
            raise RecipeRefused(
                f"‘{measure.column}’은(는) 수가 아니어서 {measure.op}을(를) 구할 수 없습니다.",
                f"‘{measure.column}’ holds no numbers, so there is no {measure.op}.",
            )


def shares(rows: Rows, *, weigh: bool) -> tuple[Array, Array]:
    """Return what part of each group its largest one and two contributors make: of the sum, or of the rows."""
    pairs = rows.pairs
    largest, second, whole = np.zeros(rows.count), np.zeros(rows.count), np.zeros(rows.count)
    if len(pairs.starts):
        weights = np.abs(rows.values[pairs.order]) if weigh else np.ones(len(pairs.order))
        parts = np.add.reduceat(weights, pairs.starts)
        first = np.flatnonzero(np.append(True, pairs.groups[1:] != pairs.groups[:-1]))
        here = pairs.groups[first]
        whole[here] = np.add.reduceat(parts, first)
        largest[here] = np.maximum.reduceat(parts, first)
        # The first of the largest is set aside, and the largest of the rest is the second.
        at_top = np.flatnonzero(parts == largest[pairs.groups])
        parts[at_top[np.append(True, pairs.groups[at_top][1:] != pairs.groups[at_top][:-1])]] = 0.0
        second[here] = np.maximum.reduceat(parts, first)
    safe = np.where(whole > 0, whole, 1.0)
    return largest / safe, (largest + second) / safe


def _count(rows: Rows) -> tuple[Array, Array]:
    return rows.held.astype(float), np.zeros(rows.count)


def _sum(rows: Rows) -> tuple[Array, Array]:
    found = np.bincount(rows.groups, weights=rows.values, minlength=rows.count)
    size = np.bincount(rows.groups, weights=np.abs(rows.values), minlength=rows.count)
    return np.where(rows.held > 0, found, np.nan), size * LOOSE


def _mean(rows: Rows) -> tuple[Array, Array]:
    (found, slack), held = _sum(rows), np.maximum(rows.held, 1)
    return found / held, slack / held


def _std(rows: Rows) -> tuple[Array, Array]:
    mean, slack = _mean(rows)
    held = rows.held
    squares = np.bincount(rows.groups, weights=(rows.values - mean[rows.groups]) ** 2, minlength=rows.count)
    found = np.sqrt(squares / np.maximum(held - 1, 1))
    return np.where(held > 1, found, np.nan), slack + found * LOOSE


def _at(rows: Rows, place: Array) -> Array:
    found = np.full(rows.count, np.nan)
    some = rows.held > 0
    found[some] = rows.ascending[(np.cumsum(rows.held) - rows.held + place)[some]]
    return found


def _median(rows: Rows) -> tuple[Array, Array]:
    low, high = _at(rows, (rows.held - 1) // 2), _at(rows, rows.held // 2)
    return (low + high) / 2, np.abs(low + high) * LOOSE


def _min(rows: Rows) -> tuple[Array, Array]:
    return _at(rows, rows.held * 0), np.zeros(rows.count)


def _max(rows: Rows) -> tuple[Array, Array]:
    return _at(rows, rows.held - 1), np.zeros(rows.count)


def _bearers(rows: Rows) -> Array:
    """Return how few people make a sum: those whose value is not 0, and of two values the rarer one's.

    Where all have one value they are all there are; that nobody has something is shown as a count of 0 would be.
    """
    low, high = rows.ends
    rarer = np.minimum(rows.holders(low), rows.holders(high))
    some = rows.where(rows.values != 0).persons
    return np.where(rows.of_two, rarer, np.where(some > 0, some, rows.persons))


OPERATIONS: Mapping[str, Callable[[Rows], tuple[Array, Array]]] = {
    "count": _count,
    "sum": _sum,
    "mean": _mean,
    "std": _std,
    "median": _median,
    "min": _min,
    "max": _max,
}
