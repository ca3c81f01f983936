"""Entries as JSON lines: the number, the leaf hash and the entry exactly as recorded."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator

from enclave.logbook.line import Line

PORTION = 200


def chunks(lines: Iterable[Line]) -> Iterator[bytes]:
    """Yield the file piece by piece.

    `entry` is the entry's own bytes, set into the line as they are: their SHA-256 behind a zero byte is `leaf_hash`
    (RFC 6962 §2.1). Bytes that are no JSON in one line come as `base64` instead.
    """
    portion: list[bytes] = []
    for line in lines:
        portion.append(one(line))
        if len(portion) == PORTION:
            yield b"".join(portion)
            portion = []
    yield b"".join(portion)


def one(line: Line) -> bytes:
    """Return the line of one entry, with its line break."""
    whole = bool(line.record()) and b"\n" not in line.data and b"\r" not in line.data
    name = "entry" if whole else "base64"
    content = line.data if whole else json.dumps(base64.b64encode(line.data).decode()).encode()
    return b'{"leaf_index":%d,"leaf_hash":"%s","%s":%s}\n' % (
        line.leaf_index,
        line.leaf.encode(),
        name.encode(),
        content,
    )
