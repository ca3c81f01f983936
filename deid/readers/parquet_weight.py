"""What a Parquet file will weigh in memory: by its columns, not by its size, which says little of it."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pyarrow.parquet as pq

from deid.errors import SourceError
from deid.readers.parquet_codes import DAMAGED, few_texts
from deid.readers.parquet_file import ROWS_A_VALUE, decoding
from deid.readers.spelling import read_as
from deid.recipe import TableRule

# Bytes a row of a number, of a text's place in memory, and of an identifier itself with its pseudonym and its patient.
NUMBER, WIDE, VIEW, VALUE = 4, 8, 16, 160
# What is done with numbers takes less room beside them than what is done with texts.
OF_TEXT = 3 / 8


def weight(rule: TableRule, folder: Path) -> int | None:
    """Bytes of text that would need as much memory as this file's used columns; None where it cannot be told so.

    That is where columns are spelled out for what looks at several of them in all rows, or the file is damaged.
    """
    if not _by_numbers(rule):
        return None
    path = folder / rule.file
    try:
        with path.open("rb") as file, decoding(rule.file):
            schema = pl.Schema(pl.read_parquet_schema(file))
            about = pq.ParquetFile(path).metadata
            few = few_texts(file, [name for name in rule.used if schema.get(name) == pl.String])
    except (SourceError, *DAMAGED):
        return None
    texts, numbers = 0, 0
    for name in rule.used:
        if name in few:
            numbers += NUMBER * about.num_rows
        elif name in rule.replaced:
            numbers += (NUMBER + VALUE // ROWS_A_VALUE) * about.num_rows
        elif name in schema and read_as(rule, name, schema[name]) is not None:
            numbers += (NUMBER if schema[name] == pl.Date else WIDE) * about.num_rows
        else:
            texts += VIEW * about.num_rows + _size(about, name)
    return texts + int(OF_TEXT * numbers)


def _size(about: pq.FileMetaData, name: str) -> int:
    """Bytes of a column before compression."""
    chunks = (
        about.row_group(group).column(at) for group in range(about.num_row_groups) for at in range(about.num_columns)
    )
    return sum(chunk.total_uncompressed_size for chunk in chunks if chunk.path_in_schema == name)


def _by_numbers(rule: TableRule) -> bool:
    """Whether a table goes by numbers all along, from its source to its files."""
    if rule.privacy is not None or rule.texts or rule.texts_elsewhere or set(rule.unique) - {rule.subject}:
        return False
    return not any(column.treatment.recoded or column.treatment.learner for column in rule.published)
