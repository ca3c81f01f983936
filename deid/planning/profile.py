"""What a column's values say about it: type, dates, cardinality, variation within a patient, identifiers, text.

Counts and shares only leave this module, and the category list of short columns; nothing here is written anywhere.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

import polars as pl

from deid.detect.scan import scan
from deid.gates import DIRECT
from deid.hierarchies.known import KNOWN
from deid.transform.surrogates import misfit

DATE_FORMATS = (
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%Y%m%d",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%d %H:%M:%S%.f",  # as SQLite keeps time stamps
    "%Y-%m-%dT%H:%M:%S%.f",
)
NULL_WORDS = ("NA", "N/A", "NULL", "null", "NaN", "nan", "None", "-", ".", "?", "\\N")
SAMPLE = 200  # distinct values shown to the recognisers
SURE = 0.6  # the score from which a recogniser's word counts, as in `Gates.scan_min_score`
WHOLE = 0.8  # a cell of which so much is the identifier holds nothing else
KCD = re.compile(r"[A-Z]\d{2}(\.?\d{1,3})?")
CODED = [(name, hierarchy) for name, hierarchy in KNOWN.items() if name != "age"]
REAL_YEARS = (1900, 2100)


@dataclass(frozen=True)
class Facts:
    """Facts of one column over the rows seen.

    `kind` is `integer`, `number`, `date` or `text`; `format` belongs to dates. `distinct` counts values, `per_patient`
    is the share of patients with one value only. `whole` and `inside` give, by type of identifier, the share of sampled
    values that are one, or contain one; `ladders`, by hierarchy that ships, that of values it knows. `length` is
    the mean number of characters, `words` of words. `form` is the kind of surrogate that every value can have, or "".
    """

    name: str
    rows: int
    filled: int
    distinct: int
    per_patient: float
    kind: str
    format: str
    low: float
    high: float
    last: str
    length: float
    words: float
    kcd: float
    whole: dict[str, float]
    inside: dict[str, float]
    nulls: tuple[str, ...]
    ladders: dict[str, float]
    form: str

    @property
    def unique(self) -> bool:
        """Whether no value repeats."""
        return self.distinct == self.filled > 1

    @property
    def few(self) -> bool:
        """Whether the values are categories: few of them, and each seen often."""
        limit = 50
        return self.distinct <= limit or self.distinct * 20 < self.filled


def profile(frame: pl.DataFrame, column: str, subject: str | None) -> Facts:
    """Look at one column of a frame of text; `subject` names the column of the patient, if known."""
    values = frame[column].drop_nulls().str.strip_chars()
    nulls = tuple(word for word in NULL_WORDS if (values == word).any())
    values = values.filter(~values.is_in(nulls))
    kind, form, parsed = _kind(values)
    numeric = parsed if kind in {"integer", "number"} else None
    distinct = values.unique().sort()
    sample = distinct.gather_every(max(1, -(-distinct.len() // SAMPLE))).to_list()
    whole, inside = _identifiers(column, sample, dated=kind == "date")
    return Facts(
        name=column,
        rows=frame.height,
        filled=values.len(),
        distinct=distinct.len(),
        per_patient=_per_patient(frame, column, subject),
        kind=kind,
        format=form,
        low=_number(numeric.min() if numeric is not None else 0),
        high=_number(numeric.max() if numeric is not None else 0),
        last=str(parsed.max()) if kind == "date" and parsed is not None else "",
        length=_number(values.str.len_chars().mean()),
        words=_number(values.str.split(" ").list.len().mean()),
        kcd=_share(sum(bool(KCD.fullmatch(value)) for value in sample), len(sample)),
        whole=whole,
        inside=inside,
        nulls=nulls,
        ladders={
            name: _share(sum(ladder.label(value, 0) is not None for value in sample), len(sample))
            for name, ladder in CODED
        },
        form=_form(distinct),
    )


def _form(distinct: pl.Series) -> str:
    """Name the kind of surrogate that every value has: digits before letters, "" where some value has none."""
    for kind in ("digits", "chart"):
        if distinct.len() and all(misfit(value, kind) is None for value in distinct):
            return kind
    return ""


def _kind(values: pl.Series) -> tuple[str, str, pl.Series | None]:
    if not values.len():
        return "text", "", None
    for form in DATE_FORMATS:
        days = values.str.to_date(form, strict=False)
        if not days.null_count() and days.dt.year().is_between(*REAL_YEARS).all():
            return "date", form, days
    # A leading zero makes it a code: as a number it would be another value.
    codes = (values.str.len_chars() > 1) & values.str.starts_with("0") & ~values.str.contains(".", literal=True)
    if not codes.any():
        for kind, dtype in (("integer", pl.Int64), ("number", pl.Float64)):
            numbers = values.cast(dtype, strict=False)
            if not numbers.null_count() and numbers.cast(pl.Float64).is_finite().all():
                return kind, "", numbers
    return "text", "", None


def _identifiers(column: str, sample: list[str], *, dated: bool) -> tuple[dict[str, float], dict[str, float]]:
    """Ask the recognisers about each value, alone and behind its column's name, which may be the label they need."""
    whole: Counter[str] = Counter()
    inside: Counter[str] = Counter()
    label = f"{column}: "
    for value in sample if not dated else []:
        kinds: dict[str, float] = {}
        for text, start in ((value, 0), (label + value, len(label))):
            for found in scan(text, threshold=SURE):
                if found.type in DIRECT and found.start >= start:
                    kinds[found.type] = max(kinds.get(found.type, 0), (found.end - found.start) / len(value))
        inside.update(kinds)
        whole.update(kind for kind, share in kinds.items() if share >= WHOLE)
    return tuple({kind: _share(n, len(sample)) for kind, n in counted.items()} for counted in (whole, inside))  # type: ignore[return-value]


def _per_patient(frame: pl.DataFrame, column: str, subject: str | None) -> float:
    if subject is None or subject == column:
        return 1.0
    counts = frame.group_by(subject).agg(pl.col(column).drop_nulls().n_unique().alias(" n"))[" n"]
    return _share(int((counts <= 1).sum()), counts.len())


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _number(value: Any) -> float:
    return float(value) if value is not None else 0.0
