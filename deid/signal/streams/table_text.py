"""A text file with a table in it: its encoding, its separator, and the line that names the columns.

Devices write a preamble of their own before the table (whose it is, who measured, serial numbers, often in CP949) and
remarks behind it. Only lines of the table count; the others are read for the patient's number and then dropped.
"""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from deid.folder.format import Refused
from deid.signal.cursor import unreadable
from deid.signal.person import Taken, number_in

SEPARATORS = (",", "\t", ";", "|")
BLOCK = 20_000  # rows that are held as cells at one time: a file may have hundreds of millions
FIRST_LINES = 400  # a preamble is shorter
WIDEST, LONGEST_FIELD = 4096, 1 << 16
NUMBERS = re.compile(
    r"(?:patient|subject|mrn|chart|id|no|환자|등록|병록|차트|대상자|회원)[^:=,;\t|]{0,12}[:=,;\t|]\s*\"?([\w\-]{3,24})",
    re.IGNORECASE,
)
NAMED = re.compile(
    r"(?:name|operator|성명|이름|환자명|대상자명|측정자|검사자|담당자?|의사|보호자|작성자)[^:=,;\t|]{0,8}[:=,;\t|]\s*\"?([^,;\t|\"]{2,40})",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Table:
    """A table: what stands before it, its columns' names, and the file's text, in which it has its `start`."""

    preamble: tuple[str, ...]
    names: tuple[str, ...]
    text: str = field(repr=False)
    start: int
    separator: str

    def blocks(self) -> Iterator[tuple[list[list[str]], int]]:
        """Yield the rows, so many at a time, each with how many lines among them were none of the table's."""
        lines = _split(_lines(self.text, self.start), self.separator)
        next(lines)
        width = len(self.names)
        while read := list(itertools.islice(lines, BLOCK)):
            rows = [row for row in read if len(row) == width and any(row)]
            yield rows, sum(len(row) != width and any(row) for row in read)

    def number(self, taken: Taken) -> str:
        """Find the patient's number in the preamble, and note what it says of him or her."""
        text = "\n".join(self.preamble)
        for line in self.preamble:
            # What stands before the mark says what follows, and may be a column's name elsewhere.
            taken.words(" ".join(re.split(r"[:=,;\t|]", line)[1:]))
        for name in NAMED.finditer(text):
            taken.value(name[1])
        told = next((found[1] for found in NUMBERS.finditer(text) if number_in(found[1])), "")
        taken.value(told)
        return told


def decoded(data: bytes) -> str:
    """Decode a text: by its mark, as UTF-8, else as CP949. What fits nothing becomes signs that no rule keeps."""
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            return data.decode(encoding, errors="replace")
    if b"\0" in data:
        raise unreadable("binary", "글이 아닌 파일입니다.", "The file is no text.")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp949", errors="replace")


def read(data: bytes, score: Callable[[Sequence[str]], int]) -> Table:
    """Find the table in a file. `score` tells how many names of a line are known. Raises `Refused` without any."""
    text = decoded(data).replace("\r\n", "\n").replace("\r", "\n")
    lines = [line.rstrip("\n") for line in itertools.islice(_lines(text, 0), FIRST_LINES + 1)]
    best = max(((_header(lines, mark, score), mark) for mark in SEPARATORS), key=lambda each: each[0][0])
    (known, place), separator = best
    if known < 1:
        words = ("아는 열 이름이 없습니다.", "no column's name is known.")
        raise Refused("signal.unknown-columns", *words)
    start = sum(len(line) + 1 for line in lines[:place])
    names = next(_split(_lines(text, start), separator))
    return Table(tuple(lines[:place]), tuple(names), text, start, separator)


def _header(lines: Sequence[str], separator: str, score: Callable[[Sequence[str]], int]) -> tuple[int, int]:
    """Find the line with the most known names that has as many fields as the next one."""
    best = (0, 0)
    split = [next(_split([line], separator), []) if line.strip() else [] for line in lines[: FIRST_LINES + 1]]
    for place, cells in enumerate(split[:FIRST_LINES]):
        following = next((other for other in split[place + 1 :] if other), [])
        if cells and len(cells) == len(following):
            best = max(best, (score(cells), -place))
    return best[0], -best[1]


def _lines(text: str, start: int) -> Iterator[str]:
    """Yield the lines from a place on, each with its end; an `io.StringIO` would hold four bytes for each letter."""
    while start < len(text):
        end = text.find("\n", start) + 1 or len(text)
        yield text[start:end]
        start = end


def _split(lines: Iterable[str], separator: str) -> Iterator[list[str]]:
    csv.field_size_limit(LONGEST_FIELD)  # of the whole process: others set theirs, too
    reader = csv.reader(lines, delimiter=separator)
    try:
        for row in reader:
            if len(row) > WIDEST:
                raise unreadable(
                    "wide", "표의 열이 너무 많거나 깁니다.", "The table's columns are too many or too long."
                )
            yield row
    except csv.Error as error:
        raise unreadable("csv", "표를 읽을 수 없습니다.", "The table cannot be read.") from error
