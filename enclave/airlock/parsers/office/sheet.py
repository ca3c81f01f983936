"""One sheet of a workbook: its cells as tables, what is hidden in it, its formulas."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from xml.etree.ElementTree import Element

from openpyxl.utils.cell import column_index_from_string

from enclave.airlock.document import Table
from enclave.airlock.parsers.grid import check_size, table_of, too_big
from enclave.airlock.parsers.office import seen
from enclave.airlock.parsers.office.flow import local, odd_attributes
from enclave.airlock.parsers.office.package import damaged
from enclave.airlock.parsers.office.styles import Styles, shows_nothing, written
from enclave.airlock.report import Finding
from enclave.airlock.rules import CheckRules

REFERENCE = re.compile(r"([A-Z]{1,3})([1-9]\d{0,6})")
# Functions that fetch, and references into other files: [1]Sheet!A1, 'C:\\[book.xlsx]x'!A1.
REACHING = re.compile(r"WEBSERVICE|FILTERXML|RTD\(|DDE|CALL\(|REGISTER|\[\d+\]|\[[^\]]+\.xl", re.IGNORECASE)
CELL_TEXTS = frozenset({"v", "t"})


@dataclass
class Sheet:
    """What was read: tables (blank rows part them), their text, findings, and texts beside the cells."""

    tables: list[Table] = field(default_factory=list)
    text: str = ""
    findings: list[Finding] = field(default_factory=list)
    noted: list[str] = field(default_factory=list)


def read_sheet(root: Element, strings: list[str], styles: Styles, rules: CheckRules) -> Sheet:
    """Read a sheet. Raises `ParseRefused` for one too large or not sound."""
    cells: dict[tuple[int, int], str] = {}
    sheet = Sheet()
    unseen = formulas = 0
    row = column = 0
    for element in root.iter():
        name = local(element)
        if name == "row":
            row, column = _row(element, row), 0
        elif name == "c":
            row, column = _place(element, row, column)
            code = styles.of(element.get("s"))
            text = _value(element, strings, code)
            unseen += bool(text) and shows_nothing(code)
            formula = next((one.text or "" for one in element if local(one) == "f"), None)
            if formula is not None:
                formulas += 1
                sheet.noted.append(formula)
            if text:
                cells[row, column] = text
            check_size(len(cells), rules)
    sheet.tables = list(_tables(cells, rules))
    sheet.text = "\n".join("\t".join(line) for table in sheet.tables for line in (table.columns, *table.rows))
    sheet.noted += _beside(root)
    sheet.findings = [*_hidden(root), *_remarks(unseen, formulas, sheet.noted)]
    return sheet


def _row(element: Element, before: int) -> int:
    number = element.get("r", str(before + 1))
    if not number.isdecimal():
        raise damaged()
    return int(number)


def _place(element: Element, row: int, column: int) -> tuple[int, int]:
    reference = element.get("r")
    if reference is None:
        return row, column + 1
    found = REFERENCE.fullmatch(reference)
    if found is None:
        raise damaged()
    return int(found[2]), column_index_from_string(found[1])


def _value(cell: Element, strings: list[str], code: str) -> str:
    kind = cell.get("t", "n")
    # A cell with a formula that was never computed holds no value: the formula is what is in it.
    texts = {local(one): one for one in cell}
    if kind == "inlineStr":
        return "".join(each.text or "" for each in cell.iter() if local(each) == "t")
    raw = (texts["v"].text or "") if "v" in texts else ""
    if not raw and "f" in texts:
        return f"={texts['f'].text or ''}"
    if kind == "s":
        if not raw.isdecimal() or int(raw) >= len(strings):
            raise damaged()
        return strings[int(raw)]
    if kind == "b":
        return "TRUE" if raw == "1" else "FALSE"
    return written(raw, code) if kind == "n" and raw else raw


def _tables(cells: dict[tuple[int, int], str], rules: CheckRules) -> Iterator[Table]:
    rows = sorted({row for row, _ in cells})
    for _, group in groupby(enumerate(rows), key=lambda each: each[1] - each[0]):
        block = [row for _, row in group]
        width = max(column for row, column in cells if block[0] <= row <= block[-1])
        if width > rules.max_columns:
            raise too_big(rules)
        check_size(width * len(block), rules)
        grid = [[cells.get((row, column), "") for column in range(1, width + 1)] for row in block]
        yield table_of(grid, f"A{block[0]}" if block[0] > 1 else "")[0]


def _hidden(root: Element) -> Iterator[Finding]:
    rows = sum(local(e) == "row" and (e.get("hidden") in {"1", "true"} or e.get("ht") == "0") for e in root.iter())
    columns = sum(
        local(e) == "col" and (e.get("hidden") in {"1", "true"} or e.get("width") == "0") for e in root.iter()
    )
    if rows:
        yield seen.hidden(f"행 {rows}개", f"{rows} rows", "")
    if columns:
        yield seen.hidden(f"열 {columns}묶음", f"{columns} groups of columns", "")


def _remarks(unseen: int, formulas: int, noted: list[str]) -> Iterator[Finding]:
    if unseen:
        yield seen.hidden(f"칸 {unseen}개의 값(표시 형식)", f"the values of {unseen} cells (number format)", "")
    if formulas:
        yield seen.listed(
            "office.formula",
            f"수식이 {formulas}개 있습니다. 저장된 값을 점검했습니다. 값만 붙여 넣어 제출하는 편이 안전합니다.",
            f"There are {formulas} formulas; their stored values were checked. Values alone are safer.",
        )
    if any(REACHING.search(text) for text in noted):
        yield seen.external("")


def _beside(root: Element) -> Iterator[str]:
    """Yield headers, footers, validation lists, comments of the XML: all text that is no cell."""
    for element in root.iter():
        name = local(element)
        if name not in {*CELL_TEXTS, "f"} and element.text and element.text.strip():
            yield element.text.strip()
        if element.tail and element.tail.strip():
            yield element.tail.strip()
        if name not in {"c", "row", "v"}:  # their attributes place a cell, and are read with it
            yield from odd_attributes(element)
