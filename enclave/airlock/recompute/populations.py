"""Who stands behind each released number: the ledger's seam (SATRE 3.3.04).

A person is the rank of their pseudonym among all pseudonyms of the snapshot, in order: an integer that means nothing
outside this enclave, and the same for every table and every project on this snapshot.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from pyroaring import BitMap

from enclave.airlock.ledger.cells import Cell
from enclave.airlock.recipes.form import Recipe, TableRecipe
from enclave.airlock.recompute.frame import Array, Frame, Stored, read_frame
from enclave.airlock.recompute.layout import TOTAL, Grouped
from enclave.airlock.recompute.regress import observed
from enclave.airlock.recompute.rows import bitmap

SEPARATOR = " · "
MAX_CELLS_SAID = 500_000
# A cell of a table by row, place across, and the column that its measures are of.
Hidden = tuple[int, int, str | None]


def populations(recipe: Recipe, snapshot: Mapping[str, Stored]) -> list[Cell]:
    """Return every cell that this recipe shows, with its people. ``snapshot``: its tables as open files.

    Cells that the recipe hides are not there; without pseudonyms there are none. Raises `RecipeRefused`.
    """
    frame = read_frame(snapshot, recipe.table, recipe.join, recipe.used)
    return cells_of(frame, recipe)


def cells_of(
    frame: Frame, recipe: Recipe, grouped: Grouped | None = None, hidden: frozenset[Hidden] = frozenset()
) -> list[Cell]:
    """Return the cells of a recipe over columns that were already read, and perhaps grouped. Raises `RecipeRefused`.

    ``hidden``: cells of which the file shows no number: nobody learns them, unless from what is shown.
    """
    if frame.people is None:
        return []
    if not isinstance(recipe, TableRecipe):
        return [Cell(recipe.model, _people(frame.people[observed(frame, recipe)]))]
    below = recipe.suppressed.below if recipe.suppressed else 1
    return [cell for cell in _cells(grouped or Grouped(frame, recipe), hidden) if len(cell.people) >= below]


def to_json(cells: Sequence[Cell]) -> list[list[str]]:
    """Return cells as pairs of texts."""
    return [[cell.label, base64.b64encode(cell.people.serialize()).decode()] for cell in cells]


def from_json(found: object) -> tuple[Cell, ...]:
    """Read what `to_json` wrote. Raises `ValueError` for anything else."""
    if not isinstance(found, list) or len(found) > MAX_CELLS_SAID:
        raise ValueError("cells are a list of bounded length")
    return tuple(_cell(one) for one in found)


def _cell(found: object) -> Cell:
    if not isinstance(found, list) or [type(one) for one in found] != [str, str]:
        raise ValueError("a cell is two texts")
    return Cell(found[0], BitMap.deserialize(base64.b64decode(found[1], validate=True)))


def _cells(grouped: Grouped, hidden: frozenset[Hidden]) -> Iterator[Cell]:
    sides, heads = (*grouped.groups.sides, (TOTAL,)), (*grouped.groups.heads, (TOTAL,))
    for which, region in enumerate(grouped.regions):
        # Measures of one column have the same people: one cell for all of them.
        for column in dict.fromkeys(measure.column for measure in grouped.recipe.measures):
            held = grouped.rows(which, column).populations()
            for (row, place), people in zip(region.places, held, strict=True):
                if (row, place, column) not in hidden:
                    yield Cell(SEPARATOR.join((column or "n", *sides[row], *heads[place])), people)


def _people(people: Array) -> BitMap:
    return bitmap(np.unique(people[people >= 0]))
