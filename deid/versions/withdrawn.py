"""The withdrawal feed: who is in no later version. A CSV of the hospital's own ids and days, kept with the source.

The people are left out of every table where it is read, before anything is counted, joined or searched: k, texts and
risk know nothing of them. Where another row refers to one of them by a pseudonym (a relative, say), that value goes.
No message carries an id.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import NoReturn

import numpy as np
import polars as pl

from deid.errors import SourceError
from deid.held import Held
from deid.many.codes import Numbered
from deid.readers.source import Content, Source
from deid.recipe import subject_domain
from deid.treatments.pseudonym import Pseudonym
from deid.treatments.surrogate import Surrogate
from deid.versions.alike import ALIKE
from deid.versions.consent import SEOUL, Feed
from deid.versions.spellings import core, cores
from deid.whole_file import write_rows

HEAD = ("subject", "withdrawn_on")
RECORD = " record"


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


@dataclass(frozen=True)
class Applied:
    """Sources without who withdrew; how many people, by table how many rows, and how their ids stood there."""

    sources: list[Source]
    people: int
    rows: dict[str, int]
    spelled: frozenset[str] = field(default=frozenset(), repr=False)


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


def without(sources: Sequence[Source], withdrawn: Withdrawn) -> Applied:
    """Leave the people out of every source, however their ids are spelled there."""
    if not withdrawn.ids:
        return Applied(list(sources), 0, {})
    left, spelled, rows = [], set[str](), {}
    theirs = cores(withdrawn.ids, withdrawn.spellings)
    for source in sources:
        found = {name: _spelled(source, name, theirs, withdrawn.spellings) for name in _columns(source, withdrawn)}
        spelled.update(*(counts["id"] for counts in found.values()))
        own = found.pop(source.rule.subject, None) if _is_of(source, withdrawn) else None
        if own is not None:
            rows[source.rule.name] = int(own["rows"].sum())
        left.append(_without(source, own, {name: counts["id"] for name, counts in found.items()}))
    people = cores(spelled, withdrawn.spellings)
    return Applied(left, people.len(), rows, frozenset(spelled))


def spelled_in(sources: Sequence[Source], withdrawn: Withdrawn) -> frozenset[str]:
    """Return how the people's ids stand in the sources: for finding them in versions that were made of these."""
    return without(sources, withdrawn).spelled


@dataclass(frozen=True)
class _Left:
    """Content without the people; lines are still those of the original."""

    content: Content
    theirs: pl.Expr | None
    others: tuple[pl.Expr, ...]

    def scan(self) -> pl.LazyFrame:
        return self._of(self.content.scan())

    def stretches(self, rows: int) -> Iterator[pl.LazyFrame]:
        return map(self._of, self.content.stretches(rows))

    def _of(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        frame = frame if self.theirs is None else frame.filter(~self.theirs)
        return frame.with_columns(self.others) if self.others else frame

    def line_of(self, record: int) -> int:
        if self.theirs is None:
            return self.content.line_of(record)
        left = self.content.scan().with_row_index(RECORD).filter(~self.theirs).select(RECORD).slice(record, 1)
        return self.content.line_of(int(left.collect().item()))

    def check_unchanged(self) -> None:
        self.content.check_unchanged()


def _is_of(source: Source, withdrawn: Withdrawn) -> bool:
    return subject_domain(source.rule) == withdrawn.domain


def _columns(source: Source, withdrawn: Withdrawn) -> list[str]:
    """Columns with ids of the people's domain: the subject, and what refers to others (a relative, say)."""
    others = [
        rule.source
        for rule in source.rule.published
        if isinstance(rule.treatment, Pseudonym | Surrogate) and rule.treatment.domain == withdrawn.domain
    ]
    subject = [source.rule.subject] if _is_of(source, withdrawn) else []
    return list(dict.fromkeys([*subject, *others]))


def _spelled(source: Source, column: str, theirs: pl.Series, spellings: str) -> pl.DataFrame:
    """Return `id` (every spelling of one of theirs in a column) and `rows` (how many rows have it)."""
    mine = core(pl.col("id"), spellings).is_in(theirs.implode())
    # Grouped before it is compared: a patient's spelling is looked at once and not in each of their rows.
    counts = source.scan().select(pl.col(column).alias("id")).drop_nulls().group_by("id").agg(pl.len().alias("rows"))
    return counts.filter(mine).collect(engine="streaming")


def _without(source: Source, own: pl.DataFrame | None, others: Mapping[str, pl.Series]) -> Source:
    gone = pl.col(source.rule.subject).is_in(own["id"].implode()) if own is not None and own.height else None
    theirs = None if gone is None else gone.fill_null(value=False)
    emptied = tuple(
        pl.when(~pl.col(name).is_in(ids.implode())).then(pl.col(name)).alias(name)
        for name, ids in others.items()
        if ids.len()
    )
    if theirs is None and not emptied:
        return source
    ids = None if own is None else own["id"]
    loaded = None if source.loaded is None else _held_without(source.loaded, source.rule.subject, ids, others)
    rows = 0 if own is None else int(own["rows"].sum())
    return replace(source, content=_Left(source.content, theirs, emptied), rows=source.rows - rows, loaded=loaded)


def _held_without(held: Held, subject: str, own: pl.Series | None, others: Mapping[str, pl.Series]) -> Held:
    """Leave out the rows of those who withdrew and what refers to them, by the numbers of their ids."""
    emptied = {name: _emptied(held.numbered(name), ids) for name, ids in others.items() if ids.len()}
    held = Held({**held.columns, **emptied}, held.height)
    if own is not None and own.len():
        of = held.numbered(subject)
        stays = ~of.values.is_in(own.implode()).fill_null(value=False)
        held = held.at(pl.Series(np.flatnonzero(stays.gather(of.codes).to_numpy()), dtype=pl.UInt32))
    # Their ids are in no list of values either.
    columns = {
        name: column.of_rows() if isinstance(column, Numbered) else column for name, column in held.columns.items()
    }
    return Held(columns, held.height)


def _emptied(column: Numbered, ids: pl.Series) -> Numbered:
    return Numbered(column.codes, column.values.set(column.values.is_in(ids.implode()), None)).distinct()


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
