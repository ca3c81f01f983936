"""The hospital's pictures: real pixels, the patients of the hospital's own file, the same bytes every time."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file

from demo import data, pacs


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    build, folder = tmp_path_factory.mktemp("build"), tmp_path_factory.mktemp("source")
    data.build_parquet(build)
    data.write_sources(build, folder, people=30)
    assert pacs.write_pictures(folder) == pacs.PICTURES == 38
    return folder


def test_every_picture_has_real_pixels_and_says_of_its_patient_what_the_tables_say(source: Path) -> None:
    with (source / "bitgoeul/patients.csv").open(encoding="utf-8", newline="") as lines:
        patients = {row["hospital_no"]: row for row in csv.DictReader(lines)}
    found = sorted((source / pacs.FOLDER).rglob("*.dcm"))
    real = {pixels.tobytes() for pixels in map(_pixels, map(get_testdata_file, pacs.GIVEN))}
    for path in found:
        picture, patient = pydicom.dcmread(path), patients[path.parent.name]
        assert picture.PatientID == patient["hospital_no"]
        assert (str(picture.PatientName), picture.PatientSex) == (patient["name"], patient["sex"])
        assert picture.PatientBirthDate == patient["birth_date"].replace("-", "") < picture.StudyDate
        assert picture.OtherPatientIDs == patient["rrn"]
        assert _pixels(path).tobytes() in real
    assert len(found) == pacs.PICTURES
    assert len({path.parent.name for path in found}) == pacs.PATIENTS


def _pixels(path: object) -> np.ndarray:
    return pydicom.dcmread(str(path)).pixel_array


def test_no_two_pictures_share_an_instance_and_a_second_time_gives_the_same_bytes(source: Path) -> None:
    found = sorted((source / pacs.FOLDER).rglob("*.dcm"))
    before = [path.read_bytes() for path in found]
    assert len({pydicom.dcmread(path).SOPInstanceUID for path in found}) == len(found)
    pacs.write_pictures(source)
    assert [path.read_bytes() for path in found] == before
