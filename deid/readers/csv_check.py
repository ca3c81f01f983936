"""Is this a well-formed CSV (RFC 4180)? Asked of raw bytes, chunk by chunk, before anything parses them.

Parsers are forgiving in ways that lose data: a short row is padded with blanks, an open quote swallows the rest of the
file. Here every record must have the header's number of fields, quotes must open and close at field borders, no line
may exceed a limit. A one-gigabyte line is refused as soon as the limit is passed. A byte order mark at the head of a
later line is refused: two files were joined, and the mark would become part of a patient's number. A lone carriage
return inside a field is part of its value, as writers mean it. Memory: a few times the chunk.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NEWLINE, QUOTE, RETURN = b'\n"\r'
MARK = b"\n\xef\xbb\xbf"
# Numpy makes several arrays of this size a chunk: larger ones go back to the system each time, at thrice the cost.
CHUNK = 1 << 18
Flags = NDArray[np.bool_]


def _one_of(*codes: int) -> Flags:
    table = np.zeros(256, np.bool_)
    table[list(codes)] = True
    return table


@dataclass(frozen=True)
class Broken:
    """What is wrong (`code`: line, fields, quote, nul, mark), at which line (from 1) and byte offset (from 0)."""

    code: str
    line: int
    offset: int


class Checker:
    """Feed UTF-8 chunks in order with `feed`, then `end`; both return `Broken` or None.

    `fields` is how many fields each record must have, `line_bytes` the longest allowed line, `separator` the character
    (ASCII) between fields. Chunks must not be longer than `line_bytes`: then only a line that spans chunks can be too
    long.
    """

    def __init__(self, fields: int, line_bytes: int, separator: str = ",") -> None:
        self.fields = fields
        self.line_bytes = line_bytes
        self.separator = ord(separator)
        self.records = 0
        self._before_quote = _one_of(self.separator, NEWLINE, QUOTE)
        self._after_quote = _one_of(self.separator, NEWLINE, RETURN, QUOTE)
        self._head = b""  # the last bytes of the chunk before, for marks that lie across
        self._offset = 0  # bytes consumed so far
        self._line = 1  # line on which the next byte stands
        self._since_newline = 0  # bytes since the last newline, quoted or not
        self._commas = 0  # separators seen in the record that is open
        self._record_bytes = 0  # bytes of the record that is open, to tell a blank end from a last line
        self._record_line = 1  # line on which the open record began
        self._quoted = False
        self._last = NEWLINE

    @property
    def line(self) -> int:
        """The line (from 1) on which the next byte stands."""
        return self._line

    def feed(self, chunk: bytes) -> Broken | None:
        """Check the next chunk."""
        if not chunk:
            return None
        data = np.frombuffer(chunk, np.uint8)
        newline = data == NEWLINE
        broken = self._too_long(chunk) or self._nul(chunk) or self._mark(chunk) or self._structure(chunk, data, newline)
        self._line += int(np.count_nonzero(newline))
        self._offset += len(chunk)
        self._last = chunk[-1]
        return broken

    def end(self) -> Broken | None:
        """Check what remains open at the end of the file; a last line without newline is allowed."""
        if self._quoted:
            return Broken("quote", self._record_line, self._offset - self._record_bytes)
        if self._record_bytes and self._commas + 1 != self.fields:
            return Broken("fields", self._line, self._offset)
        self.records += bool(self._record_bytes)
        return None

    def _too_long(self, chunk: bytes) -> Broken | None:
        first, last = chunk.find(b"\n"), chunk.rfind(b"\n")
        head = self._since_newline + (first if first >= 0 else len(chunk))
        if head > self.line_bytes:
            return Broken("line", self._line, self._offset - self._since_newline)
        self._since_newline = head if first < 0 else len(chunk) - last - 1
        return None

    def _nul(self, chunk: bytes) -> Broken | None:
        at = chunk.find(b"\0")
        return Broken("nul", self._line + chunk.count(b"\n", 0, at), self._offset + at) if at >= 0 else None

    def _mark(self, chunk: bytes) -> Broken | None:
        data = self._head + chunk
        self._head = data[1 - len(MARK) :]
        at = data.find(MARK)
        if at < 0:
            return None
        before = len(data) - len(chunk)
        line = self._line - data.count(b"\n", 0, before) + data.count(b"\n", 0, at + 1)
        return Broken("mark", line, self._offset - before + at + 1)

    def _structure(self, chunk: bytes, data: NDArray[np.uint8], newline: Flags) -> Broken | None:
        commas, ends = data == self.separator, newline
        if self._quoted or b'"' in chunk or self._last == QUOTE:
            quotes = np.flatnonzero(data == QUOTE)
            inside = self._inside(quotes, data.size)
            bad = self._misplaced_quote(data, quotes, inside)
            if bad is not None:
                return Broken("quote", self._line + chunk.count(b"\n", 0, bad), self._offset + bad)
            commas, ends = commas & ~inside, newline & ~inside
            self._quoted = bool(inside[-1])
        return self._count(chunk, commas, np.flatnonzero(ends), newline)

    def _inside(self, quotes: NDArray[np.intp], size: int) -> Flags:
        """Whether each byte stands inside quotes; an escaped pair leaves and enters again, which comes to the same."""
        stretches = np.diff(quotes, prepend=0, append=size)
        parity = np.full(stretches.size, self._quoted)
        parity[1::2] ^= True
        return np.repeat(parity, stretches)

    def _misplaced_quote(self, data: NDArray[np.uint8], quotes: NDArray[np.intp], inside: Flags) -> int | None:
        """Find a quote that opens inside a field or is followed by more text after closing."""
        opens = inside[quotes]
        opening = quotes[opens]
        before = np.where(opening > 0, data[opening - 1], self._last)
        bad = [opening[~self._before_quote[before]]]
        # A closing quote is judged by its follower, which may be the first byte of the next chunk.
        after = quotes[~opens] + 1
        after = after[after < data.size]
        bad.append(after[~self._after_quote[data[after]]])
        if self._last == QUOTE and not self._quoted and not self._after_quote[data[0]]:
            return 0
        found = np.concatenate(bad)
        return int(found.min()) if found.size else None

    def _count(self, chunk: bytes, commas: Flags, ends: NDArray[np.intp], newline: Flags) -> Broken | None:
        head = self._record_bytes + (int(ends[0]) if ends.size else len(chunk))
        if head > self.line_bytes:
            # A record over the limit that is made of many lines is a quote that nobody closed.
            return Broken("quote", self._record_line, self._offset - self._record_bytes)
        if not ends.size:
            self._commas += int(np.count_nonzero(commas))
            self._record_bytes = head
            return None
        # Separators between one end of a record and the next, summed in one pass: quicker than finding each.
        sizes = np.add.reduceat(commas.view(np.uint8), np.append(0, ends[:-1] + 1), dtype=np.uint32)
        last = int(ends[-1])
        left = int(np.count_nonzero(commas[last:]))
        sizes[-1] -= left
        sizes[0] += self._commas
        wrong = np.flatnonzero(sizes != self.fields - 1)
        if wrong.size:
            at = int(ends[wrong[0]])
            return Broken("fields", self._line + chunk.count(b"\n", 0, at), self._offset + at)
        self.records += ends.size
        self._commas = left
        self._record_bytes = len(chunk) - last - 1
        self._record_line = self._line + int(np.count_nonzero(newline[: last + 1]))
        return None
