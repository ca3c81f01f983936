"""A table held to its `privacy` section: which classes may be published, and what is found in what was written.

k, diversity, closeness, k-map and presence are decided class by class: classes that fail are removed like small ones,
until all that is left holds, and then what was written is measured anew. Risk limits are of the whole table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from deid.privacy.asked import Close, Privacy
from deid.privacy.coded import Places, taken, value_ladder
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


@dataclass(frozen=True)
class Watch:
    """The classes of a table as places, and the models that each must satisfy. A `Judge` of `suppress.py`."""

    places: Places
    models: tuple[Model, ...]

    def allowed(self, excluded: Flags) -> Flags:
        """See `Judge.allowed`. Closeness compares with what stays, so classes go until those left agree."""
        good = np.ones(self.places.keys.height, np.bool_)
        while True:
            still = good & allowed(self.models, self.grouping(excluded, good))
            if np.array_equal(still, good):
                return good[: self.places.held]
            good = still

    def grouping(self, excluded: Flags, good: Flags) -> Grouping:
        """Every place its own class, without the patients `excluded` and the places that are not `good`."""
        return grouping_of(narrowed(self.places, ~excluded, good))

    def failing(self, model: Model) -> int:
        """Rows in classes that fail a model before anything is removed."""
        whole = grouping_of(self.places)
        return int(self.places.rows[~model.holds(whole)[self.places.place]].sum())


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
    """Make the models of a section; `k` is that of the gates, the greater of the two counts."""
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
