"""Presidio's anonymizer for Korean text: our operators, with what an operator alone cannot see.

An operator is given one value. What stands around it is looked after here: the particle behind a name follows the
stand-in's last sound, a given name alone is tied to the whole name in the same text, a day of the week behind a shifted
date moves with it, and dates without year are reckoned in the text's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from presidio_anonymizer import AnonymizerEngine
from presidio_anonymizer.entities import (
    ConflictResolutionStrategy,
    EngineResult,
    OperatorConfig,
    OperatorResult,
    RecognizerResult,
)

from deid.detect.normalise import normalise
from deid.detect.operators.date_shift import KoreanDateShift, year_of
from deid.detect.operators.keyed import KoreanOperator, core_of
from deid.detect.operators.name import KoreanName
from deid.detect.operators.number import KoreanNumber
from deid.detect.operators.particles import mended
from deid.detect.operators.placeholder import Placeholder
from deid.detect.syllables import split_name

OPERATORS: tuple[type[KoreanOperator], ...] = (Placeholder, KoreanName, KoreanNumber, KoreanDateShift)
SURROGATES = frozenset({KoreanName.NAME, KoreanNumber.NAME})
_WEEKDAY = re.compile(r"[ ]?\([ ]?[월화수목금토일](?:요일)?[ ]?\)|[ ][월화수목금토일]요일")
_SHORTEST_GIVEN = 2


class KoreanAnonymizer(AnonymizerEngine):
    """`AnonymizerEngine` that knows `OPERATORS` by name besides Presidio's own."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        for operator in OPERATORS:
            self.add_anonymizer(operator)

    def anonymize(
        self,
        text: str,
        analyzer_results: list[RecognizerResult],
        operators: dict[str, OperatorConfig] | None = None,
        conflict_resolution: ConflictResolutionStrategy = ConflictResolutionStrategy.MERGE_SIMILAR_OR_CONTAINED,
        merge_entities_with_spaces: bool = False,  # noqa: FBT001, FBT002 - Presidio's signature
    ) -> EngineResult:
        """Presidio's `anonymize`; neighbours of one type are not merged (two dates are two dates)."""
        configured = {kind: _prepared(config, text, analyzer_results) for kind, config in (operators or {}).items()}
        results = [_with_weekday(result, text, configured) for result in analyzer_results]
        answer = super().anonymize(text, results, configured, conflict_resolution, merge_entities_with_spaces)
        return _with_particles(answer)


@cache
def anonymizer() -> KoreanAnonymizer:
    """Return the anonymizer of this process."""
    return KoreanAnonymizer()


def _prepared(config: OperatorConfig, text: str, results: Sequence[RecognizerResult]) -> OperatorConfig:
    added: Mapping[str, Any] = {}
    if config.operator_name == KoreanName.NAME:
        added = {"persons": {**persons(text, results), **config.params.get("persons", {})}}
    elif config.operator_name == KoreanDateShift.NAME:
        added = {"year": config.params.get("year") or year_of(normalise(text).text)}
    return OperatorConfig(config.operator_name, {**config.params, **added}) if added else config


def persons(text: str, results: Sequence[RecognizerResult]) -> dict[str, str]:
    """Given name to whole name, of the whole Hangul names among the results."""
    return given_names(text[result.start : result.end] for result in results if result.entity_type == "NAME")


def given_names(names: Iterable[str]) -> dict[str, str]:
    """Given name to whole name, of whole Hangul names; of two with one given name the first."""
    found: dict[str, str] = {}
    for whole in map(core_of, names):
        parts = split_name(whole)
        if parts and len(parts[1]) >= _SHORTEST_GIVEN:
            found.setdefault(parts[1], whole)
    return found


def _with_weekday(result: RecognizerResult, text: str, operators: Mapping[str, OperatorConfig]) -> RecognizerResult:
    config = operators.get(result.entity_type)
    behind = _WEEKDAY.match(text, result.end) if config and config.operator_name == KoreanDateShift.NAME else None
    end = behind.end() if behind else result.end
    return RecognizerResult(result.entity_type, result.start, end, result.score)


def _with_particles(answer: EngineResult) -> EngineResult:
    text, parts, position, moved = answer.text or "", [], 0, 0
    items = []
    for item in sorted(answer.items, key=lambda item: item.start):
        start, end = item.start + moved, item.end + moved
        items.append(OperatorResult(start, end, item.entity_type, item.text, item.operator, item.score))
        written, right = mended(item.text, text[item.end : item.end + 12]) if item.operator in SURROGATES else ("", "")
        parts += [text[position : item.end], right]
        position = item.end + len(written)
        moved += len(right) - len(written)
    return EngineResult("".join([*parts, text[position:]]), items)
