"""What may be read in this workspace: the approved tables and columns under ``/data``."""

from __future__ import annotations

import importlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .failure import AnsimError
from .show import html_table, text_table
from .words import say


@dataclass(frozen=True)
class Table:
    """One approved table: ``name`` is ``<dataset>/<table>``; ``columns`` is empty when nothing here can read them."""

    name: str
    path: Path
    columns: tuple[str, ...] = ()

    def read(self, columns: list[str] | None = None) -> Any:
        """Read it into a pandas data frame.

        Raises: `AnsimError` for a column that is not approved here, and when pandas is not in this image.
        """
        self._known(columns or [])
        try:
            pandas = importlib.import_module("pandas")
        except ImportError:
            raise AnsimError(
                "client.no-pandas",
                ko="이 작업공간에는 pandas가 없습니다.",
                en="There is no pandas in this workspace.",
                remedy_ko=f"polars.read_parquet({str(self.path)!r})로 읽거나 운영자에게 이미지를 요청하세요.",
                remedy_en=f"Use polars.read_parquet({str(self.path)!r}), or ask the operator for another image.",
            ) from None
        return pandas.read_parquet(self.path, columns=columns)

    def _known(self, columns: list[str]) -> None:
        unknown = [name for name in columns if self.columns and name not in self.columns]
        if unknown:
            names = ", ".join(repr(name[:80]) for name in unknown)
            known = ", ".join(self.columns)
            raise AnsimError(
                "client.no-column",
                ko=f"{self.name} 표에서 승인된 열이 아닙니다: {names}",
                en=f"Not an approved column of {self.name}: {names}",
                remedy_ko=f"승인된 열: {known}",
                remedy_en=f"Approved columns: {known}",
            )


@dataclass(frozen=True)
class Tables:
    """All approved tables, shown as a table; ``tables["<dataset>/<table>"]`` is one of them."""

    tables: tuple[Table, ...]

    def __getitem__(self, name: str) -> Table:
        for table in self.tables:
            if table.name == name:
                return table
        known = ", ".join(table.name for table in self.tables) or "-"
        raise AnsimError(
            "client.no-table",
            ko=f"{name[:80]!r} 표는 승인된 자료에 없습니다.",
            en=f"There is no approved table {name[:80]!r}.",
            remedy_ko=f"읽을 수 있는 표: {known}",
            remedy_en=f"Approved tables: {known}",
        )

    def __len__(self) -> int:
        return len(self.tables)

    def __repr__(self) -> str:
        return text_table(_head(), self._rows()) if self.tables else _nothing()

    def _repr_html_(self) -> str:
        return html_table(_head(), self._rows()) if self.tables else f"<p>{_nothing()}</p>"

    def _rows(self) -> list[tuple[str, ...]]:
        return [(table.name, ", ".join(table.columns) or "?", str(table.path)) for table in self.tables]


def data() -> Tables:
    """List the approved tables of this workspace with their columns."""
    root = Path(os.environ.get("ANSIM_DATA", "/data"))
    found = sorted(path for path in root.glob("*/*") if path.suffix == ".parquet" or _is_parts(path))
    return Tables(tuple(Table(f"{path.parent.name}/{path.stem}", path, _columns(path)) for path in found))


def _is_parts(path: Path) -> bool:
    """Whether a folder is a table in parts; one of images and signals, beside their index, is none."""
    return path.is_dir() and next(path.glob("*.parquet"), None) is not None


def _columns(path: Path) -> tuple[str, ...]:
    try:
        parquet = importlib.import_module("pyarrow.parquet")
    except ImportError:
        return ()
    first = path if path.is_file() else next(iter(sorted(path.glob("*.parquet"))), None)
    return tuple(parquet.read_schema(first).names) if first is not None else ()


def _head() -> tuple[str, ...]:
    return say("표", "table"), say("승인된 열", "approved columns"), say("경로", "path")


def _nothing() -> str:
    return say("승인된 자료가 없습니다.", "There is no approved data here.")
