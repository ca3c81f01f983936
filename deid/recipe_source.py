"""Where a table of the recipe comes from: the format and how it is read. Pure data; `readers/` acts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deid.recipe_yaml import Node

ENCODINGS = ("utf-8", "utf-8-sig", "cp949")
SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}
FIELDS = ("file", "encoding", "separator")


@dataclass(frozen=True)
class Origin:
    """One table's original: `file` is a plain name in the source folder, `encoding` and `separator` are for CSV."""

    format: str
    file: str
    encoding: str = "utf-8"
    separator: str = ","

    def lineage(self) -> dict[str, str]:
        """Say in a manifest how the original was read."""
        return {"encoding": self.encoding}


def parse_origin(table: Node, fields: Mapping[str, Node]) -> Origin:
    """Read a table's own `FIELDS`. Raises `RecipeError`."""
    if "file" not in fields:
        table.fail("missing", "'file' 항목이 빠졌습니다.", "'file' is missing.")
    return Origin(
        format="csv",
        file=_file(fields["file"]),
        encoding=fields["encoding"].one_of(ENCODINGS) if "encoding" in fields else "utf-8",
        separator=SEPARATORS[fields["separator"].one_of(tuple(SEPARATORS))] if "separator" in fields else ",",
    )


def _file(node: Node) -> str:
    value = node.text()
    if Path(value).name != value or value.startswith("."):
        node.fail("file", "폴더 없이 파일 이름만 쓰세요.", "a plain file name without folders is expected.")
    return value
