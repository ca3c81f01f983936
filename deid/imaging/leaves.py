"""One value: validated, moved, mapped, cleaned or replaced, by its value representation (PS3.5 §6.2)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from deid.folder.people import People
from deid.imaging import allowed, times
from deid.imaging.dictionary import BULK, NUMBERS, SINGLE, TEXT, is_registered, most_values
from deid.imaging.elements import Element, Letters, is_character_set
from deid.imaging.gone import WORDS, Gone, names_somebody
from deid.imaging.vocabulary import cleaned, is_term

TERM = re.compile(r"[A-Z0-9 _]{0,16}", re.ASCII)
DECIMAL = re.compile(r" *[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})? *", re.ASCII)
WHOLE = re.compile(r" *[+-]?\d{1,10} *", re.ASCII)
LONG_NUMBER = re.compile(r" *[+-]?\d{8,}\.?0* *", re.ASCII)  # as long as a date or a patient's number
AGE = re.compile(r"(\d{3})([DWMY])")
SHORTEST_LETTERS = 12  # bytes: in fewer, numbers look like letters by chance
CHARACTER_SET, AGE_TAG = 0x00080005, 0x00101010
DUMMIES = {
    "PN": b"Removed", "DA": b"19000101", "DT": b"19000101000000", "TM": b"000000", "IS": b"0", "DS": b"0",
    "AS": b"000Y", "UI": b"2.25.0",
}  # fmt: skip
MOST_DIGITS = 5  # of a code string, in all its pieces: a day has more
DUMMY_TEXT, OTHER = b"REMOVED", "OTHER"


@dataclass
class Leaves:
    """What a value is cleaned with: whose keys, the patient's offset, words of the person, and what was taken out."""

    people: People
    days: int | None
    letters: Letters
    gone: Gone
    age_top: int
    known: frozenset[str] = frozenset()
    kept: set[str] = field(default_factory=set)

    def keep(self, element: Element, vr: str) -> Element | None:
        """Keep a value that has the form of its kind and names nobody; None for one that has not."""
        if vr in NUMBERS:
            return element if _are_numbers(element, NUMBERS[vr] * (2 if vr == "AT" else 1)) else None
        if vr in BULK:
            return Element(element.tag, vr, element.value)
        if vr == "UI":
            return self.uid(element)
        if vr in {"DA", "DT", "TM"}:
            return Element(element.tag, vr, element.value)
        return self._text(element, vr)

    def _text(self, element: Element, vr: str) -> Element | None:
        data = bytes(element.value)
        if not data:
            return Element(element.tag, vr)
        if vr == "CS" and _are_digits(data):
            return None
        if element.tag == CHARACTER_SET:
            return element if all(map(is_character_set, data.decode("latin-1").split("\\"))) else None
        text = self.letters.read(data)
        values = [text] if vr in SINGLE else text.split("\\")
        fits = [self._has_form(value.strip(" \0"), element.tag, vr) for value in values]
        if vr == "CS" and len(values) > 1 and any(fits):
            # The place of a term among several says what it is of: one that may not stay leaves its place taken.
            values = [value if fit else OTHER for value, fit in zip(values, fits, strict=True)]
            if not all(fits):
                self.gone.add(Element(element.tag, "LO", element.value), lasting=False)
                element = Element(element.tag, vr, "\\".join(values).encode("ascii"))
        elif not all(fits):
            return None
        if element.tag == AGE_TAG:
            return Element(element.tag, vr, self._age(text).encode("ascii"))
        self.kept.update(value.strip() for value in values)
        return Element(element.tag, vr, element.value)

    def _has_form(self, value: str, tag: int, vr: str) -> bool:
        if tag in allowed.ENUMERATED:
            return value in allowed.ENUMERATED[tag] or not value
        if names_somebody(value, self.known):
            return False
        if vr == "CS":
            return TERM.fullmatch(value) is not None and is_term(value)
        if vr in {"DS", "IS"} and LONG_NUMBER.fullmatch(value) and tag not in allowed.LONG_NUMBERS:
            return False
        form = {"DS": DECIMAL, "IS": WHOLE, "AS": AGE}.get(vr)
        return form is None or not value or form.fullmatch(value) is not None

    def _age(self, text: str) -> str:
        match = AGE.fullmatch(text)
        if match and match[2] == "Y" and int(match[1]) > self.age_top:
            return f"{self.age_top:03d}Y"
        return text

    def date(self, element: Element, vr: str) -> Element | None:
        """Move dates by the patient's offset; a value that is no date is gone."""
        values = bytes(element.value).decode("latin-1").split("\\")
        if vr == "TM":
            moved = [times.time_of_day(value.strip(" \0")) for value in values]
        elif self.days is None:
            return None
        else:
            move = times.move_day if vr == "DA" else times.move_moment
            moved = [move(value.strip(" \0"), self.days) for value in values]
            self.gone.add(Element(element.tag, vr, element.value), lasting=False)
            self.kept.update(each[:14] for each in moved)
        return Element(element.tag, vr, "\\".join(moved).encode("ascii")) if any(moved) else None

    def uid(self, element: Element) -> Element | None:
        """Map instance UIDs; those of the standard stay."""
        values = [each.strip(" \0") for each in bytes(element.value).decode("latin-1").split("\\")]
        if element.tag in allowed.CLASS_TAGS and not all(map(is_registered, values)):
            return None
        mapped = [value if not value or is_registered(value) else self.people.uid(value) for value in values]
        if mapped != values:
            self.gone.add(Element(element.tag, "UI", element.value), lasting=False)
        return Element(element.tag, "UI", "\\".join(mapped).encode("ascii"))

    def clean(self, element: Element, vr: str) -> Element | None:
        """Leave the known words of a text; None where none is left. A free text passes whole or not at all."""
        text = self.letters.read(element.value)
        values = [text] if vr in SINGLE else text.split("\\")
        whole, marked = vr in {"ST", "LT", "UT"}, element.tag in allowed.MARKED_TEXTS
        found = [cleaned(value, whole=whole, marked=marked) for value in values]
        found = ["" if names_somebody(each, self.known) else each for each in found]
        self.kept.update(word for each in found for word in WORDS.findall(each))
        if found == [each.strip() for each in values]:
            self.kept.update(found)
            return Element(element.tag, vr, element.value)
        self.gone.add(Element(element.tag, vr if vr in TEXT else "LO", element.value), lasting=False)
        ascii_only = [" ".join(word for word in each.split() if word.isascii()) for each in found]
        self.kept.update(ascii_only)
        return Element(element.tag, vr, "\\".join(ascii_only).encode("ascii")) if any(ascii_only) else None


def _are_digits(data: bytes) -> bool:
    """Whether a code string is a number in pieces: a day, a telephone (`010 1234 5678`)."""
    pieces = [each for each in re.split(rb"[ _\\]+", data) if each.isdigit()]
    return len(pieces) > 1 and sum(map(len, pieces)) > MOST_DIGITS


def _are_numbers(element: Element, width: int) -> bool:
    """Whether binary numbers are as many as the attribute has, and no letters that were written in their place."""
    count, rest = divmod(len(element.value), width)
    most = most_values(element.tag)
    return not rest and (count <= most if most else not _are_letters(bytes(element.value).rstrip(b"\0 ")))


def _are_letters(data: bytes) -> bool:
    if len(data) < SHORTEST_LETTERS:
        return False
    try:
        return data.decode("utf-8").isprintable()
    except UnicodeDecodeError:
        return False


def dummy(tag: int, vr: str) -> Element:
    """Give a value that says nothing, of the right kind."""
    if vr in NUMBERS:
        return Element(tag, vr, bytes(NUMBERS[vr] * (2 if vr == "AT" else 1)))
    if vr in BULK or vr == "UN":
        return Element(tag, vr, bytes(8))
    return Element(tag, vr, DUMMIES.get(vr, DUMMY_TEXT))
