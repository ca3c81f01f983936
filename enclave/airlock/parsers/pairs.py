"""Records written as names and values: lines of a log (``age=64 sex=M``), and what R's ``str()`` shows of a table."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby

from enclave.airlock.checks.numbers import is_count_name
from enclave.airlock.document import Table
from enclave.airlock.rules import CheckRules

LONGEST_LINE, FEWEST_PAIRS, FEWEST_LINES = 400, 3, 10
PAIR = re.compile(r"([A-Za-z_가-힣][\w가-힣.]{0,30})\s?=\s?([^\s,;|=()\[\]]{1,40})")
NAMED = re.compile(r'"([\w가-힣. -]{1,30})"\s?:\s?("[^"]{0,80}"|[^\s,"{}\[\]]{1,40})')  # a line of JSON each
SHOWN = re.compile(r"\s*\$\s*([\w.가-힣]{1,40})\s*(?::\s*\w+|<\w+>)\s+(.*)")
VALUE = re.compile(r'"[^"]{0,80}"|[^\s",]{1,40}')


def pair_tables(text: str, rules: CheckRules) -> Iterator[Table]:
    """Yield runs of lines with the same names as tables, and each line of ``str()`` as a column."""
    lines = list(enumerate(text.splitlines()[: rules.max_lines]))
    for number, line in lines:
        if len(line) <= LONGEST_LINE and (shown := SHOWN.fullmatch(line)):
            values = [value.strip('"') for value in VALUE.findall(shown[2]) if value != "..."]
            yield Table((shown[1],), tuple((value,) for value in values), f"L{number + 1}")
    read = [(number, _pairs(line)) for number, line in lines]
    for names, run in groupby(read, key=lambda each: tuple(name for name, _ in each[1])):
        found = list(run)
        if len(names) >= FEWEST_PAIRS and len(found) >= FEWEST_LINES:
            # What a log counts (of a batch, of workers) are no people; records are looked for here.
            kept = [place for place, name in enumerate(names) if not is_count_name(name)]
            rows = (tuple(pairs[place][1] for place in kept) for _, pairs in found)
            yield Table(tuple(names[place] for place in kept), tuple(rows), f"L{found[0][0] + 1}")


def _pairs(line: str) -> list[tuple[str, str]]:
    if len(line) > LONGEST_LINE:
        return []
    return PAIR.findall(line) or [(name, value.strip('"')) for name, value in NAMED.findall(line)]
