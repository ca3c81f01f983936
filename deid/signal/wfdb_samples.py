"""The signal files of a WFDB record (`signal(5)`): as long as the header says, with nothing before or behind."""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

from deid.signal.cursor import truncated, unreadable
from deid.signal.one_file import read

# Format → (bytes, samples): that many bytes hold that many samples.
PACKING = {
    "8": (1, 1),
    "16": (2, 1),
    "24": (3, 1),
    "32": (4, 1),
    "61": (2, 1),
    "80": (1, 1),
    "160": (2, 1),
    "212": (3, 2),
    "310": (4, 3),
    "311": (4, 3),
}
HALF = "212"  # an odd last sample of 12 bits takes two bytes
MATLAB = struct.Struct("<5i")
MATLAB_PREFIX = 24  # MATLAB level 4: five numbers and a matrix called `val`
Row = Mapping[str, str]


def copied(record: Row, rows: Sequence[Row], folder: Path) -> dict[str, tuple[Path, bytes | memoryview, int]]:
    """Read the files that signal lines name: file → (path, its bytes, samples per signal). Raises `Refused`."""
    found: dict[str, tuple[Path, bytes | memoryview, int]] = {}
    for name in dict.fromkeys(row["file"] for row in rows if row["file"] != "~"):
        mine = [row for row in rows if row["file"] == name]
        path = folder / name
        if not re.fullmatch(r"[\w\-]+(?:\.[\w\-]+)*", name) or path.is_symlink() or not path.is_file():
            raise unreadable("wfdb-file", "WFDB 신호 파일이 없습니다.", "A signal file of the WFDB record is missing.")
        data, samples = _cut(read(path), mine, int(record.get("samples", "0")))
        found[name] = (path, data, samples)
    if len({samples for *_, samples in found.values()}) > 1:
        raise truncated("WFDB")
    return found


def _cut(data: bytes, rows: Sequence[Row], samples: int) -> tuple[bytes | memoryview, int]:
    layout = {row["format"] for row in rows}
    packing = PACKING.get(next(iter(layout)))
    if packing is None or len(layout) > 1:
        raise unreadable("wfdb-format", "다루지 않는 WFDB 신호 형식입니다.", "This WFDB signal format is not handled.")
    size, held = packing
    prefix = max(int(row.get("offset", "0")) for row in rows)
    frame = sum(int(row.get("spf", "1")) for row in rows)
    if not frame or prefix > len(data):
        raise truncated("WFDB")
    if not samples:  # not told: as many frames as there are
        samples = (len(data) - prefix) * held // size // frame
    total = samples * frame
    length = -(-total // held) * size
    if next(iter(layout)) == HALF and total % held:
        length -= 1
    # Some writers leave the odd half's third byte; it is behind the end, and goes.
    if prefix + length > len(data):
        raise truncated("WFDB")
    body = memoryview(data)[prefix : prefix + length]
    return (b"".join((_prefix(data[:prefix]), body)) if prefix else body), samples


def _prefix(raw: bytes) -> bytes:
    """Keep what stands before the samples only where it is MATLAB's header for a matrix called `val`."""
    if len(raw) == MATLAB_PREFIX and raw[MATLAB.size :] == b"val\0":
        kind, _, _, imaginary, length = MATLAB.unpack(raw[: MATLAB.size])
        if kind in {0, 10, 20, 30, 40, 50} and not imaginary and length == len(b"val\0"):
            return raw
    return bytes(len(raw))
