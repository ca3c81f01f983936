"""From a finding's words about a place (``시트 ‘x’ R3 C2 (n)``, ``L12``) to the row and column a viewer can show.

Places are written by the checker (`enclave.airlock.checks.findings.cell_place`). What cannot be read that way has no
link; the words stay.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from enclave.airlock.preview import PieceView
from enclave.airlock.report import Severity
from enclave.airlock.viewing.visible import visible
from enclave.queries.airlock_views import FindingView

CELL = re.compile(r"(?:R([1-9]\d{0,8}) ?)?(?:C([1-9]\d{0,5}))?(?: \(.*\))?", re.DOTALL)
LINE = re.compile(r"L([1-9]\d{0,8})\b")
HEADER = -1


@dataclass(frozen=True)
class Place:
    """A place in a piece. ``row``: from 0, -1 for the header; None for a whole column. ``column``: None for lines."""

    piece: int
    row: int | None
    column: int | None

    @property
    def anchor(self) -> str:
        """The end of the id that the place has on the page."""
        if self.column is None:
            return f"{self.piece}-{self.row}"
        return f"{self.piece}-{'h' if self.row is None else self.row}-{self.column}"


@dataclass
class Marks:
    """The findings of one file, each with its place, and those at each place: (piece, row or -1, column or None)."""

    findings: list[tuple[FindingView, Place | None]] = field(default_factory=list)
    places: dict[tuple[int, int, int | None], list[FindingView]] = field(default_factory=dict)

    @property
    def groups(self) -> list[list[tuple[FindingView, Place | None]]]:
        """The findings that say the same thing together, in the order in which they came."""
        groups: dict[tuple[str, Severity, str], list[tuple[FindingView, Place | None]]] = {}
        for finding, place in self.findings:
            groups.setdefault((finding.rule, finding.severity, finding.ko), []).append((finding, place))
        return list(groups.values())

    def at(self, piece: int, row: int, column: int | None) -> list[FindingView]:
        """Return what was found at a cell, a header (row -1) or, without a column, a line."""
        return self.places.get((piece, row, column), [])

    def look(self, piece: int, row: int, column: int | None) -> str:
        """Return how a marked place looks: ``block``, ``warn``, or nothing."""
        found = self.at(piece, row, column)
        return "" if not found else "block" if any(one.severity is Severity.BLOCK for one in found) else "warn"


def marks(findings: Sequence[FindingView], pieces: Sequence[PieceView]) -> Marks:
    """Return the findings with their places, and the marks to draw."""
    found = Marks()
    for finding in findings:
        place = place_of(finding.place, pieces)
        found.findings.append((finding, place))
        if place is not None:
            row = HEADER if place.row is None else place.row
            found.places.setdefault((place.piece, row, place.column), []).append(finding)
    return found


def place_of(words: str, pieces: Sequence[PieceView]) -> Place | None:
    """Return the place these words name, or None. The longest label that fits wins."""
    words = visible(words)
    labels = [(" ".join(piece.path), number) for number, piece in enumerate(pieces)]
    labels.sort(key=lambda one: -len(one[0]))
    for label, number in labels:
        if not label or words.startswith(f"{label} "):
            place = _within(words.removeprefix(label).strip() if label else words, number, pieces[number])
            if place is not None:
                return place
    return None


def _within(words: str, number: int, piece: PieceView) -> Place | None:
    if piece.kind == "text":
        line = LINE.match(words)
        return Place(number, int(line[1]) - 1, None) if line and int(line[1]) <= piece.units else None
    cell = CELL.fullmatch(words) if piece.kind == "table" and words else None
    if cell is None or not (cell[1] or cell[2]):
        return None
    row = int(cell[1]) - 2 if cell[1] else None
    column = int(cell[2]) - 1 if cell[2] else 0  # of a whole row, its first cell
    inside = column < piece.columns and (row is None or row < piece.units)
    return Place(number, None if row == HEADER else row, column) if inside else None
