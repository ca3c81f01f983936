"""A hierarchy of the site's own: an ARX file, one value a line, its labels from fine to coarse, parted by semicolons.

34;30-39;<50;*
51;50-59;≥50;*
"""

from __future__ import annotations

import csv
import hashlib
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from deid.hierarchies.hierarchy import Hierarchy

MOST_LINES = 1_000_000


@dataclass(frozen=True)
class TableHierarchy(Hierarchy):
    """Labels by value, one per level; `losses` are exact: the mean over values of the share a label stands for."""

    labels: Mapping[str, Sequence[str]] = field(repr=False)
    losses: tuple[float, ...]
    sha256: str

    def label(self, value: str, level: int) -> str | None:
        """See `Hierarchy.label`; values are compared without blanks around them."""
        found = self.labels.get(value.strip())
        return found[level] if found else None

    def loss(self, level: int) -> float:
        """See `Hierarchy.loss`."""
        self._check(level)
        return self.losses[level]


def read_table(path: Path) -> TableHierarchy:
    """Read an ARX hierarchy (UTF-8; semicolons, or commas where a line has none).

    Raises `OSError`, and `ValueError` with the line's number and no value of it: lines of different length, a value
    twice, a label that is under two others on the next level (classes would not only merge as levels rise), or no
    single label on the last level.
    """
    data = path.read_bytes()
    rows = _rows(data.decode("utf-8-sig"))
    labels: dict[str, Sequence[str]] = {}
    parents: list[dict[str, str]] = [{} for _ in rows[0][1:]]
    for number, row in enumerate(rows, 1):
        if len(row) != len(rows[0]):
            raise ValueError(f"line {number} has {len(row)} fields, line 1 has {len(rows[0])}")
        if row[0] in labels:
            raise ValueError(f"line {number} repeats a value")
        labels[row[0]] = row
        for level, (fine, coarse) in enumerate(itertools.pairwise(row)):
            if parents[level].setdefault(fine, coarse) != coarse:
                raise ValueError(f"line {number} puts a label of level {level} under two labels of level {level + 1}")
    counts = [_counts([row[level] for row in rows]) for level in range(len(rows[0]))]
    if len(counts[-1]) != 1:
        raise ValueError(f"the last level has {len(counts[-1])} labels; it must have one, such as *")
    sizes = tuple(len(count) for count in counts)
    losses = tuple(_loss(count, len(rows)) for count in counts)
    return TableHierarchy(path.name, sizes, labels, losses, hashlib.sha256(data).hexdigest())


def _rows(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.strip()]
    if not 0 < len(lines) <= MOST_LINES:
        raise ValueError(f"{len(lines)} lines; from 1 to {MOST_LINES} are read")
    rows = [[cell.strip() for cell in row] for row in csv.reader(lines, delimiter=";" if ";" in lines[0] else ",")]
    if len(rows[0]) < 2:  # noqa: PLR2004 - a value and one label
        raise ValueError("line 1 has a value and no label")
    return rows


def _counts(labels: Sequence[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for label in labels:
        counts[label] = counts.get(label, 0) + 1
    return counts


def _loss(counts: Mapping[str, int], leaves: int) -> float:
    if leaves == 1:
        return 0.0
    return sum(count * (count - 1) for count in counts.values()) / (leaves * (leaves - 1))
