"""What a synthetic twin may know of a snapshot: coarse marginals, one column at a time, each figure over ten patients.

The twin is drawn from a `Profile` and a seed, and from nothing else: whoever inverts the drawing, even with the seed
in hand, finds this profile and not a row. So what must be safe is what stands here (korea.md R42; the threshold counts
distinct patients, as the enclave's minimum cell does):

- a category stands here only if `LEAST` patients of its table carry it, with its share to one significant digit;
- numbers and days are bins that hold `LEAST` patients each, their edges rounded; beyond either outer edge lie the
  values of `LEAST` more patients, so that no extreme is anybody's;
- shares of missing values, of patients per table, and numbers of patients are rounded to a twentieth, or to tens;
- no two columns are ever looked at together, apart from a column and the patient.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl

from deid.manifest import Table
from deid.many.codes import numbered

LEAST = 10
MOST_BINS = 20
# Numbers with few distinct values (codes, years, counts) are categories; beyond that they are bins.
MOST_NUMBERS = 50
MOST_CATEGORIES = 5_000
TWENTIETH = 0.05
MOST_DECIMALS = 4
SAME = 0.95
EPOCH = date(1970, 1, 1)
PATIENT, VALUE, COUNT, BIN = " patient", " value", " count", " bin"


@dataclass(frozen=True)
class Categories:
    """Values with their weights."""

    values: tuple[Any, ...]
    weights: tuple[float, ...]


@dataclass(frozen=True)
class Bins:
    """Ranges between neighbouring `edges` with their weights; values have `decimals` digits after the point."""

    edges: tuple[float, ...]
    weights: tuple[float, ...]
    decimals: int


@dataclass(frozen=True)
class Pseudonyms:
    """Pseudonyms of things that are no patients: how many different ones there are for each row, up to 1."""

    per_row: float


@dataclass(frozen=True)
class Phrases:
    """Free text, or values none of which may be told."""


Kind = Categories | Bins | Pseudonyms | Phrases


@dataclass(frozen=True)
class ColumnProfile:
    """One column: Polars `dtype` by name, what its values look like, share of nulls, whether patients keep a value."""

    name: str
    dtype: str
    kind: Kind
    missing: float
    per_patient: bool


@dataclass(frozen=True)
class TableProfile:
    """One table: its `columns` but that of the patient (`subject`), rows per patient, share of all patients.

    `order` names all columns as they stand in the snapshot.
    """

    name: str
    subject: str
    columns: tuple[ColumnProfile, ...]
    rows: Kind
    present: float
    order: tuple[str, ...]


@dataclass(frozen=True)
class Profile:
    """All tables, and how many patients there are, in tens."""

    patients: int
    tables: tuple[TableProfile, ...]


def profile_of(tables: Mapping[str, Table], frames: Mapping[str, pl.DataFrame]) -> Profile:
    """Measure tables as published: the manifest's `tables`, and rows of each (some patients may do)."""
    most = max(table.subjects for table in tables.values())
    found = []
    for name, table in tables.items():
        frame = frames[name].rename({table.subject: PATIENT})
        # Nothing is told of a pseudonym, and numbers are quicker to group by.
        frame = frame.with_columns(numbered(frame[PATIENT]).codes.alias(PATIENT))
        columns = tuple(
            _column(frame, column, about.treatment)
            for column, about in table.columns.items()
            if column != table.subject
        )
        present = max(TWENTIETH, twentieths(table.subjects / max(1, most)))
        found.append(TableProfile(name, table.subject, columns, _rows(frame), present, tuple(table.columns)))
    return Profile(max(LEAST, most // LEAST * LEAST), tuple(found))


def twentieths(share: float) -> float:
    """Round a share to twentieths."""
    return round(round(share / TWENTIETH) * TWENTIETH, 2)


def one_digit(share: float) -> float:
    """Round to one significant digit."""
    return float(f"{share:.0e}")


def _rows(frame: pl.DataFrame) -> Kind:
    counts = frame.group_by(PATIENT).len(VALUE).with_columns(pl.col(VALUE).cast(pl.Int64))
    return _numbers(counts, counts[VALUE]) or Categories((1,), (1.0,))


def _column(frame: pl.DataFrame, name: str, treatment: str) -> ColumnProfile:
    pairs = frame.select(PATIENT, pl.col(name).alias(VALUE))
    there = pairs.drop_nulls(VALUE)
    dtype = str(frame.schema[name])
    # A share so small that it is a few people's is told as nothing; one that is not is told as a twentieth at least.
    alone = pairs.filter(pl.col(VALUE).is_null())[PATIENT].n_unique() < LEAST
    missing = 0.0 if alone else max(TWENTIETH, twentieths(1 - there.height / pairs.height))
    per_patient = _per_patient(there)
    return ColumnProfile(name, dtype, _kind(there, treatment), missing, per_patient)


def _per_patient(there: pl.DataFrame) -> bool:
    """Whether nearly every patient has the same value in all rows."""
    if not there.height:
        return False
    distinct = there.group_by(PATIENT).agg(pl.col(VALUE).n_unique().alias(COUNT))[COUNT]
    return bool((distinct == 1).sum() >= SAME * distinct.len())


def _kind(there: pl.DataFrame, treatment: str) -> Kind:
    values = there[VALUE]
    if treatment.startswith("pseudonym"):
        return Pseudonyms(one_digit(values.n_unique() / max(1, values.len())))
    if treatment.startswith("free_text"):
        return Phrases()
    if values.dtype == pl.Date:
        return _days(there) or Phrases()
    if values.dtype.is_numeric():
        return _numbers(there, values) or Phrases()
    return _categories(there) or Phrases()


def _categories(there: pl.DataFrame) -> Categories | None:
    counts = there.group_by(VALUE).agg(pl.col(PATIENT).n_unique().alias(COUNT), pl.len().alias(BIN))
    told = counts.filter(pl.col(COUNT) >= LEAST).sort(VALUE)
    if not told.height or told.height > MOST_CATEGORIES:
        return None
    height = there.height
    return Categories(tuple(told[VALUE].to_list()), tuple(one_digit(rows / height) for rows in told[BIN].to_list()))


def _numbers(there: pl.DataFrame, values: pl.Series) -> Kind | None:
    finite = there.filter(pl.col(VALUE).is_finite()) if values.dtype.is_float() else there
    if values.n_unique() <= MOST_NUMBERS:
        return _categories(finite)
    return _bins(finite, 0 if values.dtype.is_integer() else _decimals(finite[VALUE]))


def _days(there: pl.DataFrame) -> Bins | None:
    days = there.with_columns(pl.col(VALUE).to_physical().cast(pl.Int64))
    found = _bins(days, 0)
    if found is None:
        return None
    first = [(EPOCH + timedelta(days=edge)).replace(day=1) for edge in found.edges]
    edges = [float((day - EPOCH).days) for day in first]
    return _joined(edges, found.weights, 0)


def _bins(there: pl.DataFrame, decimals: int) -> Bins | None:
    """Cut values at quantiles, join bins of too few patients, and round the edges."""
    ends = there.group_by(PATIENT).agg(pl.col(VALUE).min().alias("low"), pl.col(VALUE).max().alias("high"))
    if ends.height < 2 * LEAST:
        return None
    low, high = ends["low"].sort()[LEAST], ends["high"].sort(descending=True)[LEAST]
    inside = there.filter(pl.col(VALUE).is_between(low, high)).sort(VALUE)
    if low >= high:
        return None
    marks = inside[VALUE].gather([at * (inside.height - 1) // MOST_BINS for at in range(1, MOST_BINS)])
    inner = sorted({float(mark) for mark in marks if low < mark < high})
    edges = [float(low), *_held(inside, inner), float(high)]
    rows = inside.group_by(_bin(inside, edges[1:-1])).len(COUNT)
    counts = dict(rows.iter_rows())
    weights = tuple(one_digit(counts.get(at, 0) / inside.height) for at in range(len(edges) - 1))
    step = 10.0 ** (math.floor(math.log10(edges[-1] - edges[0])) - 1)
    # To a tenth or less of the range; and never finer than the values themselves.
    step = max(step, 10.0**-decimals)
    return _joined([round(edge / step) * step for edge in edges], weights, decimals)


def _held(inside: pl.DataFrame, inner: list[float]) -> list[float]:
    """Drop edges until each bin holds `LEAST` distinct patients."""
    while inner:
        patients = inside.group_by(_bin(inside, inner)).agg(pl.col(PATIENT).n_unique().alias(COUNT))
        held = dict(patients.iter_rows())
        small = next((at for at in range(len(inner) + 1) if held.get(at, 0) < LEAST), None)
        if small is None:
            return inner
        inner = inner[: max(0, small - 1)] + inner[max(1, small) :]
    return inner


def _bin(inside: pl.DataFrame, inner: Sequence[float]) -> pl.Series:
    """Give the bin of each row: how many of the edges its value reaches."""
    return pl.Series(BIN, np.searchsorted(inner, inside[VALUE].to_numpy(), side="right"))


def _joined(edges: Sequence[float], weights: Sequence[float], decimals: int) -> Bins | None:
    """Join bins whose edges became the same by rounding."""
    kept, shares = [edges[0]], []
    carried = 0.0
    for edge, weight in zip(edges[1:], weights, strict=True):
        carried += weight
        if edge > kept[-1]:
            kept.append(edge)
            shares.append(carried)
            carried = 0.0
    return Bins(tuple(kept), tuple(shares), decimals) if shares and sum(shares) > 0 else None


def _decimals(values: pl.Series) -> int:
    for digits in range(MOST_DECIMALS):
        if (values.round(digits) == values).sum() >= SAME * values.len():
            return digits
    return MOST_DECIMALS
