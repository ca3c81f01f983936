"""Safe previews, drawn once: the sealed process takes tens of milliseconds, and stored bytes never change.

A preview is kept under the hash of its file, the newest few in memory. Nothing of a file is parsed in this process.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

from enclave.airlock.errors import AirlockError
from enclave.airlock.preview import Preview, preview
from enclave.airlock.quarantine import Quarantine
from enclave.errors import EnclaveError

KEPT = 32


@dataclass(frozen=True)
class Seen:
    """What can be shown of one file: a preview, or the error that says why there is none."""

    preview: Preview | None = None
    error: AirlockError | EnclaveError | None = None


class Sight:
    """Previews of files in quarantine."""

    def __init__(self, quarantine: Quarantine) -> None:
        self._quarantine = quarantine
        self._kept: OrderedDict[tuple[str, str, str], Seen] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, sha256: str, kind: str, name: str) -> Seen:
        """Return what can be shown of a stored file; a file that cannot be drawn is told as such, not raised."""
        key = (sha256, kind, name)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        seen = self._draw(sha256, kind, name)
        if seen.preview is not None:  # a failure may have been a moment's lack of memory: try again next time
            with self._lock:
                self._kept[key] = seen
                while len(self._kept) > KEPT:
                    self._kept.popitem(last=False)
        return seen

    def _draw(self, sha256: str, kind: str, name: str) -> Seen:
        try:
            self._quarantine.open(sha256).close()  # hashes it again: what is shown is what was submitted
            return Seen(preview=preview(self._quarantine.path(sha256), kind, name=name))
        except AirlockError as error:
            return Seen(error=error)
