"""k counts distinct patients: every class that is published has at least k of them. Checked against pandas."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deid.errors import GateFailed
from deid.recipe import Link
from deid.suppress import ROWS, TableFacts, classify, decide
from deid.transform.columns import INDEX
from deid.versions.tables import DataFile
from tests.deid.factory import HEAD, PEOPLE, Hospital, gates, table, visits

PATIENTS = 12
ROW = st.tuples(st.integers(0, PATIENTS - 1), st.sampled_from(["F", "M", None]), st.integers(0, 2))
ROWS_OF_A_TABLE = st.lists(ROW, min_size=1, max_size=40)


def facts(rows: list[tuple[int, str | None, int]]) -> TableFacts:
    schema = {INDEX: pl.UInt32, "sex": pl.String, "age": pl.Int64}
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    present = np.zeros(PATIENTS, np.bool_)
    present[[row[0] for row in rows]] = True
    pairs = frame.group_by(INDEX, "sex", "age").agg(pl.len().alias(ROWS))
    return TableFacts(present, "patient", classify(pairs, ["sex", "age"]))


def kept_pairs(table_facts: TableFacts, kept: np.ndarray) -> set[tuple[int, object, object]]:
    classes = table_facts.classes
    assert classes is not None
    keys = classes.keys.rows()
    return {(int(p), *keys[g]) for p, g, keep in zip(classes.patient, classes.group, kept, strict=True) if keep}


def frame_of(rows: list[tuple[int, str | None, int]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["p", "sex", "age"]).astype({"sex": object})


def patients_per_class(frame: pd.DataFrame) -> pd.Series:
    return frame.groupby(["sex", "age"], dropna=False)["p"].transform("nunique")


@given(ROWS_OF_A_TABLE, st.integers(1, 5))
def test_rows_of_small_classes_go_and_no_others(rows: list[tuple[int, str | None, int]], k: int) -> None:
    table_facts = facts(rows)
    decision = decide({"t": table_facts}, [], k=k, whole_patients=False)["t"]
    frame = frame_of(rows)
    left = frame[patients_per_class(frame) >= k]
    expected = {(p, None if pd.isna(s) else s, a) for p, s, a in left.itertuples(index=False)}
    assert kept_pairs(table_facts, decision.kept) == expected


@given(ROWS_OF_A_TABLE, st.integers(1, 5))
def test_with_whole_patients_every_class_left_has_k_and_patients_leave_entirely(
    rows: list[tuple[int, str | None, int]], k: int
) -> None:
    table_facts = facts(rows)
    decision = decide({"t": table_facts}, [], k=k, whole_patients=True)["t"]
    frame = frame_of(rows)
    while True:  # the oracle: remove patients of small classes until there are none
        gone = set(frame.loc[patients_per_class(frame) < k, "p"]) if len(frame) else set()
        if not gone:
            break
        frame = frame[~frame["p"].isin(gone)]
    assert set(np.flatnonzero(table_facts.present & ~decision.excluded)) == set(frame["p"])
    assert {p for p, _, _ in kept_pairs(table_facts, decision.kept)} == set(frame["p"])


@given(ROWS_OF_A_TABLE, ROWS_OF_A_TABLE, st.integers(1, 4), st.booleans())
def test_linked_tables_never_keep_a_patient_who_left_the_other(
    first: list[tuple[int, str | None, int]], second: list[tuple[int, str | None, int]], k: int, whole: bool
) -> None:
    tables = {"a": facts(first), "b": facts(second)}
    decisions = decide(tables, [Link("b", "a", "drop")], k=k, whole_patients=whole)
    left = {name: tables[name].present & ~decisions[name].excluded for name in tables}
    assert not (left["b"] & ~left["a"]).any()
    for name, facts_of in tables.items():
        classes = facts_of.classes
        assert classes is not None
        sizes = classes.sizes(decisions[name].kept)
        assert ((sizes == 0) | (sizes >= k)).all()
        assert set(classes.patient[decisions[name].kept]) == set(np.flatnonzero(left[name]))


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(st.integers(0, 30), st.sampled_from(["F", "M", ""]), st.integers(0, 99)), min_size=1, max_size=80
    ),
    st.integers(1, 4),
    st.sampled_from(["row", "patient"]),
)
def test_a_published_table_has_k_patients_in_every_class(
    tmp_path_factory: pytest.TempPathFactory, people: list[tuple[int, str, int]], k: int, mode: str
) -> None:
    from tests.deid.factory import hospital

    clinic = hospital(tmp_path_factory.mktemp("k") / "c")
    rows = [(f"N{no}", "x", sex, age, "2020-01-01", number) for number, (no, sex, age) in enumerate(people)]
    clinic.write("visits.csv", visits(rows))
    try:
        result = clinic.run(HEAD + f"suppress: {mode}\n" + gates(k=k) + PEOPLE)
    except GateFailed:  # nobody is left; that it is so is another test's business
        assert clinic.left_behind() == []
        return
    frame = table(result, "visits").to_pandas()
    smallest = frame.groupby(["sex", "age"], dropna=False)["patient"].nunique().min()
    assert smallest >= k
    if mode == "row":
        raw = pd.DataFrame({"p": [r[0] for r in rows], "sex": [r[2] for r in rows], "age": [r[3] for r in rows]})
        raw["age"] = (raw["age"] // 10).clip(upper=8)
        sizes = raw.groupby(["sex", "age"])["p"].transform("nunique")
        assert len(frame) == int((sizes >= k).sum())


def test_many_rows_of_few_people_do_not_make_a_class(clinic: Hospital) -> None:
    rows = [("one", "x", "M", 30, "2020-01-01", n) for n in range(100)]
    rows += [(f"n{n}", "x", "F", 30, "2020-01-01", n) for n in range(5)]
    clinic.write("visits.csv", visits(rows))
    frame = table(clinic.run(HEAD + gates(k=5) + PEOPLE), "visits")
    assert frame["sex"].unique().to_list() == ["F"]


def test_the_gate_says_which_column_and_how_many_rows(clinic: Hospital) -> None:
    rows = [(f"n{n}", "x", "FM"[n % 2], n, "2020-01-01", n) for n in range(80)]
    clinic.write("visits.csv", visits(rows))
    fine = PEOPLE.replace("band: {width: 10, top: 80}", "band: {width: 1}")
    with pytest.raises(GateFailed) as caught:
        clinic.run(HEAD + gates(k=5, share=0.1) + fine)
    error = caught.value
    assert (error.code, error.gate, error.table, error.column, error.rows) == ("deid.gate-k", "k", "visits", "age", 80)
    assert "80" in str(error)
    assert clinic.left_behind() == []


def test_a_date_may_count_for_k_by_its_year(clinic: Hospital) -> None:
    text = PEOPLE.replace("[sex, age]", "[sex, {column: day, by: year}]")
    rows = [(f"n{n}", "x", "M", 30, f"2020-06-{n % 28 + 1:02d}", n) for n in range(30)]
    rows += [("late", "x", "M", 30, "2023-06-15", 99)]
    clinic.write("visits.csv", visits(rows))
    frame = table(clinic.run(HEAD + gates(k=2) + text), "visits")
    assert sorted(frame["amount"]) == list(range(30))


def test_rows_that_have_to_go_for_any_reason_count_against_the_share(clinic: Hospital) -> None:
    second = """\
  labs:
    file: labs.csv
    label: {ko: 검사, en: Labs}
    subject: no
    columns:
      no: {treatment: pseudonym, domain: patient, as: patient}
      value: {treatment: keep, type: number}
links: [{from: labs, to: visits, orphans: drop}]
"""
    clinic.write("visits.csv", visits([(f"n{n}", "x", "M", 30, "2020-01-01", n) for n in range(10)]))
    clinic.write("labs.csv", "no,value\n" + "".join(f"n{n},1\n" for n in range(10)) + "stranger,1\n" * 10)
    with pytest.raises(GateFailed) as caught:
        clinic.run(HEAD + gates(k=2, share=0.3) + PEOPLE + second)
    assert (caught.value.gate, caught.value.table, caught.value.rows) == ("max_suppressed_share", "labs", 10)
    assert clinic.left_behind() == []


def test_too_few_rows_left_is_a_gate(clinic: Hospital) -> None:
    clinic.write("visits.csv", visits([(f"n{n}", "x", "M", 30, "2020-01-01", n) for n in range(10)]))
    with pytest.raises(GateFailed) as caught:
        clinic.run(HEAD + gates(k=2, more=", min_rows: 11") + PEOPLE)
    assert (caught.value.gate, caught.value.rows) == ("min_rows", 10)


def test_the_written_files_are_counted_again(clinic: Hospital, tmp_path: Path) -> None:
    from deid.gates import judge_written_k

    recipe = clinic.recipe(HEAD + gates(k=2) + PEOPLE)
    written = DataFile("written", tmp_path / "written.parquet", None)
    pl.DataFrame({"patient": ["a", "a", "b"], "sex": ["M", "M", "F"], "age": ["1", "1", "1"]}).write_parquet(
        written.path
    )
    with pytest.raises(GateFailed) as caught:
        judge_written_k(recipe.tables[0], [[written]], recipe.gates)
    assert caught.value.gate == "k"
