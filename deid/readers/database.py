"""Opening a table or query of a database: streamed once, inside one read-only transaction, into an unnamed copy.

Only the columns that the recipe uses are selected: a name that is dropped never leaves the database.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from deid.readers.connection import quiet
from deid.readers.parquet_file import refuse_kind, refuse_zone
from deid.readers.refuse import check_header, check_rows
from deid.readers.source import Reading, Source
from deid.readers.spelling import UnspellableError, ZonedError, date_formats, spell
from deid.readers.spool import Spool, kept
from deid.recipe import Limits, TableRule
from deid.recipe_source import Origin


@contextmanager
def open_database(rule: TableRule, _: Path, limits: Limits, how: Reading) -> Iterator[Source]:
    """Read the table's rows and give a `Source`. Raises `SourceError`, `KeyFileError` or `RecipeError`."""
    origin = rule.origin
    if origin.database is None:
        raise RuntimeError("an origin of format sql has an address")
    connection = how.databases.connection(rule.file, origin.database)
    with Spool(rule, rule.file, limits, how.spool) as spool:
        with quiet(rule.file):
            rows_from = selectable(origin)
            header = columns_of(connection, rows_from)
            check_header(rule, rule.file, header, schema=True)
            with connection.execute(select_of(rows_from, rule.used)) as result:
                _read(rule, result, spool, limits)
        content = spool.finish(lambda: None)  # the transaction sees one state from beginning to end
        check_rows(rule.file, spool.rows, limits)
        how.advance(spool.letters)
        loaded = kept(content, spool, in_memory=how.in_memory)
        yield Source(rule, rule.file, header, spool.rows, spool.letters, spool.sha256, content, loaded)


def selectable(origin: Origin) -> sa.FromClause:
    """Name what is selected from: a table (`schema.name`), or the recipe's query as a subquery."""
    if origin.query:
        # A colon is no parameter here; and inside a subquery nothing but a SELECT is possible.
        query = origin.query.strip().rstrip(";").replace(":", r"\:")
        return sa.text(query).columns().subquery("source")
    schema, _, name = origin.table.rpartition(".")
    return sa.table(name, schema=schema or None)


def columns_of(connection: sa.Connection, rows_from: sa.FromClause) -> tuple[str, ...]:
    """Give the names of the columns, without reading a row."""
    nothing: sa.Select[*tuple[Any, ...]] = sa.select(sa.literal_column("*")).select_from(rows_from).limit(0)
    result: sa.CursorResult[Any] = connection.execute(nothing)
    with result:
        return tuple(result.keys())


def select_of(rows_from: sa.FromClause, names: tuple[str, ...]) -> sa.Select[*tuple[Any, ...]]:
    """Select columns by name."""
    return sa.select(*(sa.column(name) for name in names)).select_from(rows_from)


def _read(rule: TableRule, result: sa.CursorResult[Any], spool: Spool, limits: Limits) -> None:
    formats = date_formats(rule)
    forms = [formats.get(name) for name in rule.used]
    zone = rule.origin.timezone
    for number, row in enumerate(result, start=1):
        try:
            spool.add(number, [spell(value, form, zone) for value, form in zip(row, forms, strict=True)])
        except UnspellableError:
            _refuse_value(rule, number, row, forms)
        if number > limits.rows:
            check_rows(rule.file, number, limits)


def _refuse_value(rule: TableRule, number: int, row: sa.Row[Any], forms: list[str | None]) -> None:
    for name, value, form in zip(rule.used, row, forms, strict=True):
        try:
            spell(value, form, rule.origin.timezone)
        except ZonedError:
            refuse_zone(rule, name, number)
        except UnspellableError as error:
            refuse_kind(rule, name, error.kind, number)
