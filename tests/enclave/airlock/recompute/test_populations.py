"""Who stands behind each number: the same people as a plain loop over the rows finds, named by one rank everywhere."""

from __future__ import annotations

import pytest

from enclave.airlock.recipes.form import RecipeRefused
from enclave.airlock.recompute.populations import from_json, populations, to_json
from tests.enclave.airlock.recompute.conftest import Make, stored
from tests.enclave.airlock.recompute.hospital import Hospital


def ranks(hospital: Hospital) -> dict[str, int]:
    every = sorted({name for table in hospital.tables.values() for name in table["patient"].to_pylist()})
    return {name: rank for rank, name in enumerate(every)}


def test_each_cell_holds_the_people_of_its_rows(hospital: Hospital, recipe: Make) -> None:
    wanted = recipe(keys=["sex"], columns=["region"], measures=[{"op": "count"}, {"op": "mean", "column": "score"}])
    with stored(hospital, wanted) as tables:
        found = {cell.label: set(cell.people) for cell in populations(wanted, tables)}
    rank = ranks(hospital)
    expected: dict[str, set[int]] = {}
    for row in hospital.tables["patients"].to_pylist():
        expected.setdefault(f"n · {row['sex']} · {row['region']}", set()).add(rank[row["patient"]])
        if row["score"] is not None:
            expected.setdefault(f"score · {row['sex']} · {row['region']}", set()).add(rank[row["patient"]])
    assert found == expected


def test_a_person_has_one_rank_in_every_table(hospital: Hospital, recipe: Make) -> None:
    wanted = recipe(
        table="labs", filter=[["test", "==", "alt"], ["value", ">", 50]], keys=["visit"], measures=[{"op": "count"}]
    )
    with stored(hospital, wanted) as tables:
        found = {cell.label: set(cell.people) for cell in populations(wanted, tables)}
    rank = ranks(hospital)
    expected: dict[str, set[int]] = {}
    for row in hospital.tables["labs"].to_pylist():
        if row["test"] == "alt" and row["value"] > 50:
            expected.setdefault(f"n · {row['visit']}", set()).add(rank[row["patient"]])
    assert found == expected


def test_totals_are_cells_and_what_is_hidden_is_none(hospital: Hospital, recipe: Make) -> None:
    wanted = recipe(keys=["age"], columns=["sex"], measures=[{"op": "count"}], margins=True, suppressed={"below": 4})
    with stored(hospital, wanted) as tables:
        found = {cell.label: len(cell.people) for cell in populations(wanted, tables)}
    assert min(found.values()) >= 4
    assert found["n · total · total"] == found["n · total · F"] + found["n · total · M"]
    assert f"n · {hospital.tables['patients']['age'][0].as_py()} · total" in found


def test_a_joined_table_lends_its_columns_to_each_persons_rows(hospital: Hospital, recipe: Make) -> None:
    wanted = recipe(table="labs", join="patients", keys=["patients.sex"], measures=[{"op": "count"}])
    with stored(hospital, wanted) as tables:
        found = {cell.label: set(cell.people) for cell in populations(wanted, tables)}
    rank = ranks(hospital)
    sex = {row["patient"]: row["sex"] for row in hospital.tables["patients"].to_pylist()}
    having = set(hospital.tables["labs"]["patient"].to_pylist())
    assert found == {f"n · {one}": {rank[name] for name in having if sex[name] == one} for one in "FM"}


def test_a_table_with_several_rows_for_a_person_cannot_be_joined(hospital: Hospital, recipe: Make) -> None:
    wanted = recipe(join="labs", keys=["labs.test"], measures=[{"op": "count"}])
    with stored(hospital, wanted) as tables, pytest.raises(RecipeRefused, match="several rows"):
        populations(wanted, tables)


def test_a_model_is_its_sample_and_the_levels_of_its_categories(hospital: Hospital, recipe: Make) -> None:
    terms = [["age"], ["sex"], ["region", "sex"], ["age", "sex"]]
    wanted = recipe(
        kind="model", model="ols", response="score", terms=terms, categories={"sex": None, "region": None}
    )  # fmt: skip
    with stored(hospital, wanted) as tables:
        cells = populations(wanted, tables)
    found = {cell.label: set(cell.people) for cell in cells}
    rank, expected = ranks(hospital), {}
    for row in hospital.tables["patients"].to_pylist():
        if row["score"] is not None:
            for label in ("ols", f"sex={row['sex']}", f"region={row['region']}:sex={row['sex']}"):
                expected.setdefault(label, set()).add(rank[row["patient"]])
    assert found == expected
    without = sum(row["score"] is None for row in hospital.tables["patients"].to_pylist())
    assert sum(cell.few for cell in cells if cell.column == "sex") == without


def test_cells_survive_the_way_out_of_the_sealed_process(hospital: Hospital, recipe: Make) -> None:
    wanted = recipe(keys=["sex"], measures=[{"op": "persons"}])
    with stored(hospital, wanted) as tables:
        cells = populations(wanted, tables)
    assert list(from_json(to_json(cells))) == cells
    good = to_json(cells)[0]
    changes = {0: 1, 1: "!", 2: 3, 3: "shown", 4: "0"}
    broken = [[[*good[:at], value, *good[at + 1 :]]] for at, value in changes.items()]
    for wrong in ("x", [["a"]], [good[:4]], [[*good, 0]], *broken):
        with pytest.raises(ValueError):
            from_json(wrong)


def test_pseudonyms_are_no_key_and_no_condition(hospital: Hospital, recipe: Make) -> None:
    for fields in ({"keys": ["patient"]}, {"keys": ["sex"], "filter": [["patient", "!=", "x"]]}):
        wanted = recipe(measures=[{"op": "count"}], **fields)
        with pytest.raises(RecipeRefused, match="Pseudonyms"), stored(hospital, wanted):
            pass
