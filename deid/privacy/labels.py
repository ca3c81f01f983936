"""Labels of the parts of a multidimensional recoding, in the form that `recoding.py` describes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from deid.recipe import ColumnRule
from deid.recoding import FINE, LABEL
from deid.risk.counting import Codes
from deid.risk.mondrian import Axis
from deid.treatments.bands import Band

EVERYTHING = "*"


@dataclass(frozen=True)
class Scale:
    """A column's values as treated, in the order in which they are cut; a missing value stands first.

    `at` places ordered values on a line; None where they are words. `is_band` says that they are bands of numbers.
    """

    name: str
    values: pl.Series
    at: pl.Series | None
    is_band: bool

    def axis(self, weight: float) -> Axis:
        """Give the axis that is cut."""
        if self.at is None:
            return Axis(self.name, "set", np.arange(float(self.values.len())), weight)
        places = self.at.cast(pl.Float64)
        # A missing value lies before the first, as far as values lie apart on average.
        known = places.drop_nulls().to_numpy()
        step = (known[-1] - known[0]) / max(1, known.size - 1) if known.size else 0.0
        first = known[0] - (step or 1.0) if known.size else 0.0
        return Axis(self.name, "ordered", places.fill_null(float(first)).to_numpy(), weight)

    def spans(self, part: Codes, code: Codes) -> tuple[pl.Series, pl.DataFrame]:
        """Return the label of each tuple's part, and what each label may stand for (`LABEL`, `FINE`)."""
        held = pl.DataFrame({"part": part, "code": code}).unique().sort("part", "code")
        parts = held.group_by("part", maintain_order=True).agg("code")
        spans = [self._span(codes) for codes in parts["code"].to_list()]
        labels = {span: self._label(span) for span in set(spans)}
        named = parts.select("part", pl.Series(LABEL, [labels[span] for span in spans], dtype=pl.String))
        joined = pl.DataFrame({"part": part}).join(named, on="part", how="left", maintain_order="left")
        told = [(label, code) for span, label in labels.items() for code in span]
        schema = {LABEL: pl.String, "code": pl.Int64}
        pairs = pl.DataFrame(sorted(told, key=lambda pair: (pair[0] or "", pair[1])), schema=schema, orient="row")
        return joined[LABEL], pairs.select(LABEL, self.values.gather(pairs["code"]).alias(FINE))

    def _span(self, codes: Sequence[int]) -> tuple[int, ...]:
        """All codes that the label stands for: a range holds what lies between its ends."""
        if self.at is None:
            return tuple(codes)
        missing = [code for code in codes if self.values[code] is None]
        known = codes[len(missing) :]
        return (*missing, *range(known[0], known[-1] + 1)) if known else tuple(missing)

    def _label(self, span: tuple[int, ...]) -> str | None:
        texts = self.values.gather(list(span)).cast(pl.String).to_list()
        known = [text for text in texts if text is not None]
        if not known:
            return None
        if self.at is None:
            if len(texts) == self.values.len() > 1:
                return EVERYTHING
            plain = len(texts) == 1 and not known[0].startswith("[")
            return known[0] if plain else json.dumps(texts, ensure_ascii=False)
        label = _bands(known) if self.is_band else known[0] if len(known) == 1 else f"{known[0]}..{known[-1]}"
        return label if len(known) == len(texts) else json.dumps([None, label], ensure_ascii=False)


def scale_of(rule: ColumnRule, values: pl.Series) -> Scale:
    """Put a column's distinct values in order."""
    if isinstance(rule.treatment, Band):
        lows = values.map_elements(_low, return_dtype=pl.Float64)
        order = lows.arg_sort(nulls_last=False)
        return Scale(rule.name, values.gather(order), lows.gather(order), is_band=True)
    ordered = values.sort(nulls_last=False)
    at = None if values.dtype == pl.String else ordered.to_physical()
    return Scale(rule.name, ordered, at, is_band=False)


def _low(band: str) -> float:
    """Lower end of a band as `Band` names it: `30-39`, `80+`, `<10`, `7`; those below 0 begin with a dash."""
    if band.startswith("<"):
        return float(band[1:]) - 0.5
    digits = band.removesuffix("+")
    cut = digits.find("-", 1)
    return float(digits if cut < 0 else digits[:cut])


def _bands(bands: Sequence[str]) -> str:
    """Join neighbouring bands, lowest first, to one."""
    first, last = bands[0], bands[-1]
    if first == last:
        return first
    cut = last.find("-", 1)
    high = last if cut < 0 else last[cut + 1 :]
    if first.startswith("<"):
        return EVERYTHING if last.endswith("+") else f"<{float(high) + 1:.0f}"
    low = first[: first.find("-", 1)] if first.find("-", 1) > 0 else first
    return f"{low}+" if last.endswith("+") else f"{low}-{high}"
