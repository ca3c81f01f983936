"""Identifiers in a text: what the recognisers report in any reading of it, with overlaps settled."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

from deid.detect.found import Found
from deid.detect.reading import finds

# Below this a lone clue is noise: an unlabelled run of digits, a foreign word before 님.
DEFAULT_THRESHOLD = 0.4


def scan(text: str, *, threshold: float = DEFAULT_THRESHOLD) -> list[Found]:
    """Spans of `text` that look like identifiers, in order, without overlaps; offsets into the text as given.

    `text` is any string (notes, cells, file names); types are those of `registry.RECOGNISERS`; an empty list means that
    nothing was found, not that nothing is there.
    """
    if not text:
        return []
    return settle(found for found in finds(text) if found.score >= threshold)


def settle(spans: Iterable[Found]) -> list[Found]:
    """Overlapping spans as one span each: their union, with the type and score of the surest, then the longest."""
    settled: list[Found] = []
    for span in sorted(spans):
        if settled and span.start < settled[-1].end:
            last = settled[-1]
            first, second = (last, span) if _weight(last) >= _weight(span) else (span, last)
            settled[-1] = Found(last.start, max(last.end, span.end), first.type, max(first.score, second.score))
        else:
            settled.append(span)
    return settled


def meeting(spans: Sequence[Found], start: int, end: int) -> Sequence[Found]:
    """Those of settled `spans` (in order, disjoint) that share a character with `start` to `end`."""
    first = bisect_right(spans, start, key=lambda span: span.end)
    return spans[first : bisect_left(spans, end, lo=first, key=lambda span: span.start)]


def _weight(span: Found) -> tuple[float, int]:
    return span.score, span.end - span.start
