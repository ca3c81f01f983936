"""From rows to cells: groups down and across, and those with too few people left out, as the recipe declares."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from enclave.airlock.recipes.form import RecipeRefused, TableRecipe
from enclave.airlock.recompute.frame import Array, Frame
from enclave.airlock.recompute.rows import distinct
from enclave.airlock.recompute.where import Key, choose, key

MAX_CELLS = 20_000


@dataclass(frozen=True)
class Groups:
    """Which rows of the data count, and where each stands.

    ``at``: positions of those rows in the frame; ``down`` and ``across``: of each its row and column in the table;
    ``heads`` and ``sides``: the labels of the table's columns and rows, one text per key; ``heads_held`` and
    ``sides_held``: how many people each of them is true of.
    """

    at: Array
    down: Array
    across: Array
    sides: tuple[tuple[str, ...], ...]
    heads: tuple[tuple[str, ...], ...]
    sides_held: tuple[int, ...]
    heads_held: tuple[int, ...]


def group(frame: Frame, recipe: TableRecipe) -> Groups:
    """Group the rows of ``frame`` as ``recipe`` says. Raises `RecipeRefused`, also for more cells than are checked."""
    chosen = choose(frame, recipe.filter)
    downs = [key(frame, name, recipe.bands.get(name)) for name in recipe.keys]
    acrosses = [key(frame, name, recipe.bands.get(name)) for name in recipe.columns]
    for one in (*downs, *acrosses):
        chosen &= one.codes >= 0
    at = np.flatnonzero(chosen)
    down, sides = _combine(downs, at)
    across, heads = _combine(acrosses, at)
    if recipe.suppressed is not None:
        keep = _enough(_people(frame, at), down, across, recipe.suppressed.below)
        at = at[keep]
        down, sides = _only(down[keep], sides)
        across, heads = _only(across[keep], heads) if recipe.columns else (across[keep], heads)
    if len(sides) * max(len(heads), 1) > MAX_CELLS:
        raise RecipeRefused(f"칸이 {MAX_CELLS:,}개를 넘습니다.", f"More than {MAX_CELLS:,} cells.")
    people = _people(frame, at)
    held = (distinct(down, people, len(sides)), distinct(across, people, len(heads)))
    return Groups(at, down, across, sides, heads, *(tuple(one.tolist()) for one in held))


def _people(frame: Frame, at: Array) -> Array:
    # Without pseudonyms each row counts as a person of its own; the check says so.
    return frame.people[at] if frame.people is not None else at


def _combine(keys: list[Key], at: Array) -> tuple[Array, tuple[tuple[str, ...], ...]]:
    """Return for each row its combination of labels, numbered in order, and the combinations that occur."""
    if not keys:
        return np.zeros(len(at), dtype=np.int64), ((),)
    codes = np.zeros(len(at), dtype=np.int64)
    for one in keys:
        codes = codes * len(one.labels) + one.codes[at]
    found, numbered = np.unique(codes, return_inverse=True)
    combinations: list[tuple[str, ...]] = []
    for code in found.tolist():
        rest, labels = code, []
        for one in reversed(keys):
            rest, place = divmod(rest, len(one.labels))
            labels.append(one.labels[place])
        combinations.append(tuple(reversed(labels)))
    return numbered.astype(np.int64), tuple(combinations)


def _enough(people: Array, down: Array, across: Array, below: int) -> Array:
    """Return the rows of data in table rows and columns of enough people, until no more fall away.

    A label alone tells that somebody has this property: rows and columns of too few are not there at all.
    """
    keep = np.ones(len(people), dtype=bool)
    while True:
        before = int(keep.sum())
        for groups in (down, across):
            held = distinct(groups[keep], people[keep], int(groups.max(initial=-1)) + 1)
            keep &= held[groups] >= below if len(groups) else keep
        if int(keep.sum()) == before:
            return keep


def _only(groups: Array, labels: tuple[tuple[str, ...], ...]) -> tuple[Array, tuple[tuple[str, ...], ...]]:
    found, numbered = np.unique(groups, return_inverse=True)
    return numbered.astype(np.int64), tuple(labels[place] for place in found.tolist())
