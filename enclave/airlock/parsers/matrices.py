"""Matrices of counts without labels: what numpy prints of a confusion matrix, R's table in one line, JSON's lists."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from enclave.airlock.document import Table
from enclave.airlock.rules import CheckRules

CROSSED = re.compile(r"(?i)confusion|conf_?mat|\bcm\b|contingency|cross_?tab|혼동|오차\s*행렬|교차표")
ROW = re.compile(r"\s*\[{1,2}\s*(\d{1,9}(?:[\s,]+\d{1,9}){1,40})\s*\]{1,2},?\s*")
COUNTS = re.compile(r"\s*\d{1,9}(?:\s+\d{1,9}){1,40}\s*")
NAMES = re.compile(r"\s*[^\W\d]\S{0,40}(?:\s+[^\W\d]\S{0,40}){1,40}\s*")
LONGEST_LINE, ABOVE = 400, 3


def labelled(rows: Sequence[Sequence[str]], label: str) -> Table | None:
    """Return a square matrix as the cross table that it is; None for any other."""
    size = len(rows)
    if size < 2 or any(len(row) != size or not all(map(str.isdigit, row)) for row in rows):  # noqa: PLR2004 - two classes
        return None
    names = [f"class {number}" for number in range(size)]
    return Table(("", *names), tuple((name, *row) for name, row in zip(names, rows, strict=True)), label)


def matrix_tables(text: str, rules: CheckRules) -> Iterator[Table]:
    """Yield square matrices in brackets where the words above speak of one, and tables of one line under names."""
    lines = [line[:LONGEST_LINE] for line in text.splitlines()[: rules.max_lines]]
    rows: list[list[str]] = []
    for number, line in enumerate([*lines, ""]):
        if found := ROW.fullmatch(line):
            rows.append(re.split(r"[\s,]+", found[1].strip()))
            continue
        first = number - len(rows)
        if rows and CROSSED.search(" ".join(lines[max(0, first - ABOVE) : first])):
            table = labelled(rows, f"L{first + 1}")
            yield from (table,) if table else ()
        rows = []
        if number and COUNTS.fullmatch(line) and NAMES.fullmatch(lines[number - 1]):
            names, counts = lines[number - 1].split(), line.split()
            if len(names) == len(counts):
                yield Table(("", ""), tuple(zip(names, counts, strict=True)), f"L{number + 1}")
