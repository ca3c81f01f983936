"""The parameter section of C3D: groups of named values, read with every length checked, and written again."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace

from deid.signal.cursor import Cursor, unreadable

WIDTHS = {-1: 1, 1: 1, 2: 2, 4: 4}  # text, byte, whole number, float
TEXT = -1
FIRST_LETTER = 0x20
MOST_RECORDS, MOST_DIMENSIONS = 20_000, 7
BLOCK = 512


@dataclass(frozen=True)
class Parameter:
    """One value: its type, its dimensions, its bytes in column-major order."""

    kind: int
    dimensions: tuple[int, ...]
    data: bytes

    @property
    def is_number(self) -> bool:
        """Whether it holds numbers; single bytes are flags and small ones, or else could be letters."""
        return self.kind > 1 or (self.kind == 1 and max(self.data, default=0) < FIRST_LETTER)

    def texts(self) -> list[str]:
        """Give the texts of a text parameter, none of another."""
        if self.kind != TEXT or not self.dimensions or not self.dimensions[0]:
            return []
        size = self.dimensions[0]
        return [_decoded(self.data[at : at + size]) for at in range(0, len(self.data), size)]

    def with_texts(self, texts: Sequence[str]) -> Parameter:
        """Give the same parameter with other texts, each cut to the room there is."""
        size = self.dimensions[0] if self.dimensions else 0
        data = b"".join(text.encode("ascii", "replace")[:size].ljust(size) for text in texts)
        return replace(self, data=data[: len(self.data)].ljust(len(self.data)))


Group = dict[str, Parameter]


def _decoded(raw: bytes) -> str:
    for encoding in ("utf-8", "cp949"):
        try:
            return raw.decode(encoding).strip(" \0")
        except UnicodeDecodeError:
            continue
    return raw.decode("latin-1").strip(" \0")


def read_groups(data: bytes, place: int, order: str) -> tuple[dict[str, Group], int]:
    """Read all groups with their parameters, names in capitals, and where they end.

    Raises `Refused` where the chain breaks.
    """
    cursor = Cursor(data[place : place + max(data[place + 2], 1) * BLOCK], "C3D", order)
    cursor.go(4)
    names: dict[int, str] = {}
    parameters: list[tuple[int, str, Parameter]] = []
    for _ in range(MOST_RECORDS):
        if cursor.left < 2:  # noqa: PLR2004 - a record's first two bytes
            break
        length, number = abs(cursor.number("b")), cursor.number("b")
        if not length or not number:
            break
        name = cursor.take(length).decode("latin-1").upper()
        start = cursor.at
        offset = cursor.number("H")
        if number < 0:
            names[-number] = name
        else:
            parameters.append((number, name, _parameter(cursor)))
        if not offset:
            break
        if start + offset < cursor.at:
            raise _broken()
        cursor.go(start + offset)
    else:
        raise _broken()
    groups: dict[str, Group] = {name: {} for name in names.values()}
    for number, name, parameter in parameters:
        groups.setdefault(names.get(number, ""), {})[name] = parameter
    return groups, place + cursor.at


def _parameter(cursor: Cursor) -> Parameter:
    kind, count = cursor.number("b"), cursor.number("B")
    if kind not in WIDTHS or count > MOST_DIMENSIONS:
        raise _broken()
    dimensions = tuple(cursor.take(count))
    return Parameter(kind, dimensions, cursor.take(math.prod(dimensions) * WIDTHS[kind]))


def _broken() -> Exception:
    return unreadable("c3d-parameters", "C3D 매개변수를 읽을 수 없습니다.", "The C3D parameters cannot be read.")


def numbers(groups: dict[str, Group], group: str, name: str, order: str) -> tuple[int, ...]:
    """Read a parameter of whole numbers (unsigned); none if it is not there."""
    parameter = groups.get(group, {}).get(name)
    if parameter is None or parameter.kind != 2:  # noqa: PLR2004 - the type of whole numbers
        return ()
    return struct.unpack(f"{order}{len(parameter.data) // 2}H", parameter.data)


def written_groups(groups: dict[str, Group], order: str, processor: int) -> bytes:
    """Write a parameter section, without descriptions, to a whole number of blocks."""
    records = []
    for number, (name, parameters) in enumerate(groups.items(), 1):
        records.append((_name(name, -number), b"\0"))
        for key, parameter in parameters.items():
            shape = struct.pack("bB", parameter.kind, len(parameter.dimensions)) + bytes(parameter.dimensions)
            records.append((_name(key, number), shape + parameter.data + b"\0"))
    body = b"".join(name + struct.pack(order + "H", len(rest) + 2) + rest for name, rest in records) + bytes(2)
    blocks = -(-(len(body) + 4) // BLOCK)
    if blocks > 0xFF:  # noqa: PLR2004 - the count is one byte
        raise _broken()
    return (bytes((1, KEY, blocks, processor)) + body).ljust(blocks * BLOCK, b"\0")


KEY = 0x50


def _name(name: str, number: int) -> bytes:
    return struct.pack("bb", len(name), number) + name.encode("ascii")
