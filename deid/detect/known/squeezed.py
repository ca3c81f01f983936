"""A text as letters and digits only, so that a value is found whatever stands between its characters.

"김 철 수", "010) 1234 - 5678" and a number broken at the end of a line hold the same letters and digits as the value in
the table. Every letter or digit knows where it stands; what stood between is judged afterwards (`gap`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from deid.detect.normalise import View, normalise
from deid.detect.spoken import with_spoken_digits


@dataclass(frozen=True, slots=True)
class Squeezed:
    """`core`: lower-case letters and digits of the normalised `text`; `at[i]` is where `core[i]` stands in `text`."""

    view: View
    text: str
    core: str
    at: list[int]

    def occurrences(self, needle: str) -> Iterator[tuple[int, int]]:
        """Spans of `text` whose letters and digits are `needle`, from the left; they may overlap."""
        start = self.core.find(needle)
        while start >= 0:
            yield self.at[start], self.at[start + len(needle) - 1] + 1
            start = self.core.find(needle, start + 1)

    def gap(self, start: int, end: int) -> int:
        """Return the longest run of characters in `text[start:end]` that are neither letter nor digit."""
        longest = run = 0
        for character in self.text[start:end]:
            run = 0 if character.isalnum() else run + 1
            longest = max(longest, run)
        return longest

    def before(self, start: int) -> str:
        """Return the character before, or a blank at the beginning."""
        return self.text[start - 1] if start else " "

    def after(self, end: int) -> str:
        """Return the character behind, or a blank at the end."""
        return self.text[end] if end < len(self.text) else " "


def squeeze(text: str) -> Squeezed:
    """Normalise `text` (see `normalise`), digits said in Hangul as digits, and keep letters and digits."""
    view = normalise(text)
    plain = with_spoken_digits(view.text).lower()
    if len(plain) != len(view.text):  # a letter whose small form is longer (İ): offsets must hold
        plain = "".join(character.lower() if len(character.lower()) == 1 else character for character in view.text)
    at = [index for index, character in enumerate(plain) if character.isalnum()]
    return Squeezed(view, plain, "".join(plain[index] for index in at), at)


def core_of(value: str) -> str:
    """Letters and digits of a value as in `Squeezed.core`; digits said in Hangul stay as they are."""
    return "".join(character for character in normalise(value).text.lower() if character.isalnum())
