"""Lines on disk that survive a crash: each with its checksum, synced before anybody is told that it is kept.

Segments `NNNNNNNNNNNN.log` in one folder. A line that a crash cut off ends a segment and is passed over; what was
told to be kept is always before it.
"""

from __future__ import annotations

import json
import logging
import os
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from enclave.whole import sync_folder

LOG = logging.getLogger("ansim.gate.journal")
SEGMENT = 4 << 20


@dataclass(frozen=True)
class Place:
    """Where one line lies."""

    segment: int
    offset: int
    size: int


class Journal:
    """The numbered segments of one folder, oldest first; a new one is written to. For one thread at a time."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self.segments = sorted(int(path.stem) for path in folder.glob("*.log"))
        self._file, self._end = -1, 0

    def lines(self) -> Iterator[tuple[Place, dict[str, Any]]]:
        """Yield every whole line, oldest first; then writing begins in a segment of its own."""
        for segment in self.segments:
            offset = 0
            for raw in self._path(segment).read_bytes().rstrip(b"\0").splitlines(keepends=True):
                if (value := _checked(raw)) is not None:
                    yield Place(segment, offset, len(raw)), value
                else:
                    LOG.error("journal %d: a broken line at %d is passed over", segment, offset)
                offset += len(raw)

    def append(self, values: Iterable[dict[str, Any]]) -> list[Place]:
        """Write lines, all or none, and sync; raises `OSError` with nothing kept."""
        lines = [_line(value) for value in values]
        file = self._open()
        start = self._end
        try:
            _write(file, b"".join(lines), start)
            os.fdatasync(file)
        except OSError:
            # After a failed sync nobody knows what the disk has: cut it off, and never write here again.
            self.close()
            raise
        self._end = start + sum(map(len, lines))
        offsets = [start + sum(map(len, lines[:index])) for index in range(len(lines))]
        return [Place(self.segments[-1], offset, len(line)) for offset, line in zip(offsets, lines, strict=True)]

    def reserve(self) -> None:
        """Have the place of the next lines on the disk already: they are written although it is full by then."""
        self._open()

    def read(self, place: Place) -> dict[str, Any]:
        """Return the line at a place; raises `OSError` or `ValueError` if the disk no longer has it."""
        with self._path(place.segment).open("rb") as file:
            file.seek(place.offset)
            value = _checked(file.read(place.size))
        if value is None:
            raise ValueError(f"the line at {place} is broken")
        return value

    def size(self) -> int:
        """Return about how many bytes all segments have."""
        return len(self.segments) * SEGMENT

    def drop(self, segment: int) -> None:
        """Remove a segment whose lines nobody needs; never the last one."""
        self._path(segment).unlink(missing_ok=True)
        self.segments.remove(segment)

    def close(self) -> None:
        """Close the segment that is written to; the next line begins another."""
        if self._file >= 0:
            with suppress(OSError):
                os.ftruncate(self._file, self._end)
            os.close(self._file)
            self._file = -1

    def _open(self) -> int:
        if self._file >= 0 and self._end >= SEGMENT:
            self.close()
        if self._file < 0:
            flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC
            fresh = self.segments[-1] + 1 if self.segments else 1
            self._file = os.open(self._path(fresh), flags, 0o600)
            self.segments.append(fresh)
            self._end = 0
            # Zeros that are on the disk already: a line written over them needs no change of the file's size, so
            # its sync is one write of the disk, not three.
            _write(self._file, bytes(SEGMENT), 0)
            os.fsync(self._file)
            sync_folder(self._folder)
        return self._file

    def _path(self, segment: int) -> Path:
        return self._folder / f"{segment:012d}.log"


def _line(value: dict[str, Any]) -> bytes:
    text = json.dumps(value, separators=(",", ":")).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


def _checked(raw: bytes) -> dict[str, Any] | None:
    sum_, _, text = raw.partition(b" ")
    if not raw.endswith(b"\n") or sum_ != b"%08x" % zlib.crc32(text[:-1]):
        return None
    value: dict[str, Any] = json.loads(text)
    return value


def _write(file: int, data: bytes, offset: int) -> None:
    left = memoryview(data)
    while left:
        written = os.pwrite(file, left, offset)
        left, offset = left[written:], offset + written
