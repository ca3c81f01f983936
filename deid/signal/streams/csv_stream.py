"""CSV, TSV and device logs: known columns only, times relative, preamble and remarks dropped."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from deid.folder.format import Context, Refused
from deid.signal.one_file import Cleaned, OneFile
from deid.signal.person import Person, Taken, person
from deid.signal.streams.cells import Cells
from deid.signal.streams.moments import Moment, moment
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


@dataclass
class _Rows:
    table: Table
    plan: dict[int, Column]
    cells: Cells
    number: str

    @property
    def first(self) -> Person:
        """Whose the file is: of its first row."""
        return self.who(self.patient(self.table.rows[0]))

    def places(self, kind: str) -> list[int]:
        return [place for place, each in self.plan.items() if each.kind == kind]

    def patient(self, row: Sequence[str]) -> str:
        told = (row[place].strip() for place in self.places("patient"))
        return next(filter(None, told), self.number)

    def who(self, number: str) -> Person:
        return self.cells.who(number) if number else person(self.cells.context)

    def on(self, row: Sequence[str]) -> Moment | None:
        """Give the day of a row whose clock tells only the time."""
        days = (moment(row[place]) for place in self.places("day"))
        return next(filter(None, days), None)

    def written(self) -> Iterator[list[str]]:
        """Yield the names and then the rows as they may be."""
        clocks = self.places("clock")
        for row in self.table.rows:
            for place in clocks:
                self.cells.hear(row[place], self.patient(row), self.on(row))
        dated = bool(self.cells.starts)
        names = [shown(self.table.names[place]) for place in self.plan]
        yield [*names, *(f"{shown(self.table.names[place])}_day" for place in clocks if dated)]
        for row in self.table.rows:
            yield self.row(row, dated=dated)

    def row(self, row: Sequence[str], *, dated: bool) -> list[str]:
        patient = self.patient(row)
        who, on = self.who(patient), self.on(row)
        out, days = [], []
        since: int | None = None
        for place, what in self.plan.items():
            if what.kind != "clock":
                out.append(self.cells.other(what, row[place], who))
                continue
            value, since = self.cells.elapsed(row[place].strip(), patient, str(place), on)
            out.append(value)
            days.append(self.cells.day(patient, who, since))
        if since is not None and on is not None:
            # The day's own column goes by the start's midnight too: where it turns would tell the hour of the start.
            for position, what in enumerate(self.plan.values()):
                if what.kind == "day":
                    out[position] = self.cells.day(patient, who, since)
        return [*out, *(days if dated else ())]
