"""From frames to the integers that the privacy models count: classes or tuples, who stands in them, what they hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from deid.hierarchies.hierarchy import Hierarchy
from deid.risk.counting import Codes, Flags
from deid.risk.ladder import Ladder, ladder_of
from deid.suppress import ROWS
from deid.transform.columns import INDEX

PLACE, PEOPLE = " place", " people"
UNKNOWN = "?"


@dataclass(frozen=True)
class Observed:
    """A sensitive column: (patient, place, value) of every distinct observation; `values` in order, null first."""

    patient: Codes
    place: Codes
    value: Codes
    values: pl.Series


@dataclass(frozen=True)
class Places:
    """Distinct combinations of keys, and every distinct (patient, place) with its rows.

    The first `held` places hold patients; what follows holds people of the population only. `people` counts the
    population at each place, None without a population table.
    """

    keys: pl.DataFrame
    held: int
    patient: Codes
    place: Codes
    rows: Codes
    observed: Mapping[str, Observed]
    people: NDArray[np.float64] | None = None


def with_population(places: Places, population: pl.DataFrame) -> Places:
    """Add the people of a population table (the keys, `PEOPLE`); its further combinations become places of nobody."""
    names = places.keys.columns
    wider = population.group_by(names).agg(pl.col(PEOPLE).sum())
    further = wider.join(places.keys, on=names, how="anti", nulls_equal=True)
    keys = pl.concat([places.keys, further.select(names)])
    people = keys.join(wider, on=names, how="left", nulls_equal=True, maintain_order="left")[PEOPLE].fill_null(0)
    return Places(
        keys,
        places.held,
        places.patient,
        places.place,
        places.rows,
        places.observed,
        people.cast(pl.Float64).to_numpy(),
    )


def places_of(
    frame: pl.DataFrame, names: Sequence[str], sensitive: Mapping[str, str], people: pl.DataFrame | None
) -> Places:
    """Give numbers to the distinct keys of a frame (`INDEX`, keys, sensitive columns by name, `ROWS`)."""
    keys = frame.select(names).unique(maintain_order=True)
    pairs = frame.group_by(INDEX, *names).agg(pl.col(ROWS).sum())
    placed = pairs.join(keys.with_row_index(PLACE), on=list(names), how="left", nulls_equal=True)
    seen = {
        name: observed(frame.select(INDEX, *names, column).unique().rename({column: name}), keys, name)
        for name, column in sensitive.items()
    }
    places = Places(keys, keys.height, codes(placed[INDEX]), codes(placed[PLACE]), codes(placed[ROWS]), seen)
    return places if people is None else with_population(places, people.select(*names, PEOPLE))


def observed(frame: pl.DataFrame, keys: pl.DataFrame, column: str) -> Observed:
    """Give numbers to the values of `column` in a frame of distinct (`INDEX`, keys, `column`)."""
    placed = frame.join(
        keys.with_row_index(PLACE), on=keys.columns, how="left", nulls_equal=True, maintain_order="left"
    )
    values = frame[column].unique().sort()
    numbered = pl.DataFrame({column: values, " value": np.arange(values.len())})
    value = frame.select(column).join(numbered, on=column, how="left", nulls_equal=True, maintain_order="left")
    return Observed(codes(placed[INDEX]), codes(placed[PLACE]), codes(value[" value"]), values)


def codes(column: pl.Series) -> Codes:
    """Return whole numbers as NumPy has them."""
    return column.cast(pl.Int64).to_numpy()


def value_ladder(column: str, values: pl.Series, hierarchy: Hierarchy) -> Ladder:
    """Build the ladder of sensitive values by a hierarchy; what it does not know, or null, is a branch of its own."""
    texts = values.cast(pl.String)
    labels = [hierarchy.generalise(texts, level).fill_null(UNKNOWN).to_list() for level in range(hierarchy.levels + 1)]
    finest = [[str(number) for number in range(values.len())]]
    # The hierarchy's own leaves are the first rung unless it joins values there already.
    return ladder_of(column, labels if len(set(labels[0])) == values.len() else finest + labels)


def key_ladder(column: str, values: pl.Series, labels: Sequence[Mapping[str | None, str | None]]) -> Ladder:
    """Build the ladder of a key's distinct finest labels, given the label of each on every level."""
    finest = values.to_list()
    return ladder_of(column, [[level[label] for label in finest] for level in labels])


def taken(observed_values: Observed, patients: Flags, places: Flags) -> Observed:
    """Keep what is observed of some patients (flags by patient) in some places (flags by place)."""
    keep = patients[observed_values.patient] & places[observed_values.place]
    return Observed(
        observed_values.patient[keep],
        observed_values.place[keep],
        observed_values.value[keep],
        observed_values.values,
    )
