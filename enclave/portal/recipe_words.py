"""A recipe as a reviewer reads it: which rows, grouped by what, which numbers, what was rounded and hidden.

The recipe was read strictly when it was submitted (`enclave.airlock.recipes.form`); what cannot be read here is shown
as it is stored.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from enclave.airlock.recipes.form import ModelRecipe, Recipe, RecipeRefused, TableRecipe, parse_recipe


def said(recipe: str) -> tuple[tuple[str, str], ...]:
    """Return (key of words, text) of each part of a stored recipe that says something; nothing if it is none."""
    if not recipe:
        return ()
    try:
        found = parse_recipe(json.loads(recipe))
    except (RecipeRefused, ValueError):
        return ()
    return tuple((key, text) for key, text in _parts(found) if text)


def _parts(recipe: Recipe) -> Iterable[tuple[str, str]]:
    stored = json.loads(recipe.canonical())
    yield "review.recipe_rows", f"{recipe.dataset}/{recipe.table}" + (f" + {recipe.join}" if recipe.join else "")
    yield "review.recipe_filter", " & ".join(_clause(each) for each in stored["filter"])
    yield "review.recipe_bands", "; ".join(f"{name}: {_cuts(each)}" for name, each in stored["bands"].items())
    if isinstance(recipe, TableRecipe):
        across = f" × {', '.join(recipe.columns)}" if recipe.columns else ""
        yield "review.recipe_by", ", ".join(recipe.keys) + across
        yield "review.recipe_numbers", ", ".join(each.label for each in recipe.measures)
        yield "review.recipe_hidden", f"< {recipe.suppressed.below}" if recipe.suppressed else ""
    if isinstance(recipe, ModelRecipe):
        terms = " + ".join(":".join(each) for each in recipe.terms)
        yield "review.recipe_model", f"{recipe.model}: {recipe.response} ~ {terms}"
    if recipe.rounding.counts > 1:
        yield "review.recipe_rounded", str(recipe.rounding.counts)


def _clause(each: object) -> str:
    if isinstance(each, dict):
        [(joint, parts)] = each.items()
        return "(" + f" {joint} ".join(_clause(one) for one in parts) + ")"
    if isinstance(each, list):
        said = [one for one in each if one is not None]  # `null` is compared with nothing
        return " ".join(one if isinstance(one, str) else json.dumps(one, ensure_ascii=False) for one in said)
    return str(each)


def _cuts(band: dict[str, object]) -> str:
    return f"{band['column']} {json.dumps(band['cuts'], ensure_ascii=False)}"
