"""Tables printed in columns that line up, one blank apart: what pandas, R and SAS print.

Where all lines of a block are blank one column ends and the next begins; the header is cut at the ends of the columns
below it. Series (`value_counts()`) have their name in the line behind them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from enclave.airlock.document import Table
from enclave.airlock.rules import CheckRules

FEWEST_LINES, LONGEST_LINE, MOST_COLUMNS = 3, 400, 60
ENDS_IN_VALUE = re.compile(r"\s*\S.*\s(?:[<≤(]?-?[\d.,]+(?:e[+-]?\d+)?[%)*명건]{0,2}|\*+|NaN|NA|-|<NA>|True|False)\s*$")
NAMED = re.compile(r"^Name: ([^,]{1,60}), (?:Length: \d+, )?dtype")
SEPARATED = re.compile(r"[|\t]|^\s*[-=+]{3,}")

Lines = list[tuple[int, str]]


def aligned_tables(text: str, rules: CheckRules) -> Iterator[Table]:
    """Yield the tables whose columns line up. ``text`` is read up to the lines that the rules allow."""
    lines = list(enumerate(text.splitlines()[: rules.max_lines]))
    body: Lines = []
    for number, line in [*lines, (len(lines), "")]:
        if len(line) <= LONGEST_LINE and ENDS_IN_VALUE.match(line) and not SEPARATED.search(line):
            body.append((number, line))
            continue
        if len(body) >= FEWEST_LINES:
            above = lines[body[0][0] - 1][1] if body[0][0] else ""
            table = _table(body, above, behind=line)
            if table is not None:
                yield table
        body = []


def _table(body: Lines, above: str, behind: str) -> Table | None:
    ends = _ends([line for _, line in body])
    if not 1 < len(ends) <= MOST_COLUMNS:
        return None
    head = _cut(above, ends) if above.strip() else [""] * len(ends)
    if name := NAMED.match(behind.strip()):
        head[-1] = name[1]
    rows = tuple(tuple(_cut(line, ends)) for _, line in body)
    return Table(tuple(head), rows, f"L{body[0][0] + 1}")


def _ends(lines: list[str]) -> list[int]:
    # Where a column of letters is followed by a position that is blank in every line.
    width = max(map(len, lines))
    filled = [any(len(line) > place and line[place] != " " for line in lines) for place in range(width)]
    return [place + 1 for place in range(width) if filled[place] and (place + 1 == width or not filled[place + 1])]


def _cut(line: str, ends: list[int]) -> list[str]:
    starts = [0, *ends[:-1]]
    stops = [*ends[:-1], max(len(line), ends[-1])]
    return [line[start:stop].strip() for start, stop in zip(starts, stops, strict=True)]
