"""Which tables of a run are laid out in parts, and where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from deid.keys import Keys
from deid.many.memory import Memory
from deid.many.parts import Helpers, LaidOut
from deid.many.spool import Spool, how_many_parts, spooled
from deid.prepare import Subjects, check_patients, check_unique, subjects_of
from deid.readers.open import text_size
from deid.readers.source import Source
from deid.recipe import Recipe
from deid.versions.keystore import KEY_BYTES

FOLDER = ".parts"
# Helpers end together when each has several parts.
PARTS_A_THREAD = 4


@dataclass(frozen=True)
class Hands:
    """How much memory a run has, and who helps: with helpers every table is laid out, whatever its size."""

    memory: Memory
    helpers: Helpers | None = None

    def redone(self) -> Mapping[tuple[str, str], int]:
        """See `Helpers.redone`; nothing without helpers."""
        return {} if self.helpers is None else dict(self.helpers.redone)


@dataclass(frozen=True)
class Layout:
    """The folder of a run's parts, and how many there are of each table: the same for all, so that patients meet."""

    recipe: Recipe
    keys: Keys
    folder: Path
    parts: int
    hands: Hands

    @classmethod
    def of(cls, recipe: Recipe, keys: Keys, folder: Path, sources: list[Source], hands: Hands) -> Layout:
        """Plan for these sources; nothing is written yet."""
        size = max((text_size(source) for source in sources), default=0)
        part = hands.memory.part
        if hands.helpers is not None:
            part = max(1, min(part, size // (PARTS_A_THREAD * hands.helpers.threads)))
        return cls(recipe, keys, folder / FOLDER, how_many_parts(size, part), hands)

    def begin(self, source: Source) -> tuple[Subjects, LaidOut | None]:
        """Find a table's patients; lay it out unless it is in memory. Raises `SourceError`.

        A table with columns whose values need statistics of all rows (`learning.py`) is streamed instead, as a whole.
        """
        if source.loaded is not None or any(rule.treatment.learner for rule in source.rule.published):
            subjects = subjects_of(source)
            check_unique(source, subjects.counts)
            return subjects, None
        key = self.keys.storage.random(KEY_BYTES)
        spool = Spool(self.folder / source.rule.name, self.parts, key)
        counts = spooled(source, self.recipe, self.keys, spool, self.hands.memory.flush)
        check_patients(source, counts)
        if _may_repeat(source, spool):
            check_unique(source, counts)
        return Subjects(counts), LaidOut(spool, self.recipe, self.keys, self.hands.helpers)


def _may_repeat(source: Source, spool: Spool) -> bool:
    """Whether columns that must be unique have to be looked at in all rows at once."""
    keys = list(source.rule.unique)
    if keys == [source.rule.subject] or source.rule.subject not in keys:
        return bool(keys)
    # Rows that share the patient are in one part.
    return any(_repeats(spool.read(part), keys) for part in spool.filled())


def _repeats(rows: pl.DataFrame, keys: list[str]) -> bool:
    return bool(rows.select(pl.struct(keys).is_duplicated().any()).item())
