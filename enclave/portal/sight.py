"""Safe views of files in quarantine. Nothing of a file is parsed in this process: a sealed child draws what is shown.

What was opened is kept under the hash of its file, the newest few in memory: stored bytes never change. Pages that
were sorted or filtered are drawn each time; that takes tens of milliseconds.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

from enclave.airlock import preview
from enclave.airlock.preview import Compared, Opened, Page, Picture
from enclave.airlock.quarantine import Quarantine
from enclave.airlock.viewing.ask import Ask

KEPT = 32
Key = tuple[str, str, str, int]


@dataclass(frozen=True)
class Stored:
    """A file in quarantine: its hash, its kind as in its report, and its name as submitted."""

    sha256: str
    kind: str
    name: str


class Sight:
    """Views of files in quarantine; every method raises `PreviewFailed` when there is nothing safe to show."""

    def __init__(self, quarantine: Quarantine) -> None:
        self._quarantine = quarantine
        self._kept: OrderedDict[Key, Opened] = OrderedDict()
        self._lock = threading.Lock()

    def open(self, file: Stored, *, first: int = 0) -> Opened:
        """Return all pieces of a file, with the first pages of those from number ``first`` on."""
        key = (file.sha256, file.kind, file.name, first)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        self._verify(file)
        opened = preview.open_file(self._quarantine.path(file.sha256), file.kind, name=file.name, first=first)
        with self._lock:
            self._kept[key] = opened
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return opened

    def page(self, file: Stored, ask: Ask) -> Page:
        """Return one page as asked for."""
        self._verify(file)
        return preview.turn_page(self._quarantine.path(file.sha256), ask, name=file.name)

    def picture(self, file: Stored, piece: int) -> Picture:
        """Return a picture as the sealed child made it anew."""
        self._verify(file)
        return preview.picture(self._quarantine.path(file.sha256), piece, name=file.name)

    def compare(self, old: Stored, new: Stored) -> tuple[Compared, ...]:
        """Return what changed between two rounds of a file."""
        self._verify(old)
        self._verify(new)
        paths = (self._quarantine.path(old.sha256), self._quarantine.path(new.sha256))
        return preview.compare(*paths, names=(old.name, new.name))

    def _verify(self, file: Stored) -> None:
        self._quarantine.open(file.sha256).close()  # hashes it again: what is shown is what was submitted
