"""The form of a recipe: how one output was made, said so that the checker can make it again (SATRE 3.3.04).

A recipe is data and never code: names of columns, a closed list of operations, plain values. Nothing of it is ever
evaluated. Reading is strict: an unknown field, a wrong type, a number that is none, too many of anything are refused.
It comes from a workspace, so it is believed in nothing: what it says is recomputed and compared.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

FORMAT = "ansim-recipe-v1"
MAX_BYTES = 16_384
MAX_CLAUSES, MAX_DEPTH = 60, 4
MAX_WHOLE = 1 << 53  # beyond it a float is no longer every whole number
PERSONS = "persons"

Name = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f]+$")]
Text = Annotated[str, Field(max_length=200)]
Whole = Annotated[int, Field(ge=-MAX_WHOLE, le=MAX_WHOLE)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Value = bool | Whole | Number | Text
Op = Literal["count", "persons", "sum", "mean", "std", "median", "min", "max"]
Compares = Literal["==", "!=", "<", "<=", ">", ">="]
ModelName = Literal["ols", "logit", "probit", "poisson"]
Clause = (
    tuple[Name, Compares, Value]
    | tuple[Name, Literal["in"], Annotated[tuple[Value, ...], Field(min_length=1, max_length=200)]]
    | tuple[Name, Literal["between"], tuple[Value, Value]]
    | tuple[Name, Literal["null", "not null"], None]
)


class RecipeRefused(Exception):  # noqa: N818 - named for what happened; becomes a finding
    """The recipe does not have its form, or does not fit the data; ``ko`` and ``en`` say why, without values."""

    rule = "recompute.recipe"

    def __init__(self, ko: str, en: str) -> None:
        super().__init__(en)
        self.ko, self.en = ko, en


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, populate_by_name=True)


class AnyOf(_Strict):
    """At least one of these holds."""

    any: Annotated[tuple[Filter, ...], Field(alias="or", min_length=1, max_length=MAX_CLAUSES)]


class AllOf(_Strict):
    """All of these hold."""

    all: Annotated[tuple[Filter, ...], Field(alias="and", min_length=1, max_length=MAX_CLAUSES)]


Filter = Clause | AnyOf | AllOf


class Bands(_Strict):
    """A column derived by cut points: ``[cut, next cut)``, or ``(cut, next cut]`` if ``right``; outside is missing."""

    column: Name
    cuts: Annotated[tuple[Value, ...], Field(min_length=2, max_length=100)]
    right: bool = False


class Measure(_Strict):
    """What one cell says. ``count`` counts rows (with a value, if a column is named), ``persons`` distinct people."""

    op: Op
    column: Name | None = None

    @model_validator(mode="after")
    def _column_where_one_is_needed(self) -> Measure:
        if self.op == PERSONS and self.column is not None:
            raise ValueError("persons takes no column")
        if self.op not in {"count", PERSONS} and self.column is None:
            raise ValueError(f"{self.op} needs a column")
        return self

    @property
    def is_count(self) -> bool:
        """Whether it says how many, and not how much."""
        return self.op in {"count", PERSONS}

    @property
    def label(self) -> str:
        """Its name in the file's header."""
        return self.op if self.column is None else f"{self.op}({self.column})"


class Rounding(_Strict):
    """``counts``: to the nearest multiple of this number, halves up; ``decimals``: of everything else."""

    counts: Annotated[int, Field(ge=1, le=1000)] = 1
    decimals: Annotated[int, Field(ge=0, le=8)] = 2


class Suppressed(_Strict):
    """Cells, rows and columns with fewer people than ``below`` are left empty or out (R50)."""

    below: Annotated[int, Field(ge=1, le=10_000)]


class _Recipe(_Strict):
    format: Literal["ansim-recipe-v1"]
    snapshot: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    dataset: Name
    table: Name
    join: Name | None = None
    filter: Annotated[tuple[Filter, ...], Field(max_length=MAX_CLAUSES)] = ()
    bands: Annotated[dict[Name, Bands], Field(max_length=10)] = {}
    rounding: Rounding = Rounding()

    @model_validator(mode="after")
    def _bounded(self) -> _Recipe:
        clauses = sum(1 for _ in walk(self.filter))
        if clauses > MAX_CLAUSES:
            raise ValueError(f"{clauses} conditions; at most {MAX_CLAUSES}")
        return self

    def canonical(self) -> str:
        """Return the one spelling of this recipe: what is stored, hashed and shown."""
        body = self.model_dump(mode="json", by_alias=True)
        return json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    def _used(self, named: Iterator[str]) -> frozenset[str]:
        names = {*named, *(clause[0] for clause in walk(self.filter))}
        return frozenset(self.bands[name].column if name in self.bands else name for name in names)


class TableRecipe(_Recipe):
    """A table: groups by ``keys`` (down) and ``columns`` (across), with measures, and totals if ``margins``."""

    kind: Literal["table"]
    keys: Annotated[tuple[Name, ...], Field(min_length=1, max_length=6)]
    columns: Annotated[tuple[Name, ...], Field(max_length=3)] = ()
    measures: Annotated[tuple[Measure, ...], Field(min_length=1, max_length=12)]
    margins: bool = False
    suppressed: Suppressed | None = None

    @model_validator(mode="after")
    def _nothing_twice(self) -> TableRecipe:
        by = (*self.keys, *self.columns)
        if len(set(by)) < len(by) or len(set(self.measures)) < len(self.measures):
            raise ValueError("a key or a measure stands twice")
        return self

    @property
    def used(self) -> frozenset[str]:
        """The columns it reads; those of the joined table as ``<table>.<column>``."""
        named = (measure.column for measure in self.measures if measure.column is not None)
        return self._used(iter((*self.keys, *self.columns, *named)))


class ModelRecipe(_Recipe):
    """A regression. ``terms``: products of columns; ``categories``: which are levels and not numbers, and their base.

    ``base`` None: the first level in order. There is always an intercept.
    """

    kind: Literal["model"]
    model: ModelName
    response: Name
    terms: Annotated[
        tuple[Annotated[tuple[Name, ...], Field(min_length=1, max_length=3)], ...], Field(min_length=1, max_length=40)
    ]
    categories: Annotated[dict[Name, Text | None], Field(max_length=20)] = {}

    @model_validator(mode="after")
    def _nothing_twice(self) -> ModelRecipe:
        products = [tuple(sorted(term)) for term in self.terms]
        if len(set(products)) < len(products) or any(len(set(term)) < len(term) for term in products):
            raise ValueError("a term stands twice")
        if self.response in self.categories or any(self.response in term for term in self.terms):
            raise ValueError("the response is one of the terms")
        return self

    @property
    def used(self) -> frozenset[str]:
        """The columns it reads; those of the joined table as ``<table>.<column>``."""
        return self._used(iter((self.response, *(name for term in self.terms for name in term))))


Recipe = TableRecipe | ModelRecipe
_FORMS: Mapping[str, type[TableRecipe | ModelRecipe]] = {"table": TableRecipe, "model": ModelRecipe}


def parse_recipe(found: object) -> Recipe:
    """Read a recipe from what JSON gave. Raises `RecipeRefused` for anything but the form above."""
    try:
        text = json.dumps(found, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        raise _refused("유한한 수와 글자만", "only finite numbers and texts") from None
    if len(text.encode("utf-8", "replace")) > MAX_BYTES or _depth(found) > MAX_DEPTH + 6:
        raise _refused("너무 큼", "too large")
    kind = found.get("kind") if isinstance(found, dict) else None
    form = _FORMS.get(kind) if isinstance(kind, str) else None
    if form is None:
        raise _refused("kind: table 또는 model", "kind: table or model")
    try:
        return form.model_validate_json(text)
    except ValidationError as error:
        where = _where(error)
        raise _refused(where, where) from None
    except RecursionError:
        raise _refused("너무 깊음", "too deep") from None


def walk(filters: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    """Return every condition of a filter, however nested."""
    for one in filters:
        if isinstance(one, AnyOf):
            yield from walk(one.any)
        elif isinstance(one, AllOf):
            yield from walk(one.all)
        else:
            yield one


def _where(error: ValidationError) -> str:
    # Neither values nor names of a workspace's own making: where in the form, and what the form says there.
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = ".".join(str(part) for part in first["loc"] if isinstance(part, int) or part in _WORDS)
    return f"{place or '-'}: {first['msg']}"[:200]


_WORDS = {*TableRecipe.model_fields, *ModelRecipe.model_fields, *Measure.model_fields, *Bands.model_fields, "below"}


def _depth(found: object) -> int:
    inner = found.values() if isinstance(found, dict) else found if isinstance(found, list | tuple) else ()
    return 1 + max((_depth(one) for one in inner), default=0)


def _refused(ko: str, en: str) -> RecipeRefused:
    return RecipeRefused(
        f"만든 방법(recipe)의 형식이 올바르지 않습니다({ko}). ansim.table이나 ansim.model로 다시 만드세요.",
        f"The recipe is not in its form ({en}). Make the output again with ansim.table or ansim.model.",
    )
