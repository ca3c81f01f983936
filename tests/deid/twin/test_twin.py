"""The synthetic twin: the same files and types, and nothing of anybody in them. Attacks on what it might give away."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from deid.cli import deid
from deid.engine import RunResult
from deid.twin.profile import LEAST
from tests.deid.factory import HEAD, Hospital, gates, table

RECIPE = (
    HEAD
    + gates(k=2)
    + """\
links:
  - {from: labs, to: people}
tables:
  people:
    file: people.csv
    label: {ko: 환자, en: Patients}
    subject: no
    quasi_identifiers: [sex]
    columns:
      no: {treatment: pseudonym, domain: patient, as: patient}
      sex: {treatment: keep}
      region: {treatment: keep}
      height: {treatment: keep, type: number}
      born: {treatment: date_shift, max_days: 30}
  labs:
    file: labs.csv
    label: {ko: 검사, en: Labs}
    subject: no
    columns:
      no: {treatment: pseudonym, domain: patient, as: patient}
      order: {treatment: pseudonym, domain: order}
      test: {treatment: keep}
      amount: {treatment: keep, type: integer}
      note: {treatment: free_text}
"""
)
PEOPLE, RARE, COMMON = 400, "RARE-REGION", "PLAIN-REGION"
EXTREME = 9_876_543


def sources(clinic: Hospital) -> None:
    random = np.random.default_rng(7)
    people, labs = ["no,sex,region,height,born"], ["no,order,test,amount,note"]
    for number in range(PEOPLE):
        region = RARE if number < LEAST - 1 else COMMON if number < 2 * LEAST else f"R{number % 8}"
        height = round(float(random.normal(165, 9)), 1)
        people.append(f"{number},{'FM'[number % 2]},{region},{height},19{number % 60 + 30}-0{number % 9 + 1}-11")
        for lab in range(int(random.integers(1, 6))):
            amount = EXTREME if (number, lab) == (3, 0) else int(random.integers(100, 900))
            labs.append(f"{number},o{number}-{lab},{'ABC'[lab % 3]},{amount},SECRETNOTE {number % 20}")
    clinic.write("people.csv", "\n".join(people) + "\n")
    clinic.write("labs.csv", "\n".join(labs) + "\n")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    from tests.deid.factory import hospital

    clinic = hospital(tmp_path_factory.mktemp("twin") / "clinic")
    sources(clinic)
    return clinic.run(RECIPE)


def unpacked(result: RunResult) -> dict[str, bytes]:
    with zipfile.ZipFile(result.snapshot / "twin.zip") as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def twin(result: RunResult, name: str) -> pl.DataFrame:
    return pl.read_parquet(io.BytesIO(unpacked(result)[f"data/visits/{name}.parquet"]))


@pytest.mark.parametrize("name", ["people", "labs"])
def test_the_twin_has_the_files_columns_and_types_of_the_snapshot(made: RunResult, name: str) -> None:
    assert sorted(unpacked(made)) == ["README.md", "data/visits/labs.parquet", "data/visits/people.parquet"]
    assert twin(made, name).schema == table(made, name).schema
    plain = pq.read_schema(io.BytesIO(unpacked(made)[f"data/visits/{name}.parquet"]))
    assert {"string", "int64", "double", "date32[day]"} >= {str(field.type) for field in plain}
    assert plain.metadata is None


def test_values_come_from_the_same_domains(made: RunResult) -> None:
    people, labs = twin(made, "people"), twin(made, "labs")
    assert set(people["sex"]) == {"F", "M"}
    assert set(people["region"]) <= {COMMON, *(f"R{number}" for number in range(8))}
    assert {*labs["test"]} == {"A", "B", "C"}
    assert people["height"].is_between(120, 210).all()
    assert labs["amount"].is_between(50, 1000).all()
    assert people["born"].dt.year().is_between(1929, 1991).all()
    assert (people["height"] == people["height"].round(1)).all()


def test_the_same_patients_stand_in_all_tables_and_none_of_them_is_real(made: RunResult) -> None:
    people, labs = twin(made, "people"), twin(made, "labs")
    assert people["patient"].is_unique().all()
    assert set(labs["patient"]) <= set(people["patient"])
    assert labs["patient"].str.contains("^[0-9a-f]{32}$").all()
    assert labs.group_by("patient").len()["len"].is_between(1, 6).all()
    assert labs["order"].is_unique().all()
    for column in ("patient", "order"):
        assert not set(labs[column]) & set(table(made, "labs")[column])


def test_what_fewer_than_ten_patients_have_is_in_no_byte_of_it(made: RunResult) -> None:
    assert RARE in set(table(made, "people")["region"])
    assert EXTREME in set(table(made, "labs")["amount"])
    for name, data in unpacked(made).items():
        frames = [pl.read_parquet(io.BytesIO(data))] if name.endswith(".parquet") else []
        plain = data + b"".join(frame.write_csv().encode() for frame in frames)
        for canary in (RARE, str(EXTREME), "SECRETNOTE", made.manifest.id):
            assert canary.encode() not in plain
    assert COMMON in set(twin(made, "people")["region"])


def test_no_extreme_of_the_snapshot_bounds_the_twin(made: RunResult) -> None:
    real, made_up = table(made, "people")["height"], twin(made, "people")["height"]
    inner = real.sort()[LEAST:-LEAST]
    # Edges are rounded to a whole centimetre here: the range is that of all but the ten at either end.
    assert made_up.min() >= inner.min() - 1  # type: ignore[operator] - numbers
    assert made_up.max() <= inner.max() + 1  # type: ignore[operator] - numbers


def test_rows_agree_with_real_ones_no_more_often_than_chance_gives(made: RunResult) -> None:
    """Criterion: no more than with the snapshot after each of its columns was shuffled by itself, and four deviations.

    A twin that kept rows, or how columns go together, would agree more often.
    """
    columns = ["sex", "region", "height"]
    real, made_up = (frame.select(columns) for frame in (table(made, "people"), twin(made, "people")))
    shuffled = [
        agreeing(made_up, real.select(pl.col(name).shuffle(seed=10 * turn + at) for at, name in enumerate(columns)))
        for turn in range(30)
    ]
    limit = np.mean(shuffled) + 4 * np.std(shuffled) + 1
    assert agreeing(made_up, real) <= limit
    # And the criterion can fail: a copy of the rows is found out.
    assert agreeing(real, real) > limit


def agreeing(first: pl.DataFrame, second: pl.DataFrame) -> int:
    return first.join(second.unique(), on=first.columns, how="semi").height


def test_the_same_run_gives_the_same_twin_and_other_keys_another(clinic: Hospital, made: RunResult) -> None:
    sources(clinic)
    first = unpacked(clinic.run(RECIPE))
    clinic.out.rename(clinic.root / "aside")
    assert unpacked(clinic.run(RECIPE)) == first
    assert first != unpacked(made)


def test_the_command_unpacks_the_twin_beside_anything_else(made: RunResult, tmp_path: Path) -> None:
    key = made.snapshot.parent.parent / "keys/sign.pem.pub"
    answer = CliRunner().invoke(deid, ["twin", str(made.snapshot), str(tmp_path / "out"), "--key", str(key)])
    assert answer.exit_code == 0, answer.output
    assert (tmp_path / "out/data/visits/labs.parquet").is_file()
    assert "합성" in (tmp_path / "out/README.md").read_text(encoding="utf-8")
