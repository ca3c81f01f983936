"""What a recipe's `privacy` section asks of one table: models beyond k, risk limits, and how to search for levels.

Parsed at the edge into frozen values; `judge.py` holds a table to it, `choose.py` searches. `recipes/README.md`
describes every field.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar, cast

from deid.hierarchies.hierarchy import Hierarchy
from deid.hierarchies.known import hierarchy_named
from deid.recipe_yaml import Node
from deid.risk.closeness import KINDS as GROUNDS
from deid.risk.closeness import GroundKind
from deid.risk.diversity import KINDS as DIVERSITIES
from deid.risk.diversity import Diversity

Method = Literal["full_domain", "mondrian"]
METHODS: tuple[Method, ...] = ("full_domain", "mondrian")
CHECKS = 100_000
T = TypeVar("T")


@dataclass(frozen=True)
class Diverse:
    """l-diversity of a published column."""

    column: str
    kind: Diversity
    l: float  # noqa: E741 - the literature's own letter, and the recipe's
    c: float


@dataclass(frozen=True)
class Close:
    """t-closeness of a published column; `hierarchy` only for the hierarchical ground distance."""

    column: str
    t: float
    ground: GroundKind
    hierarchy: Hierarchy | None


@dataclass(frozen=True)
class Population:
    """A table of the population: file beside the recipe, and its column of people per line, if it has one."""

    path: Path
    count: str | None


@dataclass(frozen=True)
class RiskLimits:
    """Highest allowed risks, 0 to 1; None where nothing is asked."""

    prosecutor: float | None = None
    journalist: float | None = None
    marketer: float | None = None
    unique: float | None = None
    population_unique: float | None = None


@dataclass(frozen=True)
class SearchAsked:
    """How levels are chosen: method, share of rows that may go, weight of columns by name (1), nodes looked at.

    Mondrian cuts instead, removes no rows, and `checks` counts the cuts that are tried.
    """

    method: Method = "full_domain"
    suppression: float | None = None
    weights: tuple[tuple[str, float], ...] = ()
    checks: int = CHECKS


@dataclass(frozen=True)
class Privacy:
    """The whole section; what is not asked for is None or empty."""

    k: int | None = None
    diverse: tuple[Diverse, ...] = ()
    close: tuple[Close, ...] = ()
    population: Population | None = None
    k_map: int | None = None
    presence: tuple[float, float] | None = None
    risk: RiskLimits = RiskLimits()
    sampling_fraction: float | None = None
    task: str | None = None
    search: SearchAsked = SearchAsked()

    @property
    def sensitive(self) -> tuple[str, ...]:
        """Published columns that the models and the task look at."""
        named = [*(one.column for one in self.diverse), *(one.column for one in self.close)]
        return tuple(dict.fromkeys([*named, *([self.task] if self.task else [])]))


FIELDS = ("k", "l", "t", "population", "k_map", "delta_presence", "risk", "sampling_fraction", "task", "search")
LIMITS = ("prosecutor", "journalist", "marketer", "unique", "population_unique")


def parse_privacy(node: Node | None, columns: Sequence[str], quasi: Sequence[str]) -> Privacy | None:
    """Read the section; `columns` may be sensitive, `quasi` are the quasi-identifiers. Raises `RecipeError`."""
    if node is None:
        return None
    if not quasi:
        node.fail("quasi", "준식별자가 없는 표입니다.", "the table has no quasi-identifiers.")
    fields = node.fields((), FIELDS)
    sensitive = [name for name in columns if name not in quasi]
    risk = _risk(fields.get("risk"))
    population = _population(fields.get("population"))
    for name in ("k_map", "delta_presence"):
        if name in fields and population is None:
            fields[name].fail(
                "population",
                f"{name}에는 population이 필요합니다.",
                f"{name} needs a population table.",
            )
    fraction = fields["sampling_fraction"].number(1e-9, 1) if "sampling_fraction" in fields else None
    if risk.population_unique is not None and fraction is None:
        fields["risk"].fail(
            "fraction",
            "population_unique에는 sampling_fraction이 필요합니다.",
            "population_unique needs sampling_fraction.",
        )
    return Privacy(
        k=fields["k"].integer(1, 10**6) if "k" in fields else None,
        diverse=tuple(_each(fields.get("l"), lambda one: _diverse(one, sensitive))),
        close=tuple(_each(fields.get("t"), lambda one: _close(one, sensitive))),
        population=population,
        k_map=fields["k_map"].fields(("k",))["k"].integer(1, 10**9) if "k_map" in fields else None,
        presence=_presence(fields.get("delta_presence")),
        risk=risk,
        sampling_fraction=fraction,
        task=_column(fields["task"].fields(("column",))["column"], sensitive) if "task" in fields else None,
        search=_search(fields.get("search"), quasi),
    )


def _each(node: Node | None, read: Callable[[Node], T]) -> list[T]:
    """Read one mapping or a list of them."""
    if node is None:
        return []
    return [read(one) for one in ([node] if node.is_mapping() else node.items())]


def _diverse(node: Node, columns: Sequence[str]) -> Diverse:
    fields = node.fields(("column", "l"), ("kind", "c"))
    kind = cast("Diversity", fields["kind"].one_of(DIVERSITIES)) if "kind" in fields else "distinct"
    if (kind == "recursive") != ("c" in fields):
        node.fail(
            "c", "c는 kind: recursive에만, 그리고 반드시 씁니다.", "c goes with kind: recursive, and always does."
        )
    wanted = fields["l"].number(1, 10**6) if kind == "entropy" else fields["l"].integer(1, 10**6)
    return Diverse(
        _column(fields["column"], columns), kind, wanted, fields["c"].number(1e-6, 1e6) if "c" in fields else 1
    )


def _close(node: Node, columns: Sequence[str]) -> Close:
    fields = node.fields(("column", "t"), ("ground", "hierarchy"))
    ground = cast("GroundKind", fields["ground"].one_of(GROUNDS)) if "ground" in fields else "equal"
    if (ground == "hierarchy") != ("hierarchy" in fields):
        node.fail(
            "ground",
            "hierarchy는 ground: hierarchy에만, 그리고 반드시 씁니다.",
            "hierarchy goes with ground: hierarchy, and always does.",
        )
    hierarchy = _hierarchy(fields["hierarchy"]) if "hierarchy" in fields else None
    return Close(_column(fields["column"], columns), fields["t"].number(0, 1), ground, hierarchy)


def _hierarchy(node: Node) -> Hierarchy:
    try:
        return hierarchy_named(node.text(), node.folder)
    except (LookupError, OSError, ValueError):
        node.fail("hierarchy", "그런 계층이 없거나 읽을 수 없습니다.", "there is no such hierarchy that can be read.")


def _population(node: Node | None) -> Population | None:
    if node is None:
        return None
    fields = node.fields(("file",), ("count",))
    name = fields["file"].text()
    if "/" in name or name.startswith(".") or not name.endswith(".csv"):
        fields["file"].fail("file", "폴더 없이 .csv 파일 이름만 쓰세요.", "a plain .csv file name is expected.")
    return Population(node.folder / name, fields["count"].text() if "count" in fields else None)


def _presence(node: Node | None) -> tuple[float, float] | None:
    if node is None:
        return None
    fields = node.fields(("max",), ("min",))
    low, high = fields["min"].number(0, 1) if "min" in fields else 0.0, fields["max"].number(0, 1)
    if low > high:
        node.fail("range", "min이 max보다 큽니다.", "min is above max.")
    return low, high


def _risk(node: Node | None) -> RiskLimits:
    fields = node.fields((), LIMITS) if node else {}
    return RiskLimits(**{name: fields[name].number(0, 1) for name in fields})


def _search(node: Node | None, quasi: Sequence[str]) -> SearchAsked:
    fields = node.fields((), ("method", "suppression", "weights", "checks")) if node else {}
    weights = fields["weights"].pairs() if "weights" in fields else {}
    for name, (key, _) in weights.items():
        if name not in quasi:
            key.fail("reference", f"'{name}'은(는) 준식별자가 아닙니다.", f"'{name}' is no quasi-identifier.")
    method = cast("Method", fields["method"].one_of(METHODS)) if "method" in fields else "full_domain"
    if method == "mondrian" and "suppression" in fields:
        fields["suppression"].fail(
            "suppression", "mondrian은 행을 지우지 않습니다.", "mondrian removes no rows: leave 'suppression' out."
        )
    return SearchAsked(
        method=method,
        suppression=fields["suppression"].number(0, 1) if "suppression" in fields else None,
        weights=tuple((name, value.number(1e-3, 1e3)) for name, (_, value) in weights.items()),
        checks=fields["checks"].integer(1, 10**7) if "checks" in fields else CHECKS,
    )


def _column(node: Node, columns: Sequence[str]) -> str:
    name = node.text()
    if name not in columns:
        words = ", ".join(columns)
        node.fail(
            "sensitive",
            f"'{name}'은(는) 민감 열로 쓸 수 없습니다. 가능: {words}.",
            f"'{name}' cannot be a sensitive column; one of: {words}.",
        )
    return name
