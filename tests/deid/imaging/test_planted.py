"""Identifiers planted in every class of place: none survives, what is useful does, the checker can be believed."""

from __future__ import annotations

import shutil
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pydicom
import pytest

from deid.folder.people import People
from deid.folder.run import is_done
from deid.folder.tally import Tally
from tests.deid.imaging.checker import by_place, survivors
from tests.deid.imaging.planted import Planted, make

SEED = 20261129
KEPT = ("Modality", "Rows", "Columns", "BitsStored", "SliceThickness", "PixelSpacing", "BodyPartExamined", "PatientSex",
        "PatientAge", "Manufacturer", "SOPClassUID", "StudyTime", "ImageType", "PhotometricInterpretation")  # fmt: skip


@dataclass
class Done:
    planted: Planted
    tally: Tally
    out: Path
    where: dict[str, Path]


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory, deidentified: Callable[[Path, Path], Tally], people: People) -> Done:
    folder = tmp_path_factory.mktemp("planted")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the set is wrong on purpose, and pydicom says so
        planted = make(folder / "in", SEED) if (folder / "in").mkdir() is None else None
    assert planted is not None
    tally = deidentified(folder / "in", folder / "out")
    named = {path.stem: path for path in (folder / "out").rglob("*.dcm")}
    where = {sop: named[people.uid(sop)] for sop in planted.kept if people.uid(sop) in named}
    return Done(planted, tally, folder / "out", where)


def test_nothing_that_was_planted_survives(done: Done) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        left = survivors(done.planted.plants, done.out, done.where)
    assert [(each.place, each.value, each.file) for each in left] == []


def test_the_checker_finds_everything_in_a_copy(done: Done, tmp_path: Path) -> None:
    shutil.copytree(done.planted.folder, tmp_path / "copy")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = survivors(done.planted.plants, tmp_path / "copy", done.planted.kept)
    missed = [each for each in done.planted.plants if each not in found and "charset" not in each.file]
    assert Counter(each.place for each in missed) == Counter()


def test_every_class_of_place_is_planted(done: Done) -> None:
    assert set(by_place(done.planted.plants)) == {
        "header", "outside", "nested", "private", "uids", "dates", "overlay", "burned-in", "shell", "streams", "report",
        "document", "directory", "file names", "charsets",
    }  # fmt: skip


def test_every_file_is_written_or_refused_as_it_must_be(done: Done) -> None:
    assert set(done.where) == set(done.planted.kept)
    assert {each.name for each in done.tally.refused} == done.planted.refused - {"DICOMDIR"}  # made anew
    assert (done.out / "DICOMDIR").is_file()
    assert is_done(done.tally)


def test_what_is_useful_stays(done: Done) -> None:
    lost = []
    for sop, original, new in _pairs(done):
        lost += [(sop, word) for word in KEPT if word in original and original.get(word) != new.get(word)]
    assert lost == []


def test_pixels_without_letters_are_the_same(done: Done) -> None:
    changed = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is hidden in the originals' streams is in pydicom's way too
        for sop, original, new in _pairs(done):
            if sop not in done.planted.text_free:
                continue
            if "TransferSyntaxUID" in original.file_meta:
                same = bool((original.pixel_array == new.pixel_array).all())
            else:
                same = original.PixelData == new.PixelData
            if not same:
                changed.append(str(done.planted.kept[sop]))
    assert changed == []


def test_uids_patients_and_dates_stay_consistent(done: Done, people: People) -> None:
    for _, original, new in _pairs(done):
        for word in ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID"):
            assert new[word].value == people.uid(original[word].value)
        assert new.PatientID == people.pseudonym(str(original.PatientID))
        moved = _day(new.StudyDate) - _day(original.StudyDate)
        assert moved.days == people.days(str(original.PatientID))
        assert new.PatientIdentityRemoved == "YES"
        assert new.LongitudinalTemporalInformationModified == "MODIFIED"
        assert {each.CodeValue for each in new.DeidentificationMethodCodeSequence} >= {"113100", "113105", "113107"}


def test_references_point_to_the_mapped_objects(done: Done, people: People) -> None:
    original, new = next((old, new) for _, old, new in _pairs(done) if "ReferencedImageSequence" in old)
    reference = original.ReferencedImageSequence[0].ReferencedSOPInstanceUID
    assert new.ReferencedImageSequence[0].ReferencedSOPInstanceUID == people.uid(reference)


def _pairs(done: Done) -> list[tuple[str, pydicom.Dataset, pydicom.Dataset]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [
            (sop, pydicom.dcmread(done.planted.kept[sop], force=True), pydicom.dcmread(path))
            for sop, path in done.where.items()
        ]


def _day(text: str) -> date:
    return date(int(text[:4]), int(text[4:6]), int(text[6:]))
