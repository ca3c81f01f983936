"""The submitted table against the one the recipe makes: the same shape, the same labels, the same numbers. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from enclave.airlock.checks.findings import block, cell_place, mask
from enclave.airlock.document import Table
from enclave.airlock.report import Finding

HIDDEN = "*"
SHOWN_EACH = 20
LABEL = (
    "이름표가 만든 방법(recipe)과 다릅니다. ansim이 저장한 파일을 고치지 말고 제출하세요.",
    "A label differs from what the recipe makes. Submit the file as ansim saved it.",
)
NUMBER = (
    "스냅샷에서 다시 계산한 값과 다릅니다. 표를 다시 만들어 제출하세요.",
    "The number differs from what was recomputed on the snapshot. Make the table again.",
)
EXTRA = (
    "만든 방법(recipe)에 없는 칸입니다. ansim이 저장한 파일을 그대로 제출하세요.",
    "This cell has no recipe. Submit the file as ansim saved it.",
)
LACKING = (
    "만든 방법(recipe)대로라면 있어야 할 칸이 없습니다. ansim이 저장한 파일을 그대로 제출하세요.",
    "The recipe makes a cell that is not in the file. Submit the file as ansim saved it.",
)


@dataclass(frozen=True)
class Wanted:
    """What the file must be: its head, the labels that begin each row, and how every other cell may be spelled."""

    head: tuple[str, ...]
    sides: tuple[tuple[str, ...], ...]
    cells: Mapping[tuple[int, int], frozenset[str]]


def match(printed: Table, wanted: Wanted) -> list[Finding]:
    """Find every difference between a file's table and what it must be."""
    found = [*_shape(printed, wanted), *_labels(printed, wanted)]
    for (row, column), spelled in wanted.cells.items():
        text = cell(printed, row, column)
        if text is not None and text not in spelled:
            found.append(_at("recompute.number", NUMBER, printed, row, column))
    return limited(found)


def cell(printed: Table, row: int, column: int) -> str | None:
    """Return the text of a cell of the body; None where the table has no such cell."""
    if row >= len(printed.rows) or column >= len(printed.columns):
        return None
    return printed.rows[row][column]


def limited(findings: Iterable[Finding]) -> list[Finding]:
    """Return at most twenty findings of each rule."""
    kept: dict[str, list[Finding]] = {}
    for one in findings:
        kept.setdefault(one.rule, []).append(one)
    return [one for those in kept.values() for one in those[:SHOWN_EACH]]


def _shape(printed: Table, wanted: Wanted) -> Iterable[Finding]:
    have, need = (len(printed.rows), len(printed.columns)), (len(wanted.sides), len(wanted.head))
    if have[1] != need[1]:
        said = EXTRA if have[1] > need[1] else LACKING
        yield block("recompute.shape", *said, place=cell_place(None, min(have[1], need[1])))
    if have[0] != need[0]:
        said = EXTRA if have[0] > need[0] else LACKING
        yield block("recompute.shape", *said, place=cell_place(min(have[0], need[0]), 0))


def _labels(printed: Table, wanted: Wanted) -> Iterable[Finding]:
    for column, (have, need) in enumerate(zip(printed.columns, wanted.head, strict=False)):
        if have != need:
            yield _at("recompute.label", LABEL, printed, None, column)
    for row, labels in enumerate(wanted.sides):
        for column, need in enumerate(labels):
            text = cell(printed, row, column)
            if text is not None and text != need:
                yield _at("recompute.label", LABEL, printed, row, column)


def _at(rule: str, said: tuple[str, str], printed: Table, row: int | None, column: int) -> Finding:
    text = printed.columns[column] if row is None else printed.rows[row][column]
    name = "" if row is None else printed.columns[column]
    return block(rule, *said, place=cell_place(row, column, name), sample=mask(text))
