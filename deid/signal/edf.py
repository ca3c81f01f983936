"""EDF, EDF+ and BDF, BDF+: the header in place, annotations by vocabulary, every sample as it was.

Kemp et al. 1992 (EDF), Kemp & Olivan 2003 (EDF+), BioSemi's 24-bit BDF. All fields have fixed places, so the file keeps
its layout to the byte: what a reader computed from the old file it computes from the new one.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass

from deid.folder.format import Context
from deid.signal.cursor import Cursor, truncated, unreadable
from deid.signal.one_file import Cleaned, OneFile
from deid.signal.person import Person, Taken, number_in, person
from deid.signal.tal import Block, renewed
from deid.signal.words import FILTER, filters, technical, unit

FIXED, PER_SIGNAL = 256, 256
SAMPLE_BYTES = {"edf": 2, "bdf": 3}
VERSIONS = {b"0       ": "edf", b"\xffBIOSEMI": "bdf"}
ANNOTATIONS = "annotations"  # `EDF Annotations`; some writers spell it their own way
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
INTEGER = re.compile(r"[-+]?\d{1,8}", re.ASCII)
DECIMAL = re.compile(r"[-+]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][-+]?\d+)?", re.ASCII)
NO_DATE = "01.01.85"  # what EDF+ asks for where the date is not told
CENTURY_TURN = 85  # 85 to 99 are 1985 to 1999, 00 to 84 are 2000 to 2084


@dataclass(frozen=True)
class Signal:
    """One channel's header: what it measures and how its samples read."""

    label: str
    transducer: str
    dimension: str
    scale: tuple[str, str, str, str]  # physical minimum, maximum, digital minimum, maximum
    prefilter: str
    samples: int

    @property
    def is_annotations(self) -> bool:
        """Whether it holds texts instead of samples."""
        return self.label.lower().endswith(ANNOTATIONS)


@dataclass(frozen=True)
class Header:
    """The header as the file has it."""

    kind: str
    patient: str
    recording: str
    date: str
    reserved: str
    records: int
    duration: str
    signals: tuple[Signal, ...]

    @property
    def bytes(self) -> int:
        """Its length."""
        return FIXED + PER_SIGNAL * len(self.signals)

    @property
    def record_bytes(self) -> int:
        """Length of one data record."""
        return SAMPLE_BYTES[self.kind] * sum(signal.samples for signal in self.signals)

    @property
    def plus(self) -> str:
        """The reserved field's word: `EDF+C`, `BDF+D` …, "" for plain EDF."""
        return self.reserved[:5] if re.match(r"(?:EDF|BDF)\+[CD]", self.reserved) else ""


class Edf(OneFile):
    """EDF and its relatives (see `Format`)."""

    name = "edf"

    def recognise(self, head: bytes, name: str) -> bool:  # noqa: ARG002 - the content decides
        """See `Format.recognise`."""
        # A text may begin with a zero and blanks; the length of the header stands where only EDF has it.
        return head[:8] in VERSIONS and bool(re.fullmatch(rb"\d{1,8} *", head[184:192]))

    def suffix(self, name: str) -> str:
        """See `OneFile.suffix`."""
        return ".bdf" if name.lower().endswith(".bdf") else ".edf"

    def clean(self, data: bytes, context: Context) -> Cleaned:
        """See `OneFile.clean`."""
        header = read(data)
        taken = Taken()
        who = person(context, **_claim(header, taken))
        taken.words(header.recording)
        body = bytearray(memoryview(data)[header.bytes : header.bytes + header.records * header.record_bytes])
        notes = _annotations(header, body, taken)
        for signal in header.signals:
            taken.words(signal.label)
            taken.words(signal.transducer)
            taken.words(FILTER.sub("", signal.prefilter))
        notes["trailing-bytes"] = len(data) - header.bytes - len(body)
        return Cleaned((_written(header, who, taken), body), who, taken, notes, samples=header.bytes)


def read(data: bytes) -> Header:
    """Read a header and hold it to the file's length. Raises `Refused`."""
    cursor = Cursor(data, "EDF")
    kind = VERSIONS.get(cursor.take(8), "edf")
    patient, recording = _text(cursor, 80), _text(cursor, 80)
    date, _, length = _text(cursor, 8), _text(cursor, 8), _integer(cursor, 8)
    reserved = _text(cursor, 44)
    records, duration, count = _integer(cursor, 8), _decimal(cursor, 8), _integer(cursor, 4)
    if count < 1 or length != FIXED + PER_SIGNAL * count:
        raise unreadable("header", "EDF 머리글의 길이가 신호 수와 맞지 않습니다.", "The EDF header's length is wrong.")
    header = Header(kind, patient, recording, date, reserved, records, duration, _signals(cursor, count))
    size = header.record_bytes
    if records == -1 and size:  # a recorder that was switched off: as many as there are
        records = cursor.left // size
        header = Header(kind, patient, recording, date, reserved, records, duration, header.signals)
    if size < 1 or records < 0 or header.records * size > cursor.left:
        raise truncated("EDF")
    return header


def _signals(cursor: Cursor, count: int) -> tuple[Signal, ...]:
    if PER_SIGNAL * count > cursor.left:
        raise truncated("EDF")
    labels = [_text(cursor, 16) for _ in range(count)]
    transducers = [_text(cursor, 80) for _ in range(count)]
    dimensions = [_text(cursor, 8) for _ in range(count)]
    scales = list(zip(*([_decimal(cursor, 8) for _ in range(count)] for _ in range(4)), strict=True))
    prefilters = [_text(cursor, 80) for _ in range(count)]
    samples = [_integer(cursor, 8) for _ in range(count)]
    cursor.take(32 * count)
    if min(samples) < 0:
        raise unreadable("header", "EDF 머리글의 표본 수가 음수입니다.", "The EDF header has a negative sample count.")
    columns = zip(labels, transducers, dimensions, scales, prefilters, samples, strict=True)
    return tuple(Signal(a, b, c, (d[0], d[1], d[2], d[3]), e, f) for a, b, c, d, e, f in columns)


def _text(cursor: Cursor, length: int) -> str:
    return cursor.take(length).decode("latin-1").strip(" \0")


def _integer(cursor: Cursor, length: int) -> int:
    text = _text(cursor, length)
    if not INTEGER.fullmatch(text):
        raise unreadable("header", "EDF 머리글에 수가 와야 할 자리가 있습니다.", "The EDF header lacks a number.")
    return int(text)


def _decimal(cursor: Cursor, length: int) -> str:
    text = _text(cursor, length)
    # Kept as written: another spelling of the limits would be another calibration.
    if not DECIMAL.fullmatch(text):
        raise unreadable("header", "EDF 머리글에 수가 와야 할 자리가 있습니다.", "The EDF header lacks a number.")
    return text


def korean(text: str) -> str:
    """Read a text whose bytes were taken as Latin-1, in the encoding that fits: UTF-8, else CP949, else as it is."""
    raw = text.encode("latin-1")
    for encoding in ("utf-8", "cp949"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return text


def _claim(header: Header, taken: Taken) -> dict[str, str]:
    text = korean(header.patient)
    parts = text.split(" ")
    taken.words(text)
    taken.value(text)
    taken.date(header.date)
    if header.plus and len(parts) >= 4:  # noqa: PLR2004 - code, sex, birth, name (EDF+ 2.1.3.3)
        for part in (parts[0], parts[2], parts[3]):
            taken.value(part)
            taken.value(part.replace("_", " "))
        return {"number": parts[0].replace("_", " "), "name": parts[3].replace("_", " "), "birth": parts[2]}
    number = number_in(text)
    return {"number": number, "name": "" if number else text}


def _start(header: Header) -> dt.date | None:
    told = re.match(
        r"Startdate (\d\d)-([A-Z]{3})-(\d{4})(?: |$)", header.recording.upper().replace("STARTDATE", "Startdate")
    )
    plain = re.fullmatch(r"(\d\d)[.\-/:](\d\d)[.\-/:](\d\d)", header.date)
    try:
        if told and told[2] in MONTHS:
            return dt.date(int(told[3]), MONTHS.index(told[2]) + 1, int(told[1]))
        if plain and header.date != NO_DATE:
            year = int(plain[3])
            return dt.date(year + (1900 if year >= CENTURY_TURN else 2000), int(plain[2]), int(plain[1]))
    except ValueError:
        return None
    return None


def _written(header: Header, who: Person, taken: Taken) -> bytes:
    start = _start(header)
    day = who.day(start) if start else None
    if start:
        taken.date(f"{start:%d}-{MONTHS[start.month - 1]}-{start:%Y}")
        taken.date(start.isoformat())
    told = f"{day:%d}-{MONTHS[day.month - 1]}-{day:%Y}" if day else "X"
    version = next(raw for raw, kind in VERSIONS.items() if kind == header.kind)
    fixed = [
        (f"{who.pseudonym} X X X", 80),
        (f"Startdate {told} X X X", 80),
        (f"{day:%d.%m.%y}" if day else NO_DATE, 8),
        ("00.00.00", 8),
        (str(header.bytes), 8),
        (header.plus or ("24BIT" if header.kind == "bdf" else ""), 44),
        (str(header.records), 8),
        (header.duration, 8),
        (str(len(header.signals)), 4),
    ]
    return version + b"".join(_padded(text, length) for text, length in (*fixed, *_signal_fields(header)))


def _signal_fields(header: Header) -> Iterator[tuple[str, int]]:
    signals, header_word = header.signals, header.kind.upper()
    for number, signal in enumerate(signals, 1):
        yield (
            f"{header_word} Annotations"
            if signal.is_annotations
            else technical(korean(signal.label), f"Signal {number}"),
            16,
        )
    yield from ((technical(korean(signal.transducer), ""), 80) for signal in signals)
    yield from ((unit(signal.dimension), 8) for signal in signals)
    for limit in range(4):
        yield from ((signal.scale[limit], 8) for signal in signals)
    yield from ((filters(signal.prefilter), 80) for signal in signals)
    yield from ((str(signal.samples), 8) for signal in signals)
    yield from (("", 32) for _ in signals)


def _padded(text: str, length: int) -> bytes:
    # ASCII is all EDF allows; a Korean word of the vocabulary is written as the file may have had it, in UTF-8.
    raw = text.encode("latin-1") if _is_latin(text) else text.encode("utf-8")
    return raw[:length].ljust(length)


def _is_latin(text: str) -> bool:
    return all(ord(letter) <= 0xFF for letter in text)  # noqa: PLR2004 - the last of Latin-1


def _annotations(header: Header, body: bytearray, taken: Taken) -> dict[str, int]:
    width = SAMPLE_BYTES[header.kind]
    places, at = [], 0
    for signal in header.signals:
        if signal.is_annotations:
            places.append((at, width * signal.samples))
        at += width * signal.samples
    if not places:
        return {}
    blocks: list[Block] = []
    for record in range(header.records):
        for place, length in places:
            start = record * header.record_bytes + place
            blocks.append(Block(start, bytes(body[start : start + length])))
    cleaned = 0
    for block, text, texts in renewed(blocks, taken):
        body[block.place : block.place + len(block.raw)] = text
        cleaned += texts
    return {"annotations-cleaned": cleaned}
