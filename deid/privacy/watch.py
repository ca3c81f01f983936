"""A table held to its `privacy` section: which classes may be published, and what is found in what was written.

k, diversity, closeness, k-map and presence are decided class by class: classes that fail are removed like small ones,
until all that is left holds, and then what was written is measured anew. Risk limits are of the whole table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from deid.privacy.asked import Close, Privacy
from deid.privacy.coded import Places, taken, value_ladder
from deid.privacy.suppressed import as_published
from deid.risk.closeness import Ground
from deid.risk.counting import Flags, people_of, values_of
from deid.risk.models import (
    DeltaPresence,
    Grouping,
    KAnonymity,
    KMap,
    LDiversity,
    Model,
    Records,
    TCloseness,
    allowed,
    group_records,
)
from deid.treatments.rare import Rare


@dataclass(frozen=True)
class Watch:
    """The classes of a table as places, and what is asked of each. A `Judge` of `suppress.py`.

    `rare` says of which columns rare values are suppressed: classes are judged by what will be published of them.
    """

    places: Places
    asked: Privacy
    k: int
    rare: Mapping[str, Rare] = field(default_factory=dict)

    def allowed(self, excluded: Flags) -> Flags:
        """See `Judge.allowed`. Closeness compares with what stays, so classes go until those left agree."""
        good = np.ones(self.places.keys.height, np.bool_)
        while True:
            models, grouping = self.judged(excluded, good)
            still = good & allowed(models, grouping)
            if np.array_equal(still, good):
                return good[: self.places.held]
            good = still

    def judged(self, excluded: Flags, good: Flags) -> tuple[tuple[Model, ...], Grouping]:
        """Return the models, and every place as its own class, without patients `excluded` and places not `good`."""
        return self._judged(narrowed(self.places, ~excluded, good))

    def whole(self) -> tuple[tuple[Model, ...], Grouping]:
        """Return the models and the classes before anything is removed."""
        return self._judged(self.places)

    def failing(self, model: Model, grouping: Grouping) -> int:
        """Rows in classes that fail a model; `grouping` is that of `whole`."""
        return int(self.places.rows[~model.holds(grouping)[self.places.place]].sum())

    def _judged(self, places: Places) -> tuple[tuple[Model, ...], Grouping]:
        published = as_published(places, self.rare, self.k)
        return models_of(self.asked, self.k, published), grouping_of(published)


def narrowed(places: Places, patients: Flags, good: Flags) -> Places:
    """Keep the patients flagged, in the places flagged; people of the population stay where a place is kept."""
    keep = patients[places.patient] & good[places.place]
    seen = {name: taken(each, patients, good) for name, each in places.observed.items()}
    people = None if places.people is None else np.where(good, places.people, 0.0)
    cut = (places.patient[keep], places.place[keep], places.rows[keep])
    return replace(places, patient=cut[0], place=cut[1], rows=cut[2], observed=seen, people=people)


def records_of(places: Places, codes: np.ndarray[Any, np.dtype[np.int64]]) -> Records:
    """Reduce places to what the models count; `codes` (places, columns) are the codes of their keys."""
    count = places.keys.height
    values = {
        name: values_of(each.patient, each.place, each.value, each.values.len())
        for name, each in places.observed.items()
    }
    rows = np.bincount(places.place, weights=places.rows, minlength=count).astype(np.int64)
    return Records(codes, rows, people_of(places.patient, places.place, count), values, places.people)


def grouping_of(places: Places) -> Grouping:
    """Every place its own class."""
    count = places.keys.height
    return group_records(records_of(places, np.zeros((count, 0), np.int64)), np.arange(count), count)


def models_of(asked: Privacy, k: int, places: Places) -> tuple[Model, ...]:
    """Make the models of a section; `k` is that of the gates, the greater of the two counts.

    They hold for groupings of these `places` only: a hierarchy over sensitive values is numbered as they are.
    """
    models: list[Model] = [KAnonymity(max(k, asked.k or 1))]
    models += [LDiversity(one.column, one.kind, one.l, one.c) for one in asked.diverse]
    models += [TCloseness(one.column, one.t, _ground(one, places)) for one in asked.close]
    models += [KMap(asked.k_map)] if asked.k_map is not None else []
    models += [DeltaPresence(*asked.presence)] if asked.presence is not None else []
    return tuple(models)


def _ground(asked: Close, places: Places) -> Ground:
    if asked.hierarchy is None:
        return Ground(asked.ground)
    return Ground(asked.ground, value_ladder(asked.column, places.observed[asked.column].values, asked.hierarchy))


def found(models: Sequence[Model], grouping: Grouping) -> Mapping[str, tuple[float, bool]]:
    """Measure every model: the worst value found (as far as it is finite) and whether all classes hold."""
    return {model.words(): (_finite(model.found(grouping)), holds(model, grouping)) for model in models}


def holds(model: Model, grouping: Grouping) -> bool:
    """Whether every class holds that the model speaks of: presence also of people who are surely not in the table."""
    spoken_of = grouping.sizes > 0
    if isinstance(model, DeltaPresence):
        spoken_of |= grouping.population() > 0
    return bool(model.holds(grouping)[spoken_of].all())


def _finite(value: float) -> float:
    return round(value, 6) if np.isfinite(value) and value < np.iinfo(np.int64).max else 0.0
