"""What reviewers marked as missed in an earlier version's texts: `missed:` of a recipe, a CSV `type,value`.

It lies beside the tables, on the source's side, and is searched for in every free text of the next run, whoever's text
it is: what somebody has seen to be identifying is masked wherever it stands. It is never hashed into a manifest: the
hash of a file with one telephone number in it would tell the number to whoever tries them all.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import NoReturn

from deid.detect.known.squeezed import core_of
from deid.errors import SourceError
from deid.text_types import LABELS

Mark = tuple[str, str]
HEAD = ["type", "value"]
# One letter or digit alone would be masked all over.
SHORTEST, LONGEST = 2, 200


def read_marks(path: Path) -> tuple[Mark, ...]:
    """Read (type of `LABELS`, value) pairs, each once. Raises `SourceError` (`deid.source-missed-…`) with the line."""
    try:
        if path.is_symlink():
            _fail(path.name, 0, "missing", "바로가기는 열지 않습니다", "a link is not opened")
        text = path.read_bytes().decode("utf-8-sig")
    except OSError:
        _fail(path.name, 0, "missing", "읽을 수 없습니다", "it cannot be read")
    except UnicodeDecodeError:
        _fail(path.name, 0, "encoding", "UTF-8이 아닙니다", "it is not UTF-8")
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error:
        _fail(path.name, 0, "quotes", "따옴표가 맞지 않습니다", "its quotes do not match")
    if not rows or rows[0] != HEAD:
        _fail(path.name, 1, "header", "첫 줄은 type,value입니다", "line 1 is type,value")
    return tuple(dict.fromkeys(_mark(path.name, line, row) for line, row in enumerate(rows[1:], start=2) if row))


def is_mark(kind: str, value: str) -> bool:
    """Whether a marked value can be searched for: a known type, and neither too short nor too long."""
    return kind in LABELS and len(core_of(value)) >= SHORTEST and len(value) <= LONGEST


def _mark(name: str, line: int, row: list[str]) -> Mark:
    if len(row) != len(HEAD) or not is_mark(*row):
        _fail(name, line, "mark", "종류나 값이 올바르지 않습니다", "its type or value is not possible")
    return row[0], row[1]


def _fail(name: str, line: int, code: str, ko: str, en: str) -> NoReturn:
    raise SourceError(
        (name, line, -1),
        f"missed-{code}",
        (f"{ko}.", f"{en}."),
        remedy=(
            "ansim snapshot missed가 쓴 파일을 원본 폴더에 그대로 두세요.",
            "Put the file that ansim snapshot missed wrote into the source folder as it is.",
        ),
    )
