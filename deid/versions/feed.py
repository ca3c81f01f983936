"""The withdrawal feed: who is in no later version. A CSV of the hospital's own ids and days, kept with the source.

No message carries an id.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import NoReturn

from deid.errors import SourceError
from deid.versions.alike import ALIKE
from deid.versions.consent import SEOUL, Feed
from deid.whole_file import write_rows

HEAD = ("subject", "withdrawn_on")


@dataclass(frozen=True)
class Withdrawn:
    """Who withdrew: the ids as the hospital writes them, of which domain, and if other spellings are theirs."""

    ids: frozenset[str]
    domain: str
    spellings: str = ALIKE

    def __repr__(self) -> str:
        """Say how many and never who."""
        return f"Withdrawn({len(self.ids)} people, domain={self.domain!r})"


NOBODY = Withdrawn(frozenset(), "")


def read_feed(feed: Feed | None, folder: Path, now: datetime) -> Withdrawn:
    """Read the feed in the source's folder; who withdraws on a later day than `now` (Seoul) is not in it yet.

    Raises `SourceError` when it is missing or malformed: a build never goes on without it.
    """
    if feed is None:
        return NOBODY
    entries = read_entries(folder / feed.file)
    today = now.astimezone(SEOUL).date()
    return Withdrawn(frozenset(who for who, day in entries if day <= today), feed.domain, feed.spellings)


def read_ids(path: Path) -> list[str]:
    """Read ids, one on a line; an empty line stays one, so that numbers are the file's. Raises `SourceError`."""
    return [line.strip() for line in _text(path).splitlines()]


def read_entries(path: Path) -> list[tuple[str, date]]:
    """Read ids and days. Raises `SourceError` with the line."""
    rows = csv.reader(io.StringIO(_text(path), newline=""), strict=True)
    found = []
    try:
        for number, row in enumerate(rows, start=1):
            if number == 1:
                if tuple(cell.strip() for cell in row) != HEAD:
                    _fail(path.name, 1, "header", f"첫 줄은 {','.join(HEAD)}입니다", f"line 1 is {','.join(HEAD)}")
            elif row:
                found.append(_entry(path.name, number, row))
    except csv.Error:
        _fail(path.name, 0, "quotes", "따옴표가 맞지 않습니다", "its quotes do not match")
    return found


def add_entries(path: Path, ids: Iterable[str], day: date) -> int:
    """Add people to the feed (made if it is not there), whole or not at all; returns how many are new in it.

    Raises `SourceError` for a feed that is malformed, `OSError`.
    """
    entries = read_entries(path) if path.exists() else []
    known = {who for who, _ in entries}
    fresh = [who for who in dict.fromkeys(each.strip() for each in ids) if who and who not in known]
    if not fresh and path.exists():
        return 0
    write_rows(path, HEAD, ((who, on.isoformat()) for who, on in [*entries, *((who, day) for who in fresh)]))
    return len(fresh)


def _entry(name: str, line: int, row: list[str]) -> tuple[str, date]:
    if len(row) != len(HEAD) or not row[0].strip():
        _fail(name, line, "fields", "한 줄에 번호와 날짜가 있어야 합니다", "a line is an id and a day")
    try:
        return row[0].strip(), date.fromisoformat(row[1].strip())
    except ValueError:
        _fail(name, line, "date", "날짜는 2026-11-29처럼 씁니다", "a day is written like 2026-11-29")


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError:
        _fail(path.name, 0, "missing", "철회 목록을 읽을 수 없습니다", "the withdrawals cannot be read")
    except UnicodeDecodeError:
        _fail(path.name, 0, "encoding", "UTF-8이 아닙니다", "it is not UTF-8")


def _fail(name: str, line: int, code: str, ko: str, en: str) -> NoReturn:
    raise SourceError(
        (name, line, -1),
        f"withdrawals-{code}",
        (f"{ko}.", f"{en}."),
        remedy=(
            "철회 목록(subject,withdrawn_on)을 원본 폴더에 두고 다시 실행하세요. 아무도 없으면 첫 줄만 쓰세요.",
            "Put the withdrawals (subject,withdrawn_on) into the source folder; only line 1 if there are none.",
        ),
    )
