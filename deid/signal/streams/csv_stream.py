"""CSV, TSV and device logs: known columns only, times relative, preamble and remarks dropped."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from deid.folder.format import Context, Refused
from deid.signal.cursor import unreadable
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
        rows = _Rows(table, plan, Cells(context, taken), number)
        rows.learn()
        pieces = list(rows.written())
        notes = {
            "columns-dropped": len(table.names) - len(plan),
            "cells-emptied": rows.cells.emptied,
            "lines-dropped": len(table.preamble) + rows.strays,
        }
        return Cleaned(pieces, rows.first, taken, notes, samples=len(pieces[0]))


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


Columns = Sequence[Sequence[str]]


@dataclass
class _Rows:
    """The rows of a table: gone through twice, block by block, and treated column by column."""

    table: Table
    plan: dict[int, Column]
    cells: Cells
    number: str
    first_patient: str | None = None
    strays: int = 0

    def learn(self) -> None:
        """Learn whose the rows are, when each patient's began, and which columns are coordinates by their values."""
        people = [place for place, name in enumerate(self.table.names) if plain(name) in PEOPLE]
        for rows, strays in self.table.blocks():
            self.strays += strays
            if not rows:
                continue
            columns, patients = list(zip(*rows, strict=True)), self.patients(rows)
            self.first_patient = patients[0] if self.first_patient is None else self.first_patient
            for at in self.times(columns).values():
                for each, patient in zip(at, patients, strict=True):
                    self.cells.begin(each, patient)
            for value in {columns[place][row] for place in people for row in range(min(len(rows), MOST_NAMES))}:
                self.cells.taken.value(value)
            numbers = (place for place, each in self.plan.items() if each.kind in {"number", "text"})
            for place in places({place: columns[place] for place in numbers}):
                del self.plan[place]
        if self.first_patient is None:
            raise unreadable("no-rows", "표에 행이 없습니다.", "The table has no rows.")

    @property
    def first(self) -> Person:
        """Whose the file is: of its first row."""
        return self.who(self.first_patient or "")

    def places(self, kind: str) -> list[int]:
        return [place for place, each in self.plan.items() if each.kind == kind]

    def patients(self, rows: Sequence[Sequence[str]]) -> list[str]:
        """Give each row's patient: the first column that tells one, else the preamble's."""
        mine = self.places("patient")
        if not mine:
            return [self.number] * len(rows)
        return [next(filter(None, (row[place].strip() for place in mine)), self.number) for row in rows]

    def who(self, number: str) -> Person:
        return self.cells.who(number) if number else person(self.cells.context)

    def written(self) -> Iterator[bytes]:
        """Yield the line of names, and then block by block the rows as they may be."""
        names = {place: shown(self.table.names[place]) for place in self.plan}
        clocks = self.places("clock") if self.cells.starts else []
        yield self.lines([[*names.values(), *(f"{names[place]}_day" for place in clocks)]])
        for rows, _ in self.table.blocks():
            if rows:
                yield self.lines(zip(*self.block(rows), strict=True))

    def lines(self, rows: Iterable[Sequence[str]]) -> bytes:
        out = io.StringIO()
        csv.writer(out, delimiter=self.table.separator, lineterminator="\n").writerows(rows)
        return out.getvalue().encode("utf-8")

    def block(self, rows: Sequence[Sequence[str]]) -> Iterator[Sequence[str]]:
        """Yield the columns of some rows as they may be, those of the shifted days last."""
        columns, patients = list(zip(*rows, strict=True)), self.patients(rows)
        persons = {number: self.who(number) for number in dict.fromkeys(patients)}
        people = [persons[number] for number in patients]
        elapsed = {
            place: [
                self.cells.since(text.strip(), each, patient, str(place))
                for text, each, patient in zip(columns[place], at, patients, strict=True)
            ]
            for place, at in self.times(columns).items()
        }
        dated = bool(self.cells.starts)
        days = {
            place: [
                self.cells.day(patient, who, since)
                for patient, who, (_, since) in zip(patients, people, found, strict=True)
            ]
            for place, found in elapsed.items()
        }
        last = next(reversed(days.values()), [])
        for place, what in self.plan.items():
            if what.kind == "clock":
                yield [text for text, _ in elapsed[place]]
            elif what.kind == "day" and dated and days:
                # By the start's midnight too: where the day turns would tell the hour of the start.
                yield last
            else:
                yield self.cells.column(what, columns[place], people)
        yield from days.values() if dated else ()

    def times(self, columns: Columns) -> dict[int, list[Moment | None]]:
        """Read every time, on its day where another column tells it."""
        told = [[moment(text) for text in columns[place]] for place in self.places("day")]
        rows = len(columns[0])
        on = [next(filter(None, each), None) for each in zip(*told, strict=True)] if told else [None] * rows
        return {
            place: [combined(moment(text), day) for text, day in zip(columns[place], on, strict=True)]
            for place in self.places("clock")
        }
