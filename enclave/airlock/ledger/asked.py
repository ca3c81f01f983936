"""From a recipe's cells to what the ledger compares: who is behind which measure, in groups that share nobody."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from enclave.airlock.ledger.cells import PERSONS, Cell, Group, Origin, groups
from enclave.airlock.ledger.people import Digests
from enclave.airlock.recipes.form import ModelRecipe, Recipe, TableRecipe
from enclave.airlock.recompute.populations import SEPARATOR

NO_COLUMN = "n"


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
    have no value, unless that is counted as well.
    """
    rows = PERSONS if one_row_each and recipe.join is None else f"rows {recipe.table}"
    if isinstance(recipe, ModelRecipe):
        return tuple(groups(replace(origin, model=True, measure=rows), cells, smallest=smallest))
    found: list[Group] = []
    for column in dict.fromkeys(_column(cell) for cell in cells):
        mine = [cell for cell in cells if _column(cell) == column]
        for measure in _measures(recipe, column, rows):
            found += groups(replace(origin, measure=measure), mine, smallest=smallest)
    return tuple(found)


def _column(cell: Cell) -> str:
    return cell.label.partition(SEPARATOR)[0]


def _measures(recipe: TableRecipe, column: str, rows: str) -> Iterable[str]:
    named = None if column == NO_COLUMN else column
    ops = {each.op for each in recipe.measures if each.column == named}
    value = f"value {recipe.table}.{column}" if "." not in column else f"value {column}"
    kinds = {PERSONS if op == PERSONS else rows if op == "count" else value for op in ops}
    return sorted(kinds)
