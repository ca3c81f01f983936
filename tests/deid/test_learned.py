"""What is learned of a column holds of people: rare values, groups, percentiles; nobody's own value is published."""

from __future__ import annotations

import itertools
from collections import defaultdict

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deid import write
from deid.errors import RecipeError, SourceError
from deid.treatments.learned import PATIENT, VALUE, Learner, TooFewPatients
from deid.treatments.micro import MicroAggregate
from deid.treatments.percentile import PercentileCode
from deid.treatments.rare import Rare
from deid.versions import tables
from tests.deid.factory import HEAD, Hospital, gates, table
from tests.deid.test_canary import decompressed_pages, uncompressed

PAIRS = st.lists(st.tuples(st.integers(0, 12), st.sampled_from("abcdefgh")), min_size=1, max_size=60)
NUMBERS = st.lists(st.tuples(st.integers(0, 30), st.integers(-50, 50)), min_size=1, max_size=120)


def final(learner: Learner, rows: list[tuple[int, object]], k: int) -> list[tuple[int, object]]:
    """The rows with the final values, as `learning` makes them, streamed."""
    frame = pl.DataFrame(rows, schema=[PATIENT, VALUE], orient="row").lazy()
    finish = learner.learn(learner.summary(frame, k).collect(engine="streaming"), k)
    result = frame.with_columns(finish.expression(pl.col(VALUE)).alias(VALUE)).collect(engine="streaming")
    return list(result.iter_rows())


def carriers(rows: list[tuple[int, object]]) -> dict[object, set[int]]:
    found: dict[object, set[int]] = defaultdict(set)
    for patient, value in rows:
        found[value].add(patient)
    return found


@given(PAIRS, st.integers(2, 6), st.sampled_from([None, "other", "a"]))
def test_every_value_that_stays_is_at_least_k_patients(rows: list[tuple[int, str]], k: int, other: str | None) -> None:
    result = final(Rare(None, other), list(rows), k)
    people = carriers(result)
    assert all(len(who) >= k for value, who in people.items() if value != other)
    before = carriers(list(rows))
    gone = [value for value in before if value not in people and value != other]
    if len(before) > 1 and other != "a":
        assert len(gone) != 1, "a value alone in `other` is known by what is missing"
    # What stays is unchanged, and what was common goes only to hide what was rare.
    assert all(new in (old, other) for (_, old), (_, new) in zip(rows, result, strict=True))
    rare = [value for value, who in before.items() if len(who) < k and value != other]
    assert set(rare) <= set(gone)
    if not rare:
        assert gone == []


@pytest.mark.parametrize(
    ("counts", "k", "kept"),
    [
        ({"a": 9, "b": 8, "c": 7}, 5, {"a", "b", "c"}),
        ({"a": 9, "b": 8, "c": 1}, 5, {"a"}),
        ({"a": 9, "b": 3, "c": 3}, 5, {"a"}),
        ({"a": 9, "b": 2, "c": 2}, 5, set()),
        ({"a": 1}, 5, set()),
    ],
)
def test_the_next_rarest_go_too_until_nobody_can_tell_which_was_rare(
    counts: dict[str, int], k: int, kept: set[str]
) -> None:
    # Every patient has one value, so that patients of different values are different people.
    rows = list(enumerate(value for value, count in counts.items() for _ in range(count)))
    assert {value for _, value in final(Rare(None, "other"), list(rows), k)} - {"other"} == kept


@given(NUMBERS, st.integers(2, 5))
def test_groups_hold_k_patients_keep_order_and_the_mean_of_people(rows: list[tuple[int, int]], k: int) -> None:
    learner = MicroAggregate(None, type="number")
    values = [(patient, float(value)) for patient, value in rows]
    if len({patient for patient, _ in rows}) < k:
        with pytest.raises(TooFewPatients):
            final(learner, list(values), k)
        return
    result = final(learner, list(values), k)
    pairs = sorted({(old, new) for (_, old), (_, new) in zip(values, result, strict=True)})
    assert all(a[1] <= b[1] for a, b in itertools.pairwise(pairs)), "order is kept"
    groups: dict[object, dict[int, set[float]]] = defaultdict(lambda: defaultdict(set))
    for (patient, old), (_, new) in zip(values, result, strict=True):
        groups[new][patient].add(old)
    for mean, people in groups.items():
        assert len(people) >= k
        own = [sum(each) / len(each) for each in people.values()]
        assert mean == pytest.approx(sum(own) / len(own))


def test_one_patients_many_rows_do_not_rule_a_groups_mean() -> None:
    rows = [(0, 100.0), (0, 101.0), (0, 102.0), *((number, 0.0 + number) for number in range(1, 5))]
    assert {value for _, value in final(MicroAggregate(5, type="number"), list(rows), 5)} == {(101 + 1 + 2 + 3 + 4) / 5}


@given(NUMBERS, st.integers(2, 5), st.booleans(), st.sampled_from(["number", "integer"]))
def test_a_percentiles_limit_is_nobodys_own_and_k_patients_lie_at_or_beyond_it(
    rows: list[tuple[int, int]], k: int, top: bool, kind: str
) -> None:
    learner = PercentileCode(95 if top else 5, top, type=kind)
    values = [(patient, float(value) if kind == "number" else value) for patient, value in rows]
    if len({patient for patient, _ in rows}) < 2 * k:
        with pytest.raises(TooFewPatients):
            final(learner, list(values), k)
        return
    frame = pl.DataFrame(values, schema=[PATIENT, VALUE], orient="row").lazy()
    limit = learner.learn(learner.summary(frame, k).collect(), k).figures()["limit"]
    sign = 1 if top else -1
    extremes = [max(sign * value for who, value in values if who == patient) for patient in {who for who, _ in rows}]
    # The published limit is a mean over k people; at least k have a value as far out as the least of these.
    ordered = sorted(extremes)
    assert ordered[0] <= sign * limit <= ordered[-k]
    for (_, old), (_, new) in zip(values, final(learner, list(values), k), strict=True):
        assert new == (sign * min(sign * old, sign * limit))


TABLE = """\
tables:
  visits:
    file: visits.csv
    label: {{ko: 방문, en: Visits}}
    subject: no
    quasi_identifiers: [sex]
    columns:
      no: {{treatment: pseudonym, domain: patient, as: patient}}
      sex: {{treatment: keep}}
      code: {{{code}}}
      cost: {{{cost}}}
"""
CODE = "treatment: suppress_rare, other: 기타"
COST = "treatment: micro_aggregate, type: integer"
CANARY = "Q87SECRET"


def run(clinic: Hospital, code: str = CODE, cost: str = COST, k: int = 3) -> pl.DataFrame:
    rows = [f"n{n},M,{'I10' if n % 2 else 'E11'},{1000 + n}\n" for n in range(40)]
    rows[7] = f"n7,M,{CANARY},700007\n"
    # Four patients who alone have the rare code K35, and who go because of their sex: it must go with them.
    rows += [f"x{n},F,{'K35' if n < 2 else 'I10'},1\n" for n in range(2)] + ["y0,M,K35,1050\n", "y1,M,K35,1051\n"]
    clinic.write("visits.csv", "no,sex,code,cost\n" + "".join(rows))
    return table(clinic.run(HEAD + gates(k=k) + TABLE.format(code=code, cost=cost)), "visits")


@pytest.mark.parametrize("in_memory", [True, False], ids=["kept in memory", "streamed"])
def test_counts_are_of_the_patients_who_are_published(
    clinic: Hospital, monkeypatch: pytest.MonkeyPatch, *, in_memory: bool
) -> None:
    if not in_memory:
        monkeypatch.setattr("deid.many.memory.MOST_WHOLE", 0)
    found = run(clinic)
    # Four patients have K35 in the source, two of them are left: fewer than three.
    assert set(found["code"]) == {"I10", "E11", "기타"}
    assert found.filter(pl.col("code") == "기타")["patient"].n_unique() == 3
    assert found["cost"].dtype == pl.Int64
    assert found.group_by("cost").agg(pl.col("patient").n_unique())["patient"].min() >= 3  # type: ignore[operator]


def test_rare_values_and_a_single_patients_number_are_in_no_byte_of_the_snapshot(
    clinic: Hospital, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The same writer without its cipher: a scan of encrypted pages would find nothing, whatever stood in them.
    monkeypatch.setattr(write, "encryption", lambda _: None)
    for reader in ("decryption", "_create_decryption"):
        monkeypatch.setattr(tables, reader, lambda _: None)
    run(clinic)
    files = [path for path in clinic.out.rglob("*") if path.is_file()]
    seen = b"".join(uncompressed(path) + decompressed_pages(path) for path in files if path.suffix == ".parquet")
    assert b"I10" in seen, "the scan must be able to see values at all"
    seen += b"".join(path.read_bytes() for path in files)
    for canary in (CANARY.encode(), b"K35", b"700007", (700007).to_bytes(8, "little")):
        assert canary not in seen


@pytest.mark.parametrize("code", ["treatment: suppress_rare", "treatment: keep, rare: {min_patients: 3}"])
def test_without_other_rare_values_are_missing(clinic: Hospital, code: str) -> None:
    assert set(run(clinic, code)["code"]) == {"I10", "E11", None}


def test_a_level_of_a_hierarchy_can_be_freed_of_rare_labels(clinic: Hospital) -> None:
    code = "treatment: generalise, hierarchy: kcd8, level: 3, other: 모름, rare: {other: 기타}"
    assert set(run(clinic, code)["code"]) == {"I00-I99", "E00-E90", "기타"}


def test_a_quasi_identifiers_rare_values_are_merged_before_classes_are_counted(clinic: Hospital) -> None:
    text = TABLE.replace("[sex]", "[sex, code]").format(code=CODE, cost=COST)
    run(clinic)
    result = clinic.run((HEAD + gates(k=3) + text).replace("dataset: visits", "dataset: other"))
    found = table(result, "visits")
    assert set(found["code"]) == {"I10", "E11", "K35", "기타"} - ({"K35"} if found.height == 42 else set())
    assert found.group_by("sex", "code").agg(pl.col("patient").n_unique())["patient"].min() >= 3  # type: ignore[operator]
    assert CANARY not in set(found["code"])


@pytest.mark.parametrize(
    ("code", "cost", "error"),
    [
        ("treatment: suppress_rare, min_patients: 1", COST, "deid.recipe-range"),
        (CODE, "treatment: keep, type: integer, rare: {other: x}", "deid.recipe-other"),
        ("treatment: pseudonym, domain: c, rare: {min_patients: 3}", COST, "deid.recipe-rare"),
        (CODE, "treatment: top_code, at: 3, percentile: 99", "deid.recipe-missing"),
        (CODE, "treatment: top_code, percentile: 10", "deid.recipe-range"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(clinic: Hospital, code: str, cost: str, error: str) -> None:
    with pytest.raises(RecipeError) as caught:
        run(clinic, code, cost)
    assert caught.value.code == error


def test_a_quasi_identifier_cannot_ask_for_more_patients_than_k(clinic: Hospital) -> None:
    run(clinic)
    text = TABLE.replace("[sex]", "[sex, code]").format(code="treatment: suppress_rare, min_patients: 9", cost=COST)
    with pytest.raises(RecipeError) as caught:
        clinic.run(HEAD + gates(k=3) + text)
    assert caught.value.code == "deid.recipe-rare"


def test_too_few_patients_stop_the_run(clinic: Hospital) -> None:
    with pytest.raises(SourceError) as caught:
        run(clinic, cost="treatment: top_code, type: integer, percentile: 90", k=22)
    assert caught.value.code == "deid.source-few-patients"
