"""What is known of a provider: its own names, departments and wards, and how its record numbers look.

One YAML file per provider, which a recipe names in `profile:`. A record number is written as a template in which `#` is
a digit and `@` a Latin letter, never as a regular expression: nobody's file can make the search hang. A template needs
four digits, or any number of the note would be a record number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from deid.detect.found import Found
from deid.detect.known.search import Value
from deid.detect.known.squeezed import Squeezed

FEWEST_DIGITS = 4
LONGEST_TEMPLATE = 40
_SCORE = 0.85
# Clinical systems wrap lines hard, also within a number.
_SEPARATOR = r"[ \-_/.\n]{0,2}"


@dataclass(frozen=True)
class Profile:
    """A provider's values: `record_numbers` are templates; the others are names as written in notes."""

    record_numbers: tuple[str, ...] = ()
    organisations: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()
    wards: tuple[str, ...] = ()

    @property
    def values(self) -> list[Value]:
        """Give the names as (kind, value) pairs for `search.Many`."""
        kinds = (("organisation", self.organisations), ("department", self.departments), ("ward", self.wards))
        return [(kind, value) for kind, names in kinds for value in names]


class RecordNumbers:
    """Record numbers of a provider, by their templates."""

    def __init__(self, templates: Sequence[str]) -> None:
        both = "|".join(map(_pattern, templates))
        self._pattern = re.compile(rf"(?<![a-z0-9])(?:{both})(?![a-z0-9])") if templates else None

    def find(self, text: Squeezed) -> Iterator[Found]:
        """Spans of the unmodified text that fit a template, whatever separators stand between its groups."""
        for match in self._pattern.finditer(text.text) if self._pattern else ():
            yield Found(*text.view.original(*match.span()), "MRN", _SCORE)


def is_template(template: str) -> bool:
    """Whether a record-number template says enough and not too much: see the module."""
    return template.count("#") >= FEWEST_DIGITS and len(template) <= LONGEST_TEMPLATE and template.isascii()


def _pattern(template: str) -> str:
    parts = []
    for character in template.lower():
        if character == "#":
            parts.append(r"\d")
        elif character == "@":
            parts.append("[a-z]")
        elif character.isalnum():
            parts.append(character)
        else:
            parts.append(_SEPARATOR)
    return "".join(parts)
