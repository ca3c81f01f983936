"""From a table's rule to its source: one reader per format."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from deid.readers.csv_file import open_csv
from deid.readers.database import open_database
from deid.readers.fhir_file import open_fhir
from deid.readers.parquet_file import open_parquet
from deid.readers.parquet_weight import weight
from deid.readers.source import Reading, Source
from deid.readers.workbook import open_workbook
from deid.recipe import Limits, TableRule

Opener = Callable[[TableRule, Path, Limits, Reading], AbstractContextManager[Source]]
# format: reader, and how many times larger the table is in memory than its file, roughly
READERS: dict[str, tuple[Opener, int]] = {
    "csv": (open_csv, 1),
    "parquet": (open_parquet, 8),
    "xlsx": (open_workbook, 4),
    "fhir": (open_fhir, 1),
    "sql": (open_database, 0),
}


def open_source(rule: TableRule, folder: Path, limits: Limits, how: Reading) -> AbstractContextManager[Source]:
    """Check the table's original and give a `Source` that lives as long as the context.

    Raises `SourceError`, or `RecipeError` when the recipe names a column that the original lacks.
    """
    opener, _ = READERS[rule.origin.format]
    return opener(rule, folder, limits, how)


def text_size(source: Source) -> int:
    """Bytes of an open table as text, roughly."""
    return source.size * max(1, READERS[source.rule.origin.format][1])


def size_of(rule: TableRule, folder: Path) -> int:
    """Bytes of the table as text, roughly; 0 when it is no file or not there."""
    path, factor = folder / rule.file, READERS[rule.origin.format][1]
    return path.stat().st_size * factor if factor and path.is_file() else 0


def weight_of(rule: TableRule, folder: Path) -> int:
    """Bytes of text that would need as much memory as the table. Decides whether it is kept there."""
    size = size_of(rule, folder)
    found = weight(rule, folder) if size and rule.origin.format == "parquet" else None
    # Also of a table without rows: a run that keeps nothing does not keep it.
    return size if found is None else max(1, found)
