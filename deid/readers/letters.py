"""Bytes of a CSV file to UTF-8, judged chunk by chunk: the first byte that does not belong is named by its line.

CP949 here is Microsoft's Unified Hangul Code (all 11,172 syllables), as Korean Windows writes it; EUC-KR (KS X 1001)
is a subset of it.
"""

from __future__ import annotations

import codecs
import re
from typing import NoReturn, Protocol

import polars as pl

from deid.readers.refuse import refuse

LEAD_OF_TWO, LEAD_OF_THREE, LEAD_OF_FOUR = 0xC0, 0xE0, 0xF0
# A run of bytes beyond ASCII that is nothing but Hangul in UTF-8. As CP949 it would be a Chinese character, then a rare
# syllable, again and again: no text is written so, and this is how a file joined from two sources looks.
HANGUL_IN_UTF8 = re.compile(rb"(?<![\x80-\xff])(?:[\xea-\xed][\x80-\xbf]{2}){2,}(?![\x80-\xff])")
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class Decoder(Protocol):
    """Turns chunks into UTF-8 or raises `SourceError`."""

    def feed(self, chunk: bytes, line: int) -> bytes:
        """Judge one chunk, which begins on `line`, and give its UTF-8; half a character waits for the next chunk."""

    def end(self, line: int) -> None:
        """Judge what was left waiting at the end of the file."""


def decoder(place: str, encoding: str) -> Decoder:
    """Choose the decoder of a recipe's `encoding`."""
    return Cp949(place) if encoding == "cp949" else Utf8(place, encoding)


class Utf8:
    """Passes UTF-8 through; refuses the first byte that does not belong, with its offset and line."""

    def __init__(self, place: str, encoding: str = "utf-8") -> None:
        self.place = place
        self.encoding = encoding
        self.offset = 0  # of the first byte not yet judged
        self.pending = b""

    def feed(self, chunk: bytes, line: int) -> bytes:
        """See `Decoder.feed`; the chunk is given back as it is."""
        data = self.pending + chunk if self.pending else chunk
        cut = len(data) - _unfinished(data)
        self._judge(data[:cut], line)
        self.offset += cut
        self.pending = data[cut:]
        return chunk

    def end(self, line: int) -> None:
        """See `Decoder.end`."""
        self._judge(self.pending, line)

    def _judge(self, data: bytes, line: int) -> None:
        try:
            # Ten times as fast as decoding; only the answer yes is used.
            pl.Series([data], dtype=pl.Binary).cast(pl.String)
        except pl.exceptions.PolarsError:
            try:
                data.decode("utf-8")
            except UnicodeDecodeError as error:
                line += data.count(b"\n", 0, error.start)
                refuse_byte(self.place, self.encoding, data, error.start, at=(line, self.offset))


class Cp949:
    """CP949 to UTF-8; refuses the first byte that does not belong, and UTF-8 that was declared as CP949."""

    def __init__(self, place: str) -> None:
        self.place = place
        self.decoder = codecs.getincrementaldecoder("cp949")()
        # A CP949 file that is also valid UTF-8 with letters beyond ASCII is UTF-8 mislabelled.
        self.also_utf8: codecs.IncrementalDecoder | None = codecs.getincrementaldecoder("utf-8")()
        self.beyond_ascii = False
        self.hangul_in_utf8: tuple[int, int] | None = None  # line and offset of the first such run
        self.offset = 0
        self.pending = b""

    def feed(self, chunk: bytes, line: int) -> bytes:
        """See `Decoder.feed`."""
        self.beyond_ascii |= not chunk.isascii()
        # The incremental decoder counts from its own pending byte, as `data` does.
        data = self.pending + chunk
        try:
            text = self.decoder.decode(chunk)
        except UnicodeDecodeError as error:
            line += data.count(b"\n", 0, error.start)
            at = (line, self.offset - len(self.pending))
            refuse_byte(self.place, "cp949", data, error.start, at=at)
        self._try_utf8(chunk)
        self._refuse_mixture(data, line)
        self.pending = self.decoder.getstate()[0]
        self.offset += len(chunk)
        return text.encode("utf-8")

    def end(self, line: int) -> None:
        """Refuse half a character at the end, and a file that is UTF-8."""
        if self.pending:
            start = self.offset - len(self.pending)
            refuse_byte(self.place, "cp949", self.pending, 0, at=(line, start))
        if self.beyond_ascii and self.also_utf8 is not None:
            fix = ("encoding: utf-8 로 적으세요.", "Write encoding: utf-8.")
            refuse(self.place, "encoding", ("CP949가 아니라 UTF-8입니다.", "this is UTF-8, not CP949."), fix)

    def _try_utf8(self, chunk: bytes) -> None:
        if self.also_utf8 is not None:
            try:
                self.also_utf8.decode(chunk)
            except UnicodeDecodeError:
                self.also_utf8 = None

    def _refuse_mixture(self, data: bytes, line: int) -> None:
        found = HANGUL_IN_UTF8.search(data) if self.hangul_in_utf8 is None else None
        if found:
            start = found.start()
            self.hangul_in_utf8 = (line + data.count(b"\n", 0, start), self.offset - len(self.pending) + start)
        if self.hangul_in_utf8 and self.also_utf8 is None:
            refuse(
                self.place, "mixed-encoding",
                ("CP949 파일에 UTF-8 글자가 섞여 있습니다.", "UTF-8 letters stand inside this CP949 file."),
                ("이어 붙인 파일이라면 나누어 각각 변환하세요.", "Split what was joined; convert each part."),
                at=self.hangul_in_utf8,
            )  # fmt: skip


def refuse_byte(place: str, encoding: str, data: bytes, start: int, *, at: tuple[int, int]) -> NoReturn:
    """Raise `SourceError` for the byte `data[start]`; `at` is its line and the offset of `data` in the file."""
    line, base = at
    offset = base + start
    byte = f"0x{data[start]:02x}" if start < len(data) else "?"
    both = (
        f"바이트 {offset:,}({byte})이(가) {encoding}이 아닙니다.",
        f"byte {offset:,} ({byte}) is not {encoding}.",
    )
    other = "cp949" if encoding != "cp949" else "utf-8"
    fix = (f"파일이 {other}라면 encoding: {other} 로 적으세요.", f"If the file is {other}, write encoding: {other}.")
    if offset == 0 and data.startswith(UTF_16):
        fix = ("UTF-16입니다. UTF-8로 저장해 다시 내보내세요.", "This is UTF-16: save it as UTF-8 and export again.")
    refuse(place, "encoding", both, fix, at=(line, offset))


def _unfinished(data: bytes) -> int:
    """Count the bytes at the end that begin a UTF-8 character and lack its rest (RFC 3629)."""
    for back in range(1, min(3, len(data)) + 1):
        byte = data[-back]
        if byte >= LEAD_OF_TWO:
            length = 2 + (byte >= LEAD_OF_THREE) + (byte >= LEAD_OF_FOUR)
            return back if back < length else 0
    return 0
