"""Whether a table's first line is its header: names of columns become words of a recipe, values of people must not.

Positions are told and never what stands there: the first line of a file without a header is a patient.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NoReturn

import polars as pl

from deid.errors import SourceError
from deid.readers import refuse as readers

LONGEST = 200
# Resident numbers, telephone numbers, dates, mail addresses: what names a person and no column.
VALUE = re.compile(r"\d{6}-?\d{7}|0\d{1,2}-?\d{3,4}-?\d{4}|\d{4}[-./]\d{1,2}[-./]\d{1,2}.*|\S+@\S+\.\S+")
# So many names that also stand below themselves are values: one may be (a column `Y` of Y and N).
FEWEST_REPEATED = 2
CSV = (
    "머리글이 있는 CSV(UTF-8 또는 CP949) 파일인지 확인하고 원본에서 다시 내보내세요.",
    "Check that it is a CSV file with a header (UTF-8 or CP949), and export it again.",
)


def check_names(place: str, names: Sequence[str]) -> None:
    """Raise `SourceError` (`deid.source-header`) unless every column has a name of its own that a recipe can hold."""
    if not any(name.strip() for name in names):
        _refuse(place, "header", ("첫 줄에 머리글이 없습니다.", "there is no header in the first line."), CSV)
    readers.check_names(place, names, 1)
    long = [at for at, name in enumerate(names, 1) if len(name) > LONGEST or not name.isprintable()]
    if long:
        ko = f"머리글의 {readers.positions(long)}번째 칸이 {LONGEST}자를 넘거나 줄바꿈이 들어 있습니다."
        en = f"column {readers.positions(long)} of the header is over {LONGEST} letters or holds a line break."
        _refuse(place, "header-long", (ko, en), ("짧은 이름으로 고치세요.", "Give it a short name."))


def check_is_header(place: str, frame: pl.DataFrame) -> None:
    """Raise `SourceError` (`deid.source-header-data`) when the names of the columns look like somebody's values."""
    names = frame.columns
    repeated = sum(name in set(frame[name].drop_nulls()) for name in names)
    if repeated >= FEWEST_REPEATED or any(VALUE.fullmatch(name.strip()) for name in names):
        _refuse(
            place,
            "header-data",
            ("첫 줄이 머리글이 아니라 자료로 보입니다.", "the first line looks like data and no header."),
            ("첫 줄에 열 이름을 더해 다시 저장하세요.", "Add a line with the names of the columns and save it again."),
        )


def check_title(place: str, rows: Sequence[Sequence[str]], width: int) -> None:
    """Raise `SourceError` (`deid.source-title`) when lines above the header have fewer fields than all below.

    `rows` are the first rows under the first line, which has `width` fields.
    """
    widths = [len(row) for row in rows if row]
    usual = max(set(widths), key=widths.count, default=width)
    if usual > width and widths[-1:] == [usual]:
        line = 2 + next(at for at, row in enumerate(rows) if len(row) == usual)
        ko = f"위의 {line - 1}줄이 제목으로 보입니다. 머리글은 {line}번째 줄인 듯합니다."
        en = f"the {line - 1} lines at the top look like a title; the header seems to be line {line}."
        fix = f"위의 {line - 1}줄을 지우고 다시 저장하세요.", f"Delete the first {line - 1} lines and save it again."
        _refuse(place, "title", (ko, en), fix)


def _refuse(place: str, code: str, message: tuple[str, str], fix: tuple[str, str]) -> NoReturn:
    raise SourceError((place, 1, -1), code, message, remedy=fix)
