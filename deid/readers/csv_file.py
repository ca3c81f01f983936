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
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NoReturn

import polars as pl

from deid.held import Held
from deid.readers.csv_check import CHUNK, Broken, Checker
from deid.readers.letters import decoder, refuse_byte
from deid.readers.refuse import MEND_ROW, check_header, check_rows, refuse
from deid.readers.regular import Stamp, by_descriptor, check_stamp, open_regular, stamp
from deid.readers.source import Advance, Reading, Source
from deid.recipe import Limits, TableRule

BOM = codecs.BOM_UTF8
STRETCH_BYTES = 16 << 20
MESSAGES = {
    "line": ("한 줄이 제한보다 깁니다.", "a line is longer than the limit."),
    "fields": ("칸 수가 머리글과 다릅니다.", "the number of fields differs from the header."),
    "quote": ("따옴표가 닫히지 않았거나 칸 가운데에 있습니다.", "a quote is not closed, or stands inside a field."),
    "nul": ("NUL 바이트가 있습니다.", "there is a NUL byte."),
    "return": ("줄이 LF가 아니라 CR(0x0D)로 끝납니다.", "lines end with CR (0x0D) and not with LF."),
    "mark": (
        "줄 머리에 BOM이 있습니다(파일을 이어 붙인 흔적).",
        "a line begins with a byte order mark (files were joined).",
    ),
}
MEND = {
    "return": (
        "줄 끝을 LF나 CRLF로 맞추어 다시 내보내세요.",
        "Export again with LF or CRLF at the ends of lines.",
    ),
    "mark": (
        "이어 붙인 파일을 나누고 각각의 머리글과 BOM을 확인하세요.",
        "Split the joined files; each has its own header and mark.",
    ),
}


@dataclass(frozen=True)
class CsvContent:
    """A checked CSV file: the file itself, and where Polars finds UTF-8 text."""

    rule: TableRule
    header: tuple[str, ...]
    original: IO[bytes]
    text: IO[bytes]
    stamp: Stamp

    def scan(self) -> pl.LazyFrame:
        """See `Content.scan`."""
        return self._scan(by_descriptor(self.text), head=True)

    def stretches(self, rows: int) -> Iterator[pl.LazyFrame]:  # noqa: ARG002 - so many bytes, however long rows are
        """See `Content.stretches`: Polars' reader runs ahead of whoever takes its rows."""
        with Path(by_descriptor(self.text)).open("rb") as text:
            text.readline()
            for records in whole_records(text, STRETCH_BYTES):
                yield self._scan(io.BytesIO(records), head=False)

    def _scan(self, text: str | IO[bytes], *, head: bool) -> pl.LazyFrame:
        schema = dict.fromkeys(self.header, pl.String)
        nulls = ["", *self.rule.nulls]
        separator = self.rule.origin.separator
        frame = pl.scan_csv(text, has_header=head, schema=schema, null_values=nulls, glob=False, separator=separator)
        return frame.select(self.rule.used)

    def line_of(self, record: int) -> int:
        """See `Content.line_of`; quoted fields may hold newlines, so records are counted one by one."""
        position = self.text.tell()
        self.text.seek(0)
        begun, inside = -2, False  # the header is record -1
        number = 0
        for number, line in enumerate(self.text, start=1):  # noqa: B007 - the last line, if the record is not there
            begun += not inside
            if begun == record:
                break
            inside ^= line.count(b'"') % 2 == 1  # an escaped quote is two
        self.text.seek(position)
        return number

    def check_unchanged(self) -> None:
        """See `Content.check_unchanged`."""
        check_stamp(self.original, self.stamp, self.rule.file)


@contextmanager
def open_csv(rule: TableRule, folder: Path, limits: Limits, how: Reading) -> Iterator[Source]:
    """Check `folder/rule.file` and give a `Source`.

    Raises `SourceError`, or `RecipeError` when the recipe names a column that the file lacks.
    """
    with ExitStack() as stack:
        original = stack.enter_context(open_regular(folder, rule.file))
        before = stamp(original)
        header = _read_header(rule, original, limits)
        text = original
        if rule.encoding == "cp949":
            text = stack.enter_context(tempfile.TemporaryFile(dir=how.spool))
        content = CsvContent(rule, header, original, text, before)
        # Parsing runs beside the check on another core; what it gives is looked at only when the check has passed.
        pool = stack.enter_context(ThreadPoolExecutor(1))
        early = pool.submit(_parse, content) if how.in_memory and text is original else None
        checker = Checker(len(header), limits.line_bytes, rule.origin.separator)
        digest, rows = _check(rule, original, text, checker, how.advance)
        check_rows(rule.file, rows, limits)
        text.flush()
        late = _parse(content) if how.in_memory and early is None else None
        loaded = early.result() if early else late
        content.check_unchanged()
        yield Source(rule, rule.file, header, rows, before[0], digest, content, loaded)


def whole_records(text: IO[bytes], size: int) -> Iterator[bytes]:
    """Cut checked text into whole records of about `size` bytes together; a line end between quotes ends none."""
    left = b""
    while chunk := text.read(size):
        held = left + chunk
        end = held.rfind(b"\n") + 1
        inside = held.count(b'"', 0, end) % 2
        while inside:
            before = held.rfind(b"\n", 0, end - 1) + 1 if end else 0
            inside ^= held.count(b'"', before, end) % 2
            end = before
        if end:
            yield held[:end]
        left = held[end:]
    if left:
        yield left


def _parse(content: CsvContent) -> Held:
    return Held.of(content.scan().collect(engine="streaming").rechunk())


def _read_header(rule: TableRule, file: IO[bytes], limits: Limits) -> tuple[str, ...]:
    """Parse the first line and compare it with the recipe; the file is left at its beginning."""
    line = file.readline(limits.line_bytes + 1)
    file.seek(0)
    if len(line) > limits.line_bytes:
        _refuse_broken(rule, Broken("line", 1, 0), limits.line_bytes)
    if line.startswith(BOM) and rule.encoding != "utf-8-sig":
        fix = ("encoding: utf-8-sig 로 적으세요.", "Write encoding: utf-8-sig.")
        both = ("BOM으로 시작합니다.", "starts with a byte order mark.")
        refuse(rule.file, "encoding", both, fix, at=(1, 0))
    try:
        text = line.decode(rule.encoding).rstrip("\r\n")
    except UnicodeDecodeError as error:
        refuse_byte(rule.file, rule.encoding, line, error.start, at=(1, 0))
    if text.lower().startswith("sep="):
        _refuse_sep(rule)
    if "\r" in text:
        _refuse_broken(rule, Broken("return", 1, line.index(b"\r")), limits.line_bytes)
    try:
        reader = csv.reader(io.StringIO(text), delimiter=rule.origin.separator, strict=True)
        header = tuple(next(reader, []))
    except csv.Error:
        _refuse_broken(rule, Broken("quote", 1, 0), limits.line_bytes)
    check_header(rule, rule.file, header)
    return header


def _refuse_sep(rule: TableRule) -> NoReturn:
    refuse(
        rule.file, "sep-line",
        ("첫 줄이 머리글이 아니라 'sep='입니다.", "the first line is Excel's 'sep=' and not the header."),
        ("이 줄을 지우고 필요하면 separator를 적으세요.", "Remove that line; write separator unless it is a comma."),
        at=(1, 0),
    )  # fmt: skip


def _check(rule: TableRule, file: IO[bytes], text: IO[bytes], checker: Checker, advance: Advance) -> tuple[str, int]:
    """Hash, decode and check the whole file; return its SHA-256 and the number of rows below the header."""
    digest = hashlib.sha256()
    letters = decoder(rule.file, rule.encoding)
    # Half a limit, because CP949 grows by half when it becomes UTF-8 and no chunk may exceed the limit.
    size = max(1, min(CHUNK, checker.line_bytes // 2))
    while chunk := file.read(size):
        digest.update(chunk)
        utf8 = letters.feed(chunk, checker.line)
        if text is not file:
            text.write(utf8)
        broken = checker.feed(utf8)
        if broken:
            _refuse_broken(rule, broken, checker.line_bytes)
        advance(len(chunk))
    letters.end(checker.line)
    broken = checker.end()
    if broken:
        _refuse_broken(rule, broken, checker.line_bytes)
    return digest.hexdigest(), checker.records - 1


def _refuse_broken(rule: TableRule, broken: Broken, line_bytes: int) -> NoReturn:
    ko, en = MESSAGES[broken.code]
    fix = MEND.get(broken.code, MEND_ROW)
    if broken.code == "line":
        ko, en = f"{ko[:-1]}({line_bytes:,}바이트).", f"{en[:-1]} ({line_bytes:,} bytes)."
        fix = ("줄바꿈을 확인하거나 limits.line_bytes를 올리세요.", "Check the line ends or raise limits.line_bytes.")
    refuse(rule.file, f"broken-{broken.code}", (ko, en), fix, at=(broken.line, broken.offset))
