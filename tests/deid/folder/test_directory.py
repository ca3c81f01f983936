"""A source's DICOMDIR is made anew over what was written: pydicom finds every object by it, and nothing of the old."""

from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pydicom
import pytest
from click.testing import CliRunner
from pydicom.data import get_testdata_file
from pydicom.fileset import FileSet

from deid.cli import deid
from deid.folder import directory, index
from deid.folder.format import NOBODY
from deid.folder.one import Work
from deid.folder.people import People
from deid.folder.recipe import load
from deid.folder.registry import SECTIONS
from deid.folder.run import STAGING, report, run
from deid.folder.tally import Tally
from deid.imaging.directory import FILE_ID, Directory, file_id
from deid.keys import WorkerKeys, create_master
from tests.deid.folder.clinic import RECIPE, Clinic

# pydicom leaves folders of its own to the collector of garbage, which says so.
pytestmark = pytest.mark.filterwarnings(
    "ignore:.*TemporaryDirectory", "ignore::pytest.PytestUnraisableExceptionWarning"
)
OLD = "dicomdirtests/DICOMDIR"
FILES = ("CT_small.dcm", "MR_small_bigendian.dcm", "MR_small_implicit.dcm", "waveform_ecg.dcm", "rtplan.dcm")


def sample(name: str) -> bytes:
    path = get_testdata_file(name)
    assert isinstance(path, str)
    return Path(path).read_bytes()


@pytest.fixture
def disc(tmp_path: Path) -> Path:
    """A disc as a hospital burns it: objects of several kinds, two under one UID, and a directory that names others."""
    for number, name in enumerate(FILES):
        path = tmp_path / f"in/IMAGES/IM{number}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(sample(name))
    (tmp_path / "in/DICOMDIR").write_bytes(sample(OLD))
    return tmp_path


def done(folder: Path) -> tuple[Work, Tally]:
    recipe = load(RECIPE, SECTIONS)
    people = People(WorkerKeys(bytes(range(32))), recipe.dataset, recipe.domain, recipe.max_days)
    work = Work(people, recipe, folder / "in", folder / "out" / STAGING)
    (folder / "out").mkdir(exist_ok=True)
    return work, run(work, folder / "out")


def read_by_pydicom(out: Path) -> dict[Path, str]:
    """Give the SOP instance UIDs that the directory tells, by path below the folder."""
    found = {Path(each.path).relative_to(out): str(each.SOPInstanceUID) for each in FileSet(out / "DICOMDIR")}
    gc.collect()  # here, where what pydicom leaves to it is forgiven, and in no other test
    return found


def test_pydicom_finds_every_object_by_the_new_directory(disc: Path) -> None:
    work, tally = done(disc)
    assert [each.code for each in tally.refused] == []
    found = read_by_pydicom(disc / "out")
    written = [name for name in report(work, tally, keys="")["files"] if name != "DICOMDIR"]
    assert {(disc / "out" / name).stat().st_ino for name in found} == {
        (disc / "out" / name).stat().st_ino for name in written
    }
    assert len(written) == len(found) == len(FILES)
    for path, uid in found.items():
        assert FILE_ID.fullmatch(str(path))
        assert pydicom.dcmread(disc / "out" / path).SOPInstanceUID == uid


def test_it_says_of_patients_and_studies_what_the_written_files_say_and_nothing_of_the_old_one(disc: Path) -> None:
    done(disc)
    old, new = pydicom.dcmread(disc / "in/DICOMDIR"), pydicom.dcmread(disc / "out/DICOMDIR")
    kinds = {each.DirectoryRecordType for each in new.DirectoryRecordSequence}
    assert kinds == {"PATIENT", "STUDY", "SERIES", "IMAGE", "WAVEFORM", "RT PLAN"}
    said = [str(each.value) for record in old.DirectoryRecordSequence for each in record
            if each.keyword in {"PatientName", "PatientID", "StudyInstanceUID", "SeriesInstanceUID"}]  # fmt: skip
    data = (disc / "out/DICOMDIR").read_bytes()
    assert len(said) > 10
    assert [value for value in said if value.encode() in data] == []


def test_without_a_directory_in_the_source_there_is_none_and_no_second_names(disc: Path) -> None:
    (disc / "in/DICOMDIR").unlink()
    _, tally = done(disc)
    assert not (disc / "out/DICOMDIR").exists()
    assert not (disc / "out/DICOM").exists()
    assert all(name.endswith(".dcm") for each in tally.written for name in each.files)


def test_a_directory_in_which_something_is_left_is_not_written(disc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    honest: Callable[..., Directory | None] = directory.directory

    def leaky(*given: object) -> Directory | None:
        made = honest(*given)
        assert made is not None
        ends = {patient: (start, end + 40) for patient, (start, end) in made.patients.items()}
        return Directory(made.data + b" CompressedSamples^CT1 ", ends)

    monkeypatch.setattr(directory, "directory", leaky)
    _, tally = done(disc)
    assert not (disc / "out/DICOMDIR").exists()
    assert ("folder.left", "DICOMDIR") in {(each.code, each.name) for each in tally.refused}


def test_it_is_in_the_index_as_nobodys_and_a_second_run_writes_the_same(disc: Path) -> None:
    create_master(disc / "keys")
    given = ["folder", str(disc / "in"), str(disc / "out"), "--recipe", str(RECIPE), "--keys", str(disc / "keys")]
    told = []
    for _ in range(2):
        result = CliRunner().invoke(deid, given)
        assert result.exit_code == 0, result.output
        rows = pl.read_parquet(disc / "out" / index.NAME).filter(pl.col("format") == "dicomdir").to_dicts()
        assert [(each["file"], each["patient"]) for each in rows] == [("DICOMDIR", NOBODY)]
        told.append((disc / "out/DICOMDIR").read_bytes())
    assert told[0] == told[1]


def test_a_snapshot_holds_it_for_everybody_in_it(tmp_path: Path) -> None:
    clinic = Clinic(tmp_path / "clinic")
    for number in ("P001", "P002"):
        clinic.slice_of(number, f"DISC/{number}")
    (clinic.source / "DICOMDIR").write_bytes(sample(OLD))
    made = clinic.run()
    (owners,) = {entry.owners for entry in made.manifest.files.values() if entry.owners and len(entry.owners) > 1}
    assert owners is not None
    assert len(owners) == 2
    facts = made.manifest.lineage["folder"]
    assert (facts["files"], facts["patients"], facts["formats"]) == (3, 2, {"dicom": 2, "dicomdir": 1})
    assert made.manifest.tables["index"].subjects == 2


def test_a_second_name_goes_with_the_file_it_is_of(disc: Path) -> None:
    _, tally = done(disc)
    before = len(list((disc / "out/DICOM").rglob("*")))
    for each in tally.written[:1]:
        (disc / "out" / each.files[0]).unlink()
    for path in disc.glob("in/**/*"):
        if path.is_file():
            path.unlink()
    done(disc)
    assert len(list((disc / "out/DICOM").rglob("*"))) < before
    assert len(read_by_pydicom(disc / "out")) == len(FILES) - 1


def test_names_of_numbers_are_eight_capitals_and_digits() -> None:
    assert [file_id(number) for number in (0, 35, 36, 36**8 - 1)] == ["00000000", "Z0000000", "01000000", "ZZZZZZZZ"]
