"""Plain text, Markdown and logs; tables hidden in them come out as tables, so that every check on tables sees them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from enclave.airlock.document import Document, Table
from enclave.airlock.parsers.aligned import aligned_tables
from enclave.airlock.parsers.decode import decode
from enclave.airlock.parsers.grid import table_of
from enclave.airlock.parsers.matrices import matrix_tables
from enclave.airlock.parsers.pairs import pair_tables
from enclave.airlock.rules import CheckRules

BLOCK_LINES = 4
PIPE_LINES = 2  # a header and one row: nobody writes bars or tabs between words by chance
SPACED = re.compile(r"\s{2,}|\t")
RULE_LINE = re.compile(r"[\s|:+=-]+|\s*\\(?:hline|toprule|midrule|bottomrule|cline\{[^}]*\}|cmidrule\S*)\s*")
# Frames drawn with signs of their own are bars and dashes.
CORNERS = "┌┐└┘├┤┬┴┼╒╓╔╕╖╗╘╙╚╛╜╝╞╟╠╡╢╣╤╥╦╧╨╩╪╫╬"
FRAMES = str.maketrans(dict.fromkeys("│┃║╎┆┊", "|") | dict.fromkeys("─━═┄┈", "-") | dict.fromkeys(CORNERS, "+"))
TUPLE = re.compile(r"[()\[\]'\"]")
LONGEST_TEX = 2_000
TEX_ROW = re.compile(r"(.*[^\\]&.*?)\\\\(?:\[[^\]]*\])?\s*(?:\\\w+(?:\{[^}]*\})?\s*)*")
TEX_AROUND = re.compile(
    r"\\(?:multicolumn\{\d+\}\{[^}]*\}|multirow\{[^}]*\}\{[^}]*\}|[A-Za-z]+)\{([^{}]*)\}|[${}]|\\(?=[%_&#<>])"
)


def parse_text(content: bytes, name: str, rules: CheckRules) -> Document:
    """Read a text. Raises `ParseRefused`."""
    del name
    text = decode(content)
    return Document("text", tuple(all_tables(text, rules)), text)


def all_tables(text: str, rules: CheckRules) -> Iterator[Table]:
    """Find the tables of a text by their separators, and those whose columns only line up; none of them twice.

    Where a wide blank splits some lines of an aligned table, its separators mislead: a line of its body is no header.
    """
    text = text.translate(FRAMES)
    aligned = list(aligned_tables(text, rules))
    bodies = {_letters(row) for table in aligned for row in table.rows}
    separated = (table for table in text_tables(text, rules) if _letters(table.columns) not in bodies)
    seen: dict[tuple[tuple[str, ...], ...], Table] = {}
    for table in (*separated, *aligned, *matrix_tables(text, rules), *pair_tables(text, rules)):
        known = seen.get(table.rows)
        if known is None or (any(table.columns) and not any(known.columns)):
            seen[table.rows] = table
    yield from seen.values()


def _letters(cells: tuple[str, ...]) -> str:
    return "".join("".join(cells).split())


def text_tables(text: str, rules: CheckRules) -> Iterator[Table]:
    """Find runs of lines that split alike: pipes, tabs, commas, semicolons, or columns of spaces."""
    run: list[list[str]] = []
    start, headed = 0, False
    lines = [*text.splitlines()[: rules.max_lines], ""]
    for number, line in enumerate(lines):
        if RULE_LINE.fullmatch(line) and run:
            continue  # the rule under a header
        fields = _fields(line, len(run[-1]) if run else 0)
        piped = any(mark in lines[start] for mark in "|\t") or _tex(lines[start]) is not None
        if run and len(fields) == len(run[-1]) + 1 and len(run) == 1:
            run = [["", *run[0]]]  # a printed data frame: its header has no name for the index
            headed = True
        if run and len(fields) != len(run[-1]):
            if len(run) >= (PIPE_LINES if piped else BLOCK_LINES):
                yield _headed(run, start) if headed else table_of(run, f"L{start + 1}")[0]
            run, headed = [], False
        if len(fields) > 1:
            start = start if run else number
            run.append(fields)


def _headed(run: list[list[str]], start: int) -> Table:
    # Columns may be named 0, 1, 2 …: those names are no counts.
    return Table(tuple(run[0]), tuple(map(tuple, run[1:])), f"L{start + 1}")


def _tex(line: str) -> re.Match[str] | None:
    return TEX_ROW.fullmatch(line) if "&" in line and len(line) <= LONGEST_TEX else None


def _fields(line: str, wanted: int) -> list[str]:
    if tex := _tex(line):
        return [TEX_AROUND.sub(r"\1", field).strip() for field in re.split(r"(?<!\\)&", tex[1])]
    if "|" in line.strip("| ") or (line.lstrip().startswith("|") and line.count("|") > 2):  # noqa: PLR2004 - a first cell may be empty
        return [field.strip() for field in line.strip().strip("|").split("|")]
    if line.lstrip()[:1] in {"(", "["}:
        line = TUPLE.sub("", line)  # a row as Python prints it
    choices = [line.split(delimiter) for delimiter in "\t;,"] + [SPACED.split(line.strip())]
    for fields in choices:
        if len(fields) == wanted > 1:
            return [field.strip() for field in fields]
    return [field.strip() for field in max(choices, key=len)]
