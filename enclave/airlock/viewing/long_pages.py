"""The order of a long table's rows for a viewer: each distinct cell is judged once, rows by which cell they hold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from enclave.airlock.long_table import LongTable
from enclave.airlock.viewing.ask import Ask


def long_order(
    table: LongTable, ask: Ask, passes: Callable[[Sequence[str], Ask], bool], key: Callable[[str], Any]
) -> list[int]:
    """Return the numbers of the rows that pass, sorted as asked; `passes` judges cells, `key` sorts them."""
    order = np.flatnonzero(_mask(table, ask, passes))
    if ask.sort is not None and 0 <= ask.sort < len(table.columns):
        column = table.body[ask.sort]
        ranks = np.empty(len(column.values), dtype=np.int64)
        ordered = sorted(column.cells(), key=lambda each: key(each[1]))
        rank, last = -1, None
        for code, cell in ordered:
            rank, last = (rank, last) if key(cell) == last else (rank + 1, key(cell))
            ranks[code] = rank
        found = ranks[column.codes[order]]
        order = order[np.argsort(-found if ask.down else found, kind="stable")]
    numbers: list[int] = order.tolist()
    return numbers


def _mask(table: LongTable, ask: Ask, passes: Callable[[Sequence[str], Ask], bool]) -> Any:
    if not ask.find.strip():
        return np.ones(table.length, dtype=np.bool_)
    chosen = table.body if ask.column is None else table.body[ask.column : ask.column + 1]
    anywhere, mask = replace(ask, column=None), np.zeros(table.length, dtype=np.bool_)
    for column in chosen:
        mask |= column.of_rows(column.where(lambda cell: passes((cell,), anywhere)))
    return mask
