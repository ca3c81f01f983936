"""Universal Binary JSON (draft 12), as XGBoost writes it: read strictly, bounded, to plain values.

https://ubjson.org: big-endian numbers, `$` type and `#` count for optimised containers. No library that is kept up
reads it without an extension module of its own.
"""

from __future__ import annotations

import struct
from typing import Any

NUMBERS = {"i": "b", "U": "B", "I": "h", "l": "i", "L": "q", "d": "f", "D": "d"}
SIZES = {"i": 1, "U": 1, "I": 2, "l": 4, "L": 8, "d": 4, "D": 8}
WHOLE = set("iUIlL")
CONSTANTS: dict[str, Any] = {"Z": None, "T": True, "F": False}
MAX_DEPTH = 40


class Numbers(tuple[int, ...]):
    """A packed array of numbers: only how many there are is kept."""

    __slots__ = ()


class UbjsonReader:
    """Reads one value out of bytes. Raises `ValueError` for anything malformed."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def whole(self) -> Any:
        """Return the one value; nothing may follow it."""
        found = self._value(self._marker(), 0)
        if self._at != len(self._data):
            raise ValueError("something stands behind the value")
        return found

    def _take(self, size: int) -> bytes:
        if size < 0 or self._at + size > len(self._data):
            raise ValueError("it ends too early")
        self._at += size
        return self._data[self._at - size : self._at]

    def _marker(self) -> str:
        while (marker := self._take(1)) == b"N":
            pass
        return marker.decode("latin-1")

    def _number(self, marker: str) -> Any:
        return struct.unpack(f">{NUMBERS[marker]}", self._take(SIZES[marker]))[0]

    def _length(self) -> int:
        marker = self._marker()
        if marker not in WHOLE:
            raise ValueError("a length that is no number")
        length = int(self._number(marker))
        if length < 0:
            raise ValueError("a negative length")
        return length

    def _text(self) -> str:
        return self._take(self._length()).decode()

    def _value(self, marker: str, depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise ValueError("nested too deeply")
        if marker in NUMBERS:
            return self._number(marker)
        if marker in CONSTANTS:
            return CONSTANTS[marker]
        if marker in {"S", "H"}:
            return self._text()
        if marker == "C":
            return self._take(1).decode("ascii")
        if marker == "[":
            return self._array(depth)
        if marker == "{":
            return self._object(depth)
        raise ValueError(f"an unknown mark {marker!a}")

    def _head(self) -> tuple[str, int | None]:
        """Return the type and the count of an optimised container, or ("", None)."""
        kind = ""
        if self._peek() == b"$":
            self._take(1)
            kind = self._take(1).decode("latin-1")
            if self._peek() != b"#":
                raise ValueError("a type without a count")
        if self._peek() != b"#":
            return "", None
        self._take(1)
        return kind, self._length()

    def _peek(self) -> bytes:
        return self._data[self._at : self._at + 1]

    def _array(self, depth: int) -> Any:
        kind, count = self._head()
        if kind in NUMBERS and count is not None:
            self._take(SIZES[kind] * count)
            return Numbers((count,))
        found: list[Any] = []
        while count is None or len(found) < count:
            marker = kind or self._marker()
            if count is None and marker == "]":
                break
            found.append(self._value(marker, depth + 1))
        return found

    def _object(self, depth: int) -> dict[str, Any]:
        kind, count = self._head()
        found: dict[str, Any] = {}
        while count is None or len(found) < count:
            if count is None and self._peek() == b"}":
                self._take(1)
                break
            name = self._text()
            if name in found:
                raise ValueError("a name stands twice")
            found[name] = self._value(kind or self._marker(), depth + 1)
        return found
