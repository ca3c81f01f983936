"""Text columns of a Parquet file on the numbers under which it keeps them, as Arrow reads them.

Arrow decodes no text but the distinct ones of each stretch of a file: a third of the time of decoding all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa

from deid.many.codes import Numbered, numbered

# Arrow's own takes pages of two megabytes for each thread and each size: clearing them took a twentieth of a run.
pa.set_memory_pool(pa.system_memory_pool())


def series_of(array: pa.Array) -> pl.Series:
    """Hand an Arrow array to Polars."""
    return pl.Series(_Handed(array))


def joined_chunks(chunks: Sequence[pa.DictionaryArray], missing: Sequence[str] = ()) -> Numbered:
    """Put chunks of one text column together; each has a dictionary of its own. Null is the last of the values.

    Texts in `missing` become null. A dictionary may hold values that no row has.
    """
    own = [series_of(chunk.dictionary).cast(pl.String) for chunk in chunks]
    values = pl.concat(own)
    absent = values.len()
    if any(chunk.null_count for chunk in chunks):
        values = pl.concat([values, pl.Series([None], dtype=pl.String)])
    distinct = numbered(values.set(values.is_in(missing), None) if missing else values)
    numbers, begun, row = distinct.codes.to_numpy(), 0, 0
    codes = np.empty(sum(map(len, chunks)), np.uint32)
    for chunk, dictionary in zip(chunks, own, strict=True):
        places = series_of(chunk.indices)
        # The last is null, also for rows without a value.
        places = places.fill_null(absent - begun) if places.null_count() else places
        codes[row : row + places.len()] = numbers[begun:].take(places.to_numpy())
        begun, row = begun + dictionary.len(), row + places.len()
    return Numbered(pl.Series(codes), distinct.values)


@dataclass(frozen=True)
class _Handed:
    """An array in the form in which any library hands it over.

    What Polars knows as Arrow's own it takes with functions that need a tenth of a second to load.
    """

    array: pa.Array

    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]:
        handed: tuple[object, object] = self.array.__arrow_c_array__(requested_schema)
        return handed
