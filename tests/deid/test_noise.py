"""Noise stays within its bounds and limits, is the same in a rerun, and not that of other people, columns, projects."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deid.errors import RecipeError
from tests.deid.factory import HEAD, Hospital, gates, table
from tests.deid.test_columns import treat

SEED = " seed"
VALUES = st.lists(st.floats(-1e6, 1e6, allow_nan=False), min_size=1, max_size=30)
BOUNDS = st.sampled_from([0.5, 1, 7, 250])


def noisy(text: str, values: list[float], seeds: list[str] | None = None) -> list[float]:
    found = treat(f"{{treatment: noise, {text}}}", [repr(v) for v in values], **{SEED: seeds or ["s"] * len(values)})
    return [float(str(value)) for value in found]


@given(VALUES, BOUNDS, st.sampled_from(["uniform", "triangular"]))
def test_noise_is_bounded_and_the_same_again(values: list[float], within: float, shape: str) -> None:
    text = f"within: {within}, shape: {shape}"
    found = noisy(text, values)
    # Half of the last digit that is kept may come on top.
    assert all(abs(new - old) <= within + 0.5 for old, new in zip(values, found, strict=True))
    assert found == noisy(text, values)


@given(VALUES)
def test_percent_is_of_the_value_itself(values: list[float]) -> None:
    for old, new in zip(values, noisy("percent: 10", values), strict=True):
        assert abs(new - old) <= abs(old) * 0.1 * 1.01 + abs(old) * 1e-3


@given(st.lists(st.integers(-1000, 1000), min_size=1, max_size=30), st.integers(1, 50))
def test_integers_stay_integers_and_inside_the_limits(values: list[int], within: int) -> None:
    text = f"type: integer, within: {within}, bottom: -1000, top: 1000"
    found = treat(f"{{treatment: noise, {text}}}", [str(v) for v in values], **{SEED: ["s"] * len(values)})
    assert all(isinstance(new, int) for new in found)
    assert all(-1000 <= int(str(new)) <= 1000 for new in found)
    assert all(abs(int(str(new)) - old) <= within for old, new in zip(values, found, strict=True))


@given(VALUES, BOUNDS)
def test_a_sign_is_never_crossed_where_it_is_to_be_kept(values: list[float], within: float) -> None:
    found = noisy(f"within: {within}, keep_sign: true", values)
    assert all(new * old >= 0 for old, new in zip(values, found, strict=True))


def test_the_same_value_of_a_patient_has_the_same_noise_and_of_another_another() -> None:
    found = noisy("within: 100", [5.0] * 200, ["s"] * 100 + [f"s{number}" for number in range(100)])
    assert len(set(found[:100])) == 1
    assert len(set(found[100:])) > 60


@pytest.mark.parametrize(("shape", "spread"), [("uniform", 1 / 3), ("triangular", 1 / 6)])
def test_draws_have_the_distribution_that_is_promised(shape: str, spread: float) -> None:
    found = noisy(f"within: 1000, shape: {shape}", [0.0] * 4000, [f"s{number}" for number in range(4000)])
    share = [value / 1000 for value in found]
    # Fixed seeds: the figures are the same on every machine and lie well within four standard errors.
    assert abs(sum(share) / 4000) < 0.04
    assert abs(sum(value**2 for value in share) / 4000 - spread) < 0.02
    assert -1 <= min(share) < -0.9
    assert 0.9 < max(share) <= 1


TABLE = """\
tables:
  visits:
    file: visits.csv
    label: {ko: 방문, en: Visits}
    subject: no
    columns:
      no: {treatment: pseudonym, domain: patient, as: patient}
      one: {treatment: noise, within: 50, bottom: 0, to: 0.000001}
      two: {treatment: noise, within: 50, to: 0.000001}
      row: {treatment: keep, type: integer}
"""


@pytest.mark.parametrize("in_memory", [True, False], ids=["kept in memory", "streamed"])
def test_columns_and_projects_have_noise_of_their_own_and_a_rerun_has_the_same(
    clinic: Hospital, monkeypatch: pytest.MonkeyPatch, *, in_memory: bool
) -> None:
    if not in_memory:
        monkeypatch.setattr("deid.many.memory.MOST_WHOLE", 0)
    rows = [f"n{n % 20},{n % 5 + 100},{n % 5 + 100},{n}\n" for n in range(60)]
    runs = []
    for order, project in ((1, ""), (-1, ""), (1, "P-1")):
        clinic.write("visits.csv", "no,one,two,row\n" + "".join(rows[::order]))
        result = clinic.run(HEAD + gates(k=1) + TABLE, project=project)
        runs.append(table(result, "visits").sort("row"))
        assert result.manifest.tables["visits"].columns["one"].treatment == "noise(uniform, within 50)"
    first, again, project_run = runs
    assert first.equals(again)
    # A hundred million possible values: not even one of the twenty draws is met by chance (keys are new in each run).
    assert not (first["one"] == first["two"]).any()
    assert not (first["one"] == project_run["one"]).any()
    assert ((first["one"] - 102).abs() <= 52.5).all()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "missing"),
        ("within: 1, percent: 1", "missing"),
        ("within: 0", "range"),
        ("within: 0.1, type: integer", "range"),
        ("percent: 101", "range"),
        ("within: 1, bottom: 5, top: 5", "range"),
        ("within: 1, shape: normal", "word"),
    ],
)
def test_noise_that_means_nothing_is_refused(text: str, code: str) -> None:
    with pytest.raises(RecipeError) as caught:
        noisy(text, [1.0])
    assert caught.value.code == f"deid.recipe-{code}"
