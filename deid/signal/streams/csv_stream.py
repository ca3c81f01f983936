"""CSV, TSV and device logs: known columns only, times relative, preamble and remarks dropped."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from deid.folder.format import Context, Refused
from deid.signal.one_file import Cleaned, OneFile
from deid.signal.person import Person, Taken, person
from deid.signal.streams.cells import Cells, combined
from deid.signal.streams.moments import Moment, moment
from deid.signal.streams.places import places
from deid.signal.streams.schema import PEOPLE, Column, Rules, column, plain, shown
from deid.signal.streams.table_text import Table, read

ENDINGS = (".csv", ".tsv", ".txt", ".log", ".tab")
MOST_NAMES = 1000
MEASURED = frozenset(("number", "text", "category", "coarse"))


class Csv(OneFile):
    """Streams as text tables (see `Format`)."""

    name = "csv"

    def recognise(self, head: bytes, name: str) -> bool:
        """See `Format.recognise`."""
        return name.lower().endswith(ENDINGS) and (b"\0" not in head or head[:2] in {b"\xff\xfe", b"\xfe\xff"})

    def suffix(self, name: str) -> str:
        """See `OneFile.suffix`."""
        return next((ending for ending in (".tsv",) if name.lower().endswith(ending)), ".csv")

    def clean(self, data: bytes, context: Context) -> Cleaned:
        """See `OneFile.clean`."""
        rules = context.rules if isinstance(context.rules, Rules) else Rules()

        def score(names: Sequence[str]) -> int:
            stream = rules.stream(names)
            return sum(column(stream, rules, name) is not None for name in names)

        table = read(data, score)
        taken = Taken()
        number = table.number(taken) or number_by_profile(rules, (*table.preamble, context.name))
        plan = _plan(table, rules)
        cells = Cells(context, taken)
        for place in (place for place, name in enumerate(table.names) if plain(name) in PEOPLE):
            for value in dict.fromkeys(row[place] for row in table.rows[:MOST_NAMES]):
                taken.value(value)
        plan = _without_places(table, plan)
        rows = _Rows(table, plan, cells, number)
        out = io.StringIO()
        csv.writer(out, delimiter=table.separator, lineterminator="\n").writerows(rows.written())
        notes = {
            "columns-dropped": len(table.names) - len(plan),
            "cells-emptied": cells.emptied,
            "lines-dropped": len(table.preamble) + table.strays,
        }
        written = out.getvalue().encode("utf-8")
        return Cleaned((written,), rows.first, taken, notes, samples=written.index(b"\n"))


def number_by_profile(rules: Rules, texts: Sequence[str]) -> str:
    """Find a patient's number by the provider's own pattern."""
    pattern = rules.record_number
    found = (pattern.search(text) for text in texts) if pattern else ()
    return next((each[0] for each in found if each), "")


def _plan(table: Table, rules: Rules) -> dict[int, Column]:
    """Find what each column is, by its place; the unknown ones are not in it."""
    stream = rules.stream(table.names)
    found = ((place, column(stream, rules, name)) for place, name in enumerate(table.names))
    plan = {place: each for place, each in found if each}
    if not any(each.kind in MEASURED for each in plan.values()):
        raise Refused("signal.unknown-columns", "아는 측정 열이 없습니다.", "no column of measurements is known.")
    return plan


def _without_places(table: Table, plan: dict[int, Column]) -> dict[int, Column]:
    """Take out columns of numbers that are coordinates by their values, whatever they are called."""
    columns = list(zip(*table.rows, strict=True))
    gone = places({place: columns[place] for place, each in plan.items() if each.kind in {"number", "text"}})
    return {place: each for place, each in plan.items() if place not in gone}


@dataclass
class _Rows:
    """The rows of a table, column by column."""

    table: Table
    plan: dict[int, Column]
    cells: Cells
    number: str

    @property
    def first(self) -> Person:
        """Whose the file is: of its first row."""
        return self.who(self.patients()[0])

    def places(self, kind: str) -> list[int]:
        return [place for place, each in self.plan.items() if each.kind == kind]

    def patients(self) -> list[str]:
        """Give each row's patient: the first column that tells one, else the preamble's."""
        told = [[row[place].strip() for place in self.places("patient")] for row in self.table.rows]
        return [next(filter(None, each), self.number) for each in told]

    def who(self, number: str) -> Person:
        return self.cells.who(number) if number else person(self.cells.context)

    def written(self) -> Iterator[Sequence[str]]:
        """Yield the names and then the rows as they may be."""
        columns = list(zip(*self.table.rows, strict=True))
        patients = self.patients()
        persons = {number: self.who(number) for number in dict.fromkeys(patients)}
        people = [persons[number] for number in patients]
        times = self.times(columns, patients)
        out: dict[int, Sequence[str]] = {}
        days: dict[int, Sequence[str]] = {}
        since: list[int | None] = []
        for place, at in times.items():
            found = [
                self.cells.since(text.strip(), each, patient, str(place))
                for text, each, patient in zip(columns[place], at, patients, strict=True)
            ]
            since = [whole for _, whole in found]
            out[place] = [text for text, _ in found]
            days[place] = self.days(patients, people, since)
        for place, what in self.plan.items():
            if what.kind == "day" and self.cells.starts and times:
                # By the start's midnight too: where the day turns would tell the hour of the start.
                out[place] = self.days(patients, people, since)
            elif what.kind != "clock":
                out[place] = self.cells.column(what, columns[place], people)
        days = days if self.cells.starts else {}
        names = {place: shown(self.table.names[place]) for place in self.plan}
        yield [*names.values(), *(f"{names[place]}_day" for place in days)]
        yield from zip(*(out[place] for place in names), *days.values(), strict=True)

    def times(self, columns: Sequence[Sequence[str]], patients: list[str]) -> dict[int, list[Moment | None]]:
        """Read every time once, on its day where another column tells it, and learn when each patient's began."""
        rows = len(self.table.rows)
        told = [[moment(text) for text in columns[place]] for place in self.places("day")]
        on = [next(filter(None, each), None) for each in zip(*told, strict=True)] if told else [None] * rows
        found = {}
        for place in self.places("clock"):
            found[place] = [combined(moment(t), day) for t, day in zip(columns[place], on, strict=True)]
            for at, patient in zip(found[place], patients, strict=True):
                self.cells.begin(at, patient)
        return found

    def days(self, patients: list[str], people: list[Person], since: list[int | None]) -> list[str]:
        return [self.cells.day(*each) for each in zip(patients, people, since, strict=True)]
