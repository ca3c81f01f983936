"""Repair `suppress`: small counts become ``*``, and as few others as keep them from being worked out."""

from __future__ import annotations

from enclave.airlock.checks.counts import count_cells
from enclave.airlock.checks.recoverable import check_shares
from enclave.airlock.document import Table
from enclave.airlock.hidden.choose import NoChoice, choose
from enclave.airlock.hidden.exposed import Need
from enclave.airlock.hidden.file import system_of
from enclave.airlock.hidden.shares import bare
from enclave.airlock.hidden.system import Cell
from enclave.airlock.repairs.refused import RepairRefused
from enclave.airlock.repairs.table import HIDDEN, share_places, shown_counts, written


def suppress(table: Table, min_cell: int) -> Table:
    """Hide the counts from 1 to below ``min_cell`` and the cheapest set of further cells. Pure.

    Percentages of hidden counts go too. Raises `RepairRefused` where no choice protects them.
    """
    table = _without_small_shares(table, min_cell)
    counts = shown_counts(table)
    small = frozenset(cell for cell, count in counts.items() if 0 < count < min_cell)
    # The system is read with one cell hidden at least: only then are totals looked for.
    hidden = _hide(table, small)
    system = system_of([hidden])
    shown = {cell: count for cell, count in counts.items() if cell not in small}
    try:
        chosen = choose(system, shown, small, Need.of(min_cell))
    except NoChoice:
        raise RepairRefused(
            "repair.no-choice",
            "칸을 더 가려도 작은 빈도가 되살아납니다. 범주를 합치거나(regroup) 합계를 빼세요.",
            "However many cells are hidden, small counts follow. Merge categories (regroup) or drop the totals.",
        ) from None
    return _hide(table, chosen)


def _hide(table: Table, cells: frozenset[Cell]) -> Table:
    places = {(cell.row, cell.column): HIDDEN for cell in cells}
    rows = {cell.row for cell in cells}
    places |= {
        (row, column): HIDDEN for row in rows for column in share_places(table) if table.rows[row][column].strip()
    }
    return written(table, places)


def _without_small_shares(table: Table, min_cell: int) -> Table:
    if not check_shares(table, min_cell):
        return table
    wholes = sorted({cell.column for cell in count_cells(table)})
    small = {(row, column): HIDDEN for row, column, low, high in bare(table, wholes) if 0 < low <= high < min_cell}
    return written(table, small)
