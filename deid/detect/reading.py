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

# Start, end and type.
_Key = tuple[int, int, str]


@dataclass(frozen=True, slots=True)
class Sighting:
    """A find (offsets into the unmodified text), in how many readings it was made, and how many hold its place."""

    found: Found
    seen: int
    readings: int


def finds(text: str) -> list[Found]:
    """Everything the recognisers report of `text`, in order; the same span and type once, with its best score."""
    best: dict[_Key, float] = {}
    for key, score, _ in _reported(text, views(text)):
        best[key] = max(best.get(key, 0.0), score)
    return [Found(*key, score) for key, score in sorted(best.items())]


def sightings(text: str) -> list[Sighting]:
    """Return what `finds` reports of `text`, with the readings that report it and those that could."""
    readings = views(text)
    best: dict[_Key, float] = {}
    seen: dict[_Key, set[int]] = {}
    for key, score, view in _reported(text, readings):
        best[key] = max(best.get(key, 0.0), score)
        seen.setdefault(key, set()).add(id(view))
    ordered = sorted(best.items())
    held = _held(readings, [(key[0], key[1]) for key, _ in ordered])
    return [
        Sighting(Found(*key, score), len(seen[key]), count) for (key, score), count in zip(ordered, held, strict=True)
    ]


def tabular(text: str) -> View | None:
    """In the views a tab is a space; in this reading it is a bar, so that cells are told apart (`None`: no tab)."""
    return normalise(text.replace("\t", "|")) if "\t" in text else None


def _reported(text: str, readings: list[View]) -> Iterator[tuple[_Key, float, View]]:
    for view, recogniser in _pairs(text, readings):
        for found in recogniser.find(view.text):
            yield (*view.original(found.start, found.end), found.type), found.score, view


def _pairs(text: str, readings: list[View]) -> Iterator[tuple[View, KoreanRecogniser]]:
    for view in readings:
        for recogniser in _recognisers():
            yield view, recogniser
    cells = tabular(text)
    if cells is not None:
        yield cells, TableRecogniser()


def _held(readings: list[View], spans: list[tuple[int, int]]) -> list[int]:
    """Return how many readings hold each of `spans` (in order of start); few readings overlap at any place."""
    waiting = sorted(((view.starts[0], view.ends[-1]) for view in readings if len(view.starts)), reverse=True)
    open_ends: list[int] = []
    counts = []
    for start, end in spans:
        while waiting and waiting[-1][0] <= start:
            open_ends.append(waiting.pop()[1])
        open_ends = [last for last in open_ends if last >= start]
        counts.append(sum(last >= end for last in open_ends))
    return counts


@cache
def _recognisers() -> tuple[KoreanRecogniser, ...]:
    return tuple(kind() for kind in RECOGNISERS)
