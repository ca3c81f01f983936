"""What the columns of a stream mean: of a source that the recipe knows, or by names that say it everywhere.

A name that neither knows is dropped, with everything under it. Kinds of columns:

    number    a measured value; a cell that is no number is emptied
    text      words of the vocabulary, units, numbers
    clock     a time: seconds since the start, and beside it the shifted day (`NAME_day`)
    day       a date: shifted
    patient   the patient's number: the pseudonym
    device    a device's number: a pseudonym of its own
    category  one of the values that the recipe lists
    coarse    a coordinate, to so many decimals
    band      an age or another number, to a band of so many
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import Literal

from deid.signal.words import is_technical, known, tokens, unit

Kind = Literal["number", "text", "clock", "day", "patient", "device", "category", "coarse", "band"]
KINDS: tuple[Kind, ...] = ("number", "text", "clock", "day", "patient", "device", "category", "coarse", "band")
UNIT = re.compile(r"\s*[(\[]([^()\[\]]{1,12})[)\]]\s*$")
EDGES = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")  # accX is acc x
# Units as names end in them: `cop_x_mm`.
UNIT_WORDS = frozenset(
    ("mm", "cm", "m", "n", "nm", "mv", "uv", "v", "s", "ms", "sec", "hz", "deg", "kg", "g", "bpm", "pct", "w")
)
MARKS = re.compile(r"[\s_\-./:]+")


@dataclass(frozen=True)
class Column:
    """What one column is; `values` of a category, `size` of a band or decimals of a coordinate."""

    kind: Kind
    values: frozenset[str] = frozenset()
    size: int = 0


@dataclass(frozen=True)
class Stream:
    """The schema of one source: a file is of it if it has all of `has`; names are plain (see `plain`)."""

    name: str
    has: frozenset[str]
    columns: Mapping[str, Column]


@dataclass(frozen=True)
class Rules:
    """The recipe's `signal:` section."""

    streams: tuple[Stream, ...] = ()
    technical: bool = True  # whether names of the vocabulary count in files of no known source
    record_number: re.Pattern[str] | None = None
    stills: bool = False
    others: Mapping[str, Column] = field(default_factory=dict)

    def stream(self, names: Iterable[str]) -> Stream:
        """Find the schema of a file with these names."""
        have = {plain(name) for name in names}
        return next((each for each in self.streams if each.has <= have), Stream("", frozenset(), self.others))


# What a person's name is called: it is never published, and looked for in what is.
PEOPLE = frozenset(
    (
        *("name", "patient name", "subject name", "full name", "user name", "username", "operator", "doctor"),
        *("physician", "이름", "성명", "환자명", "환자 이름", "대상자명", "환자성명", "측정자", "검사자", "담당자"),
        *("의사", "보호자", "구급대원"),
    )
)
OWN_NUMBER = frozenset(("id", "no", "number", "mrn", "번호"))  # inside an object that is the patient's


def plain(name: str) -> str:
    """Give a name without its unit, its case and the marks between its words: `HeartRate (bpm)` is `heart rate`."""
    return MARKS.sub(" ", EDGES.sub(" ", UNIT.sub("", name.strip().strip("\ufeff\"'")))).strip().lower()


def column(stream: Stream, rules: Rules, name: str) -> Column | None:
    """Find what a column is; None if it must go."""
    key = plain(name)
    found = stream.columns.get(key)
    # In a source that the recipe knows, what it does not name goes.
    if found or stream.name or not rules.technical:
        return found
    if key in NAMES:
        return NAMES[key]
    words = key.split()
    measured = " ".join(words[:-1]) if len(words) > 1 and words[-1] in UNIT_WORDS else key
    if key and (is_technical(key) or _is_numbered(measured)):
        return Column("text")
    return None


def _is_numbered(key: str) -> bool:
    """Whether a name is technical but for the numbers in it: `emg 3 filtered 2`."""
    words = tokens(key)
    return bool(words) and known(words[0]) and all(known(word) or re.fullmatch(r"\d{1,2}", word) for word in words)


def shown(name: str) -> str:
    """Give a known name as it may be published: its unit only if it is one."""
    whole = name.strip().strip("\ufeff\"'")
    found = UNIT.search(whole)
    return whole if found and unit(found[1]) else UNIT.sub("", whole)


def _names() -> dict[str, Column]:
    found: dict[str, Column] = {}
    text = (resources.files("deid.signal.streams") / "columns.txt").read_text("utf-8")
    for line in text.splitlines():
        kind, _, names = line.partition("#")[0].partition(":")
        wanted = next((each for each in KINDS if each == kind.strip()), None)
        if wanted:
            found |= {plain(name): Column(wanted) for name in names.split(",") if name.strip()}
    return found


NAMES = _names()
