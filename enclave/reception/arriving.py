"""An object while it comes in: a file beside the store's, never more than a bound, and a full disk is no crash.

pynetdicom writes what arrives into files if it is told to, but makes them wherever the machine's temporary files are
(patients' data, readable to whoever may look there) and dies of one that cannot be written. So the receiver gives it
these instead, for as long as it receives.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from pynetdicom import _config, dimse_messages


class Arriving:
    """What pynetdicom needs of a named temporary file. Once a write failed or was too much, nothing more is written.

    `failed`: whether the object is not whole here, and so not to be kept.
    """

    def __init__(self, folder: Path, largest: int) -> None:
        self.name, self.failed = str(folder / secrets.token_hex(16)), False
        self._left, self._handle = largest, -1
        try:
            self._handle = os.open(self.name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError:
            self.failed = True

    @property
    def file(self) -> Arriving:
        """The file below, which pynetdicom flushes; nothing is held back here."""
        return self

    def write(self, data: bytes | memoryview) -> int:
        """Write all of it, or let go of the whole object and of the room that it took."""
        self._left -= len(data)
        rest = memoryview(data)
        if self._left < 0:
            self._let_go()
        try:
            while rest and not self.failed:
                rest = rest[os.write(self._handle, rest) :]
        except OSError:
            self._let_go()
        return len(data)

    def _let_go(self) -> None:
        self.failed = True
        with suppress(OSError):
            os.truncate(self.name, 0)

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """Close it; it stays where it is."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def remove(self) -> None:
        """Close it and take it away."""
        self.close()
        with suppress(OSError):
            Path(self.name).unlink()


@contextmanager
def arriving(folder: Path, largest: int) -> Iterator[None]:
    """Have every object that pynetdicom receives in this process written into `folder`, at most `largest` bytes."""
    theirs: Any = dimse_messages
    before = _config.STORE_RECV_CHUNKED_DATASET, theirs.NamedTemporaryFile

    def made(*_: Any, **__: Any) -> Arriving:
        return Arriving(folder, largest)

    _config.STORE_RECV_CHUNKED_DATASET, theirs.NamedTemporaryFile = True, made
    try:
        yield
    finally:
        _config.STORE_RECV_CHUNKED_DATASET, theirs.NamedTemporaryFile = before
