"""The recipes of the house on the demonstration's files: real measurements, generated identifiers."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from deid import engine, recipe
from deid.engine import RunResult
from deid.errors import GateFailed
from deid.snapshot import verify
from demo.data import build_parquet, write_sources
from tests.deid.factory import NOW, Hospital, hospital, table

HOSPITALS = {"nafld": "bitgoeul", "rand": "mudeung"}


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    build = Path("build/demo-data")
    build_parquet(build)
    folder = tmp_path_factory.mktemp("sources")
    write_sources(build, folder)
    return folder


@pytest.fixture(scope="module")
def clinic_of_all(tmp_path_factory: pytest.TempPathFactory) -> Hospital:
    return hospital(tmp_path_factory.mktemp("house") / "clinic")


@pytest.fixture(scope="module", params=HOSPITALS)
def published(request: pytest.FixtureRequest, sources: Path, clinic_of_all: Hospital) -> tuple[str, RunResult]:
    name = str(request.param)
    plan = recipe.load(Path(f"recipes/{name}.yaml"))
    folder = sources / HOSPITALS[name]
    private = clinic_of_all.out.parent / "private"
    return name, engine.run(plan, folder, clinic_of_all.out, clinic_of_all.keys, now=NOW, private=private)


def originals(sources: Path, name: str) -> pl.DataFrame:
    file, encoding = ("patients.csv", "utf-8") if name == "nafld" else ("claims.csv", "cp949")
    text = (sources / HOSPITALS[name] / file).read_bytes().decode(encoding)
    return pl.read_csv(text.encode(), infer_schema=False)


def test_the_snapshot_verifies_and_every_class_has_five_patients(
    published: tuple[str, RunResult], clinic_of_all: Hospital
) -> None:
    name, result = published
    manifest = verify(result.snapshot, clinic_of_all.public_key)
    main = "patients" if name == "nafld" else "claims"
    keys = [key for key, column in manifest.tables[main].columns.items() if column.quasi_identifier]
    sizes = table(result, main).group_by(keys).agg(pl.col("patient").n_unique())
    assert sizes["patient"].min() >= 5
    assert manifest.risk[main]["rows_before"] - manifest.risk[main]["rows_after"] > 0


def test_no_identifier_of_the_source_is_in_any_text_of_the_snapshot(
    published: tuple[str, RunResult], sources: Path
) -> None:
    name, result = published
    source = originals(sources, name)
    published_text: set[str] = set()
    for described in result.manifest.tables:
        frame = table(result, described)
        texts = [c for c, dtype in frame.schema.items() if dtype == pl.String and c != "patient"]
        for column in texts:
            published_text |= set(frame[column].drop_nulls().unique())
    whole = "\n".join(sorted(published_text))
    number = "hospital_no" if name == "nafld" else "chart_no"
    for column in ("rrn", "phone", number):
        left = [value for value in source[column].drop_nulls().unique() if value in whole]
        assert left == [], column


def test_linked_tables_hold_the_same_patients_and_keep_intervals(
    published: tuple[str, RunResult], sources: Path
) -> None:
    name, result = published
    if name != "nafld":
        assert set(result.manifest.tables) == {"claims"}
        return
    patients = set(table(result, "patients")["patient"])
    for linked in ("labs", "events"):
        assert set(table(result, linked)["patient"]) <= patients
    raw = pl.read_csv(sources / "bitgoeul/labs.csv", infer_schema=False).with_columns(pl.col("test_date").str.to_date())
    spans = raw.group_by("hospital_no").agg(
        (pl.col("test_date").max() - pl.col("test_date").min()).alias("span"), pl.len()
    )
    moved = table(result, "labs")
    after = moved.group_by("patient").agg(
        (pl.col("test_date").max() - pl.col("test_date").min()).alias("span"), pl.len()
    )
    assert after.height == result.manifest.tables["labs"].subjects
    before_counts = spans.group_by("span", "len").len("n")
    after_counts = after.group_by("span", "len").len("m")
    joined = after_counts.join(before_counts, on=["span", "len"], how="left")
    assert joined["n"].null_count() == 0
    assert (joined["m"] <= joined["n"]).all()


def test_a_recipe_that_is_too_fine_fails_its_k_gate_and_publishes_nothing(sources: Path, clinic: Hospital) -> None:
    plan = recipe.load(Path("recipes/nafld-too-fine.yaml"))
    with pytest.raises(GateFailed) as caught:
        engine.run(plan, sources / "bitgoeul", clinic.out, clinic.keys, now=NOW)
    assert (caught.value.gate, caught.value.column) == ("k", "weight_kg")
    assert caught.value.rows > 10_000
    assert clinic.left_behind() == []
