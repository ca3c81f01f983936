"""Running text with tables, as word processors write it: paragraphs ``p``, texts ``t``, tables ``tbl`` ``tr`` ``tc``.

WordprocessingML (ECMA-376 part 1 §17) and OWPML (KS X 6101) call these by the same local names.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from enclave.airlock.document import Table
from enclave.airlock.parsers.grid import table_of
from enclave.airlock.parsers.looks import odd_looks

TEXTS = frozenset({"t", "delText", "instrText", "script"})
BREAKS = {"tab": "\t", "br": "\n", "cr": "\n", "lineBreak": "\n", "noBreakHyphen": "-"}
SAID = frozenset({"descr", "title", "author", "initials", "prompt", "tooltip", "display", "alias", "tag"})
# What attributes of looks hold: measures, colours, marks, references, moments, plain words without a long number.
LOOKS = re.compile(
    r"(?:[-+]?[\d.,]{1,10}(?:pt|px|in|cm|mm|em|%)?"
    r"|#?[0-9a-fA-F]{1,8}"
    r"|\{?[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\}?"
    r"|(?:rId|_Toc|_Hlk|_Ref)\d{1,12}"
    r"|\$?[A-Z]{1,3}\$?\d{1,7}(?::\$?[A-Z]{1,3}\$?\d{1,7})?"
    r"|\d{1,7}:\d{1,7}"
    r"|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)?"
    r"|(?!.*\d{5})[A-Za-z_/#*.][\w.:/#,;*@ ()+-]{0,63})?",
    re.ASCII,
)
# Fonts have names in all scripts.
FONTS = frozenset({"typeface", "ascii", "hAnsi", "eastAsia", "cs", "face"})
FONT_ELEMENTS = frozenset({"name", "rFont"})
FONT = re.compile(r"@?[^\W\d_][^\W\d_\n]*(?:[ +-]?(?:[^\W\d_]+|\d{1,3}))*")
# Names of types in a package's directory, and of kinds of relations.
TYPE = re.compile(r"application/[a-z0-9.+-]{1,99}|https?://schemas\.[A-Za-z0-9./-]{1,120}", re.IGNORECASE)
NUMBER = re.compile(r"[-+\d.]{1,10}|true|false|on|off|[a-z]{1,10}", re.IGNORECASE)


@dataclass
class Flow:
    """What was read: lines in their order, tables (cells as text), and how often each element stands there."""

    lines: list[str] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)


def local(element: Element) -> str:
    """Return an element's name without its namespace; '' for comments and instructions."""
    tag = str(element.tag)  # of comments and instructions it is a function
    return "" if tag.startswith("<") else tag.rpartition("}")[2]


def read_flow(root: Element) -> Flow:
    """Read all text of a part, also what is deleted, hidden, or in boxes; nothing in it is recursive here."""
    flow = Flow()
    paragraphs: list[list[str]] = []
    grids: list[list[list[list[list[str]]]]] = []
    # Each element with the paragraph, the table and the row it lies in, and the cell that gathers its paragraphs.
    stack: list[tuple[Element, list[str], int, list[list[str]]]] = [(root, [], -1, [])]
    while stack:
        element, paragraph, grid, cell = stack.pop()
        name = local(element)
        flow.seen[name] += 1
        if name == "p":
            paragraph = []
            paragraphs.append(paragraph)
            cell.append(paragraph)
        elif name == "tbl":
            grids.append([])
            grid = len(grids) - 1
        elif name == "tr" and grid >= 0:
            grids[grid].append([])
        elif name == "tc" and grid >= 0 and grids[grid]:
            cell = []
            grids[grid][-1].append(cell)
        if name in TEXTS:
            paragraph.append("".join(element.itertext()))
            paragraphs += [[inner.text or ""] for inner in element.iter() if not local(inner)]
            continue
        paragraph.append(BREAKS.get(name, ""))
        # Positions and sizes are numbers; anything else that stands where no text belongs is text all the same.
        paragraphs += [[text] for text in _odd(element) if not NUMBER.fullmatch(text)]
        stack += [(child, paragraph, grid, cell) for child in reversed(element)]
    flow.lines = ["".join(pieces) for pieces in paragraphs]
    flow.tables = [_table(rows, f"표 {number}") for number, rows in enumerate(grids, 1) if any(rows)]
    return flow


def _table(rows: list[list[list[list[str]]]], label: str) -> Table:
    cells = [["\n".join("".join(pieces) for pieces in cell).strip() for cell in row] for row in rows if row]
    return table_of(cells, label)[0]


def odd_text(root: Element) -> Iterator[str]:
    """Yield what stands in a part that describes looks: texts, comments, and attributes too long to describe any."""
    for element in root.iter():
        yield from _odd(element)


def _odd(element: Element) -> Iterator[str]:
    yield from (text.strip() for text in (element.text, element.tail) if text and text.strip())
    yield from odd_attributes(element)


def odd_attributes(element: Element) -> Iterator[str]:
    """Yield attributes that say something in words, and names and values too odd to describe how a thing looks."""
    yield from odd_looks(local(element), *(key.rpartition("}")[2] for key in element.attrib))
    for key, value in element.attrib.items():
        name = key.rpartition("}")[2]
        is_font = name in FONTS or (name == "val" and local(element) in FONT_ELEMENTS)
        is_plain = LOOKS.fullmatch(value) or TYPE.fullmatch(value) or (is_font and FONT.fullmatch(value))
        if name in SAID or not is_plain:
            yield value
