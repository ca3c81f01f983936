"""The tree into a new file (PS3.10 §7): zero preamble, six elements of file meta, no group lengths, nothing behind.

Everything is written anew in the transfer syntax that the pixels have; values that were kept pass as the bytes they
were.
"""

from __future__ import annotations

import struct
from pathlib import Path

from deid.imaging.dictionary import LONG, TEXT
from deid.imaging.elements import DataSet, Element, Items, Syntax
from deid.imaging.read import ITEM, ITEM_END, SEQUENCE_END, UNDEFINED

IMPLEMENTATION_UID = "2.25.214530698110573480712345187430213390871"  # ours, drawn once
IMPLEMENTATION_NAME = "ANSIM_1"
LONGEST_SHORT = 0xFFFE
FILLED_WITH_BLANKS = frozenset({*TEXT, "AS", "DA", "DS", "DT", "IS", "TM"})


def write(path: Path, data: DataSet, sop_class: str, sop_instance: str) -> tuple[int, int]:
    """Write a file; returns start and end (bytes) of its pixel data, 0 and 0 without any."""
    written = _Writer(data.syntax)
    written.elements(data.elements)
    meta = file_meta(data.transfer_syntax, sop_class, sop_instance)
    span = (written.bulk[0] + len(meta), written.bulk[1] + len(meta)) if written.bulk[1] else (0, 0)
    with path.open("wb") as file:
        file.write(meta)
        file.writelines(written.parts)
    return span


def encoded(elements: Items, syntax: Syntax) -> bytes:
    """Give the bytes of one level of elements, in ascending order."""
    written = _Writer(syntax)
    written.elements(elements)
    return b"".join(bytes(each) for each in written.parts)


def file_meta(transfer_syntax: str, sop_class: str, sop_instance: str) -> bytes:
    """Give what stands before a data set: preamble, magic word and file meta."""
    values = [
        (0x00020001, "OB", b"\0\1"),
        (0x00020002, "UI", sop_class.encode("ascii")),
        (0x00020003, "UI", sop_instance.encode("ascii")),
        (0x00020010, "UI", transfer_syntax.encode("ascii")),
        (0x00020012, "UI", IMPLEMENTATION_UID.encode("ascii")),
        (0x00020013, "SH", IMPLEMENTATION_NAME.encode("ascii")),
    ]
    body = encoded([Element(tag, vr, value) for tag, vr, value in values], Syntax(explicit=True, little=True))
    return bytes(128) + b"DICM" + struct.pack("<HH2sHI", 2, 0, b"UL", 4, len(body)) + body


class _Writer:
    """Collects the parts of a data set; large values are not copied."""

    def __init__(self, syntax: Syntax) -> None:
        self.syntax = syntax
        self.parts: list[bytes | memoryview] = []
        self.length = 0
        self.bulk = (0, 0)
        order = syntax.order
        self._tag = struct.Struct(order + "HH").pack
        self._short = struct.Struct(order + "HH2sH").pack
        self._long = struct.Struct(order + "HH2sHI").pack
        self._implicit = struct.Struct(order + "HHI").pack

    def elements(self, elements: Items) -> None:
        """Write one level, in ascending order."""
        for each in sorted(elements, key=lambda each: each.tag):
            if each.items is not None:
                self._sequence(each)
            elif each.fragments:
                self._header(each.tag, each.vr, UNDEFINED)
                start = self.length
                self._add(each.value)
                self.bulk = (start, self.length)
                self._delimiter(SEQUENCE_END)
            else:
                self._value(each)

    def _value(self, element: Element) -> None:
        odd = len(element.value) % 2
        self._header(element.tag, element.vr, len(element.value) + odd)
        start = self.length
        self._add(element.value)
        if odd:
            self._add(b" " if element.vr in FILLED_WITH_BLANKS else b"\0")
        if element.group == 0x7FE0:  # noqa: PLR2004 - pixels
            self.bulk = (start, self.length)

    def _sequence(self, element: Element) -> None:
        # Undefined lengths everywhere: nothing has to be measured before it is written.
        self._header(element.tag, "SQ", UNDEFINED)
        for item in element.items or ():
            self._add(self._implicit(ITEM >> 16, ITEM & 0xFFFF, UNDEFINED))
            self.elements(item)
            self._delimiter(ITEM_END)
        self._delimiter(SEQUENCE_END)

    def _delimiter(self, tag: int) -> None:
        self._add(self._implicit(tag >> 16, tag & 0xFFFF, 0))

    def _header(self, tag: int, vr: str, length: int) -> None:
        group, number = tag >> 16, tag & 0xFFFF
        if not self.syntax.explicit:
            self._add(self._implicit(group, number, length))
        elif vr in LONG:
            self._add(self._long(group, number, vr.encode("ascii"), 0, length))
        elif length > LONGEST_SHORT:
            # PS3.5 §6.2.2: a value too long for its own VR is written as UN.
            self._add(self._long(group, number, b"UN", 0, length))
        else:
            self._add(self._short(group, number, vr.encode("ascii"), length))

    def _add(self, part: bytes | memoryview) -> None:
        self.parts.append(part)
        self.length += len(part)
