"""Identifiers in a short text: what `analyzer` reports, with overlaps settled."""

from __future__ import annotations

from collections.abc import Iterable

from deid.detect.analyzer import analyzer
from deid.detect.found import Found

# Below this a lone clue is noise: an unlabelled run of digits, a foreign word before 님.
DEFAULT_THRESHOLD = 0.4


def scan(text: str, *, threshold: float = DEFAULT_THRESHOLD) -> list[Found]:
    """Spans of `text` that look like identifiers, in order, without overlaps; offsets into the text as given.

    `text` is any string (notes, cells, file names); types are those of `registry.RECOGNISERS`; an empty list means that
    nothing was found, not that nothing is there.
    """
    if not text:
        return []
    results = analyzer().analyze(text=text, language="ko", score_threshold=threshold)
    return settle(Found(result.start, result.end, result.entity_type, result.score) for result in results)


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
