"""Finding what reviewers marked, wherever it stands in a text: what was seen once is not weighed again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from deid.detect.found import Found
from deid.detect.known.rules import anywhere, as_number
from deid.detect.known.squeezed import Squeezed, core_of

SCORE = 0.95
# Shorter numbers stand in other numbers by chance.
_LONG_NUMBER = 6


class Marked:
    """Marked (type, value) pairs, looked for by their letters and digits."""

    def __init__(self, marks: Sequence[tuple[str, str]]) -> None:
        self._cores = tuple(dict.fromkeys((kind, core_of(value)) for kind, value in marks))

    def find(self, text: Squeezed) -> Iterator[Found]:
        """Spans of the values in the unmodified text; they may overlap."""
        for kind, core in self._cores:
            rule = as_number if core.isdigit() and len(core) < _LONG_NUMBER else anywhere
            for start, end in text.occurrences(core):
                if rule(text, start, end):
                    yield Found(*text.view.original(start, end), kind, SCORE)
