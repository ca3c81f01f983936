"""Regression results with too few residual degrees of freedom: the model is then nearly the data (ACRO's rule).

Read from tables and printed summaries of statsmodels, R, Stata and SAS, English or Korean.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

from enclave.airlock.checks.findings import block, cell_place, line_place
from enclave.airlock.checks.numbers import read_number
from enclave.airlock.document import Document, Table
from enclave.airlock.report import Finding

NAMES = re.compile(
    r"(?i)^(?:df[\s_.]*resid(?:ual)?s?|resid(?:ual)?s?[\s_.]*(?:df|d\.?f\.?|degrees[\s_]of[\s_]freedom)|ddof|dof|error[\s_]df"
    r"|잔차[\s_]*자유도|오차[\s_]*자유도|자유도[\s_]*\(?잔차\)?)$"
)
LINES = (
    re.compile(r"(?i)df\s+resid(?:uals?)?\s*:?\s+(\d+(?:\.\d+)?)"),
    re.compile(r"(?i)\bon\s+(\d+)\s+degrees?\s+of\s+freedom"),
    re.compile(r"(?i)\bon\s+\d+\s+and\s+(\d+)\s+(?:df|degrees?\s+of\s+freedom)"),
    re.compile(r"(?i)residual(?:s)?\s+(?:df|degrees?\s+of\s+freedom)\s*[:=]?\s*(\d+)"),
    re.compile(r"(?i)residual\s+deviance:\s*[-\d.e+]+\s+on\s+(\d+)\b"),
    re.compile(r"(?:잔차|오차)\s*자유도\s*[:=]?\s*(\d+)"),
    re.compile(r"\bF\s*\(\s*\d+\s*,\s*(\d+)\s*\)\s*="),  # Stata's head, and how papers write a test
    re.compile(r"(?i)^\s*(?:residuals?|error)\s+\d*\.\d+\s+(\d+)\s"),  # analysis of variance: Stata, SAS
    re.compile(r"(?i)^\s*(?:residuals?|error)\s*\|\s*\d*\.?\d+\s+(\d+)\s"),
    re.compile(r"^\s*Residuals\s+(\d+)\s+\d"),  # and R
)
OBSERVED = re.compile(
    r"(?i)^(?:n(?:o\.?|um(?:ber)?)?[\s_.]*(?:of[\s_.]*)?obs(?:ervations)?\.?|nobs|n_obs|관측[\s_]*(?:수|치)|표본[\s_]*수)$"
)
TERM = re.compile(r"(?i)^(?:intercept|const|\(intercept\)|_cons|상수|절편)$")


def check_regression(document: Document, least: int) -> list[Finding]:
    """Find models with fewer residual degrees of freedom than ``least``."""
    found = [finding for table in document.tables for finding in _in_table(table, least)]
    if document.is_prose:
        found += _in_lines(document.text, least)
    return found


def _in_table(table: Table, least: int) -> Iterator[Finding]:
    for row, cells in enumerate(table.rows):
        for column, cell in enumerate(cells):
            value = _named(table, row, column)
            if value is not None and value < least and value >= 0 and read_number(cell) is not None:
                yield _few(cell_place(row, column, table.columns[column], table=table.label), least)
    observed, terms = _observed(table), _terms(table)
    if observed is not None and terms > 1 and observed - terms < least:
        yield _few(table.label, least)


def _named(table: Table, row: int, column: int) -> float | None:
    # A value under the name, or right of it in any row (also of the header, where a summary was saved as CSV).
    cells = table.rows[row]
    left = cells[column - 1].strip(" :") if column else ""
    if NAMES.match(table.columns[column].strip(" :")) or NAMES.match(left):
        return read_number(cells[column])
    return None


def _observed(table: Table) -> float | None:
    for row in ((*table.columns,), *table.rows):
        for name, value in itertools.pairwise(row):
            if OBSERVED.match(name.strip(" :")) and (number := read_number(value)) is not None:
                return number
    for column, name in enumerate(table.columns):
        values = [number for cell in table.by_column[column] if (number := read_number(cell)) is not None]
        if OBSERVED.match(name.strip(" :")) and len(set(values)) == 1:
            return values[0]
    return None


def _terms(table: Table) -> int:
    # The rows of a table of coefficients, known by its constant.
    labels = [row[0].strip() for row in table.rows if row]
    if not any(TERM.match(label) for label in labels):
        return 0
    return sum(1 for row in table.rows if len(row) > 2 and all(read_number(cell) is not None for cell in row[1:3]))  # noqa: PLR2004 - estimate and its error


def _in_lines(text: str, least: int) -> Iterator[Finding]:
    for number, line in enumerate(text.splitlines()):
        for pattern in LINES:
            if (found := pattern.search(line)) and float(found[1]) < least:
                yield _few(line_place(number), least)
                break


def _few(place: str, least: int) -> Finding:
    return block(
        "model.dof",
        f"모형의 잔차 자유도가 {least} 미만입니다. 변수를 줄이거나 대상을 늘려 다시 적합하세요.",
        f"The model has fewer than {least} residual degrees of freedom. Use fewer terms or more people.",
        place=place,
        sample="***",
    )
