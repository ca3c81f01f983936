"""Finding what is known of a patient, of the staff and of the provider in one text.

The patient's few forms are each looked for in the text; thousands of names of staff are looked up by their first two
characters in one walk over the text, so the time does not grow with the list.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from deid.detect.found import Found
from deid.detect.known.needles import Needle, needles
from deid.detect.known.squeezed import Squeezed

Value = tuple[str, str]
_HEAD = 2


def of_person(text: Squeezed, values: Iterable[Value]) -> Iterator[Found]:
    """Spans (offsets into the unmodified text) of a person's (kind, value) pairs, whole or in part."""
    for kind, value in values:
        for needle in needles(kind, value):
            for start, end in text.occurrences(needle.core):
                if needle.rule(text, start, end):
                    yield _found(text, needle, start, end)


class Many:
    """Values of many people, or names of places, looked for all at once."""

    def __init__(self, values: Sequence[Value]) -> None:
        self._short: list[Needle] = []
        self._by_head: dict[str, list[Needle]] = defaultdict(list)
        for needle in dict.fromkeys(needle for kind, value in values for needle in needles(kind, value)):
            if len(needle.core) < _HEAD:
                self._short.append(needle)
            else:
                self._by_head[needle.core[:_HEAD]].append(needle)

    def find(self, text: Squeezed) -> Iterator[Found]:
        """Spans of the values in the unmodified text; they may overlap."""
        core, heads = text.core, self._by_head
        for position in range(len(core) - 1):
            for needle in heads.get(core[position : position + _HEAD], ()):
                if core.startswith(needle.core, position):
                    start, end = text.at[position], text.at[position + len(needle.core) - 1] + 1
                    if needle.rule(text, start, end):
                        yield _found(text, needle, start, end)
        for needle in self._short:
            for start, end in text.occurrences(needle.core):
                if needle.rule(text, start, end):
                    yield _found(text, needle, start, end)


def _found(text: Squeezed, needle: Needle, start: int, end: int) -> Found:
    return Found(*text.view.original(start, end), needle.type, needle.score)
