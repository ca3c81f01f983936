"""What all repairs of tables share: the counts of a table, writing cells, and shares that follow their counts."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import replace

from enclave.airlock.checks.counts import count_cells
from enclave.airlock.checks.min_cell import check_min_cell
from enclave.airlock.checks.recoverable import check_recoverable, check_shares
from enclave.airlock.document import Table
from enclave.airlock.hidden import shares
from enclave.airlock.hidden.reading import read_shown
from enclave.airlock.hidden.system import Cell
from enclave.airlock.report import Finding, Severity

HIDDEN = "*"


def shown_counts(table: Table) -> dict[Cell, int]:
    """Return the counts that a table prints, by cell (table number 0)."""
    found = {
        Cell(0, cell.row, cell.column): read_shown(table.rows[cell.row][cell.column]) for cell in count_cells(table)
    }
    return {cell: count for cell, count in found.items() if count is not None}


def written(table: Table, texts: Mapping[tuple[int, int], str]) -> Table:
    """Return the table with the texts of some cells, by (row, column), written anew."""
    rows = tuple(
        tuple(texts.get((row, column), cell) for column, cell in enumerate(cells))
        for row, cells in enumerate(table.rows)
    )
    return replace(table, rows=rows)


def share_places(table: Table) -> list[int]:
    """Return the columns that hold shares of people."""
    return list(shares.share_columns(table))


def objections(table: Table, min_cell: int) -> list[Finding]:
    """Return what would still stop a table of counts."""
    found = [
        *check_min_cell(table, min_cell),
        *check_recoverable([("", table)], min_cell),
        *check_shares(table, min_cell),
    ]
    return [each for each in found if each.severity is Severity.BLOCK]


def to_csv(table: Table, delimiter: str = ",") -> bytes:
    """Write a table as delimited text in UTF-8 (with the mark by which spreadsheets know it when it is not ASCII)."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows(table.rows)
    text = out.getvalue()
    return text.encode("ascii" if text.isascii() else "utf-8-sig")
