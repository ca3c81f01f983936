"""Where a table of the recipe comes from: the format and how it is read. Pure data; `readers/` acts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deid.recipe_yaml import Node

ENCODINGS = ("utf-8", "utf-8-sig", "cp949")
SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}
# format: fields a table may have for it, the endings of file names it is assumed for
FORMATS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "csv": (("file", "encoding", "separator"), (".csv", ".tsv", ".txt")),
    "parquet": (("file",), (".parquet",)),
    "xlsx": (("file", "sheet", "header_row", "hidden"), (".xlsx", ".xlsm")),
}
FIELDS = ("format", *dict.fromkeys(name for fields, _ in FORMATS.values() for name in fields))


@dataclass(frozen=True)
class Origin:
    """One table's original: `file` is a plain name in the source folder.

    CSV: `encoding`, `separator`. Workbooks: `sheet` ("" for the only one shown), `header_row` (from 1), and whether
    `hidden` sheets, rows and columns are read.
    """

    format: str
    file: str
    encoding: str = "utf-8"
    separator: str = ","
    sheet: str = ""
    header_row: int = 1
    hidden: bool = False

    def lineage(self) -> dict[str, str]:
        """Say in a manifest how the original was read."""
        return {"encoding": self.encoding} if self.format == "csv" else {"format": self.format}

    def fields(self) -> dict[str, str]:
        """Give the fields of a recipe's table that `parse_origin` would read as this."""
        fields = {"file": self.file}
        if self.format != _assumed(self.file):
            fields["format"] = self.format
        if self.encoding != "utf-8":
            fields["encoding"] = self.encoding
        if self.separator != ",":
            fields["separator"] = next(name for name, letter in SEPARATORS.items() if letter == self.separator)
        if self.sheet:
            fields["sheet"] = self.sheet
        return fields


def parse_origin(table: Node, fields: Mapping[str, Node]) -> Origin:
    """Read a table's own `FIELDS`; without `format` it is told by the file's name. Raises `RecipeError`."""
    assumed = _assumed(fields["file"].text() if "file" in fields else "")
    chosen = fields["format"].one_of(tuple(FORMATS)) if "format" in fields else assumed
    for name in FIELDS:
        if name in fields and name not in {"format", *FORMATS[chosen][0]}:
            fields[name].fail("unknown", f"{chosen}에는 '{name}' 항목이 없습니다.", f"{chosen} has no '{name}'.")
    if "file" not in fields:
        table.fail("missing", "'file' 항목이 빠졌습니다.", "'file' is missing.")
    return Origin(
        format=chosen,
        file=_file(fields["file"]),
        encoding=fields["encoding"].one_of(ENCODINGS) if "encoding" in fields else "utf-8",
        separator=SEPARATORS[fields["separator"].one_of(tuple(SEPARATORS))] if "separator" in fields else ",",
        sheet=fields["sheet"].text() if "sheet" in fields else "",
        header_row=fields["header_row"].integer(1, 1000) if "header_row" in fields else 1,
        hidden="hidden" in fields and fields["hidden"].one_of(("refuse", "read")) == "read",
    )


def _assumed(file: str) -> str:
    ending = Path(file).suffix.lower()
    return next((name for name, (_, endings) in FORMATS.items() if ending in endings), "csv")


def _file(node: Node) -> str:
    value = node.text()
    if Path(value).name != value or value.startswith("."):
        node.fail("file", "폴더 없이 파일 이름만 쓰세요.", "a plain file name without folders is expected.")
    return value
