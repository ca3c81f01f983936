"""How the quasi-identifiers of a table are coarsened, searched for once per table, before its rows are treated.

`level: auto`: the levels that lose least. With `method: mondrian` ranges and sets instead (`multidimensional.py`).

The search counts distinct patients on the finest labels; its answer becomes the table's rule and is named in the
manifest, so that the next version can be pinned to it by writing the number into the recipe.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from deid.errors import GateFailed
from deid.hierarchies.age import Age
from deid.keys import Keys
from deid.prepare import Prepared, gathered, with_lookups
from deid.privacy.asked import Privacy
from deid.privacy.coded import Places, key_ladder, places_of
from deid.privacy.multidimensional import check_quasi, cut
from deid.privacy.population_file import read_population
from deid.privacy.suppressed import as_published, rare_of
from deid.privacy.watch import models_of, records_of
from deid.recipe import Recipe, TableRule
from deid.risk.ladder import Ladder
from deid.risk.lattice import Lattice, Limits, Solution, search
from deid.risk.models import Model
from deid.suppress import ROWS
from deid.transform.columns import INDEX, class_key
from deid.treatments.levels import Choice, Level
from deid.treatments.plain import Drop

NO_NODE = (
    "한도(privacy.search.suppression, k, l, t)를 검토하거나 준식별자를 줄이세요.",
    "Review the limits (privacy.search.suppression, k, l, t) or use fewer quasi-identifiers.",
)
Labels = list[dict[str | None, str | None]]


@dataclass(frozen=True)
class Chosen:
    """The table with its levels decided, and what the search found, as plain values (None without a search)."""

    table: Prepared
    found: Mapping[str, Any] | None


def choose(table: Prepared, recipe: Recipe, keys: Keys) -> Chosen:
    """Decide every `level: auto` of a table. Raises `GateFailed` where no levels are within the limits."""
    asked = table.rule.privacy
    quasi = {entry.column for entry in table.rule.quasi_identifiers}
    open_rules = [rule for rule in table.rule.published if isinstance(rule.treatment, Choice)]
    for rule in open_rules:
        if rule.name not in quasi:
            rule.node.fail(
                "auto", "level: auto는 준식별자에만 쓸 수 있습니다.", "level: auto is for quasi-identifiers only."
            )
    if asked is None or not (open_rules or asked.search.method == "mondrian"):
        return Chosen(table, None)
    finest = with_lookups(_at(table, dict.fromkeys((rule.name for rule in open_rules), 0)), recipe, keys)
    places = as_published(_places(finest, asked), rare_of(finest.rule), recipe.gates.k)
    models = models_of(asked, recipe.gates.k, places)
    if asked.search.method == "mondrian":
        return _cut(finest, places, models, asked)
    lattice = _lattice(finest, table.rule, places, models, asked)
    share = asked.search.suppression
    limits = Limits(recipe.gates.max_suppressed_share if share is None else share, asked.search.checks)
    solution = search(lattice, limits)
    if solution is None:
        said = (
            f"어떤 단계로도 한도 {limits.suppression:.1%} 안에서 모형을 지키지 못합니다.",
            f"no levels hold the models within the limit {limits.suppression:.1%}.",
        )
        raise GateFailed("search", (table.rule.name, ""), lattice.total, said, remedy=NO_NODE)
    levels = {
        ladder.name: level
        for ladder, level in zip(lattice.ladders, solution.node, strict=True)
        if ladder.name in {rule.name for rule in open_rules}
    }
    return Chosen(_at(table, levels), _plain(levels, solution, limits))


def _cut(finest: Prepared, places: Places, models: Sequence[Model], asked: Privacy) -> Chosen:
    check_quasi(finest.rule)
    found = cut(finest.rule, places, models, asked.search)
    if found is None:
        said = ("표 전체도 모형을 지키지 못합니다.", "not even the whole table as one class holds the models.")
        raise GateFailed("search", (finest.rule.name, ""), finest.source.rows, said, remedy=NO_NODE)
    quasi = {entry.column for entry in finest.rule.quasi_identifiers}
    columns = tuple(
        replace(rule, treatment=replace(rule.treatment, recoded=True))
        if rule.name in quasi and not isinstance(rule.treatment, Drop)
        else rule
        for rule in finest.rule.columns
    )
    source = replace(finest.source, rule=replace(finest.rule, columns=columns))
    return Chosen(replace(finest, source=source, recoding=found.recoding), found.found)


def _plain(levels: Mapping[str, int], solution: Solution, limits: Limits) -> Mapping[str, Any]:
    return {
        "method": "full_domain",
        "levels": dict(levels),
        "loss": round(solution.loss, 6),
        "rows_removed": solution.suppressed,
        "suppression_limit": limits.suppression,
        "checks": solution.checks,
        "exact": solution.exact,
    }


def _at(table: Prepared, levels: Mapping[str, int]) -> Prepared:
    """Replace every open choice by its option on the given level."""

    def decided(rule: Any) -> Any:
        if isinstance(rule.treatment, Choice) and rule.name in levels:
            return replace(rule, treatment=rule.treatment.options[levels[rule.name]])
        return rule

    columns = tuple(decided(rule) for rule in table.rule.columns)
    rule = replace(table.rule, columns=columns)
    return replace(table, source=replace(table.source, rule=rule))


def _places(finest: Prepared, asked: Privacy) -> Places:
    """Give numbers to the distinct combinations of the quasi-identifiers' finest values."""
    rule = finest.rule
    names = [entry.key for entry in rule.quasi_identifiers]
    sensitive = {name: name for name in asked.sensitive}
    keys = [class_key(entry) for entry in rule.quasi_identifiers]

    def grouped(part: Prepared) -> pl.LazyFrame:
        frame = part.classified(asked.sensitive).with_columns(keys)
        return frame.group_by(INDEX, *names, *sensitive).agg(pl.len().alias(ROWS))

    people = None if asked.population is None else read_population(asked.population, finest.rule)
    return places_of(gathered(finest, grouped), names, sensitive, people)


def _lattice(finest: Prepared, rule: TableRule, places: Places, models: Sequence[Model], asked: Privacy) -> Lattice:
    names = [entry.key for entry in rule.quasi_identifiers]
    values = {name: places.keys[name].unique().sort() for name in names}
    ladders = [_ladder(finest, rule, name, values[name]) for name in names]
    codes = np.stack([_codes(places.keys[name], values[name]) for name in names], axis=1)
    weights = dict(asked.search.weights)
    return Lattice(records_of(places, codes), ladders, models, [weights.get(name, 1.0) for name in names])


def _codes(column: pl.Series, values: pl.Series) -> np.ndarray[Any, np.dtype[np.int64]]:
    numbered = pl.DataFrame({"value": values, "code": np.arange(values.len())})
    frame = column.alias("value").to_frame()
    joined = frame.join(numbered, on="value", how="left", nulls_equal=True, maintain_order="left")
    return joined["code"].cast(pl.Int64).to_numpy()


def _ladder(finest: Prepared, rule: TableRule, key: str, values: pl.Series) -> Ladder:
    """Build the ladder of a key: the levels of an open choice, or the values as they are."""
    column = next((each for each in rule.published if each.name == key), None)
    if column is None or not isinstance(column.treatment, Choice):
        return Ladder(key, (np.arange(values.len()),))
    choice = column.treatment
    if isinstance(choice.options[0], Level):
        labels = _labels(finest, column.source, choice, choice.options[0].other)
    else:
        labels = _ages(values)
    return key_ladder(key, values, labels)


def _labels(finest: Prepared, source: str, choice: Choice, other: str | None) -> Labels:
    distinct = finest.source.scan().select(pl.col(source).unique()).collect(engine="streaming").to_series()
    levels = [choice.hierarchy.generalise(distinct, level) for level in range(choice.hierarchy.levels + 1)]
    if other is not None:
        missing = pl.Series([other], dtype=pl.String)
        levels = [labels.zip_with(labels.is_not_null() | distinct.is_null(), missing) for labels in levels]
    found: Labels = [dict(zip(levels[0], labels, strict=True)) for labels in levels]
    return [{**level, None: None} for level in found]


def _ages(values: pl.Series) -> Labels:
    """Labels of completed years on each level; the finest level's last label is "90+"."""
    hierarchy = Age()
    ages = [label for label in values.to_list() if label is not None]
    levels: Labels = [
        {age: hierarchy.label(age.removesuffix("+"), level) for age in ages} for level in range(hierarchy.levels + 1)
    ]
    return [{**level, None: None} for level in levels]
