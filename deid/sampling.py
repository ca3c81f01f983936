"""A sample of cases for review, and what the review says of recall. Pure: cases and marks in, figures out.

A case is one text of a patient, or one frame of an image.

**Drawing.** Two strata: `uncertain`, of cases in which the detectors are in doubt themselves, and `rest`. Half of the
sample at most goes to the uncertain cases, all of them where they are fewer; the other places go to the rest. Within a
stratum the cases whose SHA-256 of seed and reference is smallest are taken: whoever has the seed gets the same sample,
in any language, and nobody can choose it who does not know the seed.

**Estimating.** Recall of a stratum is a ratio over cases (clusters): identifiers masked, over those masked or marked as
missed. Identifiers of one case are no independent draws, so the interval of each stratum is Clopper and Pearson's
(Biometrika 26:404, 1934) at the effective sample size n/deff of Korn and Graubard (Survey Methodology 24:193, 1998),
with the linearised variance of a ratio (Cochran, Sampling Techniques, 3rd ed. 1977, §2.11) and deff never below 1. A
stratum looked at as a whole has no sampling error. Strata are added by their estimated numbers of identifiers (Cochran
§5); the error probability is split between the sampled strata (Bonferroni), which keeps the coverage at the price of a
wider interval.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

UNCERTAIN, REST = "uncertain", "rest"
STRATA = (UNCERTAIN, REST)


class Case(Protocol):
    """What can be sampled: a name that says nothing of it, and what the detectors did and doubted."""

    @property
    def ref(self) -> str:
        """Name the case."""

    @property
    def found(self) -> int:
        """How many identifiers were masked."""

    @property
    def in_doubt(self) -> bool:
        """Whether the detectors were in doubt."""


C = TypeVar("C", bound=Case)


@dataclass(frozen=True)
class Sample(Generic[C]):
    """The drawn cases in the order of review (`picked`), and how many cases each stratum has in all."""

    picked: tuple[tuple[str, C], ...]
    population: Mapping[str, int]


@dataclass(frozen=True)
class Reviewed:
    """One case after its review: its stratum, identifiers that were masked, identifiers that were missed."""

    stratum: str
    found: int
    missed: int


@dataclass(frozen=True)
class Interval:
    """An estimate between 0 and 1 with its confidence interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Estimate:
    """What a review shows: cases looked at, identifiers found and missed in them, recall, and cases without a miss.

    None where nothing can be said, as no identifier was seen at all.
    """

    cases: int
    found: int
    missed: int
    recall: Interval | None
    clean: Interval | None


def draw(cases: Iterable[C], size: int, seed: str) -> Sample[C]:
    """Draw `size` cases (all, if there are no more); only as many as can be drawn are held in memory."""
    held: dict[str, list[tuple[bytes, C]]] = {name: [] for name in STRATA}
    population = dict.fromkeys(STRATA, 0)
    for case in cases:
        stratum = UNCERTAIN if case.in_doubt else REST
        population[stratum] += 1
        held[stratum].append((_rank(seed, case.ref), case))
        if len(held[stratum]) >= 2 * size:
            held[stratum] = sorted(held[stratum], key=_first)[:size]
    takes = _allot(population, size)
    picked = [(name, case) for name in STRATA for _, case in sorted(held[name], key=_first)[: takes[name]]]
    return Sample(tuple(picked), population)


def estimate(reviewed: Sequence[Reviewed], population: Mapping[str, int], confidence: float) -> Estimate:
    """Estimate recall and the share of cases without a miss over the population; see the module."""
    by = {name: [one for one in reviewed if one.stratum == name] for name in STRATA}
    sampled = sum(0 < len(by[name]) < population[name] for name in STRATA)
    alpha = (1 - confidence) / max(1, sampled)
    recalls, cleans = [], []
    for name in STRATA:
        ones, size = by[name], population[name]
        if ones:
            weight = size / len(ones)
            true = sum(one.found + one.missed for one in ones)
            if true:
                recalls.append((weight * true, _recall(ones, size, alpha)))
            clean = sum(not one.missed for one in ones)
            cleans.append((float(size), _bounds(clean, len(ones), alpha, whole=len(ones) >= size)))
    found, missed = sum(one.found for one in reviewed), sum(one.missed for one in reviewed)
    return Estimate(len(reviewed), found, missed, _together(recalls), _together(cleans))


def clopper_pearson(good: float, count: float, alpha: float) -> Interval:
    """Exact interval of a proportion at 1 - `alpha`, two-sided; `count` may be an effective sample size."""
    from scipy.stats import beta  # noqa: PLC0415 - half a second that no run needs

    low = 0.0 if good <= 0 else float(beta.ppf(alpha / 2, good, count - good + 1))
    high = 1.0 if good >= count else float(beta.ppf(1 - alpha / 2, good + 1, count - good))
    return Interval(good / count, low, high)


def _recall(ones: Sequence[Reviewed], size: int, alpha: float) -> Interval:
    true = [one.found + one.missed for one in ones]
    count, good = sum(true), sum(one.found for one in ones)
    rate = good / count
    effect = 1.0
    if 0 < rate < 1 and len(ones) > 1:
        # Linearised variance of a ratio over clusters, against that of as many independent draws.
        residuals = sum((one.found - rate * all_) ** 2 for one, all_ in zip(ones, true, strict=True))
        variance = len(ones) / (len(ones) - 1) * residuals / count**2
        effect = max(1.0, variance / (rate * (1 - rate) / count))
    return _bounds(good / effect, count / effect, alpha, whole=len(ones) >= size)


def _bounds(good: float, count: float, alpha: float, *, whole: bool) -> Interval:
    rate = good / count
    return Interval(rate, rate, rate) if whole else clopper_pearson(good, count, alpha)


def _together(parts: Sequence[tuple[float, Interval]]) -> Interval | None:
    total = sum(weight for weight, _ in parts)
    if not total:
        return None
    value, low, high = (
        sum(weight * getattr(each, name) for weight, each in parts) / total for name in ("value", "low", "high")
    )
    return Interval(round(value, 6), round(low, 6), round(high, 6))


def _allot(population: Mapping[str, int], size: int) -> dict[str, int]:
    uncertain = min(population[UNCERTAIN], max(size // 2, size - population[REST]))
    return {UNCERTAIN: uncertain, REST: min(population[REST], size - uncertain)}


def _rank(seed: str, ref: str) -> bytes:
    return hashlib.sha256(f"{seed}:{ref}".encode()).digest()


def _first(pair: tuple[bytes, C]) -> bytes:
    return pair[0]
