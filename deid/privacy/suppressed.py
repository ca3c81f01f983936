"""Sensitive values as they will be published: rare ones as one value, and numbered by what is left.

Which values are rare is learned from the rows that stay (`deid/learning.py`), and which rows stay depends on the
diversity of what is published. So rows are judged by the values that would be rare if they alone stayed: once no more
of them go, that is what the run learns, and what is measured in the files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import polars as pl

from deid.privacy.coded import Observed, Places, codes
from deid.recipe import TableRule
from deid.risk.counting import grouped
from deid.treatments.learned import PATIENT, VALUE
from deid.treatments.rare import Rare


def rare_of(rule: TableRule) -> Mapping[str, Rare]:
    """Return what is asked of the rare values of columns that are no quasi-identifiers, by published name.

    Those of quasi-identifiers are learned before anything is judged.
    """
    quasi = {entry.column for entry in rule.quasi_identifiers}
    learners = {each.name: each.treatment.learner for each in rule.published if each.name not in quasi}
    return {name: learner for name, learner in learners.items() if isinstance(learner, Rare)}


def as_published(places: Places, rare: Mapping[str, Rare], k: int) -> Places:
    """Give the sensitive values of `places` as they are published if these patients and places are all that stays."""
    seen = {name: _suppressed(each, rare.get(name), k) for name, each in places.observed.items()}
    return replace(places, observed=seen)


def _suppressed(seen: Observed, rare: Rare | None, k: int) -> Observed:
    there = np.bincount(seen.value, minlength=seen.values.len()) > 0
    value = (np.cumsum(there) - 1)[seen.value]
    left = seen.values.filter(pl.Series(there, dtype=pl.Boolean))
    if rare is None:
        return Observed(seen.patient, seen.place, value, left)
    rows = pl.LazyFrame({PATIENT: seen.patient, VALUE: left.gather(value)})
    finish = rare.learn(rare.summary(rows.drop_nulls(VALUE), k).collect(), k)
    told = left.to_frame(VALUE).select(finish.expression(pl.col(VALUE))).to_series()
    values = told.unique().sort()
    numbered = pl.DataFrame({VALUE: values, "code": np.arange(values.len())})
    of_value = told.to_frame(VALUE).join(numbered, on=VALUE, how="left", nulls_equal=True, maintain_order="left")
    code = codes(of_value["code"])[value]
    # Who had several rare values has one now, and counts once.
    sizes = [int(each.max(initial=0)) + 1 for each in (seen.patient, seen.place, code)]
    once = np.unique(grouped([seen.patient, seen.place, code], sizes)[0], return_index=True)[1]
    return Observed(seen.patient[once], seen.place[once], code[once], values)
