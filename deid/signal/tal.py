r"""Time-stamped annotation lists of EDF+ (Kemp & Olivan 2003, §2.2): onset and duration stay, texts by vocabulary.

`+onset[\x15duration]\x14text\x14text\x14\x00`. The first list of a record keeps its time; the first of all tells the
fraction of a second at which the recording began, which identifies it as the clock does: all are counted from zero.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from deid.folder.format import Refused
from deid.signal.cursor import unreadable
from deid.signal.person import Taken
from deid.signal.words import technical

ONSET = re.compile(rb"[+-]\d{1,12}(?:\.\d{1,12})?")
DURATION = re.compile(rb"\d{1,12}(?:\.\d{1,12})?")
REMOVED = "X"


@dataclass(frozen=True)
class Block:
    """The annotation bytes of one record, and where they stand."""

    place: int
    raw: bytes


@dataclass(frozen=True)
class List:
    """One list: when, how long ("" if not told), and texts."""

    onset: Decimal
    duration: bytes
    texts: tuple[bytes, ...]


def renewed(blocks: list[Block], taken: Taken) -> Iterator[tuple[Block, bytes, int]]:
    """Yield each block, what stands in its place (of the same length) and how many texts were cleaned."""
    origin: Decimal | None = None
    for block in blocks:
        lists = list(_lists(block.raw))
        if origin is None:
            origin = lists[0].onset % 1 if lists and lists[0].onset > 0 else Decimal(0)
        written, count = bytearray(), 0
        for one in lists:
            piece, cleaned = _written(one, origin, taken)
            written += piece
            count += cleaned
        if len(written) > len(block.raw):
            raise _broken()
        yield block, bytes(written).ljust(len(block.raw), b"\0"), count


def _lists(raw: bytes) -> Iterator[List]:
    """Read lists up to the padding; what no longer reads as one behind it is left over in a reused buffer, and goes."""
    padding = False
    for piece in raw.split(b"\0"):
        if not piece:
            padding = True
            continue
        try:
            yield _read(piece)
        except Refused:
            if not padding:
                raise


def _read(piece: bytes) -> List:
    when, *texts = piece.split(b"\x14")
    onset, mark, duration = when.partition(b"\x15")
    whole = texts and texts[-1] == b"" and ONSET.fullmatch(onset) and bool(DURATION.fullmatch(duration)) == bool(mark)
    if not whole:
        raise _broken()
    return List(Decimal(onset.decode("ascii")), duration, tuple(texts[:-1]))


def _written(one: List, origin: Decimal, taken: Taken) -> tuple[bytes, int]:
    cleaned = [(text, _clean(text, taken)) for text in one.texts]
    duration = b"\x15" + one.duration if one.duration else b""
    onset = f"{one.onset - origin:+f}".encode("ascii") + duration
    texts = b"".join(new + b"\x14" for _, new in cleaned)
    return onset + b"\x14" + texts + b"\0", sum(old != new for old, new in cleaned)


def _clean(text: bytes, taken: Taken) -> bytes:
    try:
        said = text.decode("utf-8")
    except UnicodeDecodeError:
        said = text.decode("cp949", errors="replace")
    taken.words(said)
    new = technical(said, REMOVED).encode("utf-8")
    return new if len(new) <= len(text) else REMOVED.encode("ascii")


def _broken() -> Exception:
    return unreadable("annotations", "EDF+ 주석을 읽을 수 없습니다.", "The EDF+ annotations cannot be read.")
