"""Identifiers in a text: what `analyzer` would report, with overlaps settled.

The recognisers are asked directly: Presidio's engine copies and compares every result, at half of the whole time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache

from deid.detect.found import Found
from deid.detect.normalise import View, normalise, views
from deid.detect.recogniser import KoreanRecogniser
from deid.detect.registry import RECOGNISERS
from deid.detect.table import TableRecogniser

# Below this a lone clue is noise: an unlabelled run of digits, a foreign word before 님.
DEFAULT_THRESHOLD = 0.4


def scan(text: str, *, threshold: float = DEFAULT_THRESHOLD) -> list[Found]:
    """Spans of `text` that look like identifiers, in order, without overlaps; offsets into the text as given.

    `text` is any string (notes, cells, file names); types are those of `registry.RECOGNISERS`; an empty list means that
    nothing was found, not that nothing is there.
    """
    if not text:
        return []
    return settle({found for reading in readings(text) for found in reading if found.score >= threshold})


def readings(text: str) -> Iterator[list[Found]]:
    """Give what the recognisers report in each reading of `text`, unsettled; the first reading is of the whole text."""
    for view in views(text):
        yield [found for recogniser in _recognisers() for found in _in_view(view, recogniser)]
    if "\t" in text:
        # In the views a tab is a space; cells are told apart by the reading in which it is a bar.
        yield list(_in_view(normalise(text.replace("\t", "|")), TableRecogniser()))


def _in_view(view: View, recogniser: KoreanRecogniser) -> Iterator[Found]:
    for found in recogniser.find(view.text):
        yield Found(*view.original(found.start, found.end), found.type, found.score)


@cache
def _recognisers() -> tuple[KoreanRecogniser, ...]:
    return tuple(kind() for kind in RECOGNISERS)


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


def _weight(span: Found) -> tuple[float, int]:
    return span.score, span.end - span.start
