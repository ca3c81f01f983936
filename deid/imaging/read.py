"""Bytes of a DICOM file into the tree (PS3.5 §7, PS3.10 §7): any syntax, with or without preamble and file meta.

Why not pydicom's reader: the bytes behind the end must be told from a damaged file, the elements kept must pass as they
are, and one value in a thousand is ever looked at. The reader is strict where it matters: it never reads past an end.
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import BinaryIO

from deid.folder.format import HEAD_BYTES, Refused
from deid.imaging.dictionary import LONG, VR_OF, VRS, vrs
from deid.imaging.elements import DataSet, Element, Items, Syntax, ascii_text, find

PREAMBLE, MAGIC = 128, b"DICM"
IMPLICIT, BIG, DEFLATED = "1.2.840.10008.1.2", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"
EXPLICIT = "1.2.840.10008.1.2.1"
UNDEFINED = 0xFFFFFFFF
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
PIXELS = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
HEADER = 1 << 16  # bytes: most headers are shorter
DEEPEST = 64  # sequences within sequences; more is an attack
LARGEST_INFLATED = 1 << 29  # bytes: deflated are reports and plans; a few MB that become more are an attack
IMPLICIT_LITTLE = Syntax(explicit=False, little=True)
BARE = (Syntax(explicit=True, little=True), IMPLICIT_LITTLE, Syntax(explicit=True, little=False))


class Broken(ValueError):  # noqa: N818 - what the bytes are
    """The bytes are not what DICOM says they must be; `args[0]` says what, without a value."""


def is_dicom(head: bytes) -> bool:
    """Whether a file begins as DICOM: with the magic word, or (old files) with a first plausible element."""
    if head[PREAMBLE : PREAMBLE + 4] == MAGIC:
        return True
    if len(head) < 16:  # noqa: PLR2004 - one element with a UID
        return False
    return any(_begins(head, syntax) for syntax in BARE)


def _begins(head: bytes, syntax: Syntax) -> bool:
    group, number = struct.unpack_from(f"{syntax.order}HH", head)
    if group not in {0x0002, 0x0008} or number > 0x0070:  # noqa: PLR2004 - groups and elements that come first
        return False
    expected = vrs(group << 16 | number) or (("UL",) if number == 0 else ())
    if syntax.explicit:
        return head[4:6].decode("latin-1") in expected
    length: int = struct.unpack_from("<I", head, 4)[0]
    return bool(expected) and length <= 128 and head[8 : 8 + min(length, 16)].isascii()  # noqa: PLR2004 - short texts


def read(data: bytes | memoryview) -> DataSet:
    """Read a file. Raises `Refused` (`imaging.unreadable`) for one that is damaged."""
    try:
        return _read(memoryview(data))
    except (Broken, struct.error, zlib.error, IndexError) as error:
        what = str(error) if isinstance(error, Broken) else "damaged"
        raise Refused(
            "imaging.unreadable", "DICOM 파일이 손상되었습니다.", f"is a damaged DICOM file: {what}.", policy=False
        ) from error


def _read(data: memoryview) -> DataSet:
    start, preamble = 0, b""
    if bytes(data[PREAMBLE : PREAMBLE + 4]) == MAGIC:
        start, preamble = PREAMBLE + 4, bytes(data[:PREAMBLE])
    meta, start = _read_meta(data, start)
    declared = ascii_text(find(meta, 0x00020010)).split("\0")[0].strip()
    body = data[start:]
    if declared == DEFLATED:
        inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        body = memoryview(inflate.decompress(body, LARGEST_INFLATED))
        if inflate.unconsumed_tail:
            raise Broken("it inflates beyond 512 MB")
    syntax = _syntax(body, declared)
    reader = _Reader(body, syntax)
    elements = reader.top()
    written, uid = _as_declared(syntax, declared)
    return DataSet(elements, written, uid, bytes(body[reader.position :]), meta, preamble)


def read_header(file: BinaryIO) -> DataSet:
    """Read a file's attributes up to its pixels, which are an element without bytes; the rest stays on the disk.

    Raises as `read` does.
    """
    data = b""
    while more := file.read(max(HEADER, len(data))):  # twice as much each time
        data += more
        try:
            found = _before_pixels(memoryview(data))
        except (Broken, struct.error, IndexError):
            continue  # cut off, or damaged: with all of it that is told
        if found is not None:
            return found
    return read(data)


def header_of(path: Path) -> DataSet | None:
    """Read a file's attributes up to its pixels; None for a file that is no DICOM. Raises as `read` does, `OSError`."""
    with path.open("rb") as file:
        if not is_dicom(file.read(HEAD_BYTES)):
            return None
        file.seek(0)
        return read_header(file)


def _before_pixels(data: memoryview) -> DataSet | None:
    """Read up to the pixels; None where they do not come, or everything is compressed."""
    meta, start = _read_meta(data, PREAMBLE + 4 if bytes(data[PREAMBLE : PREAMBLE + 4]) == MAGIC else 0)
    declared = ascii_text(find(meta, 0x00020010)).split("\0")[0].strip()
    if declared == DEFLATED:
        return None
    syntax = _syntax(data[start:], declared)
    reader = _Reader(data[start:], syntax)
    found: Items = []
    while reader.position < len(reader.data):
        if (tag := reader.tag()) in PIXELS:
            return DataSet([*found, Element(tag, "OW")], *_as_declared(syntax, declared), meta=meta)
        found.append(reader.element(len(reader.data), 0))
    return None


def _as_declared(syntax: Syntax, declared: str) -> tuple[Syntax, str]:
    """Give the encoding to write in: what the file says it is in, unless its byte order is another."""
    if not declared:
        return syntax, IMPLICIT if not syntax.explicit else EXPLICIT if syntax.little else BIG
    if declared == DEFLATED:
        # Written plainly: the last look before a file is let out could not see into it.
        return Syntax(explicit=True, little=True), EXPLICIT
    if syntax.little == (declared == BIG):
        return Syntax(explicit=True, little=syntax.little), EXPLICIT if syntax.little else BIG
    return Syntax(explicit=declared != IMPLICIT, little=syntax.little), declared


def _read_meta(data: memoryview, start: int) -> tuple[Items, int]:
    """Read group 2, whatever its group length says: it ends where another group begins."""
    found: Items = []
    first = bytes(data[start + 4 : start + 6]).decode("latin-1")
    reader = _Reader(data, Syntax(explicit=first in VRS, little=True))
    reader.position = start
    while reader.position + 8 <= len(data) and struct.unpack_from("<H", data, reader.position)[0] == 2:  # noqa: PLR2004
        found.append(reader.element(len(data), 0))
    return found, reader.position


def _syntax(body: memoryview, declared: str) -> Syntax:
    """Tell the encoding from the first element, which is right more often than the file meta."""
    if len(body) < 8:  # noqa: PLR2004 - one element's header
        return Syntax(explicit=declared != IMPLICIT, little=declared != BIG)
    explicit = bytes(body[4:6]).decode("latin-1") in VRS
    group_little, group_big = struct.unpack_from("<H", body)[0], struct.unpack_from(">H", body)[0]
    little = group_little <= group_big if declared != BIG else group_little < group_big
    return Syntax(explicit=explicit, little=little)


class _Reader:
    """Reads elements one after the other; `position` is the byte offset (from 0) of what comes next."""

    def __init__(self, data: memoryview, syntax: Syntax) -> None:
        self.data, self.syntax, self.position = data, syntax, 0
        order = syntax.order
        self._tag = struct.Struct(order + "HH").unpack_from
        self._short = struct.Struct(order + "H").unpack_from
        self._long = struct.Struct(order + "I").unpack_from

    def tag(self) -> int:
        """Give the number of the element that comes next."""
        group, number = self._tag(self.data, self.position)
        return int(group << 16 | number)

    def top(self) -> Items:
        """Read the data set; what is no element, or comes behind the pixels out of order, is left as the tail."""
        found: Items = []
        end, last = len(self.data), 0
        while self.position < end:
            start = self.position
            try:
                element = self.element(end, 0)
            except (Broken, struct.error, IndexError) as error:
                self.position = start
                self._judge_tail(found, start, error)
                break
            if element.tag < last and last in PIXELS:
                self.position = start
                break
            last = max(last, element.tag)
            found.append(element)
        return found

    def _judge_tail(self, found: Items, start: int, error: Exception) -> None:
        """Say whether what cannot be read is rubbish behind the end, or the data set itself, cut off."""
        behind = any(each.tag in PIXELS for each in found)
        group, number = self._tag(self.data, start) if start + 4 <= len(self.data) else (0xFFFF, 0)
        tag = group << 16 | number
        marked = bytes(self.data[start + 4 : start + 6]).decode("latin-1") in VRS
        known = bool(vrs(tag)) or tag in PIXELS or (self.syntax.explicit and bool(group & 1) and marked)
        ascending = not found or tag > found[-1].tag
        if not found or (not behind and known and ascending):
            raise Broken("cut off or garbled") from error

    def element(self, end: int, depth: int) -> Element:
        """Read one element that ends before `end`."""
        group, number = self._tag(self.data, self.position)
        tag = group << 16 | number
        if self.syntax.explicit and group != 0xFFFE:  # noqa: PLR2004 - items have no VR
            vr, header, length = self._explicit(tag)
        else:
            length = self._long(self.data, self.position + 4)[0]
            vr, header = self._implied(tag), 8
        self.position += header
        if length == UNDEFINED:
            return self._undefined(tag, vr, end, depth)
        if self.position + length > end:
            raise Broken("a length beyond the end")
        start, self.position = self.position, self.position + length
        value = self.data[start : self.position]
        if vr == "SQ":
            return Element(tag, "SQ", items=self._items(value, self.syntax, depth))
        if vr == "UN" and length >= 8 and self._holds_items(tag, value):  # noqa: PLR2004 - an item's header
            return Element(tag, "SQ", items=self._hidden_items(value, depth))
        return Element(tag, vr, value)

    def _explicit(self, tag: int) -> tuple[str, int, int]:
        vr = VR_OF.get(bytes(self.data[self.position + 4 : self.position + 6]))
        if vr is None:
            # A file that says explicit and is, in this element, implicit: seen in the wild.
            return self._implied(tag), 8, self._long(self.data, self.position + 4)[0]
        if vr in LONG:
            return vr, 12, self._long(self.data, self.position + 8)[0]
        return vr, 8, self._short(self.data, self.position + 6)[0]

    @staticmethod
    def _implied(tag: int) -> str:
        if not tag & 0xFFFF:
            return "UL"
        known = vrs(tag)
        if len(known) > 1:
            return "OW" if "OW" in known and "US" not in known else known[0]
        return known[0] if known else "UN"

    def _undefined(self, tag: int, vr: str, end: int, depth: int) -> Element:
        """Read a sequence or encapsulated pixels: what ends with a delimiter."""
        first = struct.unpack_from("<HHI", self.data, self.position)
        if tag in PIXELS or vr in {"OB", "OW"}:
            return Element(tag, vr, self._fragments(end), fragments=True)
        # PS3.5 §6.2.2: a sequence hidden in UN is implicit little endian, whatever is around it.
        syntax = IMPLICIT_LITTLE if vr == "UN" and first[:2] in {(0xFFFE, 0xE000), (0xFFFE, 0xE0DD)} else self.syntax
        inner = _Reader(self.data, syntax)
        inner.position = self.position
        items = inner.sequence(end, depth, delimited=True)
        self.position = inner.position
        return Element(tag, "SQ", items=self._aligned(items, syntax))

    def _fragments(self, end: int) -> memoryview:
        start = self.position
        while True:
            group, number = self._tag(self.data, self.position)
            length = self._long(self.data, self.position + 4)[0]
            tag = group << 16 | number
            self.position += 8
            if tag == SEQUENCE_END:
                return self.data[start : self.position - 8]
            if tag != ITEM or self.position + length > end:
                raise Broken("fragments of pixels that do not end")
            self.position += length

    @staticmethod
    def _holds_items(tag: int, value: memoryview) -> bool:
        known = vrs(tag)
        return bytes(value[:4]) == b"\xfe\xff\x00\xe0" and (not known or "SQ" in known)

    def _hidden_items(self, value: memoryview, depth: int) -> list[Items]:
        """Read a sequence that came as UN: implicit little endian, or, from some devices, as the rest of the file."""
        try:
            return self._aligned(self._items(value, IMPLICIT_LITTLE, depth), IMPLICIT_LITTLE)
        except (Broken, struct.error, IndexError):
            return self._items(value, self.syntax, depth)

    def _items(self, value: memoryview, syntax: Syntax, depth: int) -> list[Items]:
        return _Reader(value, syntax).sequence(len(value), depth, delimited=False)

    def sequence(self, end: int, depth: int, *, delimited: bool) -> list[Items]:
        """Read items up to `end`, or up to the delimiter that must come before it."""
        if depth >= DEEPEST:
            raise Broken("sequences nested too deep")
        found: list[Items] = []
        while self.position < end:
            group, number = self._tag(self.data, self.position)
            length = self._long(self.data, self.position + 4)[0]
            self.position += 8
            tag = group << 16 | number
            if tag == SEQUENCE_END:
                return found
            if tag != ITEM:
                raise Broken("a sequence without items")
            found.append(self._item(end if length == UNDEFINED else self.position + length, length, depth, limit=end))
        if delimited:
            raise Broken("a sequence that does not end")
        return found

    def _item(self, end: int, length: int, depth: int, *, limit: int) -> Items:
        if end > limit:
            raise Broken("an item beyond its sequence")
        found: Items = []
        while self.position < end:
            if self._tag(self.data, self.position) == (0xFFFE, 0xE00D):
                self.position += 8
                return found
            found.append(self.element(end, depth + 1))
        if length == UNDEFINED:
            raise Broken("an item that does not end")
        return found

    def _aligned(self, items: list[Items], syntax: Syntax) -> list[Items]:
        """Bring items that were read in another byte order into that of the file."""
        if syntax.little != self.syntax.little:
            for item in items:
                _swap(item)
        return items


WIDTHS = {"US": 2, "SS": 2, "OW": 2, "AT": 2, "UL": 4, "SL": 4, "FL": 4, "OF": 4, "OL": 4} | dict.fromkeys(
    ("FD", "OD", "SV", "UV", "OV"), 8
)


def _swap(elements: Items) -> None:
    for each in elements:
        for item in each.items or ():
            _swap(item)
        width = WIDTHS.get(each.vr, 1)
        if width > 1 and len(each.value) % width == 0:
            data = bytes(each.value)
            each.value = b"".join(data[at : at + width][::-1] for at in range(0, len(data), width))
