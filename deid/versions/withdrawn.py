"""Tables without the people who withdrew (`feed.py`).

The people are left out of every table where it is read, before anything is counted, joined or searched: k, texts and
risk know nothing of them. Where another row refers to one of them by a pseudonym (a relative, say), that value goes.
No message carries an id.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl

from deid.held import Held
from deid.many.codes import Numbered
from deid.readers.source import Content, Source
from deid.recipe import subject_domain
from deid.treatments.pseudonym import Pseudonym
from deid.treatments.surrogate import Surrogate
from deid.versions.feed import Withdrawn
from deid.versions.spellings import core, cores

RECORD = " record"


@dataclass(frozen=True)
class Applied:
    """Sources without who withdrew; how many people, by table how many rows, and how their ids stood there."""

    sources: list[Source]
    people: int
    rows: dict[str, int]
    spelled: frozenset[str] = field(default=frozenset(), repr=False)


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
