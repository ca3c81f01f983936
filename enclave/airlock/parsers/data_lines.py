"""Data that stand in code line by line: SAS and Stata data steps, a row of values in each of many statements."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby

LONGEST_LINE, FEWEST_FIELDS, FEWEST_LINES = 400, 3, 10
FIELD = re.compile(r"[\w.+-]{1,24}")
APART = re.compile(r"[\s,;|]+")
NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)")
LITERAL = re.compile(r"""(?<![\w.])-?(?:\d+\.?\d*|\.\d+)\b|"[^"\n]{0,200}"|'[^'\n]{0,200}'""")
INSERTED = re.compile(r"(?i)\bvalues\b")


def data_lines(text: str) -> Iterator[tuple[int, int]]:
    """Yield the first line (from 0) of each run of lines that hold data alike, and how many values the run has."""
    lines = [(number, line) for number, line in enumerate(text.splitlines()) if line.strip()]
    for (_, values), run in groupby(lines, key=lambda each: _form(each[1])):
        found = list(run)
        if values and len(found) >= FEWEST_LINES:
            yield found[0][0], values * len(found)


def _form(line: str) -> tuple[str, int]:
    """Return what a line has in common with those like it, and how many values it holds; 0 for a line of code."""
    if len(line) > LONGEST_LINE:
        return "", 0
    fields = APART.split(line.strip(" \t,;|"))
    numbers = sum(1 for field in fields if NUMBER.fullmatch(field))
    if len(fields) >= FEWEST_FIELDS and 2 * numbers >= len(fields) and all(map(FIELD.fullmatch, fields)):
        return f"{len(fields)} fields", len(fields)
    if INSERTED.search(line):
        return LITERAL.sub("?", line), len(LITERAL.findall(line))
    return "", 0
