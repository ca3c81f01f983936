"""The levels of a model's terms as cells: from a fit over categories follow each level's people and mean response.

Least squares reproduces the sum of the response over every level of a term, and standard errors tell how many there
are; the same holds for likelihoods with their usual links. Terms with a number in them tell of no such group.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from enclave.airlock.ledger.cells import Cell, Told
from enclave.airlock.recipes.form import ModelRecipe
from enclave.airlock.recompute.frame import Array, Frame
from enclave.airlock.recompute.regress import observed
from enclave.airlock.recompute.rows import Rows
from enclave.airlock.recompute.where import Key, choose, key


def levels(frame: Frame, recipe: ModelRecipe) -> Iterator[Cell]:
    """Yield for each term of categories alone every combination of levels, with its people. Raises `RecipeRefused`."""
    if frame.people is None:
        return
    chosen, sample = choose(frame, recipe.filter), np.zeros(frame.rows, dtype=bool)
    sample[observed(frame, recipe)] = True
    for term in recipe.terms:
        if all(name in recipe.categories or name in recipe.bands for name in term):
            keys = [key(frame, name, recipe.bands.get(name)) for name in term]
            yield from _term(keys, frame.people, chosen, sample)


def _term(keys: Sequence[Key], people: Array, chosen: Array, sample: Array) -> Iterator[Cell]:
    at = np.flatnonzero(np.logical_and.reduce([chosen, *(one.codes >= 0 for one in keys)]))
    codes = np.zeros(len(at), dtype=np.int64)
    for one in keys:
        codes = codes * len(one.labels) + one.codes[at]
    found, groups = np.unique(codes, return_inverse=True)
    inside = sample[at]
    members = Rows(groups[inside], people[at[inside]], groups[inside], len(found)).populations()
    lacking = np.bincount(groups[~inside], minlength=len(found))
    # A line break stands in no column's name: terms are told apart whatever they are called.
    name = "\n".join(one.name for one in keys)
    for code, those, few in zip(found.tolist(), members, lacking.tolist(), strict=True):
        if those:
            yield Cell(_label(keys, code), those, name, Told.LEVEL, few)


def _label(keys: Sequence[Key], code: int) -> str:
    labels = []
    for one in reversed(keys):
        code, place = divmod(code, len(one.labels))
        labels.append(f"{one.name}={one.labels[place]}")
    return ":".join(reversed(labels))
