"""SCP-ECG (EN 1064, ISO 11073-91064): section 1 built anew, waveform sections copied to their computed length, CRCs.

Kept are the pointers (0), Huffman tables (2), leads (3), beat positions (4), reference beat (5) and rhythm (6). Texts,
the maker's own section, measurements with a maker's tail and interpretations (7 to 12) are not: what a reader needs of
them is computed again from the samples.
"""

from __future__ import annotations

import datetime as dt
import struct
from binascii import crc_hqx
from collections.abc import Callable
from dataclasses import dataclass

from deid.folder.format import Context
from deid.signal.cursor import Cursor, truncated, unreadable
from deid.signal.one_file import Cleaned, OneFile
from deid.signal.person import Person, Taken, person

CRC_START = 0xFFFF  # CCITT; both CRCs of the format
HEADER = 16  # CRC, number, length, two versions, six reserved bytes
POINTER = struct.Struct("<HII")
MARK = b"SCPECG"
SECTIONS = 12  # 0 to 11 have pointers in every file
MOST_POINTERS = 1024
STANDARD_TABLE = 19999
DEVICE = 35  # bytes of tag 14 before its texts
LAST_NAME, FIRST_NAME, NUMBER, BIRTH, DEVICE_TAG, DAY, TIME, END = 0, 1, 2, 5, 14, 25, 26, 255
FILTERS = {27: 2, 28: 2, 29: 1}  # high pass, low pass, which filters: tag → bytes


@dataclass(frozen=True)
class Section:
    """One section's versions and its data, without its header."""

    versions: bytes
    data: bytes


class Scp(OneFile):
    """SCP-ECG (see `Format`)."""

    name = "scp-ecg"

    def recognise(self, head: bytes, name: str) -> bool:
        """See `Format.recognise`."""
        # Older writers leave the mark out: then section 0's number, its pointer to itself and the name must fit.
        marked = head[16:22] == MARK
        return marked or (name.lower().endswith(".scp") and head[8:10] == b"\0\0" and head[22:24] == b"\0\0")

    def suffix(self, name: str) -> str:  # noqa: ARG002 - there is one
        """See `OneFile.suffix`."""
        return ".scp"

    def clean(self, data: bytes, context: Context) -> Cleaned:
        """See `OneFile.clean`."""
        sections = read(data)
        taken = Taken()
        tags = _tags(sections.get(1, Section(b"\x14\x14", b"")).data)
        who = _who(tags, context, taken)
        kept = _kept(sections) | {1: _demographics(tags, who, taken)}
        out = _written({n: Section(sections[n].versions if n in sections else b"\x14\x14", b) for n, b in kept.items()})
        gone = sum(bool(one.data) for number, one in sections.items() if number not in kept and number)
        return Cleaned((out,), who, taken, {"sections": gone, "trailing-bytes": len(data) - _size(data)})


def _size(data: bytes) -> int:
    return int.from_bytes(data[2:6], "little")


def read(data: bytes) -> dict[int, Section]:
    """Find the sections that section 0 points to. Raises `Refused` where they are not in the file."""
    if len(data) < 6 + HEADER or _size(data) > len(data) or _size(data) < 6 + HEADER:
        raise truncated("SCP-ECG")
    cursor = Cursor(data[: _size(data)], "SCP-ECG")
    pointers = _section(cursor, 0, 6, None)
    count = len(pointers.data) // POINTER.size
    if count > MOST_POINTERS:
        raise truncated("SCP-ECG")
    found: dict[int, Section] = {}
    for number, length, index in POINTER.iter_unpack(pointers.data[: count * POINTER.size]):
        if number and length:
            if number in found:
                raise unreadable("scp-section", "SCP 구역이 두 번 나옵니다.", "An SCP section comes twice.")
            found[number] = _section(cursor, number, index - 1, length)
    return found


def _section(cursor: Cursor, number: int, place: int, length: int | None) -> Section:
    cursor.go(max(place, 0))
    cursor.take(2)
    told, size = cursor.number("H"), cursor.number("I")
    versions = cursor.take(2)
    cursor.take(6)
    if told != number or size < HEADER or size - HEADER > cursor.left or (length is not None and size != length):
        raise truncated("SCP-ECG")
    return Section(versions, cursor.take(size - HEADER))


def _tags(data: bytes) -> dict[int, bytes]:
    """Read section 1. Its tags may repeat (drugs, comments); only the first of each is looked at, all are gone."""
    cursor = Cursor(data, "SCP-ECG")
    found: dict[int, bytes] = {}
    while cursor.left >= 3:  # noqa: PLR2004 - a tag and its length
        tag, length = cursor.number("B"), cursor.number("H")
        if tag == END:
            break
        found.setdefault(tag, cursor.take(length))
    return found


def _text(raw: bytes) -> str:
    raw = raw.split(b"\0", 1)[0]
    try:
        return raw.decode("utf-8").strip()
    except UnicodeDecodeError:
        return raw.decode("cp949", errors="replace").strip()


def _who(tags: dict[int, bytes], context: Context, taken: Taken) -> Person:
    number = _text(tags.get(NUMBER, b""))
    name = " ".join(filter(None, (_text(tags.get(tag, b"")) for tag in (LAST_NAME, FIRST_NAME))))
    for tag in (LAST_NAME, FIRST_NAME):
        taken.value(_text(tags.get(tag, b"")))
    taken.value(number)
    taken.value(name)
    return person(context, number, name=name, birth=tags.get(BIRTH, b"").hex())


def _demographics(tags: dict[int, bytes], who: Person, taken: Taken) -> bytes:
    """Write section 1 with the four tags that a file must have, and how the recording was filtered."""
    out = _tag(NUMBER, who.pseudonym.encode("ascii") + b"\0")
    out += _tag(DEVICE_TAG, _device(tags.get(DEVICE_TAG, b"")))
    day = _day(tags.get(DAY, b""))
    if day:
        taken.date(day.isoformat())
        day = who.day(day)
        out += _tag(DAY, struct.pack("<HBB", day.year, day.month, day.day)) + _tag(TIME, bytes(3))
    for tag, length in FILTERS.items():
        if len(tags.get(tag, b"")) == length:
            out += _tag(tag, tags[tag])
    return out + _tag(END, b"")


def _tag(tag: int, value: bytes) -> bytes:
    return struct.pack("<BH", tag, len(value)) + value


def _day(raw: bytes) -> dt.date | None:
    try:
        return dt.date(*struct.unpack("<HBB", raw))
    except (struct.error, ValueError):
        return None


def _device(old: bytes) -> bytes:
    """Describe the machine by its kind and what it can: no institution, department, number, model or serial."""
    old = old.ljust(DEVICE + 1, b"\0")
    # Institution, department and device: six bytes; kind and maker: two; model: six; what it can: five; reserved: 16.
    new = bytes(6) + old[6:7] + b"\xff" + bytes(6) + old[14:19] + bytes(16)
    return new + b"\1" + b"\0" * 5  # an empty program revision, then four empty texts


def _huffman(data: bytes) -> bytes:
    cursor = Cursor(data, "SCP-ECG")
    tables = cursor.number("H")
    if tables != STANDARD_TABLE:
        for _ in range(tables):
            cursor.take(9 * cursor.number("H"))
    return data[: cursor.at]


def _leads(data: bytes) -> bytes:
    cursor = Cursor(data, "SCP-ECG")
    count = cursor.number("B")
    cursor.take(1 + 9 * count)
    return data[: cursor.at]


def _beats(data: bytes) -> bytes:
    cursor = Cursor(data, "SCP-ECG")
    cursor.take(4)
    count = cursor.number("H")
    cursor.take(14 * count)
    if cursor.left >= 8 * count:  # protected areas: there with bimodal compression
        cursor.take(8 * count)
    return data[: cursor.at]


def _wave(data: bytes, leads: int) -> bytes:
    cursor = Cursor(data, "SCP-ECG")
    cursor.take(6)  # amplitude, interval, encoding, compression
    lengths = [cursor.number("H") for _ in range(leads)]
    cursor.take(sum(lengths))
    return data[: cursor.at]


CUTS: dict[int, Callable[[bytes], bytes]] = {2: _huffman, 3: _leads, 4: _beats}
WAVES = (5, 6)  # the reference beat and the rhythm


def _kept(sections: dict[int, Section]) -> dict[int, bytes]:
    """Cut each section that is kept to what its own counts say: what stands behind goes."""
    kept = {number: cut(sections[number].data) for number, cut in CUTS.items() if number in sections}
    if 3 not in kept or not set(WAVES) & set(sections):  # noqa: PLR2004 - the leads
        raise unreadable("scp-empty", "SCP 파일에 파형이 없습니다.", "The SCP file holds no waveform.")
    return kept | {number: _wave(sections[number].data, kept[3][0]) for number in WAVES if number in sections}


def _written(sections: dict[int, Section]) -> bytes:
    ids = range(SECTIONS)
    place = 6 + HEADER + POINTER.size * len(ids)
    pointers, body = b"", b""
    for number in ids[1:]:
        data = sections[number].data if number in sections else b""
        raw = _framed(number, sections[number].versions, data + b"\0" * (len(data) % 2)) if data else b""
        pointers += POINTER.pack(number, len(raw), place + len(body) + 1 if raw else 0)
        body += raw
    first = POINTER.pack(0, HEADER + POINTER.size * len(ids), 7)
    body = _framed(0, sections[1].versions, first + pointers, MARK) + body
    rest = struct.pack("<I", len(body) + 6) + body
    return struct.pack("<H", crc_hqx(rest, CRC_START)) + rest


def _framed(number: int, versions: bytes, data: bytes, reserved: bytes = bytes(6)) -> bytes:
    rest = struct.pack("<HI", number, HEADER + len(data)) + versions + reserved + data
    return struct.pack("<H", crc_hqx(rest, CRC_START)) + rest
