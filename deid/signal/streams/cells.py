"""What becomes of one value of a stream: a cell of a table, or a scalar in JSON. Verbatim, replaced, or nothing.

A number stays as it was spelled: the same digits are the same sample.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from deid.folder.format import Context
from deid.signal.person import Person, Taken, person
from deid.signal.streams.moments import DAY, SECOND, Moment, day_of, moment
from deid.signal.streams.schema import Column
from deid.signal.words import is_technical, unit

# Seven digits before the point hold 24-bit samples; a telephone, a registration number or a date have more.
NUMBER = re.compile(r"[-+]?(?:(?:0|[1-9]\d{0,6})(?:[.,]\d{0,17})?|[.,]\d{1,17})(?:[eE][-+]?\d{1,2})?", re.ASCII)
NUMBERS = re.compile(rf"(?:{NUMBER.pattern}\n)*+", re.ASCII)
MISSING = frozenset(("", "nan", "null", "none", "na", "n/a", "-", "inf", "-inf"))
TRUTH = frozenset(("true", "false"))
LONGEST_TEXT = 60
MOST_DECIMALS = 2  # of a coordinate: about a kilometre


@dataclass
class Cells:
    """The values of one file. Times are told to it first (`hear`), then every value is treated."""

    context: Context
    taken: Taken
    emptied: int = 0
    starts: dict[str, int] = field(default_factory=dict)  # by patient: the earliest dated moment
    begun: dict[tuple[str, str], int] = field(default_factory=dict)  # by patient and column: the first time of day
    people: dict[str, Person] = field(default_factory=dict)
    device: str = ""

    def who(self, number: str) -> Person:
        """Give the person of a number, noting that the number must be gone."""
        if number not in self.people:
            self.taken.value(number)
            self.people[number] = person(self.context, number)
        return self.people[number]

    def hear(self, text: str, patient: str, day: Moment | None = None) -> None:
        """Learn from a time when a patient's stream began."""
        self.begin(combined(moment(text), day), patient)

    def begin(self, at: Moment | None, patient: str) -> None:
        """Learn from a moment when a patient's stream began."""
        if at and at.dated:
            self.starts[patient] = min(self.starts.get(patient, at.micros), at.micros)

    def elapsed(self, text: str, patient: str, name: str, day: Moment | None = None) -> tuple[str, int | None]:
        """Give seconds since the start, and whole days since the start's midnight if the day is known.

        A number that is no time of the calendar is seconds since the start already and stays.
        """
        return self.since(text, combined(moment(text), day), patient, name)

    def since(self, text: str, at: Moment | None, patient: str, name: str) -> tuple[str, int | None]:
        """Do the same for a time that was read already."""
        if at is None:
            return self.number(text), None
        self.taken.date(text)
        if not at.dated:
            start = self.begun.setdefault((patient, name), at.micros)
            return _seconds((at.micros - start) % DAY, at.decimals), None
        since = at.micros - self.starts.get(patient, at.micros)
        return _seconds(since, at.decimals), since // DAY

    def day(self, patient: str, who: Person, since: int | None) -> str:
        """Give the shifted day that lies `since` whole days after the start, counted from the start's own midnight."""
        if since is None or patient not in self.starts:
            return ""
        return (who.day(day_of(self.starts[patient])) + dt.timedelta(days=since)).isoformat()

    def date(self, text: str, who: Person) -> str:
        """Shift a date."""
        at = moment(text)
        if at is None or not at.dated:
            return self._empty(text)
        self.taken.date(text)
        return who.day(day_of(at.micros)).isoformat()

    def column(self, column: Column, values: Sequence[str], people: Sequence[Person]) -> list[str]:
        """Treat the values of a column that is no time; one of numbers alone stays as it is, at once."""
        if column.kind in {"number", "text"} and NUMBERS.fullmatch("\n".join((*values, ""))):
            return list(values)
        return [self.other(column, value, who) for value, who in zip(values, people, strict=True)]

    def number(self, text: str) -> str:
        """Keep a number as it was spelled."""
        return text if NUMBER.fullmatch(text) else self._empty(text)

    def text(self, text: str) -> str:
        """Keep a number, a word of the vocabulary or a unit."""
        if NUMBER.fullmatch(text) or text.lower() in TRUTH or unit(text):
            return text
        return text if len(text) <= LONGEST_TEXT and is_technical(text) else self._empty(text)

    def other(self, column: Column, text: str, who: Person) -> str:
        """Treat a value of any kind but a time."""
        treat = TREATED[column.kind]
        return treat(self, column, text.strip(), who)

    def _patient(self, column: Column, text: str, who: Person) -> str:  # noqa: ARG002 - one shape for all
        return self.who(text).pseudonym if text else ""

    def _device(self, column: Column, text: str, who: Person) -> str:  # noqa: ARG002 - one shape for all
        self.taken.value(text)
        return self.context.people.file_name(f"device\0{text}", "")[:16] if text else ""

    def _category(self, column: Column, text: str, who: Person) -> str:  # noqa: ARG002 - one shape for all
        return text if text in column.values else self._empty(text)

    def _coarse(self, column: Column, text: str, who: Person) -> str:  # noqa: ARG002 - one shape for all
        try:
            value = float(text)
        except ValueError:
            return self._empty(text)
        return f"{value:.{min(column.size, MOST_DECIMALS)}f}" if math.isfinite(value) else self._empty(text)

    def _band(self, column: Column, text: str, who: Person) -> str:  # noqa: ARG002 - one shape for all
        if not re.fullmatch(r"\d{1,3}", text, re.ASCII):
            return self._empty(text)
        low = int(text) // column.size * column.size
        return f"{low}-{low + column.size - 1}"

    def _empty(self, text: str) -> str:
        if text.strip().lower() not in MISSING:
            self.emptied += 1
            self.taken.words(text)
        return ""


TREATED: dict[str, Callable[[Cells, Column, str, Person], str]] = {
    "number": lambda cells, _, text, __: cells.text(text),  # a row of units may stand below the names
    "text": lambda cells, _, text, __: cells.text(text),
    "day": lambda cells, _, text, who: cells.date(text, who) if text else "",
    "patient": Cells._patient,  # noqa: SLF001 - the table is this class's own
    "device": Cells._device,  # noqa: SLF001
    "category": Cells._category,  # noqa: SLF001
    "coarse": Cells._coarse,  # noqa: SLF001
    "band": Cells._band,  # noqa: SLF001
}


def combined(at: Moment | None, day: Moment | None) -> Moment | None:
    """Put a time of day on its day, where another column tells it."""
    if at and not at.dated and day and day.dated:
        return Moment(day.micros + at.micros, dated=True, decimals=at.decimals)
    return at


def _seconds(micros: int, decimals: int) -> str:
    decimals = min(decimals, 6)
    whole, part = divmod(micros, SECOND)
    return f"{whole}.{part:06}"[: len(str(whole)) + 1 + decimals] if decimals else str(whole)
