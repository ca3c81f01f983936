"""The arithmetic of the metrics page. Pure; each definition is one function."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil
from typing import TypeVar

from enclave.states import FileVote

T = TypeVar("T", int, float)


@dataclass(frozen=True)
class Agreement:
    """How far pairs of reviewers agree. ``share``: of pairs with the same word; ``kappa``: Cohen's; None for no pairs.

    Cohen's kappa is None, too, where it has no value: everybody always said the same.
    """

    pairs: int
    share: float | None
    kappa: float | None


def percentile(values: Iterable[T], share: float) -> T | None:
    """Return the smallest value that at least this share of all values does not exceed (nearest rank); None of none."""
    ordered = sorted(values)
    if not ordered:
        return None
    return ordered[max(1, ceil(share * len(ordered))) - 1]


def agreement(pairs: Sequence[tuple[FileVote, FileVote]]) -> Agreement:
    """Return how far two reviewers of one file agree (J. Cohen, Educ. Psychol. Meas. 20, 1960, 37-46).

    A pair is (the earlier reviewer's word, the later one's). kappa = (po - pe) / (1 - pe), with po the share of equal
    pairs and pe what chance alone would give: the sum over both words of the two sides' shares multiplied.
    """
    number = len(pairs)
    if not number:
        return Agreement(0, None, None)
    observed = sum(first is second for first, second in pairs) / number
    chance = sum(
        sum(first is word for first, _ in pairs) * sum(second is word for _, second in pairs) for word in FileVote
    ) / (number * number)
    return Agreement(number, observed, None if chance == 1 else (observed - chance) / (1 - chance))


def share_of(part: int, whole: int) -> float | None:
    """Return part / whole; None of nothing."""
    return part / whole if whole else None
