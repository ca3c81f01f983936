"""Which lines of an import each checker was shown, in memory: who restarts the portal has some of it shown again."""

from __future__ import annotations

import threading
from collections import OrderedDict

MOST = 2_000


class LinesSeen:
    """Spans of lines by (account, file); the longest unused are forgotten."""

    def __init__(self) -> None:
        self._spans: OrderedDict[tuple[str, str], list[tuple[int, int]]] = OrderedDict()
        self._lock = threading.Lock()

    def note(self, account_id: str, file_id: str, start: int, end: int, total: int) -> int:
        """Remember the lines from `start` to before `end` as shown; returns how many of `total` are still left."""
        with self._lock:
            spans = self._spans.setdefault((account_id, file_id), [])
            spans[:] = _joined([*spans, (start, end)])
            self._spans.move_to_end((account_id, file_id))
            if len(self._spans) > MOST:
                self._spans.popitem(last=False)
            return max(total - sum(stop - begin for begin, stop in spans), 0)


def _joined(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found
