"""From a recipe's cells to what the ledger compares: who is behind which measure, in groups that share nobody."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from enclave.airlock.ledger.cells import PERSONS, Cell, Group, Origin, Told, groups
from enclave.airlock.ledger.people import Digests
from enclave.airlock.recipes.form import ModelRecipe, Recipe, TableRecipe


@dataclass(frozen=True)
class Populations:
    """Who is behind the numbers of one file.

    `groups` hold ranks in the snapshot. `digests`: of all its people in that order, None once they are in the list.
    `compared_at`: the ledger's version that they were compared with, for fewer than `smallest` people.
    """

    dataset_id: str
    snapshot_id: str
    groups: tuple[Group, ...]
    digests: Digests | None
    compared_at: int
    smallest: int


def groups_of(
    recipe: Recipe, cells: Sequence[Cell], origin: Origin, *, one_row_each: bool, smallest: int
) -> tuple[Group, ...]:
    """Return a recipe's cells by measure. `one_row_each`: its table has one row per person, so that rows are people.

    A mean is of another measure than a count, and may have fewer people behind it: of the two nobody learns how many
    have no value, unless that is counted as well. A join adds no row (`recompute.frame`), so rows stay people.
    """
    rows = PERSONS if one_row_each else f"rows {recipe.table}"
    if isinstance(recipe, ModelRecipe):
        return tuple(_of_model(recipe, cells, replace(origin, measure=rows), smallest))
    # A sum with a small cell in it: two of them would differ by two small cells, in tables that are well hidden.
    kept = [cell for cell in cells if cell.told is not Told.HIDDEN_SUM or cell.few >= smallest]
    found: list[Group] = []
    for column in dict.fromkeys(cell.column for cell in kept):
        mine = [cell for cell in kept if cell.column == column]
        told = [cell for cell in mine if cell.told is not Told.COUNT_IN_SUM]
        for measure in _measures(recipe, column, rows):
            found += groups(replace(origin, measure=measure), told, smallest=smallest)
        counted = [cell for cell in mine if cell.told is Told.COUNT_IN_SUM]
        found += groups(replace(origin, measure=rows), counted, smallest=smallest)
    return tuple(found)


def _of_model(recipe: ModelRecipe, cells: Sequence[Cell], origin: Origin, smallest: int) -> Iterator[Group]:
    """Yield the sample as a model's, and of each of its terms the levels, as counts and as values of the response.

    Where a level lacks a few people only because they miss a value, every table over the same filter differs from it by
    these few: then the levels' counts are for a person's eye, as the sample is; their values are not.
    """
    levels = [cell for cell in cells if cell.told is Told.LEVEL]
    sample = [cell for cell in cells if cell.told is not Told.LEVEL]
    yield from groups(replace(origin, model=True), sample, smallest=smallest)
    lacking = any(0 < cell.few < smallest for cell in levels)
    value = _value(recipe, recipe.response)
    for _, term in groupby(levels, key=lambda cell: cell.column):
        one = list(term)
        yield from groups(replace(origin, model=lacking), one, smallest=smallest)
        yield from groups(replace(origin, measure=value), one, smallest=smallest)


def _measures(recipe: TableRecipe, column: str | None, rows: str) -> Iterable[str]:
    ops = {each.op for each in recipe.measures if each.column == column}
    kinds = {PERSONS if op == PERSONS else rows if op == "count" or column is None else _value(recipe, column)
             for op in ops}  # fmt: skip
    return sorted(kinds)


def _value(recipe: Recipe, column: str) -> str:
    joined = recipe.join is not None and column.startswith(f"{recipe.join}.")
    return f"value {column}" if joined else f"value {recipe.table}.{column}"
