"""Repair `round`: every count to the nearest multiple of a base, small ones as ``<10``; percentages follow."""

from __future__ import annotations

from enclave.airlock.document import Table
from enclave.airlock.hidden.system import Cell
from enclave.airlock.repairs.suppress import suppress
from enclave.airlock.repairs.table import objections, share_places, shown_counts, written

BASE = 5


def round_counts(table: Table, min_cell: int, base: int = BASE) -> Table:
    """Round all counts of a table, totals by themselves; what rounding does not protect is hidden. Pure.

    Counts below ``min_cell`` become ``<min_cell``; percentages are dropped, because they tell the exact counts. Raises
    `RepairRefused` where nothing protects the small counts.
    """
    counts = shown_counts(table)
    texts = {(cell.row, cell.column): _rounded(count, min_cell, base) for cell, count in counts.items()}
    rounded = written(table, texts | _shares(table, counts))
    return suppress(rounded, min_cell) if objections(rounded, min_cell) else rounded


def _rounded(count: int, min_cell: int, base: int) -> str:
    if 0 < count < min_cell:
        return f"<{min_cell}"
    least = -(-min_cell // base) * base
    return str(max(base * ((count + base // 2) // base), least) if count else 0)


def _shares(table: Table, counts: dict[Cell, int]) -> dict[tuple[int, int], str]:
    rows = {cell.row for cell in counts}
    return {(row, column): "" for row in rows for column in share_places(table)}
