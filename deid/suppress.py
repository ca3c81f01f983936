"""Which records go, so that every class that remains holds at least k distinct patients. Pure: arrays in, arrays out.

Rows are not people: on a claims table most classes that pass "k = 5 by rows" hold fewer than five patients. A patient
whose last row in a table goes is gone from the tables linked to it; a patient who goes makes other classes smaller; so
the decision is repeated until nothing changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from deid.recipe import Link
from deid.transform.columns import INDEX

ROWS = " rows"
CLASS = " class"
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Classes:
    """Distinct (patient, class) pairs of one table: three aligned arrays, and the key of each class.

    `patient` indexes patients, `group` indexes `keys`, `rows` counts the rows of the pair.
    """

    patient: NDArray[np.uint32]
    group: NDArray[np.uint32]
    rows: NDArray[np.uint32]
    keys: pl.DataFrame

    def sizes(self, alive: Flags | None = None) -> NDArray[np.int64]:
        """Distinct patients in each class, over the pairs that are `alive`."""
        group = self.group if alive is None else self.group[alive]
        return np.bincount(group, minlength=self.keys.height)

    def pairs(self) -> pl.DataFrame:
        """Give the classes back as a frame of pairs (`INDEX`, the keys, `ROWS`)."""
        return self.keys[self.group].with_columns(pl.Series(INDEX, self.patient), pl.Series(ROWS, self.rows))


@dataclass(frozen=True)
class Decision:
    """For one table: which patients are excluded, which pairs stay, which classes stay."""

    excluded: Flags
    kept: Flags
    allowed: Flags


class Judge(Protocol):
    """Says which classes may be published: those that satisfy every model once the others and the excluded are gone."""

    def allowed(self, excluded: Flags) -> Flags:
        """Whether each class may be published when these patients are not there."""


@dataclass(frozen=True)
class TableFacts:
    """What the decision needs of one table: who is in it (by patient), its domain, its classes if it has any.

    With a `judge` its word counts instead of k alone.
    """

    present: Flags
    domain: str
    classes: Classes | None
    judge: Judge | None = None


def classify(pairs: pl.DataFrame, keys: Sequence[str]) -> Classes:
    """Give numbers to the classes in a frame of distinct pairs (`INDEX`, the keys, `ROWS`); null is a value too."""
    groups = pairs.select(keys).unique().with_row_index(CLASS)
    joined = pairs.join(groups, on=list(keys), how="left", nulls_equal=True)
    patient, group, rows = (joined[name].cast(pl.UInt32).to_numpy() for name in (INDEX, CLASS, ROWS))
    return Classes(patient, group, rows, groups.drop(CLASS))


def decide(
    tables: Mapping[str, TableFacts], links: Sequence[Link], *, k: int, whole_patients: bool
) -> dict[str, Decision]:
    """Decide for all tables together; `whole_patients` removes a patient everywhere instead of the rows concerned."""
    excluded = {name: np.zeros(facts.present.shape, np.bool_) for name, facts in tables.items()}
    while True:
        before = sum(int(flags.sum()) for flags in excluded.values())
        for name, facts in tables.items():
            if facts.classes is not None:
                _exclude(tables, excluded, name, k=k, whole_patients=whole_patients)
        for link in links:
            there = tables[link.target].present & ~excluded[link.target]
            excluded[link.origin] |= tables[link.origin].present & ~there
        if sum(int(flags.sum()) for flags in excluded.values()) == before:
            return {name: _final(facts, excluded[name], k) for name, facts in tables.items()}


def _exclude(
    tables: Mapping[str, TableFacts], excluded: dict[str, Flags], name: str, *, k: int, whole_patients: bool
) -> None:
    facts = tables[name]
    classes = facts.classes
    if classes is None:
        return
    decision = _final(facts, excluded[name], k)
    if not whole_patients:
        remaining = np.zeros_like(facts.present)
        remaining[classes.patient[decision.kept]] = True
        excluded[name] |= facts.present & ~remaining
        return
    small = ~excluded[name][classes.patient] & ~decision.allowed[classes.group]
    for other, other_facts in tables.items():
        if other_facts.domain == facts.domain:
            excluded[other][classes.patient[small]] = True


def _final(facts: TableFacts, excluded: Flags, k: int) -> Decision:
    if facts.classes is None:
        return Decision(excluded, np.zeros(0, np.bool_), np.zeros(0, np.bool_))
    alive = ~excluded[facts.classes.patient]
    allowed = facts.classes.sizes(alive) >= k
    if facts.judge is not None:
        allowed &= facts.judge.allowed(excluded)
    return Decision(excluded, alive & allowed[facts.classes.group], allowed)


def small_rows(classes: Classes, k: int) -> int:
    """Rows in classes of fewer than `k` distinct patients, before anything is removed."""
    return int(classes.rows[classes.sizes()[classes.group] < k].sum())


def most_telling(pairs: pl.DataFrame, keys: Sequence[str], k: int) -> str:
    """Name the key without which the fewest rows would be in small classes: the one to coarsen first."""
    remaining = {}
    for key in keys:
        others = [name for name in keys if name != key]
        if not others:
            return key
        merged = pairs.group_by(INDEX, *others).agg(pl.col(ROWS).sum())
        remaining[key] = small_rows(classify(merged, others), k)
    return min(remaining, key=lambda name: remaining[name])
