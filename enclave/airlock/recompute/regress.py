"""Regressions, made again: the design from the recipe's terms, the estimate by statsmodels, the risks from the rows.

No formula is evaluated: terms are names of columns and products of them. A level of a category that few people have is
a number about these few; a model with hardly more observations than parameters is the data again.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np

from enclave.airlock.recipes.form import ModelRecipe, RecipeRefused
from enclave.airlock.recompute.frame import Array, Frame
from enclave.airlock.recompute.rows import distinct
from enclave.airlock.recompute.where import choose, column_of, key

INTERCEPT = "(intercept)"
MAX_TERMS, MAX_ROWS = 200, 5_000_000
BINARY = frozenset({"logit", "probit"})


@dataclass(frozen=True)
class Design:
    """What is regressed on what: response, matrix, and the name of each of its columns."""

    response: Array
    matrix: Array
    names: tuple[str, ...]
    people: Array


@dataclass(frozen=True)
class Fit:
    """The estimate: per term its numbers; per model its own. ``leverage``: the largest part one person has in a fit."""

    terms: tuple[tuple[float, ...], ...]
    whole: dict[str, float]
    freedom: int
    leverage: float


def observed(frame: Frame, recipe: ModelRecipe) -> Array:
    """Return the positions of the rows that a model is fitted to: chosen, with every value there."""
    chosen = choose(frame, recipe.filter)
    for name in dict.fromkeys((recipe.response, *(name for term in recipe.terms for name in term))):
        if name in recipe.categories or name in recipe.bands:
            chosen &= key(frame, name, recipe.bands.get(name)).codes >= 0
        else:
            chosen &= column_of(frame, name).valid
    return np.flatnonzero(chosen)


def design(frame: Frame, recipe: ModelRecipe) -> Design:
    """Return the design of a model. Raises `RecipeRefused`."""
    at = observed(frame, recipe)
    names, columns = [INTERCEPT], [np.ones(len(at))]
    for term in recipe.terms:
        factors = [_factor(frame, recipe, name, at) for name in term]
        for labels, values in reduce(_times, factors):
            names.append(labels)
            columns.append(values)
        if len(names) > MAX_TERMS:
            raise RecipeRefused(f"항이 {MAX_TERMS}개를 넘습니다.", f"More than {MAX_TERMS} terms.")
    people = frame.people[at] if frame.people is not None else at
    return Design(_numbers(frame, recipe.response, at), np.column_stack(columns), tuple(names), people)


def fit(made: Design, model: str) -> Fit:
    """Estimate a model as statsmodels does. Raises `RecipeRefused` where there is no estimate."""
    if len(made.response) <= made.matrix.shape[1] or not _is_full(made.matrix):
        raise RecipeRefused(
            "관측 수가 모자라거나 설명 변수가 겹쳐 모형을 구할 수 없습니다.",
            "Too few observations, or terms that follow from each other: there is no estimate.",
        )
    if model in BINARY and not set(np.unique(made.response).tolist()) <= {0.0, 1.0}:
        raise RecipeRefused("반응 변수가 0과 1이 아닙니다.", "The response is not 0 and 1.")
    found = _estimate(made, model)
    terms = np.column_stack([found.params, found.bse, found.tvalues, found.pvalues, found.conf_int()])
    if not np.isfinite(terms).all():
        raise RecipeRefused("모형이 수렴하지 않았습니다.", "The model did not converge.")
    whole = {"log-likelihood": float(found.llf)}
    whole["R2" if model == "ols" else "pseudo R2"] = float(found.rsquared if model == "ols" else found.prsquared)
    return Fit(tuple(map(tuple, terms.tolist())), whole, int(found.df_resid), _leverage(made))


def thin_terms(made: Design, below: int) -> list[int]:
    """Return the terms that tell about fewer than ``below`` people: on either side of a yes or no."""
    thin = []
    for at in range(1, made.matrix.shape[1]):
        values = made.matrix[:, at]
        low, high = values.min(), values.max()
        rarer = values == high if 2 * int((values == high).sum()) <= len(values) else values == low
        if ((values == low) | (values == high)).all() and _people(made, rarer) < below:
            thin.append(at)
    return thin


def people_of(made: Design) -> int:
    """Return how many people a model is fitted to."""
    return _people(made, np.ones(len(made.people), dtype=bool))


def fewest_by_response(made: Design) -> int:
    """Return how many people have the rarer of two responses."""
    return min(_people(made, made.response == value) for value in (0.0, 1.0))


def _people(made: Design, rows: Array) -> int:
    return int(distinct(np.zeros(int(rows.sum()), dtype=np.int64), made.people[rows], 1)[0])


def _estimate(made: Design, model: str) -> Any:
    # Imported here: only the sealed process of recomputation has it warm.
    import statsmodels.api as sm  # noqa: PLC0415

    if model == "ols":
        return sm.OLS(made.response, made.matrix).fit()
    form = {"logit": sm.Logit, "probit": sm.Probit, "poisson": sm.Poisson}[model]
    try:
        return form(made.response, made.matrix).fit(disp=0, maxiter=100)
    except Exception as error:  # statsmodels raises many kinds for one thing: no estimate
        raise RecipeRefused("모형을 구할 수 없습니다(완전 분리 등).", "There is no estimate (separation …).") from error


def _is_full(matrix: Array) -> bool:
    # As statsmodels' own pseudo-inverse would find, from the small triangle instead of the tall matrix.
    triangle = np.linalg.qr(matrix / np.maximum(np.abs(matrix).max(axis=0), 1e-300), mode="r")
    return bool(np.linalg.matrix_rank(triangle) == matrix.shape[1])


def _leverage(made: Design) -> float:
    basis, _ = np.linalg.qr(made.matrix)
    own = np.einsum("ij,ij->i", basis, basis)
    known = made.people >= 0
    _, which = np.unique(made.people[known], return_inverse=True)
    return float(np.bincount(which, weights=own[known]).max(initial=0.0))


Factor = list[tuple[str, Array]]


def _factor(frame: Frame, recipe: ModelRecipe, name: str, at: Array) -> Factor:
    """Return a term's columns: a number itself, or one column for each level but the base."""
    if name not in recipe.categories and name not in recipe.bands:
        return [(name, _numbers(frame, name, at))]
    one = key(frame, name, recipe.bands.get(name))
    codes = one.codes[at]
    present = [one.labels[place] for place in np.unique(codes).tolist()]
    base = recipe.categories.get(name)
    first = base if base is not None or not present else present[0]
    if first not in present:
        raise RecipeRefused(f"‘{name}’에 그런 기준 범주가 없습니다.", f"‘{name}’ has no such base level.")
    places = {label: place for place, label in enumerate(one.labels)}
    return [(f"{name}={label}", (codes == places[label]).astype(float)) for label in present if label != first]


def _times(left: Factor, right: Factor) -> Factor:
    return [(f"{a}:{b}", x * y) for a, x in left for b, y in right]


def _numbers(frame: Frame, name: str, at: Array) -> Array:
    column = column_of(frame, name)
    if column.kind not in {"whole", "number", "bool"}:
        raise RecipeRefused(
            f"‘{name}’은(는) 수가 아닙니다. C({name})로 쓰세요.", f"‘{name}’ is no number: write C({name})."
        )
    return np.asarray(column.values[at].astype(float))
