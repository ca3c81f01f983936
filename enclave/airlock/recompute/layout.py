"""The table as the recipe makes it: every cell with its place in the file, its true value and its contributors."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from enclave.airlock.recipes.form import Measure, Rounding, TableRecipe
from enclave.airlock.recompute.frame import Array, Frame
from enclave.airlock.recompute.group import Groups, group
from enclave.airlock.recompute.measure import Stat, check_measures, rows_of, stat
from enclave.airlock.recompute.rows import Rows

TOTAL = "total"


@dataclass(frozen=True)
class Spot:
    """One cell with a number: its place in the table's body (from 0), what it says, and what is true of it.

    ``across``: its place among the measure's own columns: spots of one row and one ``across`` are of one cell.
    """

    row: int
    column: int
    across: int
    measure: Measure
    value: float
    slack: float
    people: int
    top: float
    two: float
    alone: int
    is_total: bool

    def texts(self, rounding: Rounding) -> frozenset[str]:
        """Return the ways in which this value may be printed; empty text where there is none."""
        if math.isnan(self.value):
            return frozenset({""})
        if self.measure.is_count:
            return frozenset({str(rounded(int(self.value), rounding.counts))})
        return spellings(self.value, self.slack, rounding.decimals)


@dataclass(frozen=True)
class Label:
    """A label of the table: its row (None: in the head), its column, and how many people it is true of."""

    row: int | None
    column: int
    people: int


@dataclass(frozen=True)
class Layout:
    """The head of the table, the labels of its rows, its cells row by row, and whom its labels are true of."""

    head: tuple[str, ...]
    sides: tuple[tuple[str, ...], ...]
    spots: tuple[Spot, ...]
    labels: tuple[Label, ...]


@dataclass(frozen=True)
class Grouped:
    """A table's rows in their groups, computed and sorted once for numbers, contributors and populations alike."""

    frame: Frame
    recipe: TableRecipe

    @cached_property
    def groups(self) -> Groups:
        """The groups of the recipe. Raises `RecipeRefused`."""
        return group(self.frame, self.recipe)

    @cached_property
    def regions(self) -> list[Region]:
        """The inner cells of the table, and its totals."""
        return regions(self.recipe, self.groups)

    def rows(self, region: int, column: str | None) -> Rows:
        """Return the rows of one region with a value in ``column``, by cell. Raises `RecipeRefused`."""
        if (region, column) not in self._sorted:
            here = self.regions[region]
            found = rows_of(self.frame, column, self.groups.at, here.codes, len(here.places))
            self._sorted[region, column] = found
        return self._sorted[region, column]

    @cached_property
    def _sorted(self) -> dict[tuple[int, str | None], Rows]:
        return {}


def layout(grouped: Grouped) -> Layout:
    """Lay out the table of a recipe. Raises `RecipeRefused`."""
    recipe, groups = grouped.recipe, grouped.groups
    check_measures(grouped.frame, recipe.measures)
    keys, shown = len(recipe.keys), [*groups.heads, *([(TOTAL,)] if recipe.margins and recipe.columns else [])]
    head = [*recipe.keys, *(_head(recipe, measure, labels) for measure in recipe.measures for labels in shown)]
    spots = [
        _spot(found, at, (row, keys + number * len(shown) + column, column), measure, is_total=region.is_total)
        for which, region in enumerate(grouped.regions)
        for number, measure in enumerate(recipe.measures)
        for found in (stat(measure, grouped.rows(which, measure.column)),)
        for at, (row, column) in enumerate(region.places)
    ]
    sides = [*groups.sides, *([(TOTAL, *[""] * (keys - 1))] if recipe.margins else [])]
    labels = [Label(row, 0, people) for row, people in enumerate(groups.sides_held) if keys]
    labels += [Label(None, keys + at, people) for at, people in enumerate(groups.heads_held) if recipe.columns]
    in_order = sorted(spots, key=lambda spot: (spot.row, spot.column))
    return Layout(tuple(head), tuple(sides), tuple(in_order), tuple(labels))


def rounded(count: int, base: int) -> int:
    """Round a count to the nearest multiple of ``base``, halves up."""
    return (2 * count + base) // (2 * base) * base


def fixed(value: float, decimals: int) -> str:
    """Print a number with so many decimals, and zero without a sign."""
    text = f"{value:.{decimals}f}"
    return text.removeprefix("-") if not text.strip("-0.") else text


def spellings(value: float, slack: float, decimals: int) -> frozenset[str]:
    """Return how a number may be printed: with so many decimals, or as spreadsheets do, without closing zeros."""
    near = {fixed(value + step * slack, decimals) for step in (-1, 0, 1)}
    short = {repr(float(text)) for text in near}
    return frozenset(near | short | {text.removesuffix(".0") for text in short})


def _head(recipe: TableRecipe, measure: Measure, labels: tuple[str, ...]) -> str:
    if not recipe.columns:
        return measure.label
    named = TOTAL if labels == (TOTAL,) else ", ".join(f"{k}={v}" for k, v in zip(recipe.columns, labels, strict=True))
    return named if len(recipe.measures) == 1 else f"{measure.label} {named}"


@dataclass(frozen=True)
class Region:
    """Cells of one kind, inner or totals. ``codes``: the cell of each row of data; ``places``: its row and column."""

    codes: Array
    places: tuple[tuple[int, int], ...]
    is_total: bool


def regions(recipe: TableRecipe, groups: Groups) -> list[Region]:
    """Return the inner cells of a table, then its totals below, to the right, and of all."""
    height, width = len(groups.sides), len(groups.heads)
    inner = tuple((row, column) for row in range(height) for column in range(width))
    found = [Region(groups.down * width + groups.across, inner, is_total=False)]
    if recipe.margins:
        found.append(Region(groups.across, tuple((height, column) for column in range(width)), is_total=True))
    if recipe.margins and recipe.columns:
        found.append(Region(groups.down, tuple((row, width) for row in range(height)), is_total=True))
        found.append(Region(np.zeros_like(groups.down), ((height, width),), is_total=True))
    return found


def _spot(found: Stat, at: int, place: tuple[int, int, int], measure: Measure, *, is_total: bool) -> Spot:
    row, column, across = place
    return Spot(
        row=row,
        column=column,
        across=across,
        measure=measure,
        value=float(found.values[at]),
        slack=float(found.slack[at]),
        people=int(found.people[at]),
        top=float(found.top[at]),
        two=float(found.two[at]),
        alone=int(found.alone[at]),
        is_total=is_total,
    )
