"""Classes of a table that is in memory: every value is given a small number once, and only numbers are grouped.

A million rows hold a few hundred bands and regions: grouping their texts costs several times as much. What comes out is
what `pairs_of` and `classify` give, and the class of each row besides: no row is looked up by its texts again.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import chain

import numpy as np
import polars as pl
from numpy.typing import NDArray

from deid.beside import beside
from deid.held import Column, Held
from deid.many.codes import Numbered, numbered
from deid.prepare import RAW, Prepared, collect, pairs_of
from deid.recipe import QuasiIdentifier
from deid.risk.counting import Codes, grouped
from deid.suppress import ROWS, Classes, classify
from deid.transform.columns import INDEX, class_key

# Whole numbers and days that lie so close together are numbered by their distance from the smallest.
MOST_SPAN = 1 << 20
ROOM = 1 << 62
AT_A_TIME = 2
PEOPLE = " people"
Rows = NDArray[np.uint32]


@dataclass(frozen=True)
class Coded:
    """A column as numbers: `codes` (one a row) are positions in `values`, among which may be some that no row has."""

    codes: Codes
    values: pl.Series

    @property
    def size(self) -> int:
        """How many codes there may be, at least one."""
        return max(1, self.values.len())


@dataclass(frozen=True)
class Grouped:
    """Classes of a table; of each row the place of its class in `classes.keys`; sizes of the source's own classes."""

    classes: Classes
    source_sizes: Codes
    of_rows: Rows | None = None


def classes_of(table: Prepared) -> Grouped:
    """Count the classes of a table over distinct patients; what is not in memory is streamed. Raises `DeidError`."""
    entries = table.rule.quasi_identifiers
    if table.source.loaded is None:
        keys = [entry.key for entry in entries]
        pairs = pairs_of(table)
        merged = pairs.group_by(INDEX, *keys).agg(pl.col(ROWS).sum())
        return Grouped(classify(merged, keys), _source_sizes(pairs, entries))
    held = table.computed or Held.of(collect(table.source, table.classified()))
    published = {entry.column: held.columns[entry.column] for entry in entries}
    raw = {rule.name: held.columns[RAW + rule.name] for rule in table.generalised}
    return group_rows(entries, held.frame([INDEX])[INDEX].to_numpy(), published, raw)


def _source_sizes(pairs: pl.DataFrame, entries: Sequence[QuasiIdentifier]) -> Codes:
    raw = {entry.key: RAW + entry.column for entry in entries}
    keys = [raw[entry.key] if raw[entry.key] in pairs.columns else entry.key for entry in entries]
    return pairs.select(INDEX, *keys).unique().group_by(keys).len()["len"].cast(pl.Int64).to_numpy()


def group_rows(
    entries: Sequence[QuasiIdentifier], patient: Codes, published: Mapping[str, Column], raw: Mapping[str, Column]
) -> Grouped:
    """Group rows by `patient` (of each row, not negative), quasi-identifiers by name, and their source values in `raw`.

    Null is a value like any other; `raw` names only the columns whose published values say less.
    """
    columns = _each_coded([*published.values(), *raw.values()])
    before = dict(zip(raw, columns[len(published) :], strict=True))
    keys, of_rows, classes = _classed(entries, dict(zip(published, columns, strict=False)))
    # From here on a class has one number: those of its columns, row by row, are let go.
    del columns
    people = int(patient.max(initial=0)) + 1
    # What counts of a column in the source: its values there, or by class what is published of it unchanged.
    source = [before.get(entry.column, key) for entry, key in zip(entries, keys, strict=True)]
    with beside(at_once=True) as begin:
        codes = (
            each.codes if entry.column in before else each.codes[of_rows]
            for entry, each in zip(entries, source, strict=True)
        )
        source_sizes = begin(partial(owners, codes, [each.size for each in source], patient, people))
        (who, group), counted = distinct([patient, of_rows], [people, classes])
    found = [key.values.gather(key.codes).alias(entry.key) for entry, key in zip(entries, keys, strict=True)]
    whose = Classes(_small(who), _small(group), _small(counted), pl.DataFrame(found))
    return Grouped(whose, source_sizes(), of_rows)


def class_sizes(entries: Sequence[QuasiIdentifier], patient: Codes, columns: Mapping[str, Coded]) -> pl.DataFrame:
    """Count the distinct patients (`PEOPLE`) of each class in rows in memory; classes by their keys, null too."""
    keys, of_rows, classes = _classed(entries, columns)
    # In 64 bits: codes have 32, and there may be as many classes as patients.
    pairs = patient.astype(np.int64)
    pairs *= classes
    pairs += of_rows
    pairs.sort()
    group = pairs[run_starts([pairs])] % classes
    found = [key.values.gather(key.codes).alias(entry.key) for entry, key in zip(entries, keys, strict=True)]
    return pl.DataFrame([*found, pl.Series(PEOPLE, np.bincount(group, minlength=classes), dtype=pl.Int64)])


def _each_coded(columns: Sequence[Column]) -> list[Coded]:
    # Polars gives numbers to the texts of one column in one thread.
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        return list(pool.map(coded, columns))


def _classed(entries: Sequence[QuasiIdentifier], columns: Mapping[str, Coded]) -> tuple[Sequence[Coded], Rows, int]:
    """Give each row's class, how many there are, and of every quasi-identifier what counts of it, by class."""
    keys = [_keyed(columns[entry.column], entry) for entry in entries]
    of_rows, classes = grouped([key.codes for key in keys], [key.size for key in keys])
    a_row = np.zeros(classes, np.uint32)
    a_row[of_rows] = np.arange(of_rows.size, dtype=np.uint32)
    return [Coded(key.codes[a_row], key.values) for key in keys], of_rows.astype(np.uint32), classes


def coded(column: Column) -> Coded:
    """Give each distinct value of a column a number, null too."""
    if isinstance(column, Numbered) or column.dtype == pl.String:
        found = column.distinct() if isinstance(column, Numbered) else numbered(column)
        return Coded(found.codes.to_numpy(), found.values)
    if column.dtype.is_integer() or column.dtype == pl.Date:
        whole = column.to_physical()
        low, high = whole.min(), whole.max()
        if isinstance(low, int) and isinstance(high, int) and high - low < MOST_SPAN:
            span = pl.int_range(low, high + 2, eager=True).cast(column.dtype, strict=False)
            values = pl.concat([span[:-1], pl.Series([None], dtype=column.dtype)])
            # A day has four bytes, and so has the distance.
            whole = whole if whole.dtype == pl.Int32 and high <= MOST_SPAN else whole.cast(pl.Int64)
            return Coded((whole - low).cast(pl.UInt32).fill_null(high - low + 1).to_numpy(), values)
    values = column.unique(maintain_order=True)
    places = values.alias("value").to_frame().with_row_index("code")
    codes = (
        column.alias("value").to_frame().join(places, on="value", how="left", nulls_equal=True, maintain_order="left")
    )
    return Coded(codes["code"].cast(pl.Int64).to_numpy(), values)


def distinct(columns: Sequence[Codes | Rows], sizes: Sequence[int]) -> tuple[tuple[Codes, ...], Codes]:
    """Return the distinct rows of some columns of codes in their order, and how often each occurs."""
    if math.prod(sizes) < ROOM:
        key = _packed(columns, sizes, columns[0].size)
        key.sort()
        first = run_starts([key])
        return np.unravel_index(key[first], tuple(sizes)), np.diff(first, append=key.size)
    frame = pl.DataFrame({str(at): codes for at, codes in enumerate(columns)})
    found = frame.group_by(frame.columns).len("rows").sort(frame.columns)
    return tuple(found[name].to_numpy() for name in frame.columns), found["rows"].cast(pl.Int64).to_numpy()


def owners(columns: Iterable[Codes | Rows], sizes: Sequence[int], owner: Codes | Rows, most: int) -> Codes:
    """How many distinct owners (numbers below `most`) each distinct row of some columns of codes has, in their order.

    Columns may come one after the other, so that no more than one is there at a time.
    """
    if math.prod(sizes) * most >= ROOM:
        found, _ = distinct([*columns, owner], [*sizes, most])
        return np.diff(run_starts(found[:-1]), append=found[-1].size)
    key = _packed(chain(columns, [owner]), [*sizes, most], owner.size)
    key.sort()
    each = key[run_starts([key])] // most
    return np.diff(run_starts([each]), append=each.size)


def _packed(columns: Iterable[Codes | Rows], sizes: Sequence[int], rows: int) -> Codes:
    """Give one number to each row, in the order of its codes."""
    key = np.zeros(rows, np.int64)
    for codes, size in zip(columns, sizes, strict=True):
        key *= size
        key += codes
    return key


def run_starts(columns: Sequence[Codes]) -> Codes:
    """Positions at which a run of equal rows begins."""
    size = columns[0].size if columns else 0
    new = np.zeros(size, np.bool_)
    new[:1] = True
    for codes in columns:
        new[1:] |= codes[1:] != codes[:-1]
    return np.flatnonzero(new)


def _keyed(column: Coded, entry: QuasiIdentifier) -> Coded:
    """Give numbers to what counts for k of a column; it is computed for each of its values once."""
    if entry.by is None:
        return column
    key = coded(column.values.alias(entry.column).to_frame().select(class_key(entry)).to_series())
    return Coded(key.codes.take(column.codes), key.values)


def _small(codes: Codes) -> Rows:
    return codes.astype(np.uint32)
