"""Opening a hospital's CSV file: everything that can be wrong with it is found before a value is used.

One pass over the bytes checks encoding and structure, hashes the file for the lineage and, for CP949, writes a UTF-8
copy into an unlinked temporary file (it has no name and is gone when the process ends, however it ends). Later passes
scan through the descriptor that was checked, never through the name again.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NoReturn

import polars as pl

from deid.csv_check import CHUNK, Broken, Checker
from deid.errors import SourceError
from deid.recipe import Limits, TableRule

BOM = codecs.BOM_UTF8
LEAD_OF_TWO, LEAD_OF_THREE, LEAD_OF_FOUR = 0xC0, 0xE0, 0xF0
Advance = Callable[[int], None]

MESSAGES = {
    "line": ("한 줄이 제한보다 깁니다.", "a line is longer than the limit."),
    "fields": ("칸 수가 머리글과 다릅니다.", "the number of fields differs from the header."),
    "quote": ("따옴표가 닫히지 않았거나 칸 가운데에 있습니다.", "a quote is not closed, or stands inside a field."),
    "nul": ("NUL 바이트가 있습니다.", "there is a NUL byte."),
}
MEND_ROW = (
    "원본에서 이 줄을 고쳐 다시 내보내세요(구분자가 든 칸은 따옴표로 감쌉니다).",
    "Mend this line at its origin and write the file again (fields with separators need quotes).",
)


@dataclass(frozen=True)
class Source:
    """A checked table: its rule, header, number of rows, and where Polars finds UTF-8 text."""

    rule: TableRule
    header: tuple[str, ...]
    rows: int
    size: int
    sha256: str
    original: IO[bytes]
    text: IO[bytes]
    stamp: tuple[int, int]
    loaded: pl.DataFrame | None

    def scan(self) -> pl.LazyFrame:
        """Give the used columns as text, lazily; empty fields and the recipe's `nulls` are null."""
        return self.loaded.lazy() if self.loaded is not None else _scan(self.rule, self.header, self.text)

    def check_unchanged(self) -> None:
        """Raise `SourceError` if the file was written to since it was checked."""
        if _stamp(self.original) != self.stamp:
            _refuse(
                self.rule, "changed", ("읽는 동안 파일이 바뀌었습니다.", "the file changed while it was read."),
                ("파일을 쓰는 작업이 끝난 뒤 다시 실행하세요.", "Run again when nothing writes to the file."),
            )  # fmt: skip


@dataclass(frozen=True)
class Reading:
    """How to read: folder for the unnamed UTF-8 copy of a CP949 file, parse once and keep, whom to tell bytes read."""

    spool: Path
    in_memory: bool
    advance: Advance


@contextmanager
def open_source(rule: TableRule, folder: Path, limits: Limits, how: Reading) -> Iterator[Source]:
    """Check `folder/rule.file` and give a `Source`.

    Raises `SourceError`, or `RecipeError` when the recipe names a column that the file lacks.
    """
    with ExitStack() as stack:
        original = stack.enter_context(_open(rule, folder))
        stamp = _stamp(original)
        header = _read_header(rule, original, limits)
        text = original
        if rule.encoding == "cp949":
            text = stack.enter_context(tempfile.TemporaryFile(dir=how.spool))
        # Parsing runs beside the check on another core; what it gives is looked at only when the check has passed.
        pool = stack.enter_context(ThreadPoolExecutor(1))
        early = pool.submit(_parse, rule, header, text) if how.in_memory and text is original else None
        digest, rows = _check(rule, original, text, Checker(len(header), limits.line_bytes), how.advance)
        _check_rows(rule, rows, limits)
        text.flush()
        late = _parse(rule, header, text) if how.in_memory and early is None else None
        loaded = early.result() if early else late
        source = Source(rule, header, rows, stamp[0], digest, original, text, stamp, loaded)
        source.check_unchanged()
        yield source


def _scan(rule: TableRule, header: tuple[str, ...], text: IO[bytes]) -> pl.LazyFrame:
    schema = dict.fromkeys(header, pl.String)
    path = f"/proc/self/fd/{text.fileno()}"
    return pl.scan_csv(path, schema=schema, null_values=["", *rule.nulls], glob=False).select(rule.used)


def _parse(rule: TableRule, header: tuple[str, ...], text: IO[bytes]) -> pl.DataFrame:
    return _scan(rule, header, text).collect(engine="streaming")


def _open(rule: TableRule, folder: Path) -> IO[bytes]:
    fix = (
        "--source 폴더와 가명처리 계획의 file을 확인하세요.",
        "Check the --source folder and the recipe's file name.",
    )
    try:
        descriptor = os.open(folder / rule.file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        en = f"cannot be opened ({error.strerror})."
        _refuse(rule, "missing", ("열 수 없습니다(없거나 바로가기이거나 권한이 없음).", en), fix)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        _refuse(rule, "kind", ("일반 파일이 아닙니다.", "not a regular file."), fix)
    file = os.fdopen(descriptor, "rb")
    if os.fstat(descriptor).st_size == 0:
        file.close()
        _refuse_empty(rule)
    return file


def _read_header(rule: TableRule, file: IO[bytes], limits: Limits) -> tuple[str, ...]:
    """Parse the first line and compare it with the recipe; the file is left at its beginning."""
    line = file.readline(limits.line_bytes + 1)
    file.seek(0)
    if len(line) > limits.line_bytes:
        _refuse_broken(rule, Broken("line", 1, 0), limits.line_bytes)
    if line.startswith(BOM) and rule.encoding != "utf-8-sig":
        fix = ("encoding: utf-8-sig 로 적으세요.", "Write encoding: utf-8-sig.")
        _refuse(rule, "encoding", ("BOM으로 시작합니다.", "starts with a byte order mark."), fix, place=(1, 0))
    try:
        text = line.decode(rule.encoding)
    except UnicodeDecodeError as error:
        _refuse_encoding(rule, line, error.start, line=1)
    header = tuple(next(csv.reader(io.StringIO(text.rstrip("\r\n"))), []))
    _check_header(rule, header)
    return header


def _check_header(rule: TableRule, header: tuple[str, ...]) -> None:
    if len(set(header)) != len(header) or "" in header:
        fix = ("머리글을 고치세요.", "Mend the header.")
        both = ("머리글에 빈 이름이나 겹치는 이름이 있습니다.", "the header has empty or repeated names.")
        _refuse(rule, "header", both, fix, place=(1, 0))
    for column in rule.columns:
        if column.source not in header:
            words = ", ".join(header)
            column.node.fail(
                "unknown-column",
                f"표 {rule.name}의 파일 {rule.file}에 열 '{column.source}'이(가) 없습니다.",
                f"column '{column.source}' is not in {rule.file} of table {rule.name}.",
                remedy=(f"파일에 있는 열: {words}.", f"The file has: {words}."),
            )
    unnamed = [name for name in header if name not in {column.source for column in rule.columns}]
    if unnamed:
        words = ", ".join(unnamed)
        _refuse(
            rule,
            "untreated-column",
            (f"처리 방법이 정해지지 않은 열: {words}.", f"columns without a treatment: {words}."),
            ("가명처리 계획에 이 열들의 treatment를 적으세요.", "Give these columns a treatment in the recipe."),
            place=(1, 0),
        )


def _check(rule: TableRule, file: IO[bytes], text: IO[bytes], checker: Checker, advance: Advance) -> tuple[str, int]:
    """Hash, decode and check the whole file; return its SHA-256 and the number of rows below the header."""
    digest = hashlib.sha256()
    decoder = _Cp949(rule) if rule.encoding == "cp949" else _Utf8(rule)
    # Half a limit, because CP949 grows by half when it becomes UTF-8 and no chunk may exceed the limit.
    size = max(1, min(CHUNK, checker.line_bytes // 2))
    while chunk := file.read(size):
        digest.update(chunk)
        utf8 = decoder.feed(chunk, checker.line)
        if text is not file:
            text.write(utf8)
        broken = checker.feed(utf8)
        if broken:
            _refuse_broken(rule, broken, checker.line_bytes)
        advance(len(chunk))
    decoder.end(checker.line)
    broken = checker.end()
    if broken:
        _refuse_broken(rule, broken, checker.line_bytes)
    return digest.hexdigest(), checker.records - 1


class _Utf8:
    """Passes UTF-8 through; refuses the first byte that does not belong, with its offset and line."""

    def __init__(self, rule: TableRule) -> None:
        self.rule = rule
        self.offset = 0  # of the first byte not yet judged
        self.pending = b""

    def feed(self, chunk: bytes, line: int) -> bytes:
        """Judge one chunk, which begins on `line`; bytes of an unfinished character wait for the next."""
        data = self.pending + chunk if self.pending else chunk
        cut = len(data) - _unfinished(data)
        self._judge(data[:cut], line)
        self.offset += cut
        self.pending = data[cut:]
        return chunk

    def end(self, line: int) -> None:
        """Refuse an unfinished character at the end."""
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
                _refuse_encoding(self.rule, data, error.start, line=line, base=self.offset)


class _Cp949:
    """CP949 to UTF-8; refuses the first byte that does not belong, and UTF-8 that was declared as CP949."""

    def __init__(self, rule: TableRule) -> None:
        self.rule = rule
        self.decoder = codecs.getincrementaldecoder("cp949")()
        # A CP949 file that is also valid UTF-8 with letters beyond ASCII is UTF-8 mislabelled.
        self.also_utf8: codecs.IncrementalDecoder | None = codecs.getincrementaldecoder("utf-8")()
        self.beyond_ascii = False
        self.offset = 0
        self.pending = b""

    def feed(self, chunk: bytes, line: int) -> bytes:
        """Decode one chunk, which begins on `line`; half a character waits for the next."""
        self.beyond_ascii |= not chunk.isascii()
        try:
            text = self.decoder.decode(chunk)
        except UnicodeDecodeError as error:
            # The incremental decoder counts from its own pending byte, as `data` does.
            data = self.pending + chunk
            line += data.count(b"\n", 0, error.start)
            _refuse_encoding(self.rule, data, error.start, line=line, base=self.offset - len(self.pending))
        self._try_utf8(chunk)
        self.pending = self.decoder.getstate()[0]
        self.offset += len(chunk)
        return text.encode("utf-8")

    def end(self, line: int) -> None:
        """Refuse half a character at the end, and a file that is UTF-8."""
        if self.pending:
            start = self.offset - len(self.pending)
            _refuse_encoding(self.rule, self.pending, 0, line=line, base=start)
        if self.beyond_ascii and self.also_utf8 is not None:
            fix = ("encoding: utf-8 로 적으세요.", "Write encoding: utf-8.")
            _refuse(self.rule, "encoding", ("CP949가 아니라 UTF-8입니다.", "this is UTF-8, not CP949."), fix)

    def _try_utf8(self, chunk: bytes) -> None:
        if self.also_utf8 is not None:
            try:
                self.also_utf8.decode(chunk)
            except UnicodeDecodeError:
                self.also_utf8 = None


def _unfinished(data: bytes) -> int:
    """Count the bytes at the end that begin a UTF-8 character and lack its rest (RFC 3629)."""
    for back in range(1, min(3, len(data)) + 1):
        byte = data[-back]
        if byte >= LEAD_OF_TWO:
            length = 2 + (byte >= LEAD_OF_THREE) + (byte >= LEAD_OF_FOUR)
            return back if back < length else 0
    return 0


def _check_rows(rule: TableRule, rows: int, limits: Limits) -> None:
    if rows <= 0:
        _refuse_empty(rule)
    if rows > limits.rows:
        both = (
            f"행이 {rows:,}개로 제한 {limits.rows:,}을 넘습니다.",
            f"{rows:,} rows exceed the limit {limits.rows:,}.",
        )
        _refuse(rule, "rows", both, ("limits.rows를 올리거나 파일을 나누세요.", "Raise limits.rows or split the file."))


def _refuse_empty(rule: TableRule) -> NoReturn:
    fix = ("자료를 내보내는 쪽에서 파일이 다 쓰였는지 확인하세요.", "Check that the file was fully written.")
    _refuse(rule, "empty", ("비어 있습니다(자료 행이 없음).", "is empty (no data rows)."), fix)


def _refuse_broken(rule: TableRule, broken: Broken, line_bytes: int) -> NoReturn:
    ko, en = MESSAGES[broken.code]
    fix = MEND_ROW
    if broken.code == "line":
        ko, en = f"{ko[:-1]}({line_bytes:,}바이트).", f"{en[:-1]} ({line_bytes:,} bytes)."
        fix = ("줄바꿈을 확인하거나 limits.line_bytes를 올리세요.", "Check the line ends or raise limits.line_bytes.")
    _refuse(rule, f"broken-{broken.code}", (ko, en), fix, place=(broken.line, broken.offset))


def _refuse_encoding(rule: TableRule, data: bytes, start: int, *, line: int, base: int = 0) -> NoReturn:
    other = "cp949" if rule.encoding != "cp949" else "utf-8"
    fix = (f"파일이 {other}라면 encoding: {other} 로 적으세요.", f"If the file is {other}, write encoding: {other}.")
    at = base + start
    byte = f"0x{data[start]:02x}" if start < len(data) else "?"
    _refuse(
        rule,
        "encoding",
        (f"바이트 {at:,}({byte})이(가) {rule.encoding}이 아닙니다.", f"byte {at:,} ({byte}) is not {rule.encoding}."),
        fix,
        place=(line, at),
    )


def _refuse(
    rule: TableRule, code: str, message: tuple[str, str], fix: tuple[str, str], *, place: tuple[int, int] = (0, -1)
) -> NoReturn:
    raise SourceError((rule.file, *place), code, message, remedy=fix)


def _stamp(file: IO[bytes]) -> tuple[int, int]:
    status = os.fstat(file.fileno())
    return status.st_size, status.st_mtime_ns
