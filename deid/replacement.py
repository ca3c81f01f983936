"""Values that are replaced once per distinct value and joined: pseudonyms, surrogates, levels of a hierarchy.

A value that has no replacement stops the run with its line, never with itself.
"""

from __future__ import annotations

import polars as pl

from deid.errors import SourceError
from deid.keys import Derives
from deid.locate import locate
from deid.readers.source import Source
from deid.recipe import ColumnRule, Recipe
from deid.transform.pseudonyms import pseudonym
from deid.transform.surrogates import fewest_characters, misfit, surrogates
from deid.treatments.levels import Choice, Level
from deid.treatments.pseudonym import Pseudonym
from deid.treatments.surrogate import Surrogate

VALUE = " value"
Why = tuple[str, tuple[str, str]]
UNKNOWN: Why = (
    "hierarchy",
    ("원본을 고치거나 계획에 other를 쓰세요.", "Mend the source, or write `other` in the recipe."),
)
MISFIT: Why = (
    "surrogate",
    ("원본을 고치거나 invalid: empty로 비우세요.", "Mend the source, or write invalid: empty to leave them out."),
)
SHORT: Why = (
    "surrogate-short",
    (
        "이 열은 pseudonym으로 처리하거나 invalid: empty로 비우세요.",
        "Treat this column as pseudonym, or write invalid: empty to leave them out.",
    ),
)


def replacement(source: Source, rule: ColumnRule, values: pl.Series, recipe: Recipe, keys: Derives) -> pl.Series:
    """Return what is published for each of the distinct `values` of a column, null for null; same order.

    Raises `SourceError` for a value that has no replacement, `RecipeError` for `level: auto` that nobody chose.
    """
    treatment = rule.treatment
    if isinstance(treatment, Pseudonym):
        frame = values.alias(VALUE).to_frame()
        return frame.select(pseudonym(VALUE, keys, recipe.dataset, treatment.domain)).to_series()
    if isinstance(treatment, Surrogate):
        return _surrogates(source, rule, treatment, values, keys.derive("surrogate", recipe.dataset, treatment.domain))
    if isinstance(treatment, Level):
        return _labels(source, rule, treatment, values)
    if isinstance(treatment, Choice):
        rule.node.fail(
            "auto",
            "level: auto는 privacy 항목이 단계를 고를 때만 쓸 수 있습니다.",
            "level: auto needs the recipe's privacy section, which chooses the level.",
            remedy=("level에 숫자를 쓰거나 privacy 항목을 넣으세요.", "Give a number, or a privacy section."),
        )
    raise NotImplementedError(type(treatment).__name__)


def _labels(source: Source, rule: ColumnRule, treatment: Level, values: pl.Series) -> pl.Series:
    labels = treatment.hierarchy.generalise(values, treatment.level)
    unknown = values.filter(labels.is_null() & values.is_not_null())
    if treatment.other is not None:
        return labels.zip_with(labels.is_not_null() | values.is_null(), pl.Series([treatment.other], dtype=pl.String))
    if unknown.len():
        name = treatment.hierarchy.name
        raise _refused(source, rule, unknown, UNKNOWN, (f"계층 {name}에 없는 값", f"unknown to hierarchy {name}"))
    return labels


def _surrogates(source: Source, rule: ColumnRule, treatment: Surrogate, values: pl.Series, key: bytes) -> pl.Series:
    there = values.drop_nulls()
    if treatment.length is not None:
        there = there.filter(there.str.count_matches(r"[0-9A-Za-z]") == treatment.length)
    found = surrogates(there.to_list(), treatment.kind, key)
    replaced = values.replace_strict(there, pl.Series(found, dtype=pl.String), default=None, return_dtype=pl.String)
    refused = values.filter(replaced.is_null() & values.is_not_null())
    if refused.len() and not treatment.lenient:
        short = refused.filter(pl.Series([misfit(value, treatment.kind) == "short" for value in refused]))
        if short.len():
            fewest = fewest_characters(treatment.kind)
            what = (
                f"가짓수가 백만보다 적은 짧은 값({fewest}글자 이상 필요)",
                f"of fewer than a million kinds ({fewest} characters needed)",
            )
            raise _refused(source, rule, short, SHORT, what)
        what = (f"{treatment.kind} 형식이나 길이가 아닌 값", f"not of the form or length of {treatment.kind}")
        raise _refused(source, rule, refused, MISFIT, what)
    return replaced


def _refused(source: Source, rule: ColumnRule, values: pl.Series, why: Why, what: tuple[str, str]) -> SourceError:
    code, remedy = why
    line = locate(source, pl.col(rule.source).is_in(values.implode()))
    ko = f"열 {rule.source}에 {what[0]}이(가) {values.len():,}가지 있습니다."
    en = f"column {rule.source} has {values.len():,} values {what[1]}."
    return SourceError((source.place, line, -1), code, (ko, en), remedy=remedy)
