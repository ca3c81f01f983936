"""Classes counted in the files that were written, on the numbers under which Parquet keeps their texts.

The reader (Arrow's) is not the writer's own.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
import pyarrow as pa

from deid.grouping import Coded, class_sizes, coded
from deid.many.arrow_codes import joined_chunks, series_of
from deid.recipe import QuasiIdentifier
from deid.versions.tables import DataFile


def classes_in(entries: Sequence[QuasiIdentifier], subject: str, files: Sequence[DataFile]) -> pl.DataFrame | None:
    """Count the distinct patients (`PEOPLE`) of each class in files of one table, None where no row is in them.

    `subject` is the column of the patients' pseudonyms. Null is a value like any other.
    """
    names = list(dict.fromkeys([subject, *(entry.column for entry in entries)]))
    tables = [_read(file, names) for file in files]
    if not any(table.num_rows for table in tables):
        return None
    columns = {name: _coded([chunk for table in tables for chunk in table[name].chunks]) for name in names}
    return class_sizes(entries, columns[subject].codes, columns)


def _read(file: DataFile, names: list[str]) -> pa.Table:
    with file.parquet(texts=names) as parquet:
        return parquet.read(names, use_threads=False)


def _coded(chunks: Sequence[pa.Array]) -> Coded:
    if isinstance(chunks[0], pa.DictionaryArray):
        return coded(joined_chunks(chunks))
    return coded(pl.concat([series_of(chunk) for chunk in chunks]))
