"""How the command line says no: code, both languages, what to do, and an exit code by kind of error (see `cli.py`)."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from deid.errors import (
    BudgetRefused,
    DeidError,
    GateFailed,
    KeyFileError,
    OutputError,
    RecipeError,
    SnapshotDamaged,
    SnapshotShredded,
    SourceError,
    WorkersRefused,
)

EXIT_CODES: tuple[tuple[type[DeidError], int], ...] = (
    (RecipeError, 3),
    (SourceError, 4),
    (GateFailed, 5),
    (SnapshotDamaged, 6),
    (KeyFileError, 7),
    (OutputError, 8),
    (SnapshotShredded, 9),
    (BudgetRefused, 10),
    (WorkersRefused, 11),
)


@contextmanager
def errors_to_exit_codes() -> Iterator[None]:
    """Say a `DeidError` in both languages with its code and remedy, and end with its exit code."""
    try:
        yield
    except DeidError as error:
        click.echo(f"[{error.code}] {error.ko}", err=True)
        click.echo(f"  → {error.remedy_ko}", err=True)
        click.echo(f"[{error.code}] {error.en}", err=True)
        click.echo(f"  → {error.remedy_en}", err=True)
        sys.exit(next((code for kind, code in EXIT_CODES if isinstance(error, kind)), 1))
