"""Identifiers in a text with the doubts about them: what `scan` reports, and what it nearly reported.

A reviewer of samples sees the doubtful ones first; the threshold and what is masked are those of `scan`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from deid.detect.found import Found
from deid.detect.reading import Sighting, sightings
from deid.detect.scan import DEFAULT_THRESHOLD, meeting, settle

# Below this a find is noise even for a reviewer.
_LOWEST = 0.25
# Masked, yet one clue less and it would not have been.
_BARELY = DEFAULT_THRESHOLD + 0.1
# One rule that is at least this sure needs no second one.
_STRONG = 0.6


@dataclass(frozen=True, slots=True)
class Seen:
    """A find with its doubt: "" or one of `deid.texts.DOUBTS`; `below-threshold` is not to be masked."""

    span: Found
    doubt: str


def examine(text: str) -> list[Seen]:
    """Spans as `scan` gives them, each with its doubt, and those that stayed below the threshold; in order."""
    results = [one for one in sightings(text) if one.found.score >= _LOWEST] if text else []
    sure = [one for one in results if one.found.score >= DEFAULT_THRESHOLD]
    spans = settle(one.found for one in sure)
    seen = [Seen(span, _doubt(span, _within(span, sure))) for span in spans]
    weak = settle(one.found for one in results if one.found.score < DEFAULT_THRESHOLD)
    seen += [Seen(span, "below-threshold") for span in weak if not meeting(spans, span.start, span.end)]
    return sorted(seen, key=lambda one: one.span)


def _within(span: Found, results: Sequence[Sighting]) -> Sequence[Sighting]:
    """Those of `results` (in order) that were settled to `span`: they lie within it."""
    first = bisect_left(results, span.start, key=lambda one: one.found.start)
    return results[first : bisect_left(results, span.end, lo=first, key=lambda one: one.found.start)]


def _doubt(span: Found, behind: Sequence[Sighting]) -> str:
    if span.score < _BARELY:
        return "near-threshold"
    if all(one.seen == 1 < one.readings for one in behind):
        return "single-view"
    return "one-rule" if len(behind) == 1 and span.score < _STRONG else ""
