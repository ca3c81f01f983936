"""Long CSV and TSV, into columns: by the positions of marks where it is regular, else by the standard reader."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import compute

from enclave.airlock.long_table import LongTable, LongTableBuilder
from enclave.airlock.parsers.decode import UTF16_MARKS, decode
from enclave.airlock.parsers.grid import is_data, too_big
from enclave.airlock.parsers.refused import ParseRefused
from enclave.airlock.rules import CheckRules

Bytes = npt.NDArray[np.uint8]
FIELD_CHARS = 1_000_000
LINE_BYTES = 4_000_000
BLOCK_ROWS = 20_000
PIECE = 4 << 20
NEWLINE, RETURN, QUOTE = 10, 13, 34


def read_long(content: bytes, delimiter: str, rules: CheckRules) -> tuple[LongTable, tuple[str, ...]]:
    """Read UTF-8 bytes. Notes as `grid.table_of`. Raises `ParseRefused`."""
    _check_lines(content)
    bare = content.strip(b"\r\n")
    if bare.count(b"\r") == bare.count(b"\r\n"):
        with suppress(_Other):
            return _by_marks(bare, delimiter, rules)
    return _by_rows(content, delimiter, rules)


def utf8_of(content: bytes) -> bytes:
    """Return the content in UTF-8 without a mark. Raises `ParseRefused` like `decode`."""
    if not content.startswith(UTF16_MARKS) and _is_utf8(content) and content.strip():
        return content.removeprefix(codecs.BOM_UTF8)
    return decode(content).encode()


def broken(line: int) -> ParseRefused:
    """Return the refusal of a CSV whose quotes are wrong, or that has a field without end, in this line."""
    return ParseRefused(
        "parse.csv",
        f"CSV {line}번째 줄을 읽을 수 없습니다. 따옴표와 구분자를 확인하세요.",
        f"Line {line} of the CSV cannot be read. Check quotes and delimiters.",
    )


class _Other(Exception):  # noqa: N818 - a turn to the other reader, not an error
    """The quick reader would not read this as the standard one does."""


def _is_utf8(content: bytes) -> bool:
    # Piece by piece: one character beyond U+FFFF would make a string of four times the size.
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(content), PIECE):
            decoder.decode(content[start : start + PIECE], final=start + PIECE >= len(content))
    except UnicodeDecodeError:
        return False
    return b"\x00" not in content


def _check_lines(content: bytes) -> None:
    ends = np.flatnonzero(np.frombuffer(content, dtype=np.uint8) == ord("\n"))
    longest = int(np.diff(ends, prepend=-1, append=len(content)).max())
    if longest > LINE_BYTES:
        raise ParseRefused(
            "parse.long-line",
            f"한 줄이 {longest:,}바이트입니다({LINE_BYTES:,}까지). 표를 행으로 나누어 저장하세요.",
            f"One line has {longest:,} bytes ({LINE_BYTES:,} allowed). Save the table in rows.",
        )


def _by_marks(content: bytes, delimiter: str, rules: CheckRules) -> tuple[LongTable, tuple[str, ...]]:
    # A cell is what stands between two marks outside quotes, and all rows have equally many. (Arrow's own reader starts
    # a thread even when it is told to use none.)
    data = np.frombuffer(content, dtype=np.uint8)
    marks = np.append(np.concatenate(list(_marks(data, ord(delimiter)))), np.int32(len(content)))
    last = np.append(data[marks[:-1]] == NEWLINE, True)
    width = int(np.argmax(last)) + 1
    if width > rules.max_columns:
        raise too_big(rules)
    rows = int(last.sum())
    if rows * width != len(marks) or not last[width - 1 :: width].all():
        raise _Other
    starts = np.insert(marks[:-1] + 1, 0, 0).reshape(rows, width)
    ends = marks.reshape(rows, width)
    if b"\r" in content:
        ends[:, -1] -= np.append(data, NEWLINE)[ends[:, -1] - 1] == RETURN
    if width == 1 and (starts == ends).any():
        raise _Other  # the standard reader leaves out empty lines
    first = [_cells(data, starts[:1, column], ends[:1, column])[0].as_py() for column in range(width)]
    headed = not is_data(first)
    builder = LongTableBuilder(tuple(first) if headed else ("",) * width)
    for start in range(int(headed), rows, BLOCK_ROWS):
        block = slice(start, start + BLOCK_ROWS)
        builder.add_arrays([_cells(data, starts[block, column], ends[block, column]) for column in range(width)])
    return builder.build(), () if headed else ("no-header",)


def _marks(data: Bytes, delimiter: int) -> Iterator[npt.NDArray[np.int32]]:
    """Yield where delimiters and line ends stand outside quotes. Raises `_Other` for quotes in the midst of a cell."""
    is_open, before = False, NEWLINE
    for start in range(0, len(data), PIECE):
        piece = data[start : start + PIECE]
        quotes, ends = piece == QUOTE, (piece == delimiter) | (piece == NEWLINE)
        if is_open or quotes.any():
            inside = (np.cumsum(quotes, dtype=np.uint8) + np.uint8(is_open)) % 2 == 1
            after = int(data[start + PIECE]) if start + PIECE < len(data) else NEWLINE
            around = np.concatenate(([before], piece, [after]))
            # Quotes open at the beginning of a cell and close at its end; two in a row stand for one.
            borders = (around == delimiter) | (around == NEWLINE) | (around == QUOTE)
            closing = borders[2:] | (around[2:] == RETURN)
            if (quotes & ~np.where(inside, borders[:-2], closing)).any():
                raise _Other
            ends &= ~inside
            is_open = bool(inside[-1])
        before = int(piece[-1])
        yield (np.flatnonzero(ends) + start).astype(np.int32)
    if is_open:
        raise _Other


def _cells(data: Bytes, starts: npt.NDArray[np.int32], ends: npt.NDArray[np.int32]) -> pa.Array:
    quoted = (starts < ends) & (data[np.minimum(starts, len(data) - 1)] == QUOTE)
    starts, lengths = starts + quoted, ends - starts - 2 * quoted
    if lengths.max(initial=0) > FIELD_CHARS:
        raise _Other
    offsets = np.zeros(len(starts) + 1, dtype=np.int32)
    np.cumsum(lengths, out=offsets[1:])
    where = np.repeat(starts - offsets[:-1], lengths) + np.arange(offsets[-1], dtype=np.int32)
    inside = np.ascontiguousarray(data[where])
    cells = pa.Array.from_buffers(pa.string(), len(starts), [None, pa.py_buffer(offsets), pa.py_buffer(inside)])
    return compute.replace_substring(cells, '""', '"') if (inside == QUOTE).any() else cells


def _by_rows(content: bytes, delimiter: str, rules: CheckRules) -> tuple[LongTable, tuple[str, ...]]:
    widths = {len(next(_blocks(content, delimiter))[0])}
    with suppress(_Other):
        return _build(content, delimiter, widths, rules)
    for rows in _blocks(content, delimiter):  # ragged: the longest row decides, wherever it is
        widths |= set(map(len, rows))
    return _build(content, delimiter, widths, rules)


def _build(content: bytes, delimiter: str, widths: set[int], rules: CheckRules) -> tuple[LongTable, tuple[str, ...]]:
    width = max(widths)
    if width > rules.max_columns:
        raise too_big(rules)
    blocks = (_filled(rows, widths) for rows in _blocks(content, delimiter))
    first = next(blocks)
    headed = not is_data(first[0])
    builder = LongTableBuilder(tuple(first[0]) if headed else ("",) * width)
    for rows in chain([first[1:] if headed else first], blocks):
        builder.add(rows)
    notes = [note for note, holds in (("ragged", len(widths) > 1), ("no-header", not headed)) if holds]
    return builder.build(), tuple(notes)


def _filled(rows: list[list[str]], widths: set[int]) -> list[list[str]]:
    if not widths.issuperset(map(len, rows)):
        raise _Other
    width = max(widths)
    return rows if len(widths) == 1 else [[*row, *[""] * (width - len(row))] for row in rows]


def _blocks(content: bytes, delimiter: str) -> Iterator[list[list[str]]]:
    csv.field_size_limit(FIELD_CHARS)
    lines = csv.reader(io.TextIOWrapper(io.BytesIO(content), "utf-8", newline=""), delimiter=delimiter, strict=True)
    block: list[list[str]] = []
    try:
        for row in lines:
            if row:
                block.append(row)
            if len(block) == BLOCK_ROWS:
                yield block
                block = []
    except csv.Error:
        raise broken(lines.line_num) from None
    if block:
        yield block
