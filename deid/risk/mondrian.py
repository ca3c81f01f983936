"""Multidimensional recoding with the highest utility: Mondrian (LeFevre, DeWitt and Ramakrishnan, ICDE 2006), strict.

The table is cut in two, and each part again, at the median of the column in which the part is widest, as long as both
halves satisfy every model. All parts of one depth are cut together in arrays. Unlike the lattice's answer this is no
rule per column: it suits one-off releases, not versions that are to be compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from deid.risk.counting import Codes, Flags
from deid.risk.models import Model, Records, allowed, group_records

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Axis:
    """A column to cut: `ordered` is published as a range of `values`, `set` as the set of its values."""

    name: str
    kind: Literal["ordered", "set"]
    values: Floats

    def width(self, low: Codes, high: Codes, distinct: Codes) -> Floats:
        """Normalised certainty penalty of parts that span the codes `low` to `high` and hold `distinct` values."""
        if self.kind == "set":
            return (distinct - 1) / max(1, self.values.size - 1)
        room = float(self.values[-1] - self.values[0]) if self.values.size else 0.0
        return (self.values[high] - self.values[low]) / (room or 1.0)


@dataclass(frozen=True)
class Partition:
    """The part of each tuple, how many there are, and the mean loss over rows (normalised certainty penalty)."""

    part: Codes
    parts: int
    loss: float


@dataclass(frozen=True)
class _Order:
    """The tuples looked at, by part and value of one axis.

    `ends` are the last positions of each value, `starts` where each part begins, `width` how wide each part is.
    """

    tuples: Codes
    ends: Codes
    starts: Codes
    width: Floats


@dataclass
class _Parts:
    """The table while it is cut: part of each tuple, how many parts, which may still be cut."""

    records: Records
    weight: Codes
    part: Codes
    parts: int
    is_open: Flags

    def order(self, column: int, axis: Axis, looked_at: Codes) -> _Order:
        code = self.records.codes[:, column]
        key = self.part[looked_at] * axis.values.size + code[looked_at]
        within = np.argsort(key, kind="stable")
        tuples, key = looked_at[within], key[within]
        ends = np.flatnonzero(np.concatenate([np.diff(key) > 0, [True]]))
        owner = self.part[tuples]
        starts = np.searchsorted(owner, np.arange(self.parts))
        last = np.searchsorted(owner, np.arange(self.parts), side="right") - 1
        there = last >= starts
        distinct = np.bincount(owner[ends], minlength=self.parts)
        width = np.zeros(self.parts)
        low, high = code[tuples[starts[there]]], code[tuples[last[there]]]
        width[there] = axis.width(low, high, distinct[there])
        return _Order(tuples, ends, starts, width)

    def halved(self, column: int, order: _Order) -> Codes:
        """Return for each part the code up to which about half of its patients lie, -1 where there is one value."""
        total = np.cumsum(self.weight[order.tuples])
        ends = order.tuples[order.ends]
        owner = self.part[ends]
        left = total[order.ends] - np.concatenate([[0], total])[order.starts[owner]]
        whole = np.bincount(self.part[order.tuples], weights=self.weight[order.tuples], minlength=self.parts)[owner]
        last = np.append(np.diff(owner) > 0, True)
        off = np.where(last, np.inf, np.abs(2 * left - whole))
        # The boundaries of a part stand together; the one least off the middle comes first in this order.
        best = np.lexsort((off, owner))
        first = best[np.concatenate([[True], np.diff(owner[best]) > 0])]
        first = first[np.isfinite(off[first])]
        at = np.full(self.parts, -1, np.int64)
        at[owner[first]] = self.records.codes[ends[first], column]
        return at

    def best_cuts(self, axes: Sequence[Axis], models: Sequence[Model]) -> tuple[Flags, Flags]:
        """Cut along the widest axis that may be cut. Returns the parts that are cut and the tuples on the right."""
        active = np.flatnonzero(self.is_open[self.part])
        widest = np.full(self.parts, -1.0)
        right = np.zeros(self.part.size, np.bool_)
        for column, axis in enumerate(axes):
            order = self.order(column, axis, active)
            at = self.halved(column, order)
            wider = self.is_open & (at >= 0) & (order.width > widest)
            beyond = wider[self.part] & (self.records.codes[:, column] > at[self.part])
            halves = group_records(self.records, self.part + self.parts * beyond, 2 * self.parts)
            better = wider & allowed(models, halves).reshape(2, self.parts).all(axis=0)
            widest = np.where(better, order.width, widest)
            right = np.where(better[self.part], beyond, right)
        return widest >= 0, right

    def cut(self, chosen: Flags, right: Flags) -> None:
        """Give the right halves of the chosen parts numbers of their own; all other parts are final."""
        new = int(chosen.sum())
        number = np.full(self.parts, -1, np.int64)
        number[chosen] = self.parts + np.arange(new)
        self.part = np.where(right, number[self.part], self.part)
        self.is_open = np.concatenate([chosen, np.ones(new, np.bool_)])
        self.parts += new


def partition(records: Records, axes: Sequence[Axis], models: Sequence[Model]) -> Partition | None:
    """Cut until no cut leaves two halves that satisfy every model; None when the whole table does not."""
    count = records.rows.size
    start = np.zeros(count, np.int64)
    if not count or not allowed(models, group_records(records, start, 1)).all():
        return None
    weight = records.people.single + np.bincount(records.people.place, minlength=count)
    state = _Parts(records, weight, start, 1, np.ones(1, np.bool_))
    while state.is_open.any():
        state.cut(*state.best_cuts(axes, models))
    return Partition(state.part, state.parts, _loss(state, axes))


def _loss(state: _Parts, axes: Sequence[Axis]) -> float:
    """Mean normalised certainty penalty over rows and columns."""
    rows = np.bincount(state.part, weights=state.records.rows, minlength=state.parts)
    everything = np.arange(state.part.size)
    lost = sum((state.order(column, axis, everything).width for column, axis in enumerate(axes)), np.zeros(state.parts))
    return float((rows * lost).sum() / (max(1, rows.sum()) * max(1, len(axes))))
