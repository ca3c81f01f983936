"""How much a browser has put into notebooks that neither a kernel nor the workspace had shown it first. Pure.

A notebook is saved with its outputs and pictures, so its file could carry anything in. What comes back is known by its
pieces; what is new may be as much as this workspace showed on the screen today, and a little: an output that is saved
was shown before. The rest belongs on the import page (korea.md R35).
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

# Pieces from a text's start: a stream that grows is known but for its end.
PIECE_CHARS = 4096
MOST_KNOWN = 1 << 16
# A day: captions, metadata, a picture pasted into a cell.
FREE_BYTES = 1 << 20


@dataclass
class Brought:
    """What one workspace's browser is known to have been shown or to have saved; `size` in bytes, of the day `day`."""

    day: str = ""
    size: int = 0
    _known: OrderedDict[bytes, None] = field(default_factory=OrderedDict)

    def learn(self, texts: Iterable[str]) -> None:
        """Know these texts from now on."""
        for piece in _pieces(texts):
            self._keep(_digest(piece))

    def unknown(self, texts: Iterable[str]) -> int:
        """Return how many bytes of these texts are new; what stands in them twice counts once."""
        new: dict[bytes, int] = {}
        for piece in _pieces(texts):
            if (digest := _digest(piece)) not in self._known:
                new[digest] = len(piece)
        return sum(new.values())

    def admit(self, texts: list[str], *, day: str, shown: int) -> bool:
        """Count what is new in these texts and know it; False: more than was shown on this day, nothing counted."""
        if day != self.day:
            self.day, self.size = day, 0
        new = self.unknown(texts)
        if self.size + new > shown + FREE_BYTES:
            return False
        self.size += new
        self.learn(texts)
        return True

    def _keep(self, digest: bytes) -> None:
        self._known[digest] = None
        self._known.move_to_end(digest)
        if len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)


def _pieces(texts: Iterable[str]) -> Iterator[bytes]:
    for text in texts:
        for start in range(0, len(text), PIECE_CHARS):
            yield text[start : start + PIECE_CHARS].encode(errors="replace")


def _digest(piece: bytes) -> bytes:
    return hashlib.blake2b(piece, digest_size=16).digest()
