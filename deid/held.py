"""A table in memory, texts as numbers: rows are chosen, ordered and gathered by four bytes and not by whole texts.

A column is `Numbered`, or plain where its values are few bytes anyway or came as text. Texts are spelled out again for
whoever works row by row, and for the writer: no dictionary of a source reaches a file (`many/codes.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import polars as pl

from deid.many.codes import Numbered, numbered

Column = Numbered | pl.Series


@dataclass(frozen=True)
class Held:
    """Columns of one table by name, all of `height` rows."""

    columns: Mapping[str, Column]
    height: int

    @classmethod
    def of(cls, frame: pl.DataFrame) -> Held:
        """Hold a frame as it is."""
        return cls(dict(zip(frame.columns, frame.get_columns(), strict=True)), frame.height)

    def numbered(self, name: str) -> Numbered:
        """Give a text column as numbers; those that it has, if any."""
        column = self.columns[name]
        return column if isinstance(column, Numbered) else numbered(column)

    def frame(self, names: Iterable[str] | None = None, rows: pl.Series | None = None) -> pl.DataFrame:
        """Spell out columns (all, or `names`) of all rows, or of those at the places `rows` in their order."""
        held = self if rows is None else self.at(rows)
        return held.lazy(names).collect()

    def lazy(self, names: Iterable[str] | None = None) -> pl.LazyFrame:
        """Spell out columns (all, or `names`) lazily: those that are not asked for are never spelled."""
        wanted = self.columns if names is None else {name: self.columns[name] for name in names}
        # In one query: each by itself costs more than what it does for a few thousand rows.
        given = pl.DataFrame([_given(column).alias(name) for name, column in wanted.items()]).lazy()
        texts = [
            pl.lit(column.values).gather(pl.col(name)).alias(name)
            for name, column in wanted.items()
            if isinstance(column, Numbered)
        ]
        return given.with_columns(texts) if texts else given

    def at(self, rows: pl.Series) -> Held:
        """Choose rows by their places, in the order of `rows`."""
        # All columns in one query: Polars takes several at a time.
        given = pl.DataFrame([_given(column).alias(name) for name, column in self.columns.items()])[rows]
        chosen = {
            name: Numbered(given[name], column.values) if isinstance(column, Numbered) else given[name]
            for name, column in self.columns.items()
        }
        return Held(chosen, rows.len())

    def stretch(self, begun: int, rows: int) -> Held:
        """Take `rows` rows from the place `begun` on."""
        chosen = {
            name: Numbered(column.codes.slice(begun, rows), column.values)
            if isinstance(column, Numbered)
            else column.slice(begun, rows)
            for name, column in self.columns.items()
        }
        return Held(chosen, rows)


def _given(column: Column) -> pl.Series:
    return column.codes if isinstance(column, Numbered) else column
