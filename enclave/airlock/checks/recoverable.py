"""R51: no hidden cell that a reader can work out from totals, from other tables of the file, or from percentages.

Every hidden count is asked for its least and greatest possible value (an integer program, `enclave.airlock.hidden`). It
is exposed when less than half the minimum count lies between the two and both are below the minimum.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from enclave.airlock.checks.counts import count_cells
from enclave.airlock.checks.findings import block, cell_place, warn
from enclave.airlock.document import Table
from enclave.airlock.hidden import shares
from enclave.airlock.hidden.exposed import Exposed, Need, exposed
from enclave.airlock.hidden.file import system_of
from enclave.airlock.hidden.system import Cell
from enclave.airlock.report import Finding

SHOWN_EACH, SHOWN_SOURCES = 20, 3
Placed = Sequence[tuple[str, Table]]


def check_recoverable(tables: Placed, min_cell: int) -> list[Finding]:
    """Find hidden cells of a file's tables that follow from the rest. ``tables``: each with its part's label."""
    outcome = exposed(system_of([table for _, table in tables]), Need.of(min_cell))
    found = [_exposed(each, tables, min_cell) for each in outcome.exposed[:SHOWN_EACH]]
    if outcome.unproven:
        found.append(
            block(
                "cell.unproven",
                f"가린 칸 {len(outcome.unproven)}개가 되살아나지 않음을 정해진 계산량 안에서 보이지 못했습니다. "
                "표를 나누거나 합계를 줄이세요.",
                f"Within the limits of the solver it could not be shown that {len(outcome.unproven)} hidden cells stay "
                "hidden. Split the table or drop totals.",
                place=_place(outcome.unproven[0], tables),
            )
        )
    if outcome.impossible:
        found.append(
            warn(
                "cell.totals",
                "합계와 칸이 서로 맞지 않아 가린 칸을 점검하지 못했습니다. 합계가 무엇의 합인지 확인하세요.",
                "Totals and cells do not agree, so hidden cells could not be tested. What do the totals sum up?",
                place=_place(outcome.impossible[0], tables),
            )
        )
    return found


def check_shares(table: Table, min_cell: int) -> list[Finding]:
    """Find percentages that, with the whole printed beside them, stand for fewer people than the minimum."""
    wholes = sorted({cell.column for cell in count_cells(table)})
    return list(_small_shares(table, wholes, min_cell))[:SHOWN_EACH]


def _small_shares(table: Table, wholes: list[int], min_cell: int) -> Iterator[Finding]:
    for row, column, low, high in shares.bare(table, wholes):
        if high < min_cell and high > 0 and low > 0:
            yield block(
                "cell.share",
                f"비율과 분모에서 기준 {min_cell} 미만의 인원이 계산됩니다. 비율을 가리거나 범주를 합치세요.",
                f"This share of the printed whole is fewer than {min_cell} people. Hide it or merge categories.",
                place=cell_place(row, column, table.columns[column], table=table.label),
                sample="***",
            )


def _exposed(each: Exposed, tables: Placed, min_cell: int) -> Finding:
    sources = [
        _place(equation.left[0] if equation.left[0] != each.cell else equation.right[0], tables)
        for equation in each.equations[:SHOWN_SOURCES]
    ]
    told = f" ({', '.join(dict.fromkeys(sources))})" if sources else ""
    exactly_ko, exactly_en = ("정확히 ", "exactly ") if each.range.is_exact else ("거의 ", "nearly ")
    return block(
        "cell.recoverable",
        f"가린 칸(기준 {min_cell} 미만)을 다른 칸{told}에서 {exactly_ko}되살릴 수 있습니다. 다른 칸도 가리거나 합계를 "
        "빼세요.",
        f"A hidden count below {min_cell} follows {exactly_en}from other cells{told}. Hide a second cell or drop the "
        "total.",
        place=_place(each.cell, tables),
        sample="***",
    )


def _place(cell: Cell, tables: Placed) -> str:
    label, table = tables[cell.table]
    name = table.columns[cell.column]
    return f"{label} {cell_place(cell.row, cell.column, name, table=table.label)}".strip()
