"""A table that was laid out in parts, seen as the passes of a run see any table: one part in memory at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol

import numpy as np
import polars as pl

from deid.grouping import run_starts
from deid.held import Held
from deid.keys import Derives
from deid.many.codes import numbered
from deid.many.spool import Spool
from deid.prepare import RAW, SUBJECT, Answer, Prepared, pairs_of, with_lookups
from deid.readers.source import Source
from deid.recipe import Recipe
from deid.risk.measures import Risk, risk_of
from deid.suppress import ROWS, Classes
from deid.transform.columns import INDEX
from deid.versions.buckets import bounds_of

CLASS, HASHED = " class", " hash"
Sizes = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class PartSource(Source):
    """One part's rows in memory; what goes wrong with a value is looked for in the whole original, for its line."""

    whole: Source

    def scan(self) -> pl.LazyFrame:
        """See `Content.scan`: all rows."""
        return self.whole.scan()


class Helpers(Protocol):
    """Others who work on parts, on as many `threads` (`crew/crew.py`)."""

    @property
    def threads(self) -> int:
        """How many parts they can work on at once."""

    @property
    def redone(self) -> Mapping[tuple[str, str], int]:
        """How many parts failed with them and were done by the run, by table and kind of error (no message of it)."""

    def each(self, parts: LaidOut, table: Prepared, kernel: Callable[[Prepared], Answer]) -> Iterator[Answer]:
        """See `Parts.each`."""


@dataclass(frozen=True)
class LaidOut:
    """The parts of one table on the disk (`Parts` of `prepare.py`); `helpers` work on them, or this process does."""

    spool: Spool
    recipe: Recipe
    keys: Derives
    helpers: Helpers | None = None

    def each(self, table: Prepared, kernel: Callable[[Prepared], Answer]) -> Iterator[Answer]:
        """See `Parts.each`."""
        if self.helpers is not None:
            return self.helpers.each(self, table, kernel)
        return (kernel(self.part(table, people, number)) for number, people in self.people_of(table))

    def people_of(self, table: Prepared) -> Iterator[tuple[int, pl.DataFrame]]:
        """Give the parts' numbers, going up, each with the domain's patients in it."""
        bounds = bounds_of(table.people, RAW, self.spool.parts)
        for number in self.spool.filled():
            yield number, table.people[int(bounds[number]) : int(bounds[number + 1])]

    def part(self, table: Prepared, people: pl.DataFrame, number: int) -> Prepared:
        """Read one part; `people` are those of all the domain's tables in it. Raises `SourceError`."""
        rows = self.spool.read(number)
        source = PartSource(**{**vars(table.source), "loaded": Held.of(rows), "rows": rows.height}, whole=table.source)
        column = numbered(rows[table.rule.subject])
        who = column.values.alias(SUBJECT).to_frame().join(people, on=SUBJECT, how="left", maintain_order="left")
        part = Prepared(source, people, table.counts.clear(), {}, who[INDEX].gather(column.codes))
        part = with_lookups(part, self.recipe, self.keys)
        return replace(part, lookups=table.lookups, recoding=table.recoding)


def classes_by_parts(table: Prepared) -> tuple[Classes, Risk]:
    """Count classes of distinct patients part by part: what `classify` gives, and the risk on the source's own values.

    What is kept of a part is twelve bytes for each (patient, class), and each class once.
    """
    keys = [entry.key for entry in table.rule.quasi_identifiers]
    known: pl.DataFrame | None = None
    found: list[pl.DataFrame] = []
    combinations: list[pl.Series] = []
    for distinct, raw in table.each(partial(_classes, keys)):
        combinations.append(raw[HASHED])
        known = _extended(known, distinct.select(keys).unique())
        joined = distinct.join(known, on=keys, how="left", nulls_equal=True)
        found.append(joined.select(pl.col(INDEX, CLASS, ROWS).cast(pl.UInt32)))
    if known is None:
        raise RuntimeError("a table has at least one part")
    patient, group, rows = (np.concatenate([each[name].to_numpy() for each in found]) for name in (INDEX, CLASS, ROWS))
    found.clear()
    return Classes(patient, group, rows, known.drop(CLASS)), risk_of(_sizes(combinations))


def _classes(keys: list[str], part: Prepared) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Count a part's rows for each (patient, class), and its patients' combinations of source values."""
    pairs = pairs_of(part)
    return pairs.group_by(INDEX, *keys).agg(pl.col(ROWS).sum()), _raw(pairs, part)


def _extended(known: pl.DataFrame | None, classes: pl.DataFrame) -> pl.DataFrame:
    """Give the classes that are new their numbers."""
    if known is None:
        return classes.with_row_index(CLASS)
    new = classes.join(known, on=classes.columns, how="anti", nulls_equal=True)
    return pl.concat([known, new.with_row_index(CLASS, offset=known.height)])


def _raw(pairs: pl.DataFrame, part: Prepared) -> pl.DataFrame:
    """Say of each patient which combinations of the source's values they have; a hash stands for the combination."""
    raw = {rule.name: RAW + rule.name for rule in part.generalised}
    keys = [raw.get(entry.column, entry.key) for entry in part.rule.quasi_identifiers]
    return pairs.select(INDEX, *keys).unique().select(pl.struct(keys).hash().alias(HASHED))


def _sizes(combinations: list[pl.Series]) -> Sizes:
    """Distinct patients of each combination, who may lie in different parts."""
    ordered = pl.concat(combinations, rechunk=True).sort().to_numpy()
    combinations.clear()
    return np.diff(run_starts([ordered]), append=ordered.size)
