"""Identifiers in a text with the doubts about them: what `scan` reports, and what it nearly reported.

A reviewer of samples sees the doubtful ones first; the threshold and what is masked are those of `scan`.
"""

from __future__ import annotations

from dataclasses import dataclass

from presidio_analyzer import RecognizerResult

from deid.detect.analyzer import VIEWS, VIEWS_SEEN, analyzer
from deid.detect.found import Found
from deid.detect.scan import DEFAULT_THRESHOLD, settle

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
    results = analyzer().analyze(text=text, language="ko", score_threshold=_LOWEST) if text else []
    sure = [result for result in results if result.score >= DEFAULT_THRESHOLD]
    spans = settle(_found(result) for result in sure)
    seen = [Seen(span, _doubt(span, sure)) for span in spans]
    weak = settle(_found(result) for result in results if result.score < DEFAULT_THRESHOLD)
    seen += [Seen(span, "below-threshold") for span in weak if not any(_meet(span, other) for other in spans)]
    return sorted(seen, key=lambda one: one.span)


def _doubt(span: Found, results: list[RecognizerResult]) -> str:
    behind = [result for result in results if result.start < span.end and span.start < result.end]
    if span.score < _BARELY:
        return "near-threshold"
    if all(_in_one_view(result) for result in behind):
        return "single-view"
    return "one-rule" if len(behind) == 1 and span.score < _STRONG else ""


def _in_one_view(result: RecognizerResult) -> bool:
    metadata = result.recognition_metadata or {}
    return bool(metadata.get(VIEWS_SEEN, 1) == 1 < metadata.get(VIEWS, 1))


def _found(result: RecognizerResult) -> Found:
    return Found(result.start, result.end, result.entity_type, result.score)


def _meet(one: Found, other: Found) -> bool:
    return one.start < other.end and other.start < one.end
