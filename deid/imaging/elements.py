"""A DICOM data set as a plain tree: what is read, decided on and written. Values stay bytes until somebody asks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from deid.imaging.charsets import CODECS, decoded


@dataclass(slots=True)
class Element:
    """One attribute: its number, what it holds, and its bytes, or its items if it is a sequence.

    `fragments` marks encapsulated pixel data: `value` is then everything between header and closing delimiter.
    """

    tag: int
    vr: str
    value: bytes | memoryview = b""
    items: list[Items] | None = None
    fragments: bool = False

    @property
    def group(self) -> int:
        """Number of the group."""
        return self.tag >> 16

    @property
    def is_private(self) -> bool:
        """Whether the attribute is a manufacturer's own (odd group)."""
        return bool(self.tag >> 16 & 1)


Items = list[Element]


@dataclass(frozen=True)
class Syntax:
    """How a data set is encoded."""

    explicit: bool
    little: bool

    @property
    def order(self) -> str:
        """Byte order, in the letter of `struct` and NumPy."""
        return "<" if self.little else ">"


@dataclass
class DataSet:
    """A file's data set: its elements, its syntax, the UID of its transfer syntax, and what was behind the end."""

    elements: Items
    syntax: Syntax
    transfer_syntax: str
    tail: bytes = b""
    meta: Items = field(default_factory=list)
    preamble: bytes = b""
    _index: tuple[int, dict[int, Element]] = field(default=(0, {}), repr=False)

    def find(self, tag: int) -> Element | None:
        """Find a top-level attribute."""
        if self._index[0] != id(self.elements):
            self._index = id(self.elements), {each.tag: each for each in self.elements}
        return self._index[1].get(tag)


def find(elements: Items, tag: int) -> Element | None:
    """Find an attribute of one level."""
    return next((each for each in elements if each.tag == tag), None)


def walk(elements: Items) -> Iterator[Element]:
    """Yield all attributes, to any depth."""
    for each in elements:
        yield each
        for item in each.items or ():
            yield from walk(item)


def ascii_text(element: Element | None) -> str:
    """Read a value that is ASCII by its kind, without padding; "" for none."""
    return bytes(element.value).decode("latin-1").strip(" \0\t\r\n") if element is not None else ""


def number(element: Element | None, order: str, default: int = 0) -> int:
    """Read the first whole number of an attribute of two or four bytes, or of a number in letters."""
    if element is None or not element.value:
        return default
    if element.vr in {"IS", "DS"}:
        text = ascii_text(element).split("\\")[0]
        return int(float(text)) if text else default
    size = 4 if element.vr in {"UL", "SL"} and len(element.value) >= 4 else 2  # noqa: PLR2004 - bytes
    return int.from_bytes(bytes(element.value[:size]), "little" if order == "<" else "big")


def is_character_set(name: str) -> bool:
    """Whether a name is one of a character set; the Korean one is also met under a name that the standard lacks."""
    name = name.strip(" \0")
    return name in CODECS or name in {"ISO_IR 149", "ISO IR 149", "ISO 2022 IR 149"}


@dataclass(frozen=True)
class Letters:
    """The character sets that a data set declares: how its texts are read.

    Undeclared or wrongly declared EUC-KR is common in Korea, and pydicom does not know `ISO_IR 149`: what was removed
    is looked for under every reading that is possible, so nothing depends on which one is right.
    """

    declared: tuple[str, ...] = ()

    @property
    def encodings(self) -> list[str]:
        """Names of the codecs for what is declared, as pydicom wants them."""
        found = [CODECS.get(each, "cp949" if "149" in each else "") for each in self.declared or ("",)]
        return [each or "iso8859" for each in found]

    def read(self, value: bytes | memoryview) -> str:
        """Read a text as it is most likely meant."""
        data = bytes(value)
        if data.isascii() and b"\x1b" not in data:
            return data.decode("ascii").strip(" \0")
        return self.readings(data)[0]

    def readings(self, value: bytes | memoryview) -> list[str]:
        """Read a text in every way that is possible: UTF-8, EUC-KR, as declared, and Latin."""
        data = bytes(value)
        if data.isascii() and b"\x1b" not in data:
            return [data.decode("ascii").strip(" \0")]
        found = []
        for codec in ("utf-8", "cp949"):
            try:
                found.append(data.decode(codec))
            except UnicodeDecodeError:
                continue
        with suppress(LookupError, UnicodeError, ValueError):
            found.insert(0, decoded(data, self.encodings))
        return list(dict.fromkeys(each.strip(" \0") for each in [*found, data.decode("latin-1")]))
