"""Who stands behind each released number: the ledger's seam (SATRE 3.3.04).

A person is the rank of their pseudonym among all pseudonyms of the snapshot, in order: an integer that means nothing
outside this enclave, and the same for every table and every project on this snapshot.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from pyroaring import BitMap

from enclave.airlock.ledger.cells import Cell, Told
from enclave.airlock.recipes.form import Recipe, TableRecipe
from enclave.airlock.recompute.derived import Known, derived
from enclave.airlock.recompute.frame import Array, Frame, Stored, read_frame
from enclave.airlock.recompute.layout import TOTAL, Grouped
from enclave.airlock.recompute.levels import levels
from enclave.airlock.recompute.measure import MAGNITUDES
from enclave.airlock.recompute.regress import observed
from enclave.airlock.recompute.rows import Rows, bitmap

SEPARATOR, HIDDEN_ONES = " · ", "*"
MAX_CELLS_SAID = 500_000
FORMS = ([str, str, str, str, int], [str, str, type(None), str, int])
Place = tuple[int, int]
# A cell of a table by row, place across, and the column that its measures are of.
Hidden = tuple[int, int, str | None]


def populations(recipe: Recipe, snapshot: Mapping[str, Stored]) -> list[Cell]:
    """Return every cell of this recipe with its people, whichever file it makes. ``snapshot``: its open tables.

    Cells that the recipe may hide are not there; without pseudonyms there are none. Raises `RecipeRefused`.
    """
    frame = read_frame(snapshot, recipe.table, recipe.join, recipe.used)
    below = recipe.suppressed.below if isinstance(recipe, TableRecipe) and recipe.suppressed else 0
    return [cell for cell in cells_of(frame, recipe) if len(cell.people) >= below]


def cells_of(
    frame: Frame, recipe: Recipe, grouped: Grouped | None = None, hidden: frozenset[Hidden] = frozenset()
) -> list[Cell]:
    """Return the cells of a recipe over columns that were already read, and perhaps grouped. Raises `RecipeRefused`.

    ``hidden``: cells of which the file shows no number: nobody learns them, unless from what is shown. What a recipe
    says it hides counts for nothing here.
    """
    if frame.people is None:
        return []
    if not isinstance(recipe, TableRecipe):
        sample = _people(frame.people[observed(frame, recipe)])
        return [Cell(recipe.model, sample, recipe.response, Told.SAMPLE), *levels(frame, recipe)]
    return [cell for cell in _cells(grouped or Grouped(frame, recipe), hidden) if cell.people]


def to_json(cells: Sequence[Cell]) -> list[list[str | int | None]]:
    """Return cells as lists of label, people, column, what is told of them, and `Cell.few`."""
    return [
        [cell.label, base64.b64encode(cell.people.serialize()).decode(), cell.column, cell.told.value, cell.few]
        for cell in cells
    ]


def from_json(found: object) -> tuple[Cell, ...]:
    """Read what `to_json` wrote. Raises `ValueError` for anything else."""
    if not isinstance(found, list) or len(found) > MAX_CELLS_SAID:
        raise ValueError("cells are a list of bounded length")
    return tuple(_cell(one) for one in found)


def _cell(found: object) -> Cell:
    if not isinstance(found, list) or [type(one) for one in found] not in FORMS:
        raise ValueError("a cell is a label, people, a column or none, what is told, and a number")
    label, people, column, told, few = found
    return Cell(label, BitMap.deserialize(base64.b64decode(people, validate=True)), column, Told(told), few)


def _cells(grouped: Grouped, hidden: frozenset[Hidden]) -> Iterator[Cell]:
    sides, heads = (*grouped.groups.sides, (TOTAL,)), (*grouped.groups.heads, (TOTAL,))
    # Measures of one column have the same people: one cell for all of them.
    for column in dict.fromkeys(measure.column for measure in grouped.recipe.measures):
        people, counted = _of_column(grouped, column)
        known = derived(people, {at for at in people if (*at, column) in hidden}, grouped)
        for which, told in ((known.cells, Told.CELL), (counted, Told.COUNT_IN_SUM)):
            for (row, place), members in which.items():
                if (row, place) in known.cells:
                    yield Cell(SEPARATOR.join((column or "n", *sides[row], *heads[place])), members, column, told)
        yield from _sums(known, column, sides, heads)


def _sums(
    known: Known, column: str | None, sides: Sequence[tuple[str, ...]], heads: Sequence[tuple[str, ...]]
) -> Iterator[Cell]:
    for one in known.sums:
        side = (HIDDEN_ONES,) if one.row is None else sides[one.row]
        head = (HIDDEN_ONES,) if one.place is None else heads[one.place]
        label = SEPARATOR.join((column or "n", *side, *head))
        yield Cell(label, one.people, column, Told.HIDDEN_SUM, one.smallest)


def _of_column(grouped: Grouped, column: str | None) -> tuple[dict[Place, BitMap], dict[Place, BitMap]]:
    """Return the people of each cell, and of those cells whose sum is a count in disguise the ones it counts."""
    people: dict[Place, BitMap] = {}
    counted: dict[Place, BitMap] = {}
    summed = any(measure.op in MAGNITUDES and measure.column == column for measure in grouped.recipe.measures)
    for which, region in enumerate(grouped.regions):
        rows = grouped.rows(which, column)
        people |= zip(region.places, rows.populations(), strict=True)
        if summed:
            of_two, ones = _counted(rows)
            found = zip(region.places, ones.populations(), of_two, strict=True)
            counted |= {place: members for place, members, is_count in found if is_count and members}
    return people, counted


def _counted(rows: Rows) -> tuple[Array, Rows]:
    """Return the groups with at most two different values, and the rows that have the one further from zero.

    The sum of a key, of a column that a filter pins, of a yes or no says how many there are.
    """
    low, high = rows.ends
    far = np.where(np.abs(high) >= np.abs(low), high, low)
    return rows.of_two, rows.where((rows.values == far[rows.groups]) & (rows.values != 0))


def _people(people: Array) -> BitMap:
    return bitmap(np.unique(people[people >= 0]))
