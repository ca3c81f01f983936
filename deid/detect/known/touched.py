"""Whose values could stand in a few texts that many patients share, without looking into every text for each of them.

Memos repeat: five hundred distinct ones may be those of a million rows. Whoever has no value that begins with four
characters of any of them cannot be in them, and then the text is replaced for all of those alike.
"""

from __future__ import annotations

from collections.abc import Iterable

from deid.detect.known.needles import needles
from deid.detect.known.search import Value
from deid.detect.known.squeezed import squeeze

_HEAD = 4


class Heads:
    """Every run of one to four letters and digits in some texts."""

    def __init__(self, texts: Iterable[str]) -> None:
        cores = [squeeze(text).core for text in texts]
        self._heads = {core[i : i + size] for core in cores for size in range(1, _HEAD + 1) for i in range(len(core))}

    def touch(self, values: Iterable[Value]) -> bool:
        """Whether any form of a person's values could stand in the texts; never a wrong no."""
        return any(needle.core[:_HEAD] in self._heads for kind, value in values for needle in needles(kind, value))
