"""Samples for review: drawn by seed alone, strata kept apart; intervals that hold what they promise."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deid.sampling import REST, UNCERTAIN, Reviewed, clopper_pearson, draw, estimate
from deid.texts import TextCase, TextSpan


def case(number: int, doubt: str = "") -> TextCase:
    span = TextSpan(0, 3, "NAME", 0.9, "rules", doubt)
    return TextCase(f"{number:032x}", "t", "memo", "p", 1, "홍길동 내원", "<이름> 내원", (span,))


def cases(rest: int, uncertain: int) -> list[TextCase]:
    return [case(n) for n in range(rest)] + [case(rest + n, "below-threshold") for n in range(uncertain)]


@pytest.mark.parametrize(
    ("rest", "uncertain", "size", "taken"),
    [
        (900, 10, 100, (10, 90)),
        (900, 300, 100, (50, 50)),
        (20, 300, 100, (80, 20)),
        (5, 5, 100, (5, 5)),
        (0, 0, 10, (0, 0)),
        (900, 300, 1, (0, 1)),
    ],
)
def test_uncertain_cases_have_up_to_half_of_the_places_and_the_rest_is_never_left_out(rest, uncertain, size, taken):
    sample = draw(cases(rest, uncertain), size, "seed")
    assert sample.population == {UNCERTAIN: uncertain, REST: rest}
    assert tuple(sum(name == stratum for name, _ in sample.picked) for stratum in (UNCERTAIN, REST)) == taken


@given(st.integers(0, 60), st.integers(0, 60), st.integers(1, 40), st.text(max_size=8), st.randoms())
def test_a_sample_depends_on_seed_and_cases_and_not_on_their_order(rest, uncertain, size, seed, random):
    given_ = cases(rest, uncertain)
    other = given_[:]
    random.shuffle(other)
    first = draw(given_, size, seed)
    assert first == draw(other, size, seed)
    assert len(first.picked) == min(size, rest + uncertain)
    assert len({each.ref for _, each in first.picked}) == len(first.picked)


def test_another_seed_is_another_sample():
    assert draw(cases(500, 50), 40, "a").picked != draw(cases(500, 50), 40, "b").picked


# Exact values: the lower bound for n of n is (alpha/2)^(1/n); the others as printed in Clopper and Pearson's tables.
@pytest.mark.parametrize(
    ("good", "count", "low", "high"),
    [(10, 10, 0.025 ** (1 / 10), 1.0), (0, 10, 0.0, 1 - 0.025 ** (1 / 10)), (5, 10, 0.1871, 0.8129),
     (1, 20, 0.0013, 0.2487)],
)  # fmt: skip
def test_the_interval_is_clopper_and_pearsons(good, count, low, high):
    made = clopper_pearson(good, count, 0.05)
    assert (made.low, made.high) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))


def reviewed(stratum: str, count: int, found: int, missed: int = 0) -> list[Reviewed]:
    return [Reviewed(stratum, found, missed)] * count


def test_two_hundred_texts_without_a_miss_hold_ninety_eight_percent_and_one_hundred_do_not():
    for count, held in ((200, True), (100, False)):
        made = estimate(reviewed(REST, count, 1), {UNCERTAIN: 0, REST: 10_000}, 0.95)
        assert made.recall is not None
        assert (made.recall.value, made.recall.low >= 0.98) == (1.0, held)


def test_a_stratum_looked_at_as_a_whole_has_no_sampling_error():
    made = estimate(reviewed(REST, 40, 3) + reviewed(REST, 10, 2, 1), {UNCERTAIN: 0, REST: 50}, 0.95)
    assert made.recall is not None
    assert made.recall.low == made.recall.value == made.recall.high == round(140 / 150, 6)


def test_strata_count_by_their_share_of_identifiers_and_not_of_the_sample():
    ones = reviewed(UNCERTAIN, 50, 1, 1) + reviewed(REST, 50, 2)
    made = estimate(ones, {UNCERTAIN: 50, REST: 5_000}, 0.95)
    assert made.recall is not None
    assert made.recall.value == pytest.approx(1 - 50 / 10_100, abs=1e-5)


def test_misses_that_stand_together_widen_the_interval():
    apart = estimate(reviewed(REST, 190, 10) + reviewed(REST, 10, 9, 1), {UNCERTAIN: 0, REST: 9_999}, 0.95)
    together = estimate(reviewed(REST, 199, 10) + reviewed(REST, 1, 0, 10), {UNCERTAIN: 0, REST: 9_999}, 0.95)
    assert apart.recall is not None
    assert together.recall is not None
    assert apart.recall.value == together.recall.value
    assert together.recall.low < apart.recall.low - 0.01


def test_nothing_is_said_of_recall_where_no_identifier_was_seen():
    made = estimate(reviewed(REST, 100, 0), {UNCERTAIN: 0, REST: 1_000}, 0.95)
    assert (made.recall, made.clean is not None, made.found, made.missed) == (None, True, 0, 0)


def test_the_interval_covers_the_truth_as_often_as_it_says():
    random = Random(7)
    population = [(UNCERTAIN, 1 + n % 3, int(random.random() < 0.2)) for n in range(400)]
    population += [(REST, 1 + n % 5, 2 * int(random.random() < 0.02)) for n in range(3_000)]
    truth = 1 - sum(m for _, _, m in population) / sum(f + m for _, f, m in population)
    sizes, covered, rounds = {UNCERTAIN: 400, REST: 3_000}, 0, 200
    for _ in range(rounds):
        ones = random.sample(population[:400], 100) + random.sample(population[400:], 100)
        made = estimate([Reviewed(*one) for one in ones], sizes, 0.95).recall
        covered += made is not None and made.low <= truth <= made.high
    assert covered >= 0.93 * rounds


@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.99])
@pytest.mark.parametrize(("good", "count"), [(0, 7), (1, 1), (5, 9), (182, 183), (183, 183), (997, 1_000)])
def test_the_interval_is_that_of_scipys_exact_binomial_test(good: int, count: int, confidence: float) -> None:
    from scipy.stats import binomtest

    made = clopper_pearson(good, count, 1 - confidence)
    exact = binomtest(good, count).proportion_ci(confidence, method="exact")
    assert (made.low, made.high) == (pytest.approx(exact.low, abs=1e-9), pytest.approx(exact.high, abs=1e-9))


@pytest.mark.parametrize(("missed", "size"), [(0, 300), (1, 300), (6, 120)])
def test_what_the_lower_bound_says_of_a_finite_pile_holds_by_the_hypergeometric_law(missed: int, size: int) -> None:
    from scipy.stats import hypergeom

    pile = 2_000  # texts with one identifier each, of which `size` are looked at
    ones = reviewed(REST, size - missed, 1) + reviewed(REST, missed, 0, 1)
    made = estimate(ones, {UNCERTAIN: 0, REST: pile}, 0.95).recall
    assert made is not None
    # Had the pile one more miss than the bound allows, a sample as good as this one had a chance below 2.5 %.
    bad = int((1 - made.low) * pile) + 1
    assert hypergeom(pile, bad, size).cdf(missed) <= 0.025 + 1e-9
    # And the bound is not idle: with four fifths of that many misses such a sample is no wonder.
    assert hypergeom(pile, bad * 4 // 5, size).cdf(missed) > 0.025
