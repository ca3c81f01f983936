"""C3D (c3d.org user guide): header and parameters built anew from an allow-list, the data section where it was.

Motion laboratories write subjects' names, dates, serial numbers and file paths as parameters, and the subject's name
before each marker's. What a reader needs to scale and name the data is kept; labels by a vocabulary, and numbered if
they are none of it. The data keep their place in the file, so that no pointer changes.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

from deid.folder.format import Context
from deid.signal.c3d_parameters import Group, numbers, read_groups, written_groups
from deid.signal.c3d_words import labels
from deid.signal.cursor import truncated, unreadable
from deid.signal.one_file import Cleaned, OneFile
from deid.signal.person import Person, Taken, number_in, person

BLOCK, KEY = 512, 0x50
ORDERS = {84: "<", 85: "<", 86: ">"}  # Intel, DEC (its floats are never read here), MIPS
# Which of a float's four bytes holds its sign: a negative scale says that the samples are floats.
SIGN_BYTE = {84: 3, 85: 1, 86: 0}
FULL = 0xFFFF  # the header cannot count further: the parameters do
EVENT_KEY = 12345
EVENTS = 18
FIXED = slice(2, 24)  # points, analog, frames, gap, scale, data block, samples, rate
# Words of the header (1-based in the guide): 150 to 152, times 153 to 188, flags 189 to 197, labels 199 to 234.
EVENT_HEAD, EVENT_TIMES, EVENT_FLAGS, EVENT_LABELS = 298, slice(304, 376), slice(376, 394), slice(396, 468)


@dataclass(frozen=True)
class Layout:
    """What the header says of the data: where they begin, how long they are."""

    parameters: int  # first block, from 1
    data: int  # first block, from 1
    points: int
    analog: int  # measurements in a frame
    frames: int
    sample_bytes: int

    @property
    def bytes(self) -> int:
        """Length of the data."""
        return self.frames * (4 * self.points + self.analog) * self.sample_bytes


class C3d(OneFile):
    """C3D (see `Format`)."""

    name = "c3d"

    def recognise(self, head: bytes, name: str) -> bool:
        """See `Format.recognise`."""
        if len(head) < BLOCK or head[1] != KEY or not head[0]:
            return False
        place = (head[0] - 1) * BLOCK
        return head[place + 3 : place + 4] in {b"T", b"U", b"V"} or name.lower().endswith(".c3d")

    def suffix(self, name: str) -> str:  # noqa: ARG002 - there is one
        """See `OneFile.suffix`."""
        return ".c3d"

    def clean(self, data: bytes, context: Context) -> Cleaned:
        """See `OneFile.clean`."""
        if len(data) < 2 * BLOCK or data[1] != KEY:
            raise truncated("C3D")
        place = (data[0] - 1) * BLOCK
        order = ORDERS.get(data[place + 3]) if place + 4 <= len(data) else None
        if order is None or place < BLOCK:
            raise unreadable("c3d-header", "C3D 머리글을 읽을 수 없습니다.", "The C3D header cannot be read.")
        groups, end = read_groups(data, place, order)
        layout = _layout(data, groups, order)
        if (layout.data - 1) * BLOCK < end:
            raise unreadable("c3d-layout", "C3D 자료가 매개변수와 겹칩니다.", "The C3D data begin in the parameters.")
        taken = Taken()
        who = _who(groups, context, taken)
        kept, cleaned = labels(groups)
        parameters = written_groups(kept, order, data[place + 3])
        room = (layout.data - layout.parameters) * BLOCK
        if len(parameters) > room:
            raise unreadable(
                "c3d-layout", "C3D 매개변수가 자리를 넘습니다.", "The C3D parameters do not fit their place."
            )
        start = (layout.data - 1) * BLOCK
        body = memoryview(data)[start : start + layout.bytes]
        header = _header(data, order).ljust(place, b"\0")
        gap = bytes(-len(body) % BLOCK)
        notes = {"labels": cleaned, "parameters": sum(map(len, groups.values())) - sum(map(len, kept.values()))}
        pieces = (header, parameters.ljust(room, b"\0"), body, gap)
        return Cleaned(pieces, who, taken, notes, samples=start)


def _layout(data: bytes, groups: dict[str, Group], order: str) -> Layout:
    points, analog, first, last = struct.unpack(order + "4H", data[2:10])
    start = struct.unpack(order + "H", data[16:18])[0]
    if last == FULL or last < first:
        told = numbers(groups, "TRIAL", "ACTUAL_END_FIELD", order)
        begun = numbers(groups, "TRIAL", "ACTUAL_START_FIELD", order)
        last = told[0] + (told[1] << 16) if len(told) > 1 else last
        first = begun[0] + (begun[1] << 16) if len(begun) > 1 else first
    processor = data[(data[0] - 1) * BLOCK + 3]
    is_float = bool(data[12 + SIGN_BYTE[processor]] & 0x80)
    layout = Layout(data[0], start, points, analog, last - first + 1, 4 if is_float else 2)
    if layout.frames < 1 or not points + analog:
        raise unreadable("c3d-header", "C3D 머리글을 읽을 수 없습니다.", "The C3D header cannot be read.")
    if start <= data[0] or (start - 1) * BLOCK + layout.bytes > len(data):
        raise truncated("C3D")
    return layout


def _who(groups: dict[str, Group], context: Context, taken: Taken) -> Person:
    names = [
        text
        for (group, parameters) in groups.items()
        if group.startswith("SUBJECT") or group in {"PATIENT", "MANUFACTURER", "TRIAL"}
        for parameter in parameters.values()
        for text in parameter.texts()
    ]
    for text in names:
        taken.words(text)
    subjects = groups.get("SUBJECTS", {}).get("NAMES")
    first = next(iter(subjects.texts()), "") if subjects else ""
    taken.value(first)
    number = next(filter(None, map(number_in, [first, *names])), "")
    return person(context, number, name=first)


def _header(data: bytes, order: str) -> bytes:
    new = bytearray(BLOCK)
    new[:2], new[FIXED] = data[:2], data[FIXED]
    key, count = struct.unpack(order + "2H", data[EVENT_HEAD : EVENT_HEAD + 4])
    if key != EVENT_KEY or count > EVENTS:
        return bytes(new)
    new[EVENT_HEAD : EVENT_HEAD + 4] = data[EVENT_HEAD : EVENT_HEAD + 4]
    new[EVENT_TIMES], new[EVENT_FLAGS] = data[EVENT_TIMES], bytes(byte & 1 for byte in data[EVENT_FLAGS])
    old = data[EVENT_LABELS]
    texts = [re.sub(r"[^A-Z0-9]", "", old[4 * n : 4 * n + 4].decode("latin-1").upper()) for n in range(count)]
    shown = [text if text in HEADER_EVENTS else f"EV{n:02}" for n, text in enumerate(texts, 1)]
    new[EVENT_LABELS] = "".join(f"{text:4}" for text in shown).encode("ascii").ljust(4 * EVENTS, b"\0")
    return bytes(new)


# Heel strike, toe off, foot strike and off of either side: what gait laboratories put in the header.
HEADER_EVENTS = frozenset(
    (*(side + event for side in "LRG" for event in ("HS", "TO", "FS", "FO", "IC", "FC")), "EV", "FS", "FO", "HS", "TO")
)
