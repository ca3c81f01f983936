"""MFER (ISO 22077, Medical waveform Format Encoding Rules): an allow-list of its tag-length-value records.

Nihon Kohden and Fukuda machines write it. Numbers that say how samples read stay byte for byte, and so do the samples;
of texts the vocabulary's words; name, number, age, sex, messages, maker, memo and every unknown tag go.
"""

from __future__ import annotations

import datetime as dt
import math
import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from deid.folder.format import Context
from deid.signal.cursor import Cursor, truncated, unreadable
from deid.signal.one_file import Cleaned, OneFile
from deid.signal.person import Person, Taken, person
from deid.signal.words import technical

PREAMBLE, END, ZERO, ATTRIBUTES, SAMPLES = 0x40, 0x80, 0x00, 0x3F, 0x1E
BYTE_ORDER, VERSION, CHARACTERS = 0x01, 0x02, 0x03
WAVEFORM, LEAD, EVENT, VALUE, FILTER = 0x08, 0x09, 0x41, 0x42, 0x11
NAME, NUMBER, AGE, TIME, UID = 0x81, 0x82, 0x83, 0x85, 0x87
# Whole numbers and scales, by tag: how many bytes at most. Block, channels, sequences, pointer, data type, interval,
# sensitivity, offset, null value, compression, interpolation, skew.
BLOCK, CHANNELS, SEQUENCES, DATA_TYPE = 0x04, 0x05, 0x06, 0x0A
SHORT = {BYTE_ORDER: 1, DATA_TYPE: 1, 0x12: 2, BLOCK: 4, CHANNELS: 4, SEQUENCES: 4, 0x44: 4}
LAYOUT = frozenset({BLOCK, CHANNELS, SEQUENCES, DATA_TYPE})  # what says how many samples of how many bytes there are
NUMBERS = {**SHORT, 0x07: 8, 0x0B: 6, 0x0C: 6, 0x0D: 8, 0x0E: 6, 0x0F: 8}
WIDTHS = {0: 2, 1: 2, 2: 4, 3: 1, 4: 2, 5: 1, 6: 4, 7: 4, 8: 8}  # bytes of a sample by data type (9: compressed)
CODE_BYTES = {WAVEFORM: 2, LEAD: 2, EVENT: 10}  # a code, and for events where and how long: before their texts
VALUE_BYTES = 6  # a code and a time before the text of a value
NUMERIC = re.compile(rb"[-+]?\d{1,6}(?:\.\d{1,6})?\0?", re.ASCII)
CHARACTER_SETS = re.compile(rb"[A-Za-z0-9_\-]{1,12}\0?", re.ASCII)
MOST = 200_000  # records
LONG, LONGEST = 0x80, 8  # lengths of many bytes


@dataclass(frozen=True)
class Record:
    """One tag with its value; `channel` are the bytes that say which channel attributes are of."""

    tag: int
    value: bytes
    channel: bytes = b""


@dataclass
class Order:
    """How numbers and samples are written: changed by the file itself as it goes on."""

    mark: str = ">"
    told: dict[int, int] = field(default_factory=dict)
    own: bool = False  # a channel has a layout of its own

    def hear(self, record: Record) -> None:
        """Learn from a record how the next ones are written."""
        if record.tag == BYTE_ORDER and record.value in {b"\0", b"\1"}:
            self.mark = "<" if record.value == b"\1" else ">"
        if record.tag in SHORT:
            self.told[record.tag] = int.from_bytes(record.value, "little" if self.mark == "<" else "big")
        if record.tag == ATTRIBUTES:
            self.own = self.own or any(each.tag in LAYOUT for each in walk(record.value))

    def samples(self, value: bytes) -> bytes:
        """Cut samples to as many as there are said to be. Raises `Refused` if they are fewer."""
        counts = [self.told.get(tag) for tag in (BLOCK, CHANNELS, SEQUENCES)]
        width = WIDTHS.get(self.told.get(DATA_TYPE, 0))
        if self.own or None in counts or width is None:
            return value
        size = math.prod(count or 0 for count in counts) * width
        if size > len(value):
            raise truncated("MFER")
        return value[:size]


class Mfer(OneFile):
    """MFER (see `Format`)."""

    name = "mfer"

    def recognise(self, head: bytes, name: str) -> bool:
        """See `Format.recognise`."""
        ours = name.lower().endswith((".mwf", ".mfr", ".mfer"))
        return (head[:1] == b"\x40" and head[2:6] == b"MFR ") or (ours and head[:2] in {b"\x01\x01", b"\x40\x20"})

    def suffix(self, name: str) -> str:  # noqa: ARG002 - there is one
        """See `OneFile.suffix`."""
        return ".mwf"

    def clean(self, data: bytes, context: Context) -> Cleaned:
        """See `OneFile.clean`."""
        records = list(walk(data))
        if not any(each.tag == SAMPLES for each in records):
            raise unreadable("mfer-empty", "MFER 파일에 파형이 없습니다.", "The MFER file holds no waveform.")
        taken = Taken()
        writer = _Writer(context, _who(records, context, taken), taken)
        return Cleaned(writer.all(records), writer.who, taken, writer.notes)


def walk(data: bytes) -> Iterator[Record]:
    """Read records to the end mark, or to the end of the file. Raises `Refused` where a length leaves it."""
    cursor, count = Cursor(data, "MFER", ">"), 0
    while cursor.left:
        count += 1
        if count > MOST:
            raise truncated("MFER")
        tag = cursor.number("B")
        if tag == ZERO:
            continue
        channel = _channel(cursor) if tag == ATTRIBUTES else b""
        length = _length(cursor)
        if tag == END:
            return
        yield Record(tag, cursor.take(length), channel)


def _channel(cursor: Cursor) -> bytes:
    """Read a channel's number: seven bits a byte, the last without its top bit."""
    found = b""
    while len(found) < 4:  # noqa: PLR2004 - more channels than any machine has
        found += cursor.take(1)
        if not found[-1] & LONG:
            return found
    raise truncated("MFER")


def _length(cursor: Cursor) -> int:
    first = cursor.number("B")
    if first < LONG:
        return first
    if not 0 < first - LONG <= LONGEST:  # 0x80: without a length, which nobody writes
        raise truncated("MFER")
    return int.from_bytes(cursor.take(first - LONG), "big")


def _text(raw: bytes) -> str:
    raw = raw.split(b"\0", 1)[0]
    for encoding in ("utf-8", "cp949", "shift_jis"):
        try:
            return raw.decode(encoding).strip()
        except UnicodeDecodeError:
            continue
    return raw.decode("latin-1").strip()


def _who(records: list[Record], context: Context, taken: Taken) -> Person:
    told = {each.tag: _text(each.value) for each in reversed(records) if each.tag in {NAME, NUMBER}}
    birth = next((each.value.hex() for each in records if each.tag == AGE), "")
    for value in told.values():
        taken.value(value)
        taken.value(value.replace("^", " "))
    for each in records:
        if each.tag not in {SAMPLES, ATTRIBUTES, *NUMBERS, AGE, TIME}:
            taken.words(_text(each.value))
    return person(context, told.get(NUMBER, ""), name=told.get(NAME, ""), birth=birth)


@dataclass
class _Writer:
    """Writes the records that may be."""

    context: Context
    who: Person
    taken: Taken
    notes: dict[str, int] = field(default_factory=lambda: {"records": 0})

    def all(self, records: list[Record]) -> list[bytes]:
        """Write every record, and the end mark."""
        order = Order()
        return [*(self.record(each, order) for each in records), bytes((END, 0))]

    def record(self, record: Record, order: Order) -> bytes:
        """Write one record as it may be; nothing if it may not."""
        order.hear(record)
        value = self.value(record, order)
        if value != record.value:
            self.notes["records"] += 1
        return b"" if value is None else _written(record.tag, record.channel, value)

    def value(self, record: Record, order: Order) -> bytes | None:
        """Give what stands for a value, None for nothing."""
        tag, value = record.tag, record.value
        if tag == SAMPLES:
            return order.samples(value)
        if tag in NUMBERS:
            return value if len(value) <= NUMBERS[tag] else None
        if tag in CODE_BYTES:
            return _code(tag, value)
        if tag == ATTRIBUTES:
            # Of one channel: attributes within attributes have no meaning.
            inner = (each for each in walk(value) if each.tag != ATTRIBUTES)
            return b"".join(self.record(each, order) for each in inner) or None
        treat = TREATED.get(tag)
        return treat(self, value, order) if treat else None

    def preamble(self, value: bytes, order: Order) -> bytes:  # noqa: ARG002 - one shape for all
        """Keep that it is MFER and what kind, by the vocabulary."""
        said = technical(_text(value).removeprefix("MFR"), "")
        return f"MFR {said}".encode()[: len(value)].ljust(min(len(value), 32))

    def number(self, value: bytes, order: Order) -> bytes:  # noqa: ARG002 - one shape for all
        """Give the pseudonym for the patient's number."""
        return self.who.pseudonym.encode("ascii")

    def time(self, value: bytes, order: Order) -> bytes | None:
        """Give midnight of the shifted day, in the file's byte order."""
        year, rest = struct.Struct(order.mark + "H"), struct.Struct("BBBBB")
        if len(value) < year.size + rest.size:
            return None
        try:
            day = dt.date(int(year.unpack(value[:2])[0]), value[2], value[3])
        except ValueError:
            return None
        self.taken.date(day.isoformat())
        new = self.who.day(day)
        return (year.pack(new.year) + bytes((new.month, new.day))).ljust(len(value), b"\0")[:11]

    def uid(self, value: bytes, order: Order) -> bytes:  # noqa: ARG002 - one shape for all
        """Map the recording's identity."""
        return self.context.people.uid(_text(value)).encode("ascii")

    def measured(self, value: bytes, order: Order) -> bytes | None:  # noqa: ARG002 - one shape for all
        """Keep a value that is a number."""
        return value if NUMERIC.fullmatch(value[VALUE_BYTES:]) else None

    def filter(self, value: bytes, order: Order) -> bytes | None:  # noqa: ARG002 - one shape for all
        """Keep a filter's words."""
        return technical(_text(value), "").encode("utf-8") or None

    def version(self, value: bytes, order: Order) -> bytes | None:  # noqa: ARG002 - one shape for all
        """Keep a version of three numbers."""
        return value if len(value) <= 3 else None  # noqa: PLR2004 - major, minor, revision

    def characters(self, value: bytes, order: Order) -> bytes | None:  # noqa: ARG002 - one shape for all
        """Keep the name of a character set."""
        known = value.rstrip(b"\0").decode("latin-1").lower() in {"utf-8", "ascii", "euc-kr", "shift_jis", "iso-8859-1"}
        return value if CHARACTER_SETS.fullmatch(value) and known else None


TREATED: dict[int, Callable[[_Writer, bytes, Order], bytes | None]] = {
    PREAMBLE: _Writer.preamble,
    NUMBER: _Writer.number,
    TIME: _Writer.time,
    UID: _Writer.uid,
    VALUE: _Writer.measured,
    FILTER: _Writer.filter,
    VERSION: _Writer.version,
    CHARACTERS: _Writer.characters,
}


def _code(tag: int, value: bytes) -> bytes | None:
    size = CODE_BYTES[tag]
    if tag != LEAD or len(value) <= size:
        return value[:size]
    # The text of a lead by the vocabulary.
    return value[:size] + technical(_text(value[size:]), "").encode("utf-8")


def _written(tag: int, channel: bytes, value: bytes) -> bytes:
    size = len(value)
    length = bytes((size,)) if size < LONG else bytes((LONG | 4,)) + size.to_bytes(4, "big")
    return bytes((tag,)) + channel + length + value
