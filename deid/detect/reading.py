"""What the recognisers see in the readings of a text, for masking (`scan`) and for reviewers (`examine`).

They are asked directly: Presidio's engine copies and compares every result, which is half of the whole time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from deid.detect.found import Found
from deid.detect.normalise import View, normalise, views
from deid.detect.recogniser import KoreanRecogniser
from deid.detect.registry import RECOGNISERS
from deid.detect.table import TableRecogniser


@dataclass(frozen=True, slots=True)
class Sighting:
    """A find (offsets into the unmodified text), in how many readings it was made, and how many hold its place."""

    found: Found
    seen: int
    readings: int


def sightings(text: str) -> list[Sighting]:
    """Everything the recognisers report of `text`, in order; the same span and type once, with its best score."""
    readings = views(text)
    best: dict[tuple[int, int, str], float] = {}
    seen: dict[tuple[int, int, str], set[int]] = {}
    for view, recogniser in _pairs(text, readings):
        for found in recogniser.find(view.text):
            key = (*view.original(found.start, found.end), found.type)
            best[key] = max(best.get(key, 0.0), found.score)
            seen.setdefault(key, set()).add(id(view))
    return [
        Sighting(Found(*key, score), len(seen[key]), sum(_holds(view, key[0], key[1]) for view in readings))
        for key, score in sorted(best.items())
    ]


def tabular(text: str) -> View | None:
    """In the views a tab is a space; in this reading it is a bar, so that cells are told apart (`None`: no tab)."""
    return normalise(text.replace("\t", "|")) if "\t" in text else None


def _pairs(text: str, readings: list[View]) -> Iterator[tuple[View, KoreanRecogniser]]:
    for view in readings:
        for recogniser in _recognisers():
            yield view, recogniser
    cells = tabular(text)
    if cells is not None:
        yield cells, TableRecogniser()


def _holds(view: View, start: int, end: int) -> bool:
    return len(view.starts) > 0 and view.starts[0] <= start and end <= view.ends[-1]


@cache
def _recognisers() -> tuple[KoreanRecogniser, ...]:
    return tuple(kind() for kind in RECOGNISERS)
