"""What was taken out of a file, as texts to be searched for afterwards: the self-scan's list, and what may not be kept.

A number such as 0.488 or a word of technique that went with a private attribute says nothing, and would be found
again in what was kept on purpose; such values are not searched. Everything that can name a person is, in every
possible reading.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache

from deid.folder.needles import is_searchable
from deid.imaging.dictionary import SINGLE, TEXT, is_registered
from deid.imaging.elements import Element, Letters, walk
from deid.imaging.standard import BASIC, CLEAN_PIXELS, OPTIONS
from deid.imaging.vocabulary import is_known

NAME_PARTS = re.compile(r"[\^=\s,;]+")
PLAIN_NUMBER = re.compile(r"[+-]?\d{0,7}(\.\d*)?([eE][+-]?\d+)?")
LONGEST = 64  # letters: what is longer is searched by its first ones
WORDS = re.compile(r"[^\W_]+")
SHORTEST_KNOWN, SHORTEST_UID, SHORTEST_DAY = 3, 8, 8
NOTED = (TEXT - {"CS"}) | {"UI", "DA", "DT"}
# Words that we write ourselves into every file: a value that is one of them is found there, and says nothing.
OURS = frozenset(
    word.upper()
    for text in (*(meaning for _, meaning in (*OPTIONS.values(), BASIC, CLEAN_PIXELS)), "Removed Ansim MODIFIED")
    for word in WORDS.findall(text)
)


@dataclass
class Gone:
    """Values taken out of one file: `lasting` are a person's and searched in the patient's other files too."""

    letters: Letters
    lasting: set[str] = field(default_factory=set)
    once: set[str] = field(default_factory=set)

    def add(self, element: Element, *, lasting: bool) -> None:
        """Note an attribute that is taken out, with everything below it."""
        if element.items is None:
            if element.vr in NOTED and not element.fragments:
                self._add(element.vr, bytes(element.value), lasting=lasting)
            return
        for each in walk([element]):
            if each.items is None and each.vr in NOTED:
                self._add(each.vr, bytes(each.value), lasting=lasting)

    def _add(self, vr: str, value: bytes, *, lasting: bool) -> None:
        names, numbers = _texts(vr, value, self.letters)
        if vr == "PN" or (lasting and vr in {"LO", "SH"}):
            self.lasting |= names
            self.once |= numbers
        else:
            self.once |= names

    def known_words(self) -> frozenset[str]:
        """Give the person's words and numbers, in capitals: what nothing that is kept may contain."""
        words = {word.upper() for value in self.lasting for word in WORDS.findall(value)}
        return frozenset(word for word in words if len(word) >= SHORTEST_KNOWN or not word.isascii()) - OURS

    def searched(self, kept: set[str]) -> tuple[frozenset[str], frozenset[str]]:
        """Give what is to be searched, lasting and once, without what was kept elsewhere by a rule of its own."""
        upper = {each.upper() for each in kept}
        together = "\n".join(upper)
        once = frozenset(
            value
            for value in self.once - self.lasting
            if value.upper() not in together and not all(word.upper() in upper for word in WORDS.findall(value))
        )
        return frozenset(value for value in self.lasting if value.upper() not in upper), once


@lru_cache(maxsize=4096)
def _texts(vr: str, value: bytes, letters: Letters) -> tuple[frozenset[str], frozenset[str]]:
    """Give the texts of a value that are worth a search, and those that are plain numbers; a series has the same."""
    values = _values(vr, letters.readings(value))
    if vr == "UI":
        return frozenset(each for each in values if len(each) >= SHORTEST_UID and not is_registered(each)), frozenset()
    if vr in {"DA", "DT"}:
        return frozenset(each[:14] for each in values if len(each) >= SHORTEST_DAY), frozenset()
    if vr == "PN":
        values = [part for each in values for part in (each, *NAME_PARTS.split(each))]
    texts = {each.strip()[:LONGEST] for each in values}
    texts = {each for each in texts if is_searchable(each)}
    plain = {each for each in texts if PLAIN_NUMBER.fullmatch(each)}
    return (
        frozenset(each for each in texts - plain if not is_harmless(each)),
        frozenset(each for each in plain if each.isdigit()),
    )


def _values(vr: str, readings: list[str]) -> list[str]:
    if vr in SINGLE:
        return readings
    return [each.strip(" \0") for reading in readings for each in reading.split("\\")]


def is_harmless(text: str) -> bool:
    """Whether a text consists of known words of technique alone."""
    return all(is_known(word) or word.upper() in OURS for word in WORDS.findall(text))


def names_somebody(text: str, known: frozenset[str]) -> bool:
    """Whether a text contains a word or number of the person."""
    upper = text.upper()
    return any(word.upper() in known for word in WORDS.findall(text)) or any(
        word in upper for word in known if len(word) > SHORTEST_KNOWN + 1 or not word.isascii()
    )
