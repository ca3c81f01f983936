"""`ansim deid folder`: what is written, what is refused, what the report says, and which exit code tells it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import polars as pl
import pydicom
import pytest
from click.testing import CliRunner, Result
from pydicom.data import get_testdata_file

from deid.cli import deid
from deid.folder import index
from deid.folder.locks import alone_in
from deid.keys import create_master

RECIPE = Path(__file__).parents[3] / "recipes/imaging-default.yaml"


def get_test_file(name: str) -> str:
    path = get_testdata_file(name)
    assert isinstance(path, str)
    return path


SLICE = get_test_file("CT_small.dcm")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    source = tmp_path / "in" / "홍길동"
    source.mkdir(parents=True)
    shutil.copy(SLICE, source / "홍길동_1CT1.dcm")
    (source / "notes.hwp").write_bytes(b"HWP Document File")
    (source / "broken.dcm").write_bytes(Path(SLICE).read_bytes()[:700])
    return tmp_path


def call(folder: Path, *more: str) -> Result:
    given = ["folder", str(folder / "in"), str(folder / "out"), "--recipe", str(RECIPE)]
    return CliRunner().invoke(deid, [*given, "--report", str(folder / "report.json"), *more])


def written(folder: Path) -> list[Path]:
    return sorted(path for path in (folder / "out").rglob("*") if path.is_file() and path.name != index.NAME)


def test_files_are_written_or_refused_with_a_reason_and_the_exit_code_is_0(folder: Path) -> None:
    assert call(folder).exit_code == 0
    report = json.loads((folder / "report.json").read_bytes())
    assert (report["written"], report["patients"], report["keys"]) == (1, 1, "of this run alone")
    assert {Path(each["file"]).name: each["code"] for each in report["refused"]} == {
        "notes.hwp": "folder.unknown",
        "broken.dcm": "imaging.unreadable",
    }
    assert all(each["ko"] and each["en"] for each in report["refused"])


def test_no_name_of_a_source_file_is_in_the_output(folder: Path) -> None:
    call(folder)
    (path,) = written(folder)
    assert "홍길동" not in str(path.relative_to(folder / "out"))
    assert "1CT1" not in str(path)
    assert [each for each in (folder / "out").iterdir() if each.name.startswith(".")] == []


def test_the_same_keys_give_the_same_files_and_a_second_run_writes_nothing_twice(folder: Path) -> None:
    create_master(folder / "keys")
    keys = ("--keys", str(folder / "keys"))
    assert call(folder, *keys).exit_code == 0
    first = {path: path.read_bytes() for path in written(folder)}
    assert call(folder, *keys).exit_code == 0
    assert {path: path.read_bytes() for path in written(folder)} == first
    assert json.loads((folder / "report.json").read_bytes())["duplicates"] == 1


def test_without_keys_two_runs_have_nothing_in_common_and_do_not_mix(folder: Path) -> None:
    call(folder)
    first = written(folder)
    again = call(folder)
    assert again.exit_code == 8
    assert "deid.folder-out" in again.output
    assert "--keys" in again.output
    shutil.rmtree(folder / "out")
    call(folder)
    assert {path.name for path in first}.isdisjoint(path.name for path in written(folder))


def test_a_cohort_is_found_by_a_query(folder: Path) -> None:
    create_master(folder / "keys")
    keys = ("--keys", str(folder / "keys"))
    call(folder, *keys)
    found = pl.read_parquet(folder / "out" / index.NAME)
    (row,) = found.filter(pl.col("modality") == "CT", pl.col("rows") == 128).to_dicts()
    written_ = pydicom.dcmread(folder / "out" / row["file"])
    assert (row["patient"], row["study_uid"]) == (written_.PatientID, written_.StudyInstanceUID)
    assert (row["study_date"], row["bytes"]) == (written_.StudyDate, (folder / "out" / row["file"]).stat().st_size)
    before = (folder / "out" / index.NAME).read_bytes()
    shutil.copy(get_test_file("MR_small.dcm"), folder / "in/more.dcm")
    call(folder, *keys)
    assert pl.read_parquet(folder / "out" / index.NAME)["modality"].sort().to_list() == ["CT", "MR"]
    (folder / "in/more.dcm").unlink()
    next(each for each in written(folder) if pydicom.dcmread(each).Modality == "MR").unlink()
    call(folder, *keys)
    assert (folder / "out" / index.NAME).read_bytes() == before


def test_projects_have_nothing_in_common(folder: Path) -> None:
    create_master(folder / "keys")
    names = []
    for project in ("heart", "lung"):
        shutil.rmtree(folder / "out", ignore_errors=True)
        call(folder, "--keys", str(folder / "keys"), "--project", project)
        names.append({part for path in written(folder) for part in path.relative_to(folder / "out").parts})
    assert names[0].isdisjoint(names[1])


def test_a_second_run_into_an_output_folder_is_refused_while_the_first_goes_on(folder: Path) -> None:
    create_master(folder / "keys")
    with alone_in(folder / "out"):
        refused = call(folder, "--keys", str(folder / "keys"))
        assert (refused.exit_code, written(folder)) == (8, [])
        assert "deid.folder-busy" in refused.output
    assert call(folder, "--keys", str(folder / "keys")).exit_code == 0


def test_an_output_inside_the_source_is_refused(folder: Path) -> None:
    given = ["folder", str(folder / "in"), str(folder / "in/out"), "--recipe", str(RECIPE)]
    refused = CliRunner().invoke(deid, given)
    assert refused.exit_code == 8
    assert "deid.folder-out" in refused.output
    assert "--keys" not in refused.output  # keys would not help


def test_several_processes_write_the_same(folder: Path) -> None:
    create_master(folder / "keys")
    for number in range(3):
        shutil.copy(SLICE, folder / "in" / f"{number}.dcm")
    keys = ("--keys", str(folder / "keys"))
    call(folder, *keys, "--jobs", "1")
    one = {path.name: path.read_bytes() for path in written(folder)}
    shutil.rmtree(folder / "out")
    assert call(folder, *keys, "--jobs", "2").exit_code == 0
    assert {path.name: path.read_bytes() for path in written(folder)} == one


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("kind: folder", "kind: table", 4),
        ("standard: 2026d", "standard: 2020a", 13),
        ("- clean_graphics", "- keep_everything", 19),
        ("max_days: 365", "max_days: 0", 10),
        ("dataset: imaging", "dataset: ''", 5),
        ("dataset: imaging", "dataset: 7imaging", 5),
        ("dataset: imaging", f"dataset: {'i' * 42}", 5),
        ("domain: patient", "domain: Patient", 10),
        ("faces: warn", "faces: smile", 27),
    ],
)
def test_a_recipe_that_cannot_be_followed_is_told_by_line(folder: Path, old: str, new: str, line: int) -> None:
    (folder / "bad.yaml").write_text(RECIPE.read_text().replace(old, new))
    given = ["folder", str(folder / "in"), str(folder / "out"), "--recipe", str(folder / "bad.yaml")]
    result = CliRunner().invoke(deid, given)
    assert result.exit_code == 3
    assert f"bad.yaml:{line}:" in result.output


def test_a_recipe_of_tables_is_sent_to_the_command_for_tables(folder: Path) -> None:
    given = ["folder", str(folder / "in"), str(folder / "out"), "--recipe", str(RECIPE.with_name("nafld.yaml"))]
    result = CliRunner().invoke(deid, given)
    assert result.exit_code == 3
    assert "ansim deid run" in result.output
