"""Which rows and lines of a file one person was shown, kept in this process until all of it was.

A page counts when it was drawn for them, whatever its order or filter; a picture when its pixels were. Once nothing is
left a command records it, and only that record counts when they vote: what is kept here is lost at a restart, and the
rest is then shown again.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from enclave.airlock.preview import Opened, Page

KEPT = 2_000


@dataclass(frozen=True)
class Share:
    """How many rows, lines and pictures of a file were shown, of how many."""

    shown: int
    total: int

    @property
    def is_whole(self) -> bool:
        """Whether nothing is left to be seen."""
        return self.shown >= self.total


@dataclass
class _Seen:
    rows: dict[int, set[int]] = field(default_factory=dict)
    done: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)


class Coverage:
    """What everybody was shown, by (account, file); safe to use from many threads. The longest unused are forgotten."""

    def __init__(self) -> None:
        self._seen: OrderedDict[tuple[str, str], _Seen] = OrderedDict()
        self._lock = threading.Lock()

    def note(self, who: str, file_id: str, opened: Opened, rows: Iterable[tuple[int, Iterable[int]]] = ()) -> Share:
        """Add rows by piece, and return what share of the file was shown by now."""
        seen = self._of(who, file_id)
        with seen.lock:
            for piece, numbers in rows:
                if 0 <= piece < len(opened.pieces):
                    inside = range(opened.pieces[piece].units)
                    seen.rows.setdefault(piece, set()).update(number for number in numbers if number in inside)
            return _share(seen, opened)

    def once(self, who: str, file_id: str, what: str, act: Callable[[], object]) -> None:
        """Do `act` once for each person, file and `what`; one that raised is done again the next time."""
        seen = self._of(who, file_id)
        with seen.lock:
            if what not in seen.done:
                act()
                seen.done.add(what)

    def _of(self, who: str, file_id: str) -> _Seen:
        with self._lock:
            seen = self._seen.setdefault((who, file_id), _Seen())
            self._seen.move_to_end((who, file_id))
            while len(self._seen) > KEPT:
                self._seen.popitem(last=False)
            return seen


def rows_of(page: Page) -> tuple[int, tuple[int, ...]]:
    """Return what a page showed; a table without rows was seen when its header was."""
    return page.ask.piece, page.numbers or ((0,) if page.ask.is_plain else ())


def _share(seen: _Seen, opened: Opened) -> Share:
    needed = [(number, piece) for number, piece in enumerate(opened.pieces) if piece.needed]
    total = sum(piece.units for _, piece in needed) + opened.left_out
    return Share(sum(len(seen.rows.get(number, ())) for number, _ in needed), total)
