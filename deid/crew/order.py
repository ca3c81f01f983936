"""What is said between the run and its workers: an order to work on one part, a word in return.

Only this passes through Dask, so only this can stand in its logs, its dashboard and its spill folder: places of files,
names of keys and versions, and one key that is sealed. Rows, patients, recipe and answers lie in the shared folder,
under that key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl

from deid.many.spool import Spool
from deid.prepare import Prepared
from deid.recipe import Recipe

DONE, REFUSED, FAILED = "done", "refused", "failed"
KEY_NAME = "run key"


@dataclass(frozen=True)
class Terms:
    """What a run asks of every worker; `sealed` is its key, under one that is derived from the master."""

    folder: str
    dataset: str
    project: str
    generation: int
    key_id: str
    run: str
    versions: dict[str, str]
    sealed: bytes


@dataclass(frozen=True)
class Order:
    """Work on one part: `job` and `people` are files of the shared folder, `answer` is the file to make."""

    terms: Terms
    job: str
    part: int
    people: str
    answer: str


@dataclass(frozen=True)
class Word:
    """How it went: `DONE`; `REFUSED` and the code why; `FAILED` and the kind of error. Never a value."""

    how: str
    why: str = ""
    what: str = ""


@dataclass(frozen=True)
class Job:
    """What is done to every part of a table in one pass; `table` without its patients."""

    kernel: Callable[[Prepared], Any]
    table: Prepared
    recipe: Recipe
    spool: Spool


@dataclass(frozen=True)
class Elsewhere:
    """The content of a table whose original is on another machine."""

    def scan(self) -> pl.LazyFrame:
        """Raise `FileNotFoundError`: a part's rows come from its own files."""
        raise FileNotFoundError

    def stretches(self, rows: int) -> Iterator[pl.LazyFrame]:  # noqa: ARG002 - as `Content` has it
        """Raise `FileNotFoundError`."""
        raise FileNotFoundError

    def line_of(self, record: int) -> int:  # noqa: ARG002 - as `Content` has it
        """Raise `FileNotFoundError`."""
        raise FileNotFoundError

    def check_unchanged(self) -> None:
        """Raise `FileNotFoundError`."""
        raise FileNotFoundError
