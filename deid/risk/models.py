"""Privacy models as one question: which classes may be published? A class is given as a grouping of distinct tuples.

k-anonymity (Samarati and Sweeney 1998), l-diversity (Machanavajjhala et al. 2006), t-closeness (Li et al. 2007), k-map
(Sweeney 2002), delta-presence (Nergiz et al. 2007). All count distinct patients; see `counting.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from deid.risk.closeness import Ground, closeness
from deid.risk.counting import Codes, Flags, Held, People, Values
from deid.risk.diversity import Diversity, diversity


@dataclass(frozen=True)
class Records:
    """A table's distinct tuples: `codes` (tuples, columns), rows and patients of each, sensitive columns by name.

    `population` counts people of the population table in each tuple; such tuples may hold no rows of this table.
    """

    codes: Codes
    rows: Codes
    people: People
    values: Mapping[str, Values]
    population: NDArray[np.float64] | None = None

    @property
    def is_additive(self) -> bool:
        """Whether nobody stands in two tuples, so that patients of joined classes add up."""
        return not self.people.place.size


@dataclass(frozen=True)
class Grouping:
    """Classes over the tuples of `records`: the class of each, how many there are, and patients in each."""

    records: Records
    group: Codes
    groups: int
    sizes: Codes

    def held(self, column: str) -> Held:
        """Patients of each class by value of a sensitive column."""
        return self.records.values[column].held(self.group, self.groups)

    def population(self) -> NDArray[np.float64]:
        """People of the population in each class, at least those in the table; the table alone if there is none."""
        if self.records.population is None:
            return self.sizes.astype(np.float64)
        wider = np.bincount(self.group, weights=self.records.population, minlength=self.groups)
        return np.maximum(wider, self.sizes)


class Model(Protocol):
    """A privacy model; each says what it asks, which classes have it, and the worst value found."""

    def monotone(self, records: Records) -> bool:
        """Whether a class that may be published still may when any other class is joined with it."""

    def holds(self, grouping: Grouping) -> Flags:
        """Whether each class may be published; what is said of empty classes does not matter."""

    def found(self, grouping: Grouping) -> float:
        """Return the worst value over all classes that hold a patient, in the model's own measure."""

    def words(self) -> str:
        """Name the model with what is asked."""

    @property
    def gate(self) -> tuple[str, str, float]:
        """Return the model's name in the recipe, the column it speaks of ("" for all), and the number asked for."""


def group_records(records: Records, group: Codes, groups: int) -> Grouping:
    """Count the patients of each class."""
    return Grouping(records, group, groups, records.people.sizes(group, groups))


def allowed(models: Sequence[Model], grouping: Grouping) -> Flags:
    """Whether each class passes every model."""
    flags = np.ones(grouping.groups, np.bool_)
    for model in models:
        flags &= model.holds(grouping)
    return flags


@dataclass(frozen=True)
class KAnonymity:
    """At least k distinct patients."""

    k: int

    def monotone(self, records: Records) -> bool:  # noqa: ARG002 - see `Model`
        """See `Model.monotone`."""
        return True

    def holds(self, grouping: Grouping) -> Flags:
        """See `Model.holds`."""
        return grouping.sizes >= self.k

    def found(self, grouping: Grouping) -> float:
        """Return the smallest class."""
        return float(grouping.sizes[grouping.sizes > 0].min(initial=np.iinfo(np.int64).max))

    @property
    def gate(self) -> tuple[str, str, float]:
        """See `Model.gate`."""
        return "k", "", self.k

    def words(self) -> str:
        """See `Model.words`."""
        return f"k-anonymity(k={self.k})"


@dataclass(frozen=True)
class LDiversity:
    """`kind` distinct, entropy or recursive; a value that every patient of a class holds is never diverse."""

    column: str
    kind: Diversity
    l: float  # noqa: E741 - the literature's own letter, and the recipe's
    c: float = 1.0

    def monotone(self, records: Records) -> bool:
        """Distinct values only grow; but a patient of both classes may hold in one what all hold in the other."""
        return self.kind == "distinct" and records.is_additive

    def holds(self, grouping: Grouping) -> Flags:
        """See `Model.holds`."""
        return diversity(grouping.held(self.column), grouping.sizes, self.kind, most=self.l, c=self.c) >= self.l - 1e-9

    def found(self, grouping: Grouping) -> float:
        """Return the least diversity, as l."""
        reached = diversity(grouping.held(self.column), grouping.sizes, self.kind, most=self.l, c=self.c)
        return float(reached[grouping.sizes > 0].min(initial=np.inf))

    @property
    def gate(self) -> tuple[str, str, float]:
        """See `Model.gate`."""
        return "l", self.column, self.l

    def words(self) -> str:
        """See `Model.words`."""
        more = f", c={self.c:g}" if self.kind == "recursive" else ""
        return f"{self.kind} l-diversity({self.column}, l={self.l:g}{more})"


@dataclass(frozen=True)
class TCloseness:
    """Distance of each class's values from those of all at most t, by the ground distance of `ground`."""

    column: str
    t: float
    ground: Ground

    def monotone(self, records: Records) -> bool:  # noqa: ARG002 - see `Model`
        """See `Model.monotone`."""
        return False

    def holds(self, grouping: Grouping) -> Flags:
        """See `Model.holds`."""
        return self._distance(grouping) <= self.t + 1e-9

    def found(self, grouping: Grouping) -> float:
        """Return the greatest distance."""
        return float(self._distance(grouping)[grouping.sizes > 0].max(initial=0.0))

    @property
    def gate(self) -> tuple[str, str, float]:
        """See `Model.gate`."""
        return "t", self.column, self.t

    def words(self) -> str:
        """See `Model.words`."""
        return f"t-closeness({self.column}, t={self.t:g}, {self.ground.kind})"

    def _distance(self, grouping: Grouping) -> NDArray[np.float64]:
        size = grouping.records.values[self.column].size
        return closeness(grouping.held(self.column), grouping.groups, size, self.ground)


@dataclass(frozen=True)
class KMap:
    """At least k people of the population in every class of the table."""

    k: int

    def monotone(self, records: Records) -> bool:  # noqa: ARG002 - see `Model`
        """See `Model.monotone`."""
        return True

    def holds(self, grouping: Grouping) -> Flags:
        """See `Model.holds`."""
        return grouping.population() >= self.k

    def found(self, grouping: Grouping) -> float:
        """Return the smallest class of the population that holds a patient."""
        return float(grouping.population()[grouping.sizes > 0].min(initial=np.inf))

    @property
    def gate(self) -> tuple[str, str, float]:
        """See `Model.gate`."""
        return "k_map", "", self.k

    def words(self) -> str:
        """See `Model.words`."""
        return f"k-map(k={self.k})"


@dataclass(frozen=True)
class DeltaPresence:
    """The share of each class of the population that is in the table lies between `low` and `high`."""

    low: float
    high: float

    def monotone(self, records: Records) -> bool:  # noqa: ARG002 - see `Model`
        """See `Model.monotone`."""
        return False

    def holds(self, grouping: Grouping) -> Flags:
        """See `Model.holds`."""
        share = self._share(grouping)
        return (share >= self.low - 1e-9) & (share <= self.high + 1e-9)

    def found(self, grouping: Grouping) -> float:
        """Return the share that is furthest outside, or the highest."""
        share = self._share(grouping)[grouping.population() > 0]
        lowest, highest = float(share.min(initial=np.inf)), float(share.max(initial=0.0))
        return lowest if lowest < self.low - 1e-9 else highest

    @property
    def gate(self) -> tuple[str, str, float]:
        """See `Model.gate`."""
        return "delta_presence", "", self.high

    def words(self) -> str:
        """See `Model.words`."""
        return f"delta-presence({self.low:g} to {self.high:g})"

    def _share(self, grouping: Grouping) -> NDArray[np.float64]:
        return grouping.sizes / np.maximum(grouping.population(), 1.0)
