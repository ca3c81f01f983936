"""A table of a snapshot as arrays: values, which of them are there, and whose row it is. One thread, no Polars.

Runs inside the sealed process: it reads open descriptors and nothing else. A missing value and a NaN are the same.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import reduce
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from enclave.airlock.recipes.form import RecipeRefused

Kind = Literal["text", "whole", "number", "bool", "date", "time"]
Array = np.ndarray[Any, np.dtype[Any]]
NOBODY = -1
# Kinds that are whole numbers underneath, with the steps that lead there.
WHOLES: tuple[tuple[Kind, Callable[[pa.DataType], bool], tuple[pa.DataType, ...]], ...] = (
    ("bool", pa.types.is_boolean, (pa.int8(),)),
    ("whole", pa.types.is_integer, ()),
    ("date", pa.types.is_date32, (pa.int32(),)),
    ("time", pa.types.is_timestamp, (pa.timestamp("us"),)),
)


@dataclass(frozen=True)
class Column:
    """One column. Of ``text`` the values are positions in ``levels`` (sorted); of dates days, of times microseconds."""

    kind: Kind
    values: Array
    valid: Array
    levels: tuple[str, ...] = ()

    def take(self, rows: Array) -> Column:
        """Return the column at these rows; a row of -1 has no value."""
        known = rows >= 0
        places = np.where(known, rows, 0)
        if len(self.values) == 0:
            return Column(self.kind, np.zeros(len(rows), self.values.dtype), np.zeros(len(rows), bool), self.levels)
        return Column(self.kind, self.values[places], self.valid[places] & known, self.levels)


@dataclass(frozen=True)
class Frame:
    """Columns of one length. ``people``: whose row it is, as the person's rank in the snapshot; -1 for nobody's."""

    columns: Mapping[str, Column]
    people: Array | None
    rows: int


@dataclass(frozen=True)
class Stored:
    """One table of a snapshot as open Parquet files, in order. ``person``: its column of pseudonyms, if it has one."""

    descriptors: tuple[int, ...]
    person: str | None = None

    def read(self, names: Iterable[str]) -> pa.Table:
        """Read these columns of all parts, in one thread."""
        wanted = list(names)
        parts = []
        for descriptor in self.descriptors:
            with _open(descriptor) as file:
                parts.append(file.read(columns=wanted, use_threads=False))
        return pa.concat_tables(parts, promote_options="permissive")

    def rows(self) -> int:
        """Return how many rows all parts have."""
        found = 0
        for descriptor in self.descriptors:
            with _open(descriptor) as file:
                found += file.metadata.num_rows
        return found


def read_frame(tables: Mapping[str, Stored], table: str, join: str | None, used: Iterable[str]) -> Frame:
    """Read the ``used`` columns of ``table``, and of the table joined to it by person, as ``<table>.<column>``.

    Raises `RecipeRefused` where a column is not there, or the joined table has more than one row for a person.
    """
    here, there = split(used, join)
    people = register(tables)
    parts = tables[table]
    read = parts.read(here)
    columns = {name: to_column(read[name]) for name in here}
    if join is not None and there:
        columns |= _joined(tables[join], join, there, (people.ranks.get(table), people.ranks.get(join)))
    return Frame(columns, people.ranks.get(table), read.num_rows if here else parts.rows())


def split(used: Iterable[str], join: str | None) -> tuple[list[str], list[str]]:
    """Return the columns of the table itself and those of the joined one, each by its own name."""
    prefix = f"{join}." if join else ""
    named = sorted(used)
    there = [name.removeprefix(prefix) for name in named if prefix and name.startswith(prefix)]
    return [name for name in named if not prefix or not name.startswith(prefix)], there


@dataclass(frozen=True)
class Register:
    """All people of a snapshot: how many, and by table the rank of each row's person (-1: nobody's)."""

    size: int
    ranks: Mapping[str, Array]


def register(tables: Mapping[str, Stored]) -> Register:
    """Rank all people of a snapshot: a person's rank is the place of their pseudonym among all, in order of bytes."""
    encoded = {}
    for name, table in tables.items():
        if table.person is not None:
            read = table.read([table.person])[table.person].cast(pa.large_string())
            encoded[name] = _encode(read)
    if not encoded:
        return Register(0, {})
    every = _encode(pa.chunked_array([one.dictionary for one in encoded.values()], pa.large_string()))
    order = pc.sort_indices(every.dictionary).to_numpy()
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    at, found = 0, {}
    for name, one in encoded.items():
        theirs = place[every.indices[at : at + len(one.dictionary)].to_numpy()]
        at += len(one.dictionary)
        codes = pc.fill_null(one.indices, NOBODY).to_numpy(zero_copy_only=False)
        found[name] = np.append(theirs, NOBODY)[codes]  # nobody's code is the last place
    return Register(len(order), found)


def to_column(column: pa.ChunkedArray) -> Column:
    """Return an Arrow column as arrays. Raises `RecipeRefused` for a kind that no recipe computes with."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return to_column(column.cast(kind.value_type))
    valid = np.asarray(pc.is_valid(column).to_numpy())
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return _text(column.cast(pa.large_string()), valid)
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        values = _plain(column, pa.float64())
        there = valid & ~np.isnan(values)
        return Column("number", np.where(there, values, 0.0), there)
    for name, is_kind, steps in WHOLES:
        if is_kind(kind):
            return Column(name, _plain(reduce(lambda found, step: found.cast(step), steps, column), pa.int64()), valid)
    raise RecipeRefused(
        f"이 종류의 열로는 다시 계산할 수 없습니다({kind}).",
        f"A column of this kind cannot be recomputed ({kind}).",
    )


def _joined(
    other: Stored, name: str, wanted: Sequence[str], people: tuple[Array | None, Array | None]
) -> dict[str, Column]:
    ours, theirs = people
    if ours is None or theirs is None:
        raise RecipeRefused(
            "사람 가명번호가 없는 표는 이어 붙일 수 없습니다.", "Tables without pseudonyms cannot be joined by person."
        )
    read = other.read(wanted)
    known = np.flatnonzero(theirs >= 0)
    size = int(max(ours.max(initial=0), theirs.max(initial=0))) + 1
    if int(np.bincount(theirs[known], minlength=size).max(initial=0)) > 1:
        raise RecipeRefused(
            f"{name} 표에는 한 사람의 행이 여럿이어서 사람으로 이어 붙일 수 없습니다.",
            f"The table {name} has several rows for a person, so it cannot be joined by person.",
        )
    row_of = np.full(size, NOBODY, dtype=np.int64)
    row_of[theirs[known]] = known
    rows = np.where(ours >= 0, row_of[np.where(ours >= 0, ours, 0)], NOBODY)
    return {f"{name}.{column}": to_column(read[column]).take(rows) for column in wanted}


def _text(column: pa.ChunkedArray, valid: Array) -> Column:
    encoded = _encode(column)
    words: list[str] = encoded.dictionary.to_pylist()
    order = sorted(range(len(words)), key=words.__getitem__)
    place = np.empty(len(words) or 1, dtype=np.int64)
    place[order] = np.arange(len(words))
    codes = np.asarray(pc.fill_null(encoded.indices, 0).to_numpy(zero_copy_only=False)).astype(np.int64)
    return Column("text", place[codes], valid, tuple(words[at] for at in order))


def _encode(column: pa.ChunkedArray) -> pa.DictionaryArray:
    """Return a column of texts as one array of positions among its different texts."""
    if column.num_chunks == 0:
        return pa.array([], pa.large_string()).dictionary_encode()
    found = column.dictionary_encode().unify_dictionaries().combine_chunks()
    return found.chunk(0) if isinstance(found, pa.ChunkedArray) else found


def _plain(column: pa.ChunkedArray, kind: pa.DataType) -> Array:
    filled = pc.fill_null(column.cast(kind), 0)
    return np.asarray(filled.to_numpy())


@contextmanager
def _open(descriptor: int) -> Iterator[pq.ParquetFile]:
    # A descriptor of its own: closing the file must not close the one we were given.
    with os.fdopen(os.dup(descriptor), "rb") as file, pq.ParquetFile(file, pre_buffer=False) as parquet:
        yield parquet
