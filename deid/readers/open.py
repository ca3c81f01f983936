"""From a table's rule to its source: one reader per format."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from deid.readers.csv_file import open_csv
from deid.readers.source import Reading, Source
from deid.recipe import Limits, TableRule


def open_source(rule: TableRule, folder: Path, limits: Limits, how: Reading) -> AbstractContextManager[Source]:
    """Check the table's original and give a `Source` that lives as long as the context.

    Raises `SourceError`, or `RecipeError` when the recipe names a column that the original lacks.
    """
    return open_csv(rule, folder, limits, how)


def size_of(rule: TableRule, folder: Path) -> int:
    """Bytes of the table's original, 0 when it is no file or not there: for progress, and to decide what is kept."""
    path = folder / rule.file
    return path.stat().st_size if path.is_file() else 0
