"""HTML: tables as tables, words as text, pictures and drawings inside as files; what acts or fetches stops it.

Python's own tokenizer reads it; nothing is laid out or run. The data that a page of Plotly or Bokeh carries in its
scripts is counted, so that the reason names it, although a script alone is reason enough.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser

from enclave.airlock.checks.figure import active, check_count, elsewhere, unseen
from enclave.airlock.document import Document, Embedded
from enclave.airlock.figures.data_uri import embedded_in
from enclave.airlock.parsers.decode import decode
from enclave.airlock.parsers.grid import check_size, table_of
from enclave.airlock.parsers.interactive import held, interactive
from enclave.airlock.parsers.looks import css_texts, odd_looks
from enclave.airlock.parsers.refused import ParseRefused
from enclave.airlock.parsers.svg import FETCHED, HIDDEN
from enclave.airlock.report import Finding
from enclave.airlock.rules import CheckRules

ACTIVE = frozenset(
    {"script", "iframe", "object", "embed", "applet", "frame", "form", "base", "audio", "video", "portal"}
)
DATA = re.compile(r"application/(?:[\w.]+\+)?json")
DRAWING = re.compile(r"<svg\b.*?</svg\s*>", re.IGNORECASE | re.DOTALL)
CALL = re.compile(r"\b(?:newPlot|react|plot)\(\s*['\"][^'\"]*['\"]\s*,\s*")
CALLS = 20
SILENT = frozenset({"style", "class", "width", "height", "border", "align", "valign", "colspan", "rowspan", "charset"})
HIDING = frozenset({("type", "hidden"), ("dir", "rtl")})
SAYING = frozenset({"title", "abbr", "alt"})
END_TAG = re.compile(r"</[A-Za-z][^\s>/]*[\s/]+([^>]+)>")  # nothing belongs behind the name of an end tag
ENDS_LINE = frozenset(
    {"p", "div", "tr", "br", "li", "h1", "h2", "h3", "h4", "h5", "h6", "table", "title", "caption", "pre"}
)
FETCHES = frozenset({"src", "srcset", "poster", "background", "data", "action", "formaction", "manifest", "ping"})
WIDEST, DEEPEST = 1000, 20
NAMESPACE = ' xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'


def parse_html(content: bytes, name: str, rules: CheckRules) -> Document:
    """Read one page. Raises `ParseRefused`."""
    del name
    text = decode(content)
    page = _Page(rules)
    page.feed(text)
    page.close()
    drawings = [_drawing(found.group(), number) for number, found in enumerate(DRAWING.finditer(text), 1)]
    figures = list(_in_data(page.data, rules))
    asides = dict.fromkeys((*page.asides, *(found[1] for found in END_TAG.finditer(text))))
    words = "\n".join(("".join(page.words), *asides, *(each.text for each in figures)))
    seen = (*page.findings, *_in_scripts(page.scripts, rules), *(one for each in figures for one in each.findings))
    findings = dict.fromkeys(replace(one, repairs=()) for one in seen)
    tables = [table_of(rows, f"table {number}")[0] for number, rows in enumerate(page.tables, 1) if any(rows)]
    return Document(
        "html",
        (*tables, *(table for each in figures for table in each.tables)),
        "\n".join(line for line in words.splitlines() if line.strip()),
        embedded=(*page.embedded, *drawings),
        findings=tuple(findings),
    )


@dataclass
class _Grid:
    """A table being read: its rows, and the cell that is open."""

    rows: list[list[str]] = field(default_factory=list)
    cell: list[str] | None = None
    span: int = 1
    down: int = 1
    # Cells that reach down into later rows: by column, in how many more rows, and what they say.
    below: dict[int, tuple[int, str]] = field(default_factory=dict)

    def place(self, text: str) -> int:
        """Put a cell into the last row, behind those that reach down into it; return how many columns were filled."""
        filled = self.fill()
        for column in range(len(self.rows[-1]), len(self.rows[-1]) + self.span):
            self.rows[-1].append(text)
            if self.down > 1:
                self.below[column] = (self.down - 1, text)
        return filled + self.span

    def fill(self) -> int:
        """Go on with cells that reach down from above where the last row stands."""
        row = self.rows[-1]
        start = len(row)
        while len(row) in self.below:
            left, text = self.below.pop(len(row))
            if left > 1:
                self.below[len(row)] = (left - 1, text)
            row.append(text)
        return len(row) - start


class _Page(HTMLParser):
    """Collects what stands in a page as its tags go by."""

    def __init__(self, rules: CheckRules) -> None:
        super().__init__(convert_charrefs=True)
        self.rules = rules
        self.words: list[str] = []
        self.findings: list[Finding] = []
        self.embedded: list[Embedded] = []
        self.tables: list[list[list[str]]] = []
        self.scripts: list[str] = []
        self.data: list[str] = []
        self.asides: list[str] = []
        self._open: list[_Grid] = []
        self._cells = 0
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._inside = tag if tag in {"script", "style"} else ""
        is_data = tag == "script" and DATA.fullmatch(given.get("type", "").strip().lower()) is not None
        if is_data:
            self._inside = "data"
        elif tag in ACTIVE or (tag == "meta" and "refresh" in given.get("http-equiv", "").lower()):
            self.findings.append(active(tag))
        if tag == "link" and not given.get("href", "").startswith("data:"):
            self.findings.append(elsewhere("link"))
        self.asides += odd_looks(tag, *given)
        if tag == "bdo":
            self.findings.append(unseen(place=tag))  # it is read in another order than it is written in
        for name, value in given.items():
            self._look(tag, name, value.strip())
        self._table_begins(tag, given)
        if tag in ENDS_LINE:
            self.words.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""
        if tag in {"td", "th"} and self._open:
            self._end_cell(self._open[-1])
            self.words.append("\t")
        elif tag == "table" and self._open:
            self._end_table()
        if tag in ENDS_LINE:
            self.words.append("\n")

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            self.scripts.append(data)
        elif self._inside == "data":
            self.data.append(data)
        elif self._inside == "style":
            self.findings += [elsewhere("style")] if FETCHED.search(data) else []
            self.asides += css_texts(data)
        else:
            self.words.append(data)
            if self._open and self._open[-1].cell is not None:
                self._open[-1].cell.append(data)

    def handle_comment(self, data: str) -> None:
        self.findings.append(unseen(place="<!-- -->"))
        self.words.append(f"\n{data}\n")

    def handle_decl(self, decl: str) -> None:
        if not decl.lower().startswith("doctype"):
            self.words.append(f"\n{decl}\n")

    def unknown_decl(self, data: str) -> None:
        self.words.append(f"\n{data}\n")

    def handle_pi(self, data: str) -> None:
        self.words.append(f"\n{data}\n")

    def _look(self, tag: str, name: str, value: str) -> None:
        lower = value.lower()
        if name.startswith("on") or lower.startswith(("javascript:", "vbscript:")):
            self.findings.append(active(f"{tag} {name}"))
        elif name in {"src", "href", "data"} and lower.startswith("data:"):
            taken = embedded_in(value, f"그림 {len(self.embedded) + 1}")
            self.embedded += [taken] if taken is not None else []
            self.findings += [] if taken is not None else [active(f"{tag} data:")]
        elif name in FETCHES or FETCHED.search(value):
            self.findings += [elsewhere(f"{tag} {name}")] if value and not value.startswith("#") else []
        if name == "hidden" or (name, lower) in HIDING or (name == "style" and HIDDEN.search(lower)):
            self.findings.append(unseen(place=tag))
        if name in SILENT or tag in {"td", "th"}:
            # Words here would part the cells of a line; most of them say how a table looks.
            self.asides += [value] if name in SAYING or name.startswith("data-") else odd_looks(value)
        elif value and not lower.startswith("data:"):
            self.words.append(f"\n{value}\n")

    def _table_begins(self, tag: str, given: dict[str, str]) -> None:
        if tag == "table":
            self._open.append(_Grid())
            if len(self._open) > DEEPEST:
                raise _nested()
        elif tag == "tr" and self._open:
            self._end_row(self._open[-1])
            self._open[-1].rows.append([])
        elif tag in {"td", "th"} and self._open:
            grid = self._open[-1]
            self._end_cell(grid)
            grid.rows = grid.rows or [[]]
            grid.cell, grid.span, grid.down = [], _span(given, "colspan"), _span(given, "rowspan")

    def _end_table(self) -> None:
        grid = self._open.pop()
        self._end_row(grid)
        self.tables.append([row for row in grid.rows if row])

    def close(self) -> None:
        """End what the page left open."""
        super().close()
        while self._open:
            self._end_table()

    def _end_cell(self, grid: _Grid) -> None:
        if grid.cell is None:
            return
        text = " ".join("".join(grid.cell).split())
        grid.cell = None
        self._cells += grid.place(text)
        check_size(self._cells, self.rules)

    def _end_row(self, grid: _Grid) -> None:
        self._end_cell(grid)
        self._cells += grid.fill() if grid.rows and grid.rows[-1] else 0


def _span(given: dict[str, str], name: str) -> int:
    said = given.get(name, "1").strip()
    return min(max(int(said), 1), WIDEST) if said.isdecimal() and len(said) <= 9 else 1  # noqa: PLR2004 - no such span


def _nested() -> ParseRefused:
    return ParseRefused(
        "parse.nested",
        f"표 안의 표가 {DEEPEST}겹을 넘습니다. 표를 풀어 CSV로 제출하세요.",
        f"Tables in tables, more than {DEEPEST} deep. Submit them as CSV.",
    )


def _drawing(markup: str, number: int) -> Embedded:
    spaced = markup if "xmlns" in markup[:WIDEST].split(">", 1)[0] else markup[:4] + NAMESPACE + markup[4:]
    return Embedded(f"그림/drawing {number}", "drawing.svg", spaced.encode())


def _in_scripts(scripts: list[str], rules: CheckRules) -> Iterator[Finding]:
    """Count the values that calls of Plotly carry."""
    decoder = json.JSONDecoder()
    for call in [match for script in scripts for match in CALL.finditer(script)][:CALLS]:
        with suppress(ValueError, TypeError, RecursionError, ParseRefused):
            data, _ = decoder.raw_decode(call.string, call.end())
            _, total = held({"data": data, "layout": {}}, rules)
            yield from check_count(total, rules, place="Plotly")


def _in_data(data: list[str], rules: CheckRules) -> Iterator[Document]:
    """Open what stands in a page as JSON."""
    for text in data:
        figure = None
        with suppress(ValueError, RecursionError):
            figure = interactive(json.loads(text), rules)
        yield figure or Document("text", text=text)
