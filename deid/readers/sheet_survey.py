"""What a worksheet's XML says beside its values: hidden rows and columns, merged cells, formulas without a result.

openpyxl's streaming mode gives values only. The standard is ECMA-376 part 1 §18.3.1 (`row`, `col`, `mergeCell`, `f`).
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from defusedxml.ElementTree import iterparse
from openpyxl.utils import get_column_letter, range_boundaries

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
STRICT = "{http://purl.oclc.org/ooxml/spreadsheetml/main}"
TRUE = frozenset({"1", "true"})


@dataclass
class Survey:
    """Hidden rows and columns (from 1, columns as letters), merged ranges by first row, formulas without result."""

    hidden_rows: list[int] = field(default_factory=list)
    hidden_columns: list[str] = field(default_factory=list)
    merged: list[tuple[int, str]] = field(default_factory=list)
    unsolved: list[tuple[int, str]] = field(default_factory=list)


def survey(book: zipfile.ZipFile, part: str, columns: int) -> Survey:
    """Read the sheet's XML once, a row at a time; `columns` is how many columns from the left matter."""
    found = Survey()
    all_hidden = False
    with book.open(part) as stream:
        for _, element in iterparse(stream):
            tag = element.tag.removeprefix(MAIN).removeprefix(STRICT)
            if tag == "sheetFormatPr":
                all_hidden = element.get("zeroHeight") in TRUE
            elif tag == "col":
                _column(found, element, columns)
            elif tag == "mergeCell":
                ref = element.get("ref", "")
                found.merged.append((int(range_boundaries(ref)[1] or 1), ref))
            elif tag == "row":
                _row(found, element, all_hidden=all_hidden)
                element.clear()
    return found


def _column(found: Survey, element: Element, columns: int) -> None:
    if element.get("hidden") in TRUE or element.get("width") == "0":
        first, last = int(element.get("min", "1")), int(element.get("max", "1"))
        found.hidden_columns.extend(get_column_letter(n) for n in range(first, min(last, columns) + 1))


def _row(found: Survey, row: Element, *, all_hidden: bool) -> None:
    number = int(row.get("r", "0"))
    if len(row) and (row.get("hidden", "1" if all_hidden else "0") in TRUE or row.get("ht") == "0"):
        found.hidden_rows.append(number)
    for cell in row:
        parts = {part.tag.rpartition("}")[2]: part for part in cell}
        value = parts.get("v")
        if "f" in parts and (value is None or not value.text) and cell.get("t") != "str":
            found.unsolved.append((number, cell.get("r", "?")))
