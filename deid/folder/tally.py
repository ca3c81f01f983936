"""What a run knows at its end: what was written, for the last scan and the index, what was refused, and counts."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from deid.folder.format import Outcome
from deid.folder.journal import Done
from deid.folder.one import Result


@dataclass
class Written:
    """Files in their place, for the last scan: whose they are and what they were scanned for.

    `outcome` is without the values of its file alone, which only grow with the files; `values` counts all of them.
    """

    files: tuple[str, ...]
    outcome: Outcome
    source: str
    format: str
    values: int = 0


@dataclass
class Tally:
    """What a run knows at its end."""

    written: list[Written] = field(default_factory=list)
    refused: list[Result] = field(default_factory=list)
    duplicates: int = 0
    twice: list[Written] = field(default_factory=list)
    notes: dict[str, int] = field(default_factory=dict)
    warnings: dict[str, int] = field(default_factory=dict)
    formats: dict[str, int] = field(default_factory=dict)
    companions: set[Path] = field(default_factory=set)
    people: dict[str, set[str]] = field(default_factory=dict)
    _sets: dict[frozenset[str], frozenset[str]] = field(default_factory=dict, repr=False)

    def note(self, done: Done, outcome: Outcome) -> Written:
        """Keep of a written file what the end needs. The files of a series lost the same: one set stands for all."""
        values = len(outcome.removed | outcome.removed_once)
        removed = self._sets.setdefault(outcome.removed, outcome.removed)
        kept = replace(outcome, removed=removed, removed_once=frozenset())
        return Written(tuple(each.name for each in done.placed), kept, done.result.name, done.result.format, values)
