"""Numbers that may be counts though nothing says so: whole numbers in a column without a name."""

from __future__ import annotations

from collections.abc import Iterator

from enclave.airlock.checks.counts import has_counts
from enclave.airlock.checks.findings import cell_place, warn
from enclave.airlock.checks.numbers import is_measure_name, read_count, read_number
from enclave.airlock.document import Table
from enclave.airlock.report import Finding

FEWEST_ROWS, MOST_ROWS, FAR, SHOWN_EACH = 3, 200, 5, 10


def check_unnamed(table: Table, min_cell: int) -> list[Finding]:
    """Point at whole numbers below ``min_cell`` beside much larger ones in a column whose name says nothing."""
    if not FEWEST_ROWS <= len(table.rows) <= MOST_ROWS or has_counts(table):
        return []
    return list(_columns(table, min_cell))


def _columns(table: Table, min_cell: int) -> Iterator[Finding]:
    labels = [
        column for column in range(len(table.columns)) if all(read_number(c) is None for c in table.by_column[column])
    ]
    if not labels:
        return
    for column, name in enumerate(table.columns):
        counts = [read_count(cell) for cell in table.by_column[column]]
        shown = [count for count in counts if count is not None and count >= 0]
        if len(shown) < len(counts) or is_measure_name(name):
            continue
        # A score or a rank stays within bounds; counts of groups differ many times over.
        if any(0 < count < min_cell for count in shown) and max(shown) >= FAR * min_cell:
            yield warn(
                "cell.unnamed",
                f"정수 열에 {min_cell} 미만인 값이 있습니다. 빈도라면 가리고, 아니면 열 이름으로 밝히세요.",
                f"Whole numbers below {min_cell} in a column whose name says nothing. If they are counts, hide them.",
                place=cell_place(None, column, name, table=table.label),
            )
