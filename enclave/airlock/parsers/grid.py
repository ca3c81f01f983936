"""From rows of cells to a `Table`: short rows are filled, a missing header is seen."""

from __future__ import annotations

from collections.abc import Sequence

from enclave.airlock.document import Table
from enclave.airlock.parsers.refused import ParseRefused
from enclave.airlock.rules import CheckRules


def table_of(rows: Sequence[Sequence[str]], label: str) -> tuple[Table, tuple[str, ...]]:
    """Return a table of at least one row, with notes: ``ragged`` (short rows were filled), ``no-header``."""
    width = max(len(row) for row in rows)
    notes = ("ragged",) if any(len(row) != width for row in rows) else ()
    filled = [tuple(row) + ("",) * (width - len(row)) for row in rows]
    if is_data(filled[0]):
        # No header at all: the first row is data and must be checked as such.
        return Table(("",) * width, tuple(filled), label), (*notes, "no-header")
    return Table(filled[0], tuple(filled[1:]), label), notes


def is_data(row: Sequence[str]) -> bool:
    """Whether a first row holds numbers (and blanks) only, so that it is no header."""
    return any(_is_number(cell) for cell in row) and all(_is_number(cell) or not cell.strip() for cell in row)


def check_size(cells: int, rules: CheckRules) -> None:
    """Raise `ParseRefused` for more cells than are checked."""
    if cells > rules.max_cells:
        raise too_big(rules)


def too_big(rules: CheckRules) -> ParseRefused:
    """Return the refusal of a table that is too large."""
    return ParseRefused(
        "parse.size",
        f"표가 너무 큽니다(칸 {rules.max_cells:,}개, 열 {rules.max_columns}개까지). 집계해 제출하세요.",
        f"The table is too large (at most {rules.max_cells:,} cells, {rules.max_columns} columns). Aggregate it.",
    )


def _is_number(cell: str) -> bool:
    try:
        float(cell.replace(",", ""))
    except ValueError:
        return False
    return True
