"""Identifiers in a text with the doubts about them: what `scan` reports, and what it nearly reported.

A reviewer of samples sees the doubtful ones first; the threshold and what is masked are those of `scan`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from deid.detect.found import Found
from deid.detect.scan import DEFAULT_THRESHOLD, readings, settle

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
    found = [set(reading) for reading in readings(text)] if text else []
    all_found = set().union(*found)
    sure = [one for one in all_found if one.score >= DEFAULT_THRESHOLD]
    whole = [one for one in sure if one in found[0]]
    spans = settle(sure)
    seen = [Seen(span, _doubt(span, sure, whole)) for span in spans]
    weak = settle(one for one in all_found if _LOWEST <= one.score < DEFAULT_THRESHOLD)
    seen += [Seen(span, "below-threshold") for span in weak if not _meets(span, spans)]
    return sorted(seen, key=lambda one: one.span)


def _doubt(span: Found, sure: Sequence[Found], whole: Sequence[Found]) -> str:
    if span.score < _BARELY:
        return "near-threshold"
    if not _meets(span, whole):
        return "single-view"
    behind = sum(_meets(span, (one,)) for one in sure)
    return "one-rule" if behind == 1 and span.score < _STRONG else ""


def _meets(span: Found, others: Iterable[Found]) -> bool:
    return any(span.start < other.end and other.start < span.end for other in others)
