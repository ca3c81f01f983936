"""Small helpers all checks share: how a finding is made, how a place is named, how a value is hidden."""

from __future__ import annotations

import re
from dataclasses import replace

from enclave.airlock.report import Finding, Severity

SHOWN_NAME, SHORTEST_SHOWN = 24, 3
NAME_LIKE_VALUE = re.compile(r"\d{4}|@")


def block(rule: str, ko: str, en: str, *, place: str = "", sample: str = "") -> Finding:
    """Return a finding that stops the file."""
    return Finding(rule=rule, severity=Severity.BLOCK, ko=ko, en=en, place=place, sample=sample)


def warn(rule: str, ko: str, en: str, *, place: str = "", sample: str = "") -> Finding:
    """Return a finding that a person must look at."""
    return Finding(rule=rule, severity=Severity.WARN, ko=ko, en=en, place=place, sample=sample)


def mended_by(finding: Finding, *repairs: str) -> Finding:
    """Return the finding with the ids of the one-step repairs that may mend it."""
    return replace(finding, repairs=repairs)


def mask(value: str) -> str:
    """Hide a value: its first character, then ``***``; of one or two characters (a small count) nothing is shown."""
    value = value.strip()
    return f"{value[0]}***" if len(value) >= SHORTEST_SHOWN and value[0].isprintable() else "***"


def cell_place(row: int | None, column: int, name: str = "", *, table: str = "") -> str:
    """Name a place as a spreadsheet counts: ``R2 C3 (n)`` is the first row under the header.

    ``row``: index in the table's body (None: the header or the whole column); ``column``: index; both from 0. A column
    name that looks like a value itself is not repeated.
    """
    shown = name.strip()
    if len(shown) > SHOWN_NAME or NAME_LIKE_VALUE.search(shown) or not shown.isprintable():
        shown = mask(shown)
    line = "" if row is None else f"R{row + 2} "
    prefix = f"{table} " if table else ""
    return f"{prefix}{line}C{column + 1}" + (f" ({shown})" if shown else "")


def line_place(line: int) -> str:
    """Name a line of a text, counted from 1 (``line`` is an index from 0)."""
    return f"L{line + 1}"
