"""Reading of binary files whose lengths may lie: every step is checked against what is really there."""

from __future__ import annotations

import struct

from deid.folder.format import Refused


def unreadable(code: str, ko: str, en: str) -> Refused:
    """Make the refusal of a file that is not what its format says; `code` is told as `signal.CODE`."""
    return Refused(f"signal.{code}", ko, en, policy=False)


def truncated(what: str) -> Refused:
    """Make the refusal of a file that ends before its own lengths say; `what` names the format."""
    return unreadable(
        "truncated", f"{what} 파일이 제 길이보다 짧습니다.", f"The {what} file ends before its lengths say."
    )


class Cursor:
    """A position in bytes; every read that would leave them raises `Refused` (`signal.truncated`)."""

    def __init__(self, data: bytes | memoryview, what: str, order: str = "<") -> None:
        self.data, self.what, self.order, self.at = memoryview(data), what, order, 0

    @property
    def left(self) -> int:
        """How many bytes are ahead."""
        return len(self.data) - self.at

    def take(self, count: int) -> bytes:
        """Read `count` bytes."""
        if count < 0 or count > self.left:
            raise truncated(self.what)
        self.at += count
        return bytes(self.data[self.at - count : self.at])

    def number(self, code: str) -> int:
        """Read one whole number: a `struct` code (`B`, `H`, `i` …) in this cursor's byte order."""
        layout = struct.Struct(self.order + code)
        return int(layout.unpack(self.take(layout.size))[0])

    def go(self, place: int) -> None:
        """Go to a place counted from the start."""
        if not 0 <= place <= len(self.data):
            raise truncated(self.what)
        self.at = place
