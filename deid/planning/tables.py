"""Table by table: which column names the patient, what every column is, and how the tables hang together."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

from deid.errors import SourceError
from deid.planning.joins import agreed
from deid.planning.known import held
from deid.planning.peek import Peek
from deid.planning.profile import Facts, profile
from deid.planning.propose import Setting, propose
from deid.planning.role import Proposal, TablePlan
from deid.planning.vocabulary import meaning_of, normalise
from deid.schemas import omop
from deid.schemas.kinds import Kind

OMOP_JOIN = (
    "person_id가 있는 표와 이은 query로 읽어 계획에 더하세요.",
    "Add it to the recipe by a query that joins it to a table with person_id.",
)
NO_DATES = "2020-01-01"


def plan_tables(looked: Sequence[Peek], *, subject: str | None = None) -> list[TablePlan]:
    """Profile the first rows of every table and propose; `subject` names the patient column where it is known."""
    peeks = _distinct_tables(with_people(looked))
    subjects = [str(subject) if subject in each.frame.columns else guess_subject(each, peeks) for each in peeks]
    facts = [
        [profile(each.frame, name, column) for name in each.frame.columns]
        for each, column in zip(peeks, subjects, strict=True)
    ]
    reference = _reference([one for table in facts for one in table])
    shared = _shared(peeks)
    made = [
        _table(each, Setting(column, "patient", reference, shared, sampled=not each.whole), found)
        for each, column, found in zip(peeks, subjects, facts, strict=True)
    ]
    # The table that has each patient once comes first: the others are linked to it.
    return sorted(agreed(made), key=lambda table: not table.unique)


def with_people(looked: Sequence[Peek]) -> list[Peek]:
    """Give the tables without those of the OMOP CDM that name no person (provider, location, note_nlp …).

    They can be read only joined to one that does. Raises `SourceError` if nothing is left.
    """
    left = [each for each in looked if each.name not in nameless(looked)]
    if not left:
        names = ", ".join(nameless(looked))
        raise SourceError(
            (names, 0, -1), "no-person", ("환자를 가리키는 열이 없습니다.", "has no column that names a person."),
            remedy=OMOP_JOIN,
        )  # fmt: skip
    return left


def nameless(looked: Sequence[Peek]) -> list[str]:
    """List tables of the OMOP CDM in which nobody's `person_id` stands."""
    return [each.name for each in looked if each.origin.omop and Kind.PERSON not in each.known.values()]


def _shared(peeks: Sequence[Peek]) -> frozenset[str]:
    names = Counter(name for each in peeks for name in each.frame.columns)
    return frozenset(name for name, tables in names.items() if tables > 1)


def guess_subject(one: Peek, peeks: Sequence[Peek]) -> str:
    """Name the column that most likely names the patient.

    The schema's own word first; then by name (shared with the other tables before others), then the column of all
    files, then the most varied one.
    """
    people = [name for name, kind in one.known.items() if kind is Kind.PERSON]
    if people:
        return people[0]
    columns = one.frame.columns
    named = [name for name in columns if (meaning := meaning_of(name)) is not None and meaning.key == "patient"]
    shared = [name for name in columns if len(peeks) > 1 and all(name in each.frame.columns for each in peeks)]
    for candidates in ([name for name in named if name in shared], named, shared):
        if candidates:
            return max(candidates, key=lambda name: one.frame[name].n_unique())
    filled = [name for name in columns if not one.frame[name].null_count()] or columns
    return max(filled, key=lambda name: one.frame[name].n_unique())


def _table(one: Peek, setting: Setting, facts: Sequence[Facts]) -> TablePlan:
    counts = one.frame[setting.subject].drop_nulls()
    made = [held(propose(each, setting), one.known.get(each.name), domain=_domain(each.name)) for each in facts]
    columns = _distinct_names(made)
    label = one.origin.table.rpartition(".")[2] or Path(one.origin.file).stem
    return TablePlan(
        name=one.name,
        origin=one.origin,
        label=(label, label),
        subject=setting.subject,
        unique=counts.n_unique() == one.frame.height,
        nulls=tuple(sorted({word for each in facts for word in each.nulls})),
        columns=columns,
        rows=one.frame.height,
        sampled=not one.whole,
    )


def _domain(name: str) -> str:
    domain = omop.domain_of(normalise(name))
    return domain if domain.isascii() and domain else "record"


def _distinct_tables(peeks: Sequence[Peek]) -> list[Peek]:
    seen: set[str] = set()
    made = []
    for each in peeks:
        name, number = slug(each.name), 2
        while name in seen:
            name, number = f"{slug(each.name)[:36]}_{number}", number + 1
        seen.add(name)
        made.append(replace(each, name=name))
    return made


def slug(text: str) -> str:
    """Make a recipe's name (`a-z0-9_-`, a letter first) of any text."""
    plain = re.sub(r"[^a-z0-9_]+", "_", normalise(text)).strip("_")
    return (plain if plain[:1].isalpha() else f"table_{plain}".rstrip("_"))[:40]


def _reference(facts: Sequence[Facts]) -> str:
    """Give the day ages are counted at: the first of January of the last year in any date that is not a birth."""
    days = []
    for each in facts:
        meaning = meaning_of(each.name)
        if each.last and not (meaning and meaning.key == "birth"):
            days.append(each.last)
    births = [each.last for each in facts if each.last]
    last = max(days or births, default=NO_DATES)
    year = int(last[:4]) + (0 if days else 1)
    return date(year, 1, 1).isoformat()


def _distinct_names(columns: Sequence[Proposal]) -> tuple[Proposal, ...]:
    seen: set[str] = set()
    made = []
    for each in columns:
        name, number = each.name, 2
        while name in seen:
            name, number = f"{each.name}_{number}", number + 1
        seen.add(name)
        made.append(replace(each, name=name))
    return tuple(made)
