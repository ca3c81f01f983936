"""Whose file it is: from what the file says to a pseudonym, a day offset and the values that must be gone.

The number decides, as in tables and images, so that all of a patient's files share pseudonym and offset. A file without
a number is by name and birth; one without either stands for itself, under its own path.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field
from importlib import resources

from deid.folder.format import Context
from deid.signal.words import is_technical, tokens

SHORTEST_ASCII, SHORTEST_OTHER = 5, 2
MOST_DATES = 64
FIRST_SYLLABLE, NAME_LETTERS = "\u1100", 3
# What columns are called is in every table, and no one's name.
HEADINGS = frozenset(tokens((resources.files("deid.signal.streams") / "columns.txt").read_text("utf-8")))
UNKNOWN = frozenset({"x", "unknown", "anonymous", "anonymized", "n/a", "na", "none", "-", "0", "null"})


@dataclass
class Taken:
    """What was taken out: `names` must be nowhere in any output, `dates` nowhere in this file's."""

    names: set[str] = field(default_factory=set)
    dates: set[str] = field(default_factory=set)

    def value(self, text: str) -> None:
        """Note one identifier as it was written. What is short would be found everywhere and is left out."""
        text = text.strip(" \0\t\r\n")
        if len(text) >= (SHORTEST_ASCII if text.isascii() else SHORTEST_OTHER) and not is_technical(text):
            self.names.add(text)

    def words(self, text: str) -> None:
        """Note the words of a free text that look like a number or a Korean name, and name no column.

        Latin words and short Korean ones are not noted: another file may well hold them.
        """
        for word in tokens(text):
            letters = [letter for letter in word if letter > FIRST_SYLLABLE]
            if word not in HEADINGS and (len(letters) >= NAME_LETTERS or any(each.isdigit() for each in word)):
                self.value(word)

    def date(self, text: str) -> None:
        """Note a date or time as it was written: of a stream's many the first ones."""
        if len(text.strip()) > SHORTEST_ASCII and len(self.dates) < MOST_DATES:
            self.dates.add(text.strip())


@dataclass(frozen=True)
class Person:
    """The patient of a file as the outside may see him or her."""

    pseudonym: str
    days: int

    def day(self, real: dt.date) -> dt.date:
        """Shift a date by the patient's own number of days; a date at the edge of the calendar stays within it."""
        moved = real.toordinal() + self.days
        return dt.date.fromordinal(min(max(moved, 1), dt.date.max.toordinal()))


def person(context: Context, number: str = "", *, name: str = "", birth: str = "") -> Person:
    """Find who a file is of: by number, else by name and birth, else by the file itself."""
    known = [part.strip(" \0\t\r\n") for part in (number, name, birth)]
    number, name, birth = ("" if set(part.lower().split()) <= UNKNOWN else part for part in known)
    # A NUL keeps what is no number apart from every number.
    key = number or (f"name\0{name}\0{birth}" if name else f"file\0{context.name}")
    return Person(context.people.pseudonym(key), context.people.days(key))


NUMBER_LIKE = re.compile(r"[A-Za-z]{0,4}[-_]?\d[\dA-Za-z]*(?:[-_]\d[\dA-Za-z]*)*", re.ASCII)
SHORTEST_NUMBER = 4
BIRTH_LIKE = re.compile(r"(?:19|20)\d{6}|\d{1,4}[-./]\d{1,2}[-./]\d{1,4}|\d{2}-[A-Za-z]{3}-\d{4}", re.ASCII)

# A resident's number and a telephone are a person's, and no hospital's number.
PERSONAL = re.compile(r"\d{6}-[1-8]\d{6}|0\d{1,2}-\d{3,4}-\d{4}", re.ASCII)


def number_in(text: str) -> str:
    """Find the patient number in a free text: its first word with digits that is no date, "" if there is none."""
    for word in re.split(r"[\s,;|^()\[\]:=]+", text):
        other = BIRTH_LIKE.fullmatch(word) or PERSONAL.fullmatch(word)
        if len(word) >= SHORTEST_NUMBER and NUMBER_LIKE.fullmatch(word) and not other:
            return word
    return ""
