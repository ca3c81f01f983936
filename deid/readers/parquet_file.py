"""Opening a Parquet file: types are spelled as text, texts kept as numbers or decoded, nested columns refused.

Read by Polars row group by row group through the descriptor that was hashed. One pass over the used columns decodes
every page before anything is treated, so that a damaged file is refused as such and not half-way.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, NoReturn

import polars as pl

from deid.beside import beside
from deid.held import Column, Held
from deid.many.codes import numbered_stretches
from deid.readers.parquet_codes import few_texts, read_numbered
from deid.readers.refuse import check_header, check_rows, refuse
from deid.readers.regular import Stamp, by_descriptor, check_stamp, hash_of, open_regular, stamp
from deid.readers.source import Reading, Source
from deid.readers.spelling import UnspellableError, ZonedError, as_text, date_formats, read_as
from deid.recipe import Limits, TableRule

STRETCH = 1 << 17
AT_A_TIME = 2
# Rows of a column of identifiers that are numbered at a time, and as how many each is held to stand in on average.
NUMBERED, ROWS_A_VALUE = 1 << 20, 16
MAGIC, SEALED_MAGIC = b"PAR1", b"PARE"


@dataclass(frozen=True)
class ParquetContent:
    """An open Parquet file and the expressions that spell its used columns."""

    rule: TableRule
    file: IO[bytes]
    stamp: Stamp
    columns: tuple[pl.Expr, ...]

    def scan(self) -> pl.LazyFrame:
        """See `Content.scan`."""
        return pl.scan_parquet(by_descriptor(self.file), glob=False, hive_partitioning=False).select(self.columns)

    def stretches(self, rows: int) -> Iterator[pl.LazyFrame]:
        """See `Content.stretches`: Polars' streaming reader would decode as far ahead as it can."""
        return slices(self.scan(), rows)

    def line_of(self, record: int) -> int:
        """See `Content.line_of`: rows are counted from 1."""
        return record + 1

    def check_unchanged(self) -> None:
        """See `Content.check_unchanged`."""
        check_stamp(self.file, self.stamp, self.rule.file)


@contextmanager
def open_parquet(rule: TableRule, folder: Path, limits: Limits, how: Reading) -> Iterator[Source]:
    """Check `folder/rule.file` and give a `Source`. Raises `SourceError` or `RecipeError`."""
    with ExitStack() as stack:
        file = stack.enter_context(open_regular(folder, rule.file))
        before = stamp(file)
        check_magic(rule.file, file)
        with decoding(rule.file):
            schema = pl.Schema(pl.read_parquet_schema(file))
            check_header(rule, rule.file, tuple(schema), schema=True)
            content = ParquetContent(rule, file, before, _columns(rule, schema))
            rows = int(pl.scan_parquet(by_descriptor(file), glob=False).select(pl.len()).collect().item())
            check_rows(rule.file, rows, limits)
            texts = [name for name in rule.used if schema[name] == pl.String]
            with beside(at_once=True) as begin:
                loaded = begin(partial(_decode, content, rows, few_texts(file, texts), keep=how.in_memory))
                digest = hash_of(file, how.advance)
            held = loaded()
        content.check_unchanged()
        yield Source(rule, rule.file, tuple(schema), rows, before[0], digest, content, held)


@contextmanager
def decoding(name: str) -> Iterator[None]:
    """Turn what Polars meets in a damaged file into `SourceError`."""
    try:
        yield
    except pl.exceptions.PolarsError as error:
        _refuse_damaged(name, type(error).__name__)
    except BaseException as error:  # the decoder's panics derive from it, so that no `except Exception` hides them
        if type(error).__name__ != "PanicException":
            raise
        _refuse_damaged(name, "panic")


def check_magic(name: str, file: IO[bytes]) -> None:
    """Raise `SourceError` unless the file ends as Parquet does; encrypted footers are told apart."""
    file.seek(max(0, file.seek(0, 2) - len(MAGIC)))
    tail = file.read()
    file.seek(0)
    if tail == SEALED_MAGIC:
        both = ("암호화된 Parquet입니다.", "this Parquet file is encrypted.")
        refuse(name, "encrypted", both, ("암호를 풀어 다시 내보내세요.", "Export it again without encryption."))
    if tail != MAGIC:
        _refuse_damaged(name, "PAR1")


def slices(frame: pl.LazyFrame, rows: int) -> Iterator[pl.LazyFrame]:
    """Cut the rows of a Parquet file into stretches, at least one."""
    total = int(frame.select(pl.len()).collect().item())
    return (frame.slice(begun, rows) for begun in range(0, max(1, total), rows))


def null_if_empty(rule: TableRule, column: pl.Expr) -> pl.Expr:
    """Turn an empty text, and what the recipe's `nulls` name, into null."""
    return pl.when(~column.is_in(empty_texts(rule))).then(column)


def empty_texts(rule: TableRule) -> list[str]:
    """Texts that stand for no value."""
    return ["", *rule.nulls]


def _columns(rule: TableRule, schema: pl.Schema) -> tuple[pl.Expr, ...]:
    formats = date_formats(rule)
    spelled = []
    for name in rule.used:
        typed = read_as(rule, name, schema[name])
        if typed is not None:
            spelled.append(typed.alias(name))
            continue
        try:
            column = as_text(name, schema[name], formats, rule.origin.timezone)
        except ZonedError:
            refuse_zone(rule, name)
        except UnspellableError as error:
            refuse_kind(rule, name, error.kind)
        spelled.append(null_if_empty(rule, column).alias(name))
    return tuple(spelled)


def _decode(content: ParquetContent, rows: int, texts: Sequence[str], *, keep: bool) -> Held | None:
    held = _kept(content, rows, texts) if keep else None
    if held is None:
        for stretch in content.stretches(STRETCH):
            stretch.select(pl.all().is_null().sum()).collect(engine="in-memory")
    return held


def _kept(content: ParquetContent, rows: int, texts: Sequence[str]) -> Held | None:
    """Read all columns into memory; None when there are too many identifiers for it."""
    names = content.rule.used
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        columns = list(pool.map(lambda name: _column(content, name, rows, few=name in texts), names))
    found = {name: column for name, column in zip(names, columns, strict=True) if column is not None}
    return Held(found, rows) if len(found) == len(names) else None


def _column(content: ParquetContent, name: str, rows: int, *, few: bool) -> Column | None:
    """Read texts of which there are few by their numbers, identifiers by numbers given here (None: they are many)."""
    found = read_numbered(content.file, name, empty_texts(content.rule)) if few else None
    if found is not None:
        return found
    column = content.scan().select(name)
    if name not in content.rule.replaced:
        return column.collect(engine="streaming").to_series()
    stretches = (stretch.collect().to_series() for stretch in slices(column, NUMBERED))
    return numbered_stretches(stretches, max(NUMBERED, rows // ROWS_A_VALUE))


def refuse_kind(rule: TableRule, column: str, kind: str, line: int = 0) -> NoReturn:
    """Raise `SourceError` for a column whose type is no text, number, date or truth value."""
    refuse(
        rule.file, "column-type",
        (f"열 {column}의 자료형({kind})은 한 칸에 담을 수 없습니다.", f"column {column}: no field holds a {kind}."),
        ("원본에서 열로 펼치거나 treatment: drop으로 빼세요.", "Flatten it at its origin, or write treatment: drop."),
        at=(line, -1),
    )  # fmt: skip


def refuse_zone(rule: TableRule, column: str, line: int = 0) -> NoReturn:
    """Raise `SourceError` for a date that would be taken from a time stamp with a time zone."""
    refuse(
        rule.file, "time-zone",
        (f"열 {column}에 시간대가 있어 날짜를 알 수 없습니다.", f"column {column} has a time zone, so no sure day."),
        ("timezone: Asia/Seoul처럼 날짜를 셀 곳을 적으세요.", "Say where days are counted, as timezone: Asia/Seoul."),
        at=(line, -1),
    )  # fmt: skip


def _refuse_damaged(name: str, detail: str) -> NoReturn:
    both = (f"Parquet으로 읽을 수 없습니다({detail}).", f"cannot be read as Parquet ({detail}).")
    refuse(name, "broken-parquet", both, ("파일을 다시 내보내거나 옮기세요.", "Export or copy the file again."))
