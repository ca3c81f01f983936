"""What a model learns before and after: naive Bayes predicts one column from the quasi-identifiers, cross-validated.

Rows of a patient are never both learned from and predicted. The classifier is the plainest that works on categories
(Laplace smoothing), so that differences are the data's and not the tuning's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deid.risk.counting import Codes

FOLDS = 5


@dataclass(frozen=True)
class Task:
    """Accuracy 0 to 1 of always naming the commonest value, of learning from the source, and from what is published."""

    target: str
    baseline: float
    before: float
    after: float


@dataclass(frozen=True)
class Features:
    """One state of the table: code columns with the number of codes of each, aligned with the observations."""

    columns: tuple[Codes, ...]
    sizes: tuple[int, ...]


def task_of(name: str, states: Sequence[Features], target: Codes, patient: Codes) -> Task:
    """Compare two states (before, after) on the same observations; `target` and `patient` are codes."""
    values = int(target.max(initial=0)) + 1
    common = float(np.bincount(target, minlength=values).max()) / max(1, target.size)
    before, after = (accuracy(state, target, values, patient % FOLDS) for state in states)
    return Task(name, round(common, 6), before, after)


def accuracy(features: Features, target: Codes, values: int, fold: Codes) -> float:
    """Share of observations that are predicted rightly by a model learned from the other folds."""
    right = 0
    for held_out in range(FOLDS):
        test = fold == held_out
        right += int((_predict(features, target, values, test) == target[test]).sum())
    return round(right / max(1, target.size), 6)


def _predict(features: Features, target: Codes, values: int, test: NDArray[np.bool_]) -> Codes:
    learned = target[~test]
    seen = np.bincount(learned, minlength=values) + 1.0
    score = np.tile(np.log(seen), (int(test.sum()), 1))
    for column, size in zip(features.columns, features.sizes, strict=True):
        table = np.bincount(column[~test] * values + learned, minlength=size * values).reshape(size, values) + 1.0
        score += np.log(table / (seen + size))[column[test]]
    best: Codes = score.argmax(axis=1)
    return best
