"""A table too long to be one of results, column by column: distinct values once, and for each row which of them.

A hundred megabytes of cells as Python strings would be several gigabytes; so they are some hundred megabytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import compute

from enclave.airlock.document import Table

BATCH = 50_000
Codes = npt.NDArray[np.int32]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class LongColumn:
    """``values``: the distinct cells (Arrow strings); ``codes``: for each row the index of its cell in them."""

    values: pa.Array
    codes: Codes

    def cells(self) -> Iterator[tuple[int, str]]:
        """Yield each distinct cell with its code, in order of first appearance."""
        for start in range(0, len(self.values), BATCH):
            yield from enumerate(self.values.slice(start, BATCH).to_pylist(), start)

    def where(self, wanted: Callable[[str], object]) -> Mask:
        """Tell for each distinct cell whether it is ``wanted``; `of_rows` tells it for each row."""
        found = np.zeros(len(self.values), dtype=np.bool_)
        for code, cell in self.cells():
            if wanted(cell):
                found[code] = True
        return found

    def matching(self, pattern: str) -> Mask:
        """Tell for each row whether its whole cell, blanks around it aside, matches a pattern (RE2's language)."""
        mask = compute.match_substring_regex(self.values, rf"^\s*(?:{pattern})\s*$")
        return self.of_rows(np.asarray(mask, dtype=np.bool_))

    def of_rows(self, mask: Mask) -> Mask:
        """Tell for each row what ``mask`` tells of its cell."""
        return mask[self.codes] if len(mask) else np.zeros(len(self.codes), dtype=np.bool_)

    def first_row(self, code: int) -> int:
        """Return the first row in which a cell stands."""
        return int(np.argmax(self.codes == code))

    def cell(self, row: int) -> str:
        """Return the cell of a row."""
        return str(self.values[int(self.codes[row])].as_py())


@dataclass(frozen=True)
class LongTable:
    """``columns``: names; ``body``: their cells; ``length``: rows; ``label`` names the table inside a file."""

    columns: tuple[str, ...]
    body: tuple[LongColumn, ...]
    length: int
    label: str = ""

    def row(self, number: int) -> tuple[str, ...]:
        """Return the cells of one row."""
        return tuple(column.cell(number) for column in self.body)

    def head(self, rows: int) -> Table:
        """Return the first rows as an ordinary table."""
        shown = range(min(rows, self.length))
        return Table(self.columns, tuple(tuple(c.cell(row) for c in self.body) for row in shown), self.label)


class LongTableBuilder:
    """Takes blocks of rows, all of one width, and makes a `LongTable`."""

    def __init__(self, columns: tuple[str, ...], label: str = "") -> None:
        self.columns, self.label = columns, label
        self._length = 0
        self._chunks: list[list[pa.Array]] = [[] for _ in columns]

    def add(self, rows: list[list[str]]) -> None:
        """Take rows as long as ``columns``."""
        if not rows:
            return
        self.add_arrays([pa.array(cells, pa.string()) for cells in zip(*rows, strict=True)])

    def add_arrays(self, arrays: list[pa.Array]) -> None:
        """Take one Arrow array of strings per column, all of one length, without nulls."""
        self._length += len(arrays[0])
        for chunks, cells in zip(self._chunks, arrays, strict=True):
            chunks.append(cells)

    def build(self) -> LongTable:
        """Return the table; the builder is used up."""
        return LongTable(self.columns, tuple(map(_encode, self._chunks)), self._length, self.label)


def _encode(chunks: list[pa.Array]) -> LongColumn:
    whole = pa.chunked_array(chunks, pa.string()).combine_chunks()
    chunks.clear()
    if isinstance(whole, pa.ChunkedArray):  # of no chunks, or of more than one array can hold
        whole = pa.concat_arrays(whole.chunks) if whole.num_chunks else pa.array([], pa.string())
    encoded = whole.dictionary_encode()
    return LongColumn(encoded.dictionary, encoded.indices.to_numpy(zero_copy_only=False))
