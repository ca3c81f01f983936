"""Tables printed in columns that line up, one blank apart: what pandas, R, Stata and SAS print.

Where all lines of a block are blank one column ends and the next begins; the header is cut at the ends of the columns
below it. Series (`value_counts()`) have their name in the line behind them. Rules under a header and above a total are
passed over; so are the bars of Stata, which part groups of columns.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise

from enclave.airlock.document import Table
from enclave.airlock.parsers.grid import is_data
from enclave.airlock.rules import CheckRules

FEWEST_LINES, LONGEST_LINE, MOST_COLUMNS = 3, 400, 60
FEWEST_UNDER_HEADER = 2
ENDS_IN_VALUE = re.compile(r"\s*\S.*\s(?:[<≤(]?-?[\d.,]+(?:e[+-]?\d+)?[%)*명건]{0,2}|\*+|NaN|NA|-|<NA>|True|False)\s*$")
NAMED = re.compile(r"^Name: ([^,]{1,60}), (?:Length: \d+, )?dtype")
SEPARATED = re.compile(r"[|\t]|^\s*[-=+]{3,}")
RULE = re.compile(r"\s*[-=+|][-=+|\s]{2,}|\s*<\w+>(?:\s+<\w+>)*\s*")  # tibbles name their types in <chr> <int>
# Bars between groups of columns, not between all of them.
GROUPED = re.compile(r"[^|\s]\s{2,}[^|\s]")
WIDE, FILLER = frozenset("WF"), "\0"

Lines = list[tuple[int, str]]


def aligned_tables(text: str, rules: CheckRules) -> Iterator[Table]:
    """Yield the tables whose columns line up. ``text`` is read up to the lines that the rules allow."""
    body: Lines = []
    above: list[str] = []
    head: list[str] = []
    is_blank = False
    for number, written in enumerate([*text.splitlines()[: rules.max_lines], ""]):
        line = _without_bars(written)
        if RULE.fullmatch(written):
            continue
        if len(line) <= LONGEST_LINE and ENDS_IN_VALUE.match(line) and not SEPARATED.search(line):
            head = head if body else above
            body.append((number, line))
            continue
        yield from _tables(body, head, behind=line)
        body, above = [], [*above[-1:], line] if line.strip() else above * (not is_blank)
        is_blank = not line.strip()  # a report on a classifier has one blank line below its header
    yield from _tables(body, head, behind="")


def _without_bars(line: str) -> str:
    return line.replace("|", " ") if len(line) <= LONGEST_LINE and GROUPED.search(line) else line


def _tables(body: Lines, above: list[str], behind: str) -> Iterator[Table]:
    if len(body) < FEWEST_UNDER_HEADER:
        return
    drawn = [*([""] * (2 - len(above)) + above), *(line for _, line in body)]
    # Pandas counts letters, others the width of letters on a screen: what lines up better is what was meant.
    found = [_table(lines, body[0][0], behind) for lines in (drawn, list(map(_widened, drawn)))]
    best = max(found, key=lambda table: (len(table.columns), sum(map(bool, table.columns))) if table else (0, 0))
    if best is not None and (len(body) >= FEWEST_LINES or sum(map(bool, best.columns)) >= len(best.columns) - 1):
        yield best


def _table(lines: list[str], first: int, behind: str) -> Table | None:
    higher, above, *body = lines
    ends = _ends(body)
    if not 1 < len(ends) <= MOST_COLUMNS:
        return None
    rows = [_cut(line, ends) for line in body]
    if not rows[0][0] and is_data(rows[0]) and all(row[0] for row in rows[1:]):
        head, rows, first = rows[0], rows[1:], first + 1  # columns named 0, 1, 2 …
    else:
        # Where the rows have names, pandas prints those on a line of their own below the names of the columns.
        names, over = (_cut(line, _at_blanks(line, ends)) for line in (above, higher))
        head = [name or (over[place] if place and not any(names[place:]) else "") for place, name in enumerate(names)]
    if name := NAMED.match(behind.strip()):
        head[-1] = name[1]
    return Table(tuple(head), tuple(map(tuple, _filled(rows))), f"L{first + 1}")


def _filled(rows: list[list[str]]) -> list[list[str]]:
    """Return rows whose outer labels, printed once for a group, stand in each of its rows."""
    inner = next((c for c in range(len(rows[0])) if any(is_data([row[c]]) for row in rows)), 0) - 1
    for before, row in pairwise(rows):
        for column in range(max(0, inner)):
            if row[column]:
                break
            row[column] = before[column]
    return rows


def _widened(line: str) -> str:
    return "".join(mark + FILLER if unicodedata.east_asian_width(mark) in WIDE else mark for mark in line)


def _ends(lines: list[str]) -> list[int]:
    # Where a column of letters is followed by a position that is blank in every line.
    width = max(map(len, lines))
    filled = [any(len(line) > place and line[place] != " " for line in lines) for place in range(width)]
    return [place + 1 for place in range(width) if filled[place] and (place + 1 == width or not filled[place + 1])]


def _at_blanks(line: str, ends: list[int]) -> list[int]:
    """Return the ends, each moved before the word that it would cut in two, or behind it where no column is left."""
    moved = []
    for start, end in zip([0, *ends], ends, strict=False):
        place = end
        while start < place < len(line) and line[place - 1] != " " and line[place] != " ":
            place -= 1
        if place == start:
            place = next((after for after in range(end, len(line)) if line[after] == " "), len(line))
        moved.append(place)
    return moved


def _cut(line: str, ends: list[int]) -> list[str]:
    starts = [0, *ends[:-1]]
    stops = [*ends[:-1], max(len(line), ends[-1])]
    return [line[start:stop].replace(FILLER, "").strip() for start, stop in zip(starts, stops, strict=True)]
