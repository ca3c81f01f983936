"""Multidimensional recoding with the highest utility: Mondrian (LeFevre, DeWitt and Ramakrishnan, ICDE 2006), strict.

The table is cut in two, and each part again, at the median of the column in which the part is widest, as long as both
halves satisfy every model. All parts of one depth are cut together in arrays: each round tries the next widest column
of the parts that no wider column could cut. Unlike the lattice's answer this is no rule per column: it suits one-off
releases, not versions that are to be compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from deid.risk.counting import Codes, Flags
from deid.risk.models import KAnonymity, Model, Records, TCloseness, allowed, group_records

Floats = NDArray[np.float64]
BITS = 64


@dataclass(frozen=True)
class Axis:
    """A column to cut: `ordered` is published as a range of `values`, `set` as the set of its values.

    The greater its `weight`, the sooner it is cut, and the finer it stays.
    """

    name: str
    kind: Literal["ordered", "set"]
    values: Floats
    weight: float = 1.0

    def width(self, low: Codes, high: Codes, distinct: Codes) -> Floats:
        """Normalised certainty penalty of parts that span the codes `low` to `high` and hold `distinct` values."""
        if self.kind == "set":
            return (distinct - 1) / max(1, self.values.size - 1)
        room = float(self.values[-1] - self.values[0]) if self.values.size else 0.0
        return (self.values[high] - self.values[low]) / (room or 1.0)


@dataclass(frozen=True)
class Partition:
    """The part of each tuple, how many there are, and the mean loss over rows (normalised certainty penalty).

    `checks` counts the cuts that were tried; `is_finished` is False where their limit ended the cutting: every part
    still satisfies every model, but might have been cut further.
    """

    part: Codes
    parts: int
    loss: float
    checks: int
    is_finished: bool


class _Spans:
    """Some tuples by part: where each part begins, and how wide each is along each axis (`widths`: axes, parts)."""

    def __init__(self, codes: Codes, part: Codes, axes: Sequence[Axis]) -> None:
        within = np.argsort(part, kind="stable")
        owner = part[within]
        starts = np.flatnonzero(np.diff(owner, prepend=-1))
        self.parts = owner[starts]
        self.widths = np.array([_width(axis, codes[within, column], starts) for column, axis in enumerate(axes)])


def _width(axis: Axis, code: Codes, starts: Codes) -> Floats:
    low, high = np.minimum.reduceat(code, starts), np.maximum.reduceat(code, starts)
    return axis.width(low, high, _distinct(code, starts, axis.values.size) if axis.kind == "set" else high)


def _distinct(code: Codes, starts: Codes, values: int) -> Codes:
    """Count the distinct codes of each stretch: a bit for each, joined by "or", 64 at a time."""
    found = np.zeros(starts.size, np.int64)
    for first in range(0, values, BITS):
        here = (code >= first) & (code < first + BITS)
        bits = np.where(here, np.uint64(1) << np.where(here, code - first, 0).astype(np.uint64), np.uint64(0))
        found += np.bitwise_count(np.bitwise_or.reduceat(bits, starts))
    return found


class _Parts:
    """The table while it is cut: part of each tuple, how many parts, which may still be cut, cuts tried."""

    def __init__(self, records: Records, axes: Sequence[Axis], models: Sequence[Model]) -> None:
        count = records.rows.size
        self.records, self.axes, self.models = records, axes, models
        self.weight = records.people.single + np.bincount(records.people.place, minlength=count)
        self.part = np.zeros(count, np.int64)
        self.parts, self.is_open, self.checks = 1, np.ones(1, np.bool_), 0
        # A part of fewer (patient, tuple) pairs has no two halves of k patients, whoever stands in both.
        self.least = 2 * max((model.k for model in models if isinstance(model, KAnonymity)), default=0)

    def best_cuts(self) -> tuple[Flags, Flags]:
        """Cut along the widest axis that may be cut. Returns the parts that are cut and the tuples on the right."""
        cut, right = np.zeros(self.parts, np.bool_), np.zeros(self.part.size, np.bool_)
        self.is_open &= np.bincount(self.part, weights=self.weight, minlength=self.parts) >= self.least
        active = np.flatnonzero(self.is_open[self.part])
        if not active.size:
            return cut, right
        spans = _Spans(self.records.codes[active], self.part[active], self.axes)
        weights = np.array([axis.weight for axis in self.axes])[:, None]
        widest_first = np.argsort(-spans.widths * weights, axis=0, kind="stable")
        column, untried = np.full(self.parts, -1, np.int64), spans.parts
        for columns in widest_first:
            column[spans.parts] = np.where(spans.widths[columns, np.arange(columns.size)] > 0, columns, -1)
            untried = untried[~cut[untried] & (column[untried] >= 0)]
            if not untried.size:
                break
            self.checks += int(untried.size)
            active = active[_flags(untried, self.parts)[self.part[active]]]
            beyond = self._halved(active, column)
            halves = group_records(self.records, self.part + self.parts * beyond, 2 * self.parts)
            left_ones, right_ones = allowed(self.models, halves).reshape(2, self.parts)
            both = left_ones & right_ones
            cut[untried] = both[untried]
            right |= beyond & cut[self.part]
        return cut, right

    def held(self, cut: Flags, right: Flags) -> tuple[Flags, Flags]:
        """Leave out cuts until every part of the whole table satisfies the models, as it did before.

        Cuts were judged side by side. With t-closeness that is not the last word: a patient in both halves counts in
        each, so every cut changes the whole that all parts are held to.
        """
        if not any(isinstance(model, TCloseness) for model in self.models):
            return cut, right
        while cut.any():
            number = np.where(cut, self.parts + np.cumsum(cut) - 1, 0)
            after = np.where(right, number[self.part], self.part)
            fine = allowed(self.models, group_records(self.records, after, self.parts + int(cut.sum())))
            if fine.all():
                break
            chosen = np.flatnonzero(cut)
            failing = chosen[~(fine[chosen] & fine[number[chosen]])]
            # Where none of the new parts fails, an old one does: half of the cuts go, whichever.
            cut[failing if failing.size else chosen[chosen.size // 2 :]] = False
            right &= cut[self.part]
        return cut, right

    def _halved(self, active: Codes, column: Codes) -> Flags:
        """Say of each tuple whether it lies beyond the middle of its part, along the part's `column`.

        All parts of `active` hold two values there or more. Half of the patients, about, lie beyond.
        """
        part = self.part[active]
        code = self.records.codes[active, column[part]]
        room = max(axis.values.size for axis in self.axes)
        key = part * room + code
        order = np.argsort(key)
        key, total = key[order], np.cumsum(self.weight[active][order])
        ends = np.flatnonzero(np.diff(key, append=-1))
        owner, reached = key[ends] // room, total[ends]
        lasts = np.flatnonzero(np.diff(owner, append=-1))
        firsts = np.concatenate([[0], lasts[:-1] + 1])
        number = np.repeat(np.arange(lasts.size), lasts - firsts + 1)
        before = np.concatenate([[0], reached[lasts[:-1]]])[number]
        off = np.abs(2 * reached - before - reached[lasts][number])
        off[lasts] = np.iinfo(np.int64).max
        nearest = np.flatnonzero(off == np.minimum.reduceat(off, firsts)[number])
        best = nearest[np.diff(number[nearest], prepend=-1) > 0]
        at = np.zeros(self.parts, np.int64)
        at[owner[best]] = key[ends[best]] % room
        beyond = np.zeros(self.part.size, np.bool_)
        beyond[active] = code > at[part]
        return beyond

    def cut(self, chosen: Flags, right: Flags) -> None:
        """Give the right halves of the chosen parts numbers of their own; all other parts are final."""
        new = int(chosen.sum())
        number = np.full(self.parts, -1, np.int64)
        number[chosen] = self.parts + np.arange(new)
        self.part = np.where(right, number[self.part], self.part)
        self.is_open = np.concatenate([chosen, np.ones(new, np.bool_)])
        self.parts += new

    def loss(self) -> float:
        """Mean normalised certainty penalty over rows and columns."""
        rows = np.bincount(self.part, weights=self.records.rows, minlength=self.parts)
        lost = _Spans(self.records.codes, self.part, self.axes).widths.sum(axis=0)
        return float((rows * lost).sum() / (max(1, rows.sum()) * max(1, len(self.axes))))


def partition(
    records: Records, axes: Sequence[Axis], models: Sequence[Model], checks: int | None = None
) -> Partition | None:
    """Cut until no cut leaves two halves that satisfy every model, or about `checks` cuts were tried.

    None when the whole table does not satisfy them.
    """
    count = records.rows.size
    if not count or not allowed(models, group_records(records, np.zeros(count, np.int64), 1)).all():
        return None
    state = _Parts(records, axes, models)
    while state.is_open.any() and (checks is None or state.checks < checks):
        state.cut(*state.held(*state.best_cuts()))
    return Partition(state.part, state.parts, state.loss(), state.checks, not state.is_open.any())


def _flags(chosen: Codes, size: int) -> Flags:
    flags = np.zeros(size, np.bool_)
    flags[chosen] = True
    return flags
