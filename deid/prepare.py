"""Passes over a checked source before anything is written: who is in it, their pseudonyms and shifts, their classes.

Every distinct identifier and every distinct free text is treated once and joined back (a million rows hold some forty
thousand patients). All queries stream; what is held in memory is one row per distinct patient, class or text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Literal, Protocol, TypeVar

import numpy as np
import polars as pl

from deid.errors import DeidError, SourceError
from deid.free_text import PATIENT
from deid.held import Held
from deid.keys import Derives
from deid.learning import check_learned, finished, learn, learning_rules
from deid.locate import bad_values, locate
from deid.many.codes import Numbered
from deid.readers.source import Source
from deid.recipe import ColumnRule, Recipe, TableRule, subject_domain
from deid.recoding import Recoding
from deid.replacement import replacement
from deid.suppress import ROWS, Flags
from deid.transform.columns import INDEX, class_key, joined, select_published
from deid.transform.pseudonyms import pseudonym, seed, shift_days
from deid.treatments.dates import SHIFT
from deid.treatments.free_text import FreeText
from deid.treatments.learned import Finish
from deid.treatments.noise import SEED

SUBJECT = " subject"
COUNT = " count"
RAW = " raw "
Answer = TypeVar("Answer")


class Parts(Protocol):
    """The parts by patient of a table that is too large for memory (`many/parts.py`)."""

    def each(self, table: Prepared, kernel: Callable[[Prepared], Answer]) -> Iterator[Answer]:
        """Give what `kernel` answers for each part, in the order of their patients; each has its own patients only."""


@dataclass(frozen=True)
class Prepared:
    """One table ready to be written: its source, rows per patient, and the small frames that are joined to it.

    `people` has `SUBJECT`, `INDEX` (rank of the pseudonym), the pseudonym and, if the recipe
    shifts dates or adds noise, `SHIFT` and `SEED`.
    `lookups` maps a rule's source column to a frame of its distinct values and their replacements, `PATIENT` besides
    where they are the patient's own. When the table is small enough to be kept, `index` has each row's patient,
    `aligned` the further pseudonyms row by row by name, and `computed` the published columns. A larger one may have
    been laid out in parts: then everything that looks at all rows goes through `each`. With a `recoding` the
    quasi-identifiers are published by combination.
    """

    source: Source
    people: pl.DataFrame
    counts: pl.DataFrame
    lookups: Mapping[str, tuple[ColumnRule, pl.DataFrame]]
    index: pl.Series | None = None
    aligned: Mapping[str, Numbered] = field(default_factory=dict)
    computed: Held | None = None
    finishes: Mapping[str, Finish] = field(default_factory=dict)
    laid_out: Parts | None = None
    recoding: Recoding | None = None

    def each(self, kernel: Callable[[Prepared], Answer]) -> Iterator[Answer]:
        """Give what `kernel` answers for every part, or once for the whole when it has none.

        A kernel sees nothing but its part and what is bound to it, which can be pickled: it may run on another machine.
        """
        return map(kernel, [self]) if self.laid_out is None else self.laid_out.each(self, kernel)

    @property
    def rule(self) -> TableRule:
        """The table's rule."""
        return self.source.rule

    @property
    def present(self) -> Flags:
        """Whether each patient of the domain is in this table."""
        flags = np.zeros(self.people.height, np.bool_)
        flags[self.counts[INDEX].to_numpy()] = True
        return flags

    def rows_of(self, excluded: Flags) -> int:
        """Rows of the patients who are excluded."""
        gone = excluded[self.counts[INDEX].to_numpy()]
        return int(self.counts[COUNT].to_numpy()[gone].sum())

    def published(self) -> pl.LazyFrame:
        """All rows: `INDEX`, the published columns, and `RAW…` source values of generalised quasi-identifiers."""
        if self.computed is not None:
            return self.computed.lazy()
        return self._select(self.rule.published)

    def classified(self, also: Sequence[str] = ()) -> pl.LazyFrame:
        """All rows: `INDEX`, quasi-identifiers and `also` as published, and `RAW…`; texts need not be masked yet."""
        if self.computed is not None:
            return self.computed.lazy()
        wanted = {*also, *(entry.column for entry in self.rule.quasi_identifiers)}
        return self._select([rule for rule in self.rule.published if rule.name in wanted])

    def _select(self, rules: Sequence[ColumnRule]) -> pl.LazyFrame:
        raw = [raw_value(rule) for rule in self.generalised]
        frame = select_published(self.frame(self.people), rules, self.rule, pl.col(INDEX), *raw)
        frame = finished(frame, self.finishes, rules)
        return frame if self.recoding is None else self.recoding.applied(frame)

    @property
    def has_texts(self) -> bool:
        """Whether any published column is free text."""
        return any(isinstance(rule.treatment, FreeText) for rule in self.rule.published)

    @property
    def generalised(self) -> list[ColumnRule]:
        """Rules of the quasi-identifiers whose published value says less than the source value."""
        quasi = {entry.column for entry in self.rule.quasi_identifiers}
        return [
            rule
            for rule in self.rule.published
            if rule.name in quasi and (rule.treatment.lossy or rule.treatment.recoded or rule.treatment.learner)
        ]

    def frame(self, people: pl.DataFrame, names: Iterable[str] | None = None) -> pl.LazyFrame:
        """Scan the source with patients and replacements joined; rows of patients not in `people` are left out.

        Of a table in memory, with some source columns and further pseudonyms only if `names` are given.
        """
        if self.index is not None and self.source.loaded is not None:
            frame = self._kept(self.source.loaded, self.index, people, names)
        else:
            people = self._of_subject(people)
            # With everybody in it no row can fall out, and a left join need not copy the source's columns.
            how: Literal["left", "inner"] = "left" if people.height == self.people.height else "inner"
            frame = self.source.scan().join(people.lazy(), left_on=self.rule.subject, right_on=SUBJECT, how=how)
        for source, (rule, lookup) in self.lookups.items():
            # A text that is replaced in the patient's own way is joined by patient and text.
            names = {SUBJECT: source, RAW: joined(rule), PATIENT: self.rule.subject}
            keys = [source, self.rule.subject] if PATIENT in lookup.columns else [source]
            values = lookup.lazy().rename({name: names[name] for name in lookup.columns})
            # Rows of a table in memory stay where they are: their classes are known by position (`grouping.py`).
            order: Literal["left", "none"] = "none" if self.index is None else "left"
            frame = frame.join(values, on=keys, how="left", maintain_order=order)
        return frame

    def _of_subject(self, people: pl.DataFrame) -> pl.DataFrame:
        return people.rename({RAW: joined(self.rule.column(self.rule.subject))})

    def _kept(self, loaded: Held, index: pl.Series, people: pl.DataFrame, names: Iterable[str] | None) -> pl.LazyFrame:
        """Join by position: each row's patient is known, and a tenth of the time is enough."""
        rows = None
        if people.height < self.people.height:
            theirs = np.zeros(int(self.people[INDEX].to_numpy()[-1]) + 1, np.bool_)
            theirs[people[INDEX].to_numpy()] = True
            rows = pl.Series(np.flatnonzero(theirs.take(index.to_numpy())), dtype=pl.UInt32)
        wanted = {**self.aligned, **loaded.columns}
        wanted = wanted if names is None else {name: wanted[name] for name in names}
        frame = Held({INDEX: index, **wanted}, loaded.height).frame(rows=rows)
        further = self._of_subject(self.people).drop(SUBJECT, INDEX)
        # In a part the patients are a stretch of all patients: the first has a rank of its own.
        first = self.people[INDEX].first() if self.people.height else 0
        return frame.lazy().with_columns(pl.lit(value).gather(pl.col(INDEX) - first) for value in further)


@dataclass(frozen=True)
class Subjects:
    """The patients of one table: `counts` has columns `SUBJECT`, `COUNT` (rows).

    `codes`, of a table that is kept in memory, has for each of its rows the patient's row in `counts`.
    """

    counts: pl.DataFrame
    codes: pl.Series | None = None

    def ranked(self, source: Source, people: pl.DataFrame) -> Prepared:
        """Begin with a table, given everybody of its domain (see `people_of`)."""
        ranked = self.counts.join(people.select(SUBJECT, INDEX), on=SUBJECT, how="left", maintain_order="left")
        index = None if self.codes is None else ranked[INDEX].gather(self.codes)
        return Prepared(source, people, ranked.drop(SUBJECT), {}, index)


def subjects_of(source: Source) -> Subjects:
    """Count rows per patient. Raises `SourceError` for a row without a patient."""
    subject = pl.col(source.rule.subject)
    if source.loaded is None:
        rows = source.scan().group_by(subject.alias(SUBJECT)).agg(pl.len().alias(COUNT))
        found = Subjects(rows.collect(engine="streaming"))
    else:
        column = source.loaded.numbered(source.rule.subject)
        found = Subjects(pl.DataFrame({SUBJECT: column.values, COUNT: column.counts()}), column.codes)
    check_patients(source, found.counts)
    return found


def check_patients(source: Source, counts: pl.DataFrame) -> None:
    """Raise `SourceError` for rows without a patient, given the `counts` of a table."""
    subject = pl.col(source.rule.subject)
    missing = counts.filter(pl.col(SUBJECT).is_null())
    if missing.height:
        line = locate(source, subject.is_null())
        rows_missing = missing[COUNT].item()
        raise SourceError(
            (source.place, line, -1),
            "no-patient",
            (
                f"{rows_missing:,}행에 환자 번호({source.rule.subject})가 없습니다.",
                f"{rows_missing:,} rows without patient ({source.rule.subject}).",
            ),
            remedy=(
                "원본에서 환자 번호를 채우거나 그 행을 빼세요.",
                "Fill in the patient number or leave the rows out.",
            ),
        )


def check_unique(source: Source, counts: pl.DataFrame) -> None:
    """Raise `SourceError` when the recipe says that columns are unique and they are not."""
    keys = list(source.rule.unique)
    if not keys:
        return
    if keys == [source.rule.subject]:
        repeated = counts.filter(pl.col(COUNT) > 1).select(pl.col(SUBJECT).alias(keys[0]))
    else:
        groups = source.scan().group_by(keys).agg(pl.len().alias(COUNT)).filter(pl.col(COUNT) > 1)
        repeated = groups.drop(COUNT).collect(engine="streaming")
    if not repeated.height:
        return
    twice = source.scan().with_row_index(INDEX).join(repeated.lazy(), on=keys, how="semi", nulls_equal=True)
    second = twice.filter(pl.struct(keys).is_duplicated() & ~pl.struct(keys).is_first_distinct())
    record = second.select(pl.col(INDEX).min()).collect().item()
    names = ", ".join(keys)
    raise SourceError(
        (source.place, source.line_of(int(record)), -1),
        "duplicate-key",
        (
            f"유일해야 할 {names} 값 {repeated.height:,}개가 여러 번 나옵니다.",
            f"{repeated.height:,} values of {names} repeat.",
        ),
        remedy=(
            "원본의 중복을 없애거나 계획의 unique를 고치세요.",
            "Remove the duplicates, or mend `unique` in the recipe.",
        ),
    )


def people_of(recipe: Recipe, tables: Sequence[tuple[TableRule, pl.DataFrame]], keys: Derives) -> pl.DataFrame:
    """One row per distinct patient of one domain, in the order of their pseudonyms."""
    domain = subject_domain(tables[0][0])
    subjects = pl.concat([counts.select(SUBJECT) for _, counts in tables]).unique()
    columns = [pl.col(SUBJECT), pseudonym(SUBJECT, keys, recipe.dataset, domain).alias(RAW)]
    days = max((rule.treatment.shift_days for table in recipe.tables for rule in table.columns), default=0)
    if days:
        columns.append(shift_days(SUBJECT, keys, recipe.dataset, domain, max_days=days).alias(SHIFT))
    if any(rule.treatment.seeded for table in recipe.tables for rule in table.columns):
        columns.append(seed(SUBJECT, keys, recipe.dataset, domain).alias(SEED))
    # The order of pseudonyms is the order of rows in the snapshot: nothing of the hospital's order is left.
    return subjects.select(columns).sort(RAW).with_row_index(INDEX)


def with_lookups(table: Prepared, recipe: Recipe, keys: Derives) -> Prepared:
    """Replace the distinct values of every further column that is looked up, free texts aside. Raises `SourceError`."""
    if table.laid_out is not None:
        return table  # each part does it for itself
    source = table.source
    lookups, aligned = {}, {}
    for rule in source.rule.published:
        treatment = rule.treatment
        if rule.source == source.rule.subject or not treatment.joined or isinstance(treatment, FreeText):
            continue
        if source.loaded is not None:
            column = source.loaded.numbered(rule.source)
            replaced = replacement(source, rule, column.values, recipe, keys)
            aligned[joined(rule)] = Numbered(column.codes, replaced)
        else:
            distinct = source.scan().select(pl.col(rule.source).drop_nulls().unique()).collect(engine="streaming")
            values = distinct.to_series().alias(SUBJECT)
            replaced = replacement(source, rule, values, recipe, keys).alias(RAW)
            lookups[rule.source] = (rule, pl.DataFrame([values, replaced]))
    return replace(table, lookups=lookups, aligned=aligned)


def with_classes_learned(table: Prepared, k: int) -> Prepared:
    """Learn what the quasi-identifiers' values depend on, from everybody. Raises `RecipeError`, `SourceError`."""
    check_learned(table.rule, k)
    if not learning_rules(table.rule, quasi=True):
        return table
    finishes = _learn(table, table.classified(), k, quasi=True)
    return replace(table, finishes=finishes) if finishes else table


def with_rest_learned(table: Prepared, frame: pl.LazyFrame, k: int) -> tuple[Prepared, pl.LazyFrame]:
    """Learn what the other columns depend on, from `frame`, the rows that stay; give it with their final values."""
    finishes = _learn(table, frame, k, quasi=False)
    if not finishes:
        return table, frame
    return replace(table, finishes={**table.finishes, **finishes}), finished(frame, finishes, table.rule.published)


def _learn(table: Prepared, frame: pl.LazyFrame, k: int, *, quasi: bool) -> dict[str, Finish]:
    rules = learning_rules(table.rule, quasi=quasi)
    try:
        return learn(table.source, frame, rules, k) if rules else {}
    except pl.exceptions.PolarsError as error:
        raise explain(table.source, error) from None


def raw_value(rule: ColumnRule) -> pl.Expr:
    """Give the source's value of a column beside the published one, as text unless it is a day: in the same order."""
    value = pl.col(rule.source)
    return (value.cast(pl.String) if rule.treatment.type == "integer" else value).alias(RAW + rule.name)


def pairs_of(table: Prepared) -> pl.DataFrame:
    """Distinct (patient, class, source values) of a table: `INDEX`, the class keys, `RAW…` source columns, `ROWS`.

    The source values of generalised columns ride along so that the report can say how unique people were before.
    """
    entries = table.rule.quasi_identifiers
    groups = [INDEX, *(entry.key for entry in entries), *(RAW + rule.name for rule in table.generalised)]
    grouped = table.classified().with_columns(*(class_key(entry) for entry in entries)).group_by(groups)
    return collect(table.source, grouped.agg(pl.len().alias(ROWS)))


def gathered(table: Prepared, query: Callable[[Prepared], pl.LazyFrame]) -> pl.DataFrame:
    """Run a query on every part and put the answers together: the same for whatever is grouped by patient (`INDEX`)."""
    return pl.concat(table.each(partial(_collected, query)))


def _collected(query: Callable[[Prepared], pl.LazyFrame], part: Prepared) -> pl.DataFrame:
    return collect(part.source, query(part))


def collect(source: Source, frame: pl.LazyFrame) -> pl.DataFrame:
    """Run a query; a value that does not parse becomes a `SourceError` with its line."""
    try:
        return frame.collect(engine="streaming" if source.loaded is None else "in-memory")
    except pl.exceptions.PolarsError as error:
        raise explain(source, error) from None


def explain(source: Source, error: pl.exceptions.PolarsError) -> DeidError:
    """Find the line behind a failed query. Polars quotes the value, so its message goes no further than this."""
    for rule in source.rule.published:
        found = _bad_value(source, rule)
        if found:
            return found
    return DeidError(
        "deid.engine",
        f"표 {source.rule.name}을(를) 처리하지 못했습니다({type(error).__name__}).",
        f"Table {source.rule.name} could not be processed ({type(error).__name__}).",
        remedy_ko="가명처리 계획과 파일을 그대로 보관하고 운영자에게 알리세요.",
        remedy_en="Keep recipe and file as they are and tell the operator.",
    )


def _bad_value(source: Source, rule: ColumnRule) -> SourceError | None:
    for column, kind, expression in bad_values(rule, source.scan().collect_schema()):
        line = locate(source, expression)
        if line:
            return SourceError(
                (source.place, line, -1),
                "value",
                (f"열 {column}의 값이 {kind}이(가) 아닙니다.", f"the value in column {column} is not a valid {kind}."),
                remedy=(
                    "원본의 값을 고치거나 계획의 type, format, nulls, map을 고치세요.",
                    "Mend the value, or the recipe's type, format, nulls or map.",
                ),
            )
    return None
