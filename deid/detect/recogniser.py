"""The common form of our recognisers: Presidio `EntityRecognizer`s made of rules over normalised text.

Presidio raises scores by context through lemmas of an NLP engine; there is no Korean model to be had offline, so
context (labels, titles, units) lives inside the rules themselves. Every pattern uses bounded repetition only.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any, ClassVar

from presidio_analyzer import EntityRecognizer, RecognizerResult

from deid.detect.found import Found


class KoreanRecogniser(EntityRecognizer):
    """One kind of identifier in Korean text. Subclasses set `ENTITY` (or `ENTITIES`) and write `find`."""

    ENTITIES: ClassVar[tuple[str, ...]] = ()
    COUNTRY_CODE = "kr"

    def __init__(self) -> None:
        super().__init__(supported_entities=list(self.ENTITIES), supported_language="ko", name=type(self).__name__)

    def load(self) -> None:
        """Nothing to load: rules are part of the module."""

    @abstractmethod
    def find(self, text: str) -> Iterator[Found]:
        """Spans of normalised `text` (see `deid.detect.normalise`), in any order; they may overlap."""

    def analyze(self, text: str, entities: list[str], nlp_artifacts: Any = None) -> list[RecognizerResult]:
        """Presidio's entry: what `find` reports of the wanted `entities`. `nlp_artifacts` is not used."""
        del nlp_artifacts
        return [
            RecognizerResult(entity_type=found.type, start=found.start, end=found.end, score=found.score)
            for found in self.find(text)
            if found.type in entities
        ]


@dataclass(frozen=True, slots=True)
class Rule:
    """One pattern; the identifier is its group `v` if there is one, else the whole match."""

    type: str
    pattern: re.Pattern[str]
    score: float
    check: Callable[[str], bool] | None = None
    # A match holds at least one of these strings as they are; none: any text may have one. Spares most searches.
    needs: tuple[str, ...] = ()
    _sign: re.Pattern[str] | None = field(init=False, repr=False, compare=False, default=None)
    _named: bool = field(init=False, repr=False, compare=False, default=False)

    def __post_init__(self) -> None:
        """Compile what is asked of every text once."""
        object.__setattr__(self, "_sign", _any_of(self.needs) if self.needs else None)
        object.__setattr__(self, "_named", "v" in self.pattern.groupindex)

    def find(self, text: str, begin: int = 0, limit: int | None = None) -> Iterator[Found]:
        """Every match from `begin` to `limit` (default: the whole text) whose value passes `check`."""
        end = len(text) if limit is None else limit
        if self._sign and not self._sign.search(text, begin, end):
            return
        for match in self.pattern.finditer(text, begin, end):
            start, until = match.span("v") if self._named else match.span()
            if until > start and (self.check is None or self.check(text[start:until])):
                yield Found(start, until, self.type, self.score)


@cache
def _any_of(strings: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, strings)))


class RuleRecogniser(KoreanRecogniser):
    """A recogniser that is a tuple of rules and nothing else."""

    RULES: ClassVar[tuple[Rule, ...]] = ()

    def find(self, text: str) -> Iterator[Found]:
        """Yield the matches of every rule."""
        for rule in self.RULES:
            yield from rule.find(text)


def digits(value: str) -> str:
    """Return the ASCII digits of `value`, in order."""
    return "".join(character for character in value if "0" <= character <= "9")
