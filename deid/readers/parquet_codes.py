"""Texts of a Parquet file that lie there under numbers: kept as numbers, and each distinct text decoded once.

What Arrow does not read, or finds not to be as the format says, is left to Polars, which refuses it with its reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

from deid.many.arrow_codes import joined_chunks
from deid.many.codes import Numbered
from deid.readers.regular import by_descriptor

# A column chunk so large (bytes before compression) does not hold numbers of few texts.
MOST_BYTES_A_VALUE, MOST_BYTES_BESIDES = 8, 1 << 16
DAMAGED = (pa.ArrowException, OSError)


def few_texts(file: IO[bytes], names: Sequence[str]) -> list[str]:
    """Return those of the text columns `names` that hold few texts, each of them often."""
    try:
        about = pq.ParquetFile(by_descriptor(file)).metadata
    except DAMAGED:
        return []
    if not about.num_row_groups:
        return []
    first = about.row_group(0)
    places = {first.column(at).path_in_schema: at for at in range(first.num_columns)}
    # With a point in its name a column may be asked of Arrow, and one inside another column be given beside it.
    return [name for name in names if "." not in name and name in places and _has_few(about, places[name])]


def _has_few(about: pq.FileMetaData, place: int) -> bool:
    chunks = [about.row_group(at).column(place) for at in range(about.num_row_groups)]
    return all(
        chunk.has_dictionary_page
        and chunk.total_uncompressed_size <= MOST_BYTES_A_VALUE * chunk.num_values + MOST_BYTES_BESIDES
        for chunk in chunks
    )


def read_numbered(file: IO[bytes], name: str, missing: Sequence[str]) -> Numbered | None:
    """Read a text column as numbers, `missing` texts as null; None where Polars must say what is wrong."""
    try:
        opened = pq.ParquetFile(by_descriptor(file), read_dictionary=[name], pre_buffer=False)
        chunks = opened.read([name], use_threads=False).column(0).chunks
        for chunk in chunks:
            # Numbers within the dictionary, texts in UTF-8: Polars takes both on trust.
            chunk.validate(full=True)
    except DAMAGED:
        return None
    if not all(pa.types.is_dictionary(chunk.type) for chunk in chunks):
        return None
    # What is left in a dictionary of rows that are gone is not in the table.
    return joined_chunks(chunks, missing).of_rows()
