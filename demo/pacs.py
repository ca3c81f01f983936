"""The first hospital's pictures: real DICOM files, each given to several of the hospital's invented patients.

Real, as pydicom's wheel (MIT) has them in its test files, none of them of a Korean patient:

| file | what it is | given to |
|---|---|---|
| CT_small.dcm | CT, GE, a vertebra, 128 x 128 | 24 patients |
| examples_overlay.dcm | MR, Siemens, an abdomen with the liver, 484 x 300, an overlay | 12 of these |
| examples_rgb_color.dcm | ultrasound, GE, 320 x 240, with a hospital's name and numbers in it | 2 others of these |

Pixels and how they were taken stay; who the patient is, the hospital, numbers and days are those of `patients.csv`, so
that a picture says the same of its patient as the tables do. Same seed, same bytes.
"""

from __future__ import annotations

import csv
from datetime import date, timedelta
from pathlib import Path
from random import Random

import pydicom
from pydicom.data import get_testdata_file
from pydicom.uid import UID, generate_uid

from demo.data import SEED

HOSPITAL = "빛고을대학교병원"
FOLDER = "bitgoeul/pacs"
# Which patients of the file, by their place in it.
GIVEN = {
    "CT_small.dcm": range(24),
    "examples_overlay.dcm": range(12, 24),
    "examples_rgb_color.dcm": range(2),
}
PICTURES = sum(len(places) for places in GIVEN.values())
PATIENTS = 24
_DAYS = ("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate")
_UIDS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "FrameOfReferenceUID")


def write_pictures(source_dir: Path) -> int:
    """Write the pictures below `source_dir`, where `bitgoeul/patients.csv` lies already; returns how many.

    Raises: FileNotFoundError without that file, or where pydicom was installed without its test files.
    """
    with (source_dir / "bitgoeul/patients.csv").open(encoding="utf-8", newline="") as lines:
        patients = [row for row, _ in zip(csv.DictReader(lines), range(PATIENTS), strict=False)]
    for name, places in GIVEN.items():
        for place in places:
            _write(source_dir / FOLDER, name, patients[place])
    return PICTURES


def _write(folder: Path, name: str, patient: dict[str, str]) -> None:
    picture = pydicom.dcmread(_real(name))
    picture.decode()  # its texts, before the character set becomes another
    picture.SpecificCharacterSet = "ISO_IR 192"
    random = Random(f"{SEED}/pacs/{patient['hospital_no']}/{name}")
    day = date(2021, 1, 4) + timedelta(random.randrange(1800))
    for keyword in _DAYS:
        setattr(picture, keyword, f"{day:%Y%m%d}")
    for keyword in _UIDS:
        setattr(picture, keyword, _uid(name, patient, keyword))
    picture.file_meta.MediaStorageSOPInstanceUID = picture.SOPInstanceUID
    _say_who(picture, patient, day)
    picture.AccessionNumber = f"A{random.randrange(10**9):09d}"
    target = folder / patient["hospital_no"] / f"{picture.Modality}.dcm"
    target.parent.mkdir(parents=True, exist_ok=True)
    picture.save_as(target)


def _say_who(picture: pydicom.Dataset, patient: dict[str, str], day: date) -> None:
    born = date.fromisoformat(patient["birth_date"])
    picture.PatientName, picture.PatientID = patient["name"], patient["hospital_no"]
    picture.PatientBirthDate, picture.PatientSex = f"{born:%Y%m%d}", patient["sex"]
    picture.PatientAge = f"{(day - born).days // 365:03d}Y"
    picture.OtherPatientIDs, picture.PatientTelephoneNumbers = patient["rrn"], patient["phone"]
    picture.PatientAddress, picture.InstitutionName = patient["address"][:64], HOSPITAL


def _real(name: str) -> str:
    found = get_testdata_file(name, download=False)
    if not isinstance(found, str):
        raise FileNotFoundError(f"pydicom's test file {name} is not installed")
    return found


def _uid(name: str, patient: dict[str, str], keyword: str) -> UID:
    return generate_uid(entropy_srcs=[SEED, name, patient["hospital_no"], keyword])
