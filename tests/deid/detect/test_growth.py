"""No text can make the recognisers hang: repetition is bounded in every pattern, and hostile texts come back."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from typing import Any, TypeGuard

import pytest

import deid.detect
from deid.detect.recogniser import Rule, RuleRecogniser
from deid.detect.registry import RECOGNISERS
from deid.detect.scan import scan

parser: Any = importlib.import_module("re._parser")
HOSTILE = ["0", "1-", "1 ", "가", "A", "A ", "a.", "-", " ", "\n", "1\n", "김 ", "김철수 ", "님", "보호자 ", "성명 "]
HOSTILE += ["Kim ", "동 ", "길 1 ", "서울 강남구 ", "1동 1호 ", "가가동 가아파트 ", "등록번호 1 ", "카드 ", "은행 1-"]
HOSTILE += ["2020-", "12/", "일 ", "천구백", "a@", "www.", "(", "\u1100", "\u200b"]


def patterns() -> Iterator[tuple[str, re.Pattern[str]]]:
    for module in pkgutil.iter_modules(deid.detect.__path__, "deid.detect."):
        if module.name != "deid.detect.worker":
            for name, value in vars(importlib.import_module(module.name)).items():
                yield from ((f"{module.name}.{name}", one) for one in _patterns_of(value))


def _patterns_of(value: object) -> list[re.Pattern[str]]:
    if isinstance(value, re.Pattern):
        return [value]
    if isinstance(value, Rule):
        return [value.pattern]
    return [rule.pattern for rule in value.RULES] if _has_rules(value) else []


def _has_rules(value: object) -> TypeGuard[type[RuleRecogniser]]:
    return isinstance(value, type) and issubclass(value, RuleRecogniser)


def unbounded(tree: Any) -> Iterator[Any]:
    for operation, argument in tree:
        if operation in (parser.MAX_REPEAT, parser.MIN_REPEAT):
            if argument[1] is parser.MAXREPEAT:
                yield argument
            yield from unbounded(argument[2])
        elif isinstance(argument, tuple | list):
            for part in argument:
                yield from unbounded(part) if isinstance(part, parser.SubPattern) else ()
                if isinstance(part, list):
                    yield from (
                        item for branch in part for item in unbounded(branch) if isinstance(branch, parser.SubPattern)
                    )


PATTERNS = list(patterns())


def test_the_patterns_are_seen() -> None:
    assert len(PATTERNS) > 100
    assert list(unbounded(parser.parse("(?:a|b+)c")))
    assert list(unbounded(parser.parse("(?:a{1,3}b)*")))
    assert not list(unbounded(parser.parse("a{1,3}(?:b|c{0,9})?")))


@pytest.mark.parametrize(("name", "pattern"), PATTERNS, ids=[name for name, _ in PATTERNS])
def test_every_repetition_is_bounded(name: str, pattern: re.Pattern[str]) -> None:
    assert list(unbounded(parser.parse(pattern.pattern, pattern.flags & ~re.UNICODE))) == []


@pytest.mark.timeout(60)
@pytest.mark.parametrize("kind", RECOGNISERS, ids=lambda kind: kind.__name__)
def test_a_long_hostile_text_comes_back(kind: type) -> None:
    recogniser = kind()
    for seed in HOSTILE:
        text = (seed * 8000)[:8000]
        assert all(0 <= found.start < found.end <= len(text) for found in recogniser.find(text))


@pytest.mark.timeout(60)
def test_a_megabyte_on_one_line_comes_back() -> None:
    line = "혈압 120/80, 이상 소견 없음. " * 50_000
    assert [found.type for found in scan(line + "010-1234-5678")] == ["PHONE"]
