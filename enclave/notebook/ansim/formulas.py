"""A regression's formula as a recipe holds it: ``value ~ age + C(sex) + age:C(sex)``. Names and signs, nothing else."""

from __future__ import annotations

import re
from itertools import combinations
from typing import Any

from .failure import AnsimError

NAME = r"[^\W\d][\w.]*"
FACTOR = re.compile(
    rf"\s*(?:(?P<plain>{NAME})|C\(\s*(?P<level>{NAME})\s*(?:,\s*(?P<base>'[^']*'|\"[^\"]*\"))?\s*\))\s*"
)


def formula(text: str) -> tuple[str, list[list[str]], dict[str, Any]]:
    """Return response, terms, and the columns written ``C(…)`` with their base level. Raises `AnsimError`.

    ``a*b`` is ``a + b + a:b``; the intercept is always there.
    """
    response, tilde, right = text.partition("~")
    categories: dict[str, Any] = {}
    terms: list[list[str]] = []
    for part in right.split("+") if tilde else []:
        for term in _terms(part, categories, text):
            if sorted(term) not in [sorted(one) for one in terms]:
                terms.append(term)
    left = FACTOR.fullmatch(response)
    if left is None or left["plain"] is None or not terms:
        raise _unclear(text)
    return left["plain"], terms, categories


def _terms(part: str, categories: dict[str, Any], text: str) -> list[list[str]]:
    if "*" not in part:
        return [[_factor(one, categories, text) for one in part.split(":")]]
    names = [_factor(one, categories, text) for one in part.split("*")]
    return [list(some) for size in range(1, len(names) + 1) for some in combinations(names, size)]


def _factor(part: str, categories: dict[str, Any], text: str) -> str:
    found = FACTOR.fullmatch(part)
    if found is None:
        raise _unclear(text)
    if found["plain"] is not None:
        return found["plain"]
    categories.setdefault(found["level"], None)
    if found["base"] is not None:
        categories[found["level"]] = found["base"][1:-1]
    return found["level"]


def _unclear(text: str) -> AnsimError:
    return AnsimError(
        "client.formula",
        ko=f"식을 이해하지 못했습니다: {text[:100]}",
        en=f"This is no formula: {text[:100]}",
        remedy_ko='예: "value ~ age + C(sex) + age:C(sex)". 함수는 쓸 수 없습니다.',
        remedy_en='For example "value ~ age + C(sex) + age:C(sex)"; functions cannot be used.',
    )
