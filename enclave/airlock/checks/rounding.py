"""Counts of which some are rounded and some are not: the exact ones undo what rounding was to protect."""

from __future__ import annotations

from enclave.airlock.checks.counts import count_cells
from enclave.airlock.checks.findings import cell_place, warn
from enclave.airlock.checks.numbers import read_count
from enclave.airlock.document import Table
from enclave.airlock.report import Finding

FEWEST, ROUNDED_SHARE, BASE = 8, 0.7, 5


def check_rounding(table: Table) -> list[Finding]:
    """Point at tables in which most counts are multiples of five and some are not."""
    shown = [
        (cell, count)
        for cell in count_cells(table)
        if (count := read_count(table.rows[cell.row][cell.column])) is not None and count
    ]
    exact = [cell for cell, count in shown if count % BASE]
    if len(shown) < FEWEST or not exact or len(shown) - len(exact) < ROUNDED_SHARE * len(shown):
        return []
    return [
        warn(
            "cell.rounding",
            "반올림한 빈도와 그렇지 않은 빈도가 섞여 있습니다. 모두 같은 단위로 반올림하세요.",
            "Rounded and unrounded counts stand side by side. Round all of them to the same base.",
            place=cell_place(exact[0].row, exact[0].column, table.columns[exact[0].column], table=table.label),
        )
    ]
