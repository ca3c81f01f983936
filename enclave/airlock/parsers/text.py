"""Plain text, Markdown and logs; tables hidden in them come out as tables, so that every check on tables sees them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from enclave.airlock.document import Document, Table
from enclave.airlock.parsers.aligned import aligned_tables
from enclave.airlock.parsers.decode import decode
from enclave.airlock.parsers.grid import table_of
from enclave.airlock.rules import CheckRules

BLOCK_LINES = 4
PIPE_LINES = 2  # a header and one row: nobody writes bars between words by chance
SPACED = re.compile(r"\s{2,}|\t")
RULE_LINE = re.compile(r"[\s|:+=-]+")


def parse_text(content: bytes, name: str, rules: CheckRules) -> Document:
    """Read a text. Raises `ParseRefused`."""
    del name
    text = decode(content)
    return Document("text", tuple(all_tables(text, rules)), text)


def all_tables(text: str, rules: CheckRules) -> Iterator[Table]:
    """Find the tables of a text by their separators, and those whose columns only line up; none of them twice.

    Where a wide blank splits some lines of an aligned table, its separators mislead: a line of its body is no header.
    """
    aligned = list(aligned_tables(text, rules))
    bodies = {_letters(row) for table in aligned for row in table.rows}
    separated = (table for table in text_tables(text, rules) if _letters(table.columns) not in bodies)
    seen = set()
    for table in (*separated, *aligned):
        if table.rows not in seen:
            seen.add(table.rows)
            yield table


def _letters(cells: tuple[str, ...]) -> str:
    return "".join("".join(cells).split())


def text_tables(text: str, rules: CheckRules) -> Iterator[Table]:
    """Find runs of lines that split alike: pipes, tabs, commas, semicolons, or columns of spaces."""
    run: list[list[str]] = []
    start = 0
    lines = [*text.splitlines()[: rules.max_lines], ""]
    for number, line in enumerate(lines):
        if RULE_LINE.fullmatch(line) and run:
            continue  # the rule under a header
        fields = _fields(line, len(run[-1]) if run else 0)
        piped = "|" in lines[start]
        if run and len(fields) == len(run[-1]) + 1 and len(run) == 1:
            run = [["", *run[0]]]  # a printed data frame: its header has no name for the index
        if run and len(fields) != len(run[-1]):
            if len(run) >= (PIPE_LINES if piped else BLOCK_LINES):
                yield table_of(run, f"L{start + 1}")[0]
            run = []
        if len(fields) > 1:
            start = start if run else number
            run.append(fields)


def _fields(line: str, wanted: int) -> list[str]:
    if "|" in line.strip("| "):
        return [field.strip() for field in line.strip().strip("|").split("|")]
    choices = [line.split(delimiter) for delimiter in "\t;,"] + [SPACED.split(line.strip())]
    for fields in choices:
        if len(fields) == wanted > 1:
            return [field.strip() for field in fields]
    return [field.strip() for field in max(choices, key=len)]
