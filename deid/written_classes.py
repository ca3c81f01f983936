"""Classes counted in the files that were written, on the numbers under which Parquet keeps their texts.

A reader that is not the writer's own (Arrow's) decodes no text but the distinct ones of each file: a third of the time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa

from deid.grouping import Coded, class_sizes, coded
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
    """Put chunks of one column together; each of a text column has a dictionary of its own."""
    if not isinstance(chunks[0], pa.DictionaryArray):
        return coded(pl.concat([_series(chunk) for chunk in chunks]))
    # Null is the first of the values.
    values = [pl.Series([None], dtype=pl.String), *(_series(chunk.dictionary) for chunk in chunks)]
    distinct = coded(pl.concat(values))
    codes, begun = [], 1
    for chunk, own in zip(chunks, values[1:], strict=True):
        places = _series(chunk.indices)
        places = places.fill_null(-begun) if places.null_count() else places
        codes.append(distinct.codes[places.to_numpy() + begun])
        begun += own.len()
    return Coded(np.concatenate(codes), distinct.values)


def _series(array: pa.Array) -> pl.Series:
    return pl.Series(_Handed(array))


@dataclass(frozen=True)
class _Handed:
    """An array in the form in which any library hands it over.

    What Polars knows as Arrow's own it takes with functions that need a tenth of a second to load.
    """

    array: pa.Array

    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]:
        handed: tuple[object, object] = self.array.__arrow_c_array__(requested_schema)
        return handed
