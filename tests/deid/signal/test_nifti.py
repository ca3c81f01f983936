"""NIfTI in one file, in two and gzipped: texts blanked, extensions gone, voxels as nibabel reads them."""

from __future__ import annotations

import gzip
from pathlib import Path

import nibabel
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deid.folder.format import Context, Refused
from deid.signal.nifti import Nifti
from deid.signal.nifti_pair import NiftiPair
from tests.deid.signal.planted import Planted, hits, leaks, person
from tests.deid.signal.running import Runner

VOXELS = np.random.default_rng(9).integers(-900, 900, (7, 6, 5)).astype("<i2")
AFFINE = np.diag([1.5, 2, 3, 1])


def _image(who: Planted, kind: type) -> nibabel.Nifti1Image:
    image = kind(VOXELS, AFFINE)
    header = image.header
    header["descrip"] = f"{who.latin} {who.number} {who.day}".encode()[:80]
    header["aux_file"] = who.korean.encode("cp949")[:24]
    if "db_name" in header:
        header["db_name"] = who.serial.encode()
        header["data_type"] = who.number.encode()[:10]
    header["intent_name"] = who.latin.encode()[:16]
    note = f"{who.note} {who.phone} {who.address}".encode()
    header.extensions.append(nibabel.nifti1.Nifti1Extension("comment", note))
    return image


def _made(who: Planted, path: Path, kind: type = nibabel.Nifti1Image, behind: bytes = b"") -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(_image(who, kind), path)
    data = path.read_bytes()
    if path.suffix == ".gz":
        with gzip.GzipFile(f"{who.number}.nii", "wb", fileobj=(file := path.open("wb"))) as packed:
            packed.write(gzip.decompress(data) + behind)
        file.close()
        return path.read_bytes()
    return data + behind


@pytest.mark.parametrize("kind", [nibabel.Nifti1Image, nibabel.Nifti2Image], ids=["1", "2"])
@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
def test_nothing_that_was_planted_is_left_and_the_voxels_stay(
    run: Runner, tmp_path: Path, ending: str, kind: type
) -> None:
    who = person(1)
    made = _made(who, tmp_path / f"made{ending}", kind, f"{who.latin} {who.phone}".encode())
    done = run(Nifti(), f"{who.number}{ending}", made)
    assert leaks(who, done.folder) == []
    new = nibabel.load(done.file)
    assert np.array_equal(np.asarray(new.dataobj), VOXELS)
    assert np.array_equal(new.affine, AFFINE)
    assert len(new.header.extensions) == 0
    assert done.outcome.warnings == ("face-possible",)


def test_two_files_stay_two_under_one_name(run: Runner, tmp_path: Path) -> None:
    who = person(2)
    run.source.mkdir()
    nibabel.save(nibabel.Nifti1Pair(VOXELS, AFFINE, _image(who, nibabel.Nifti1Pair).header), run.source / "a.hdr")
    done = run(NiftiPair(), "a.hdr")
    assert leaks(who, done.folder) == []
    assert np.array_equal(np.asarray(nibabel.load(done.file).dataobj), VOXELS)
    assert [path.name for path in done.outcome.companions] == ["a.img"]


def _changed(data: bytes, place: int, new: bytes) -> bytes:
    return data[:place] + new + data[place + len(new) :]


def test_what_lies_is_refused(run: Runner, tmp_path: Path) -> None:
    made = _made(person(3), tmp_path / "made.nii")
    cases = {
        "signal.truncated": [made[:-1], _changed(made, 42, b"\xff\x7f"), _changed(made, 108, b"\0\0\x80\x4b")],
        "signal.nifti-header": [
            made[:200],
            _changed(made, 40, b"\x09\0"),
            _changed(made, 42, b"\xff\xff"),
            _changed(made, 72, b"\0\0"),
            _changed(made, 108, b"\0\0\xc0\x7f"),
        ],
        "signal.gzip": [b"\x1f\x8b" + made],
    }
    for code, files in cases.items():
        for data in files:
            assert run.refused(Nifti(), "a.nii", data) == code


def test_a_bomb_is_unzipped_no_further_than_its_header(run: Runner, tmp_path: Path) -> None:
    made = _made(person(3), tmp_path / "made.nii")
    done = run(Nifti(), "a.nii.gz", gzip.compress(made + bytes(200 << 20), 1))
    assert np.array_equal(np.asarray(nibabel.load(done.file).dataobj), VOXELS)
    bomb = gzip.compress(_changed(made, 42, b"\xff\x7f\xff\x7f\xff\x7f") + bytes(20 << 20), 1)
    assert run.refused(Nifti(), "a.nii.gz", bomb) == "signal.size"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return _made(person(4), tmp_path_factory.mktemp("nifti") / "made.nii")


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damage_never_brings_a_crash_nor_a_name(people, made, data) -> None:
    damaged = bytearray(made)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, 107))
        damaged[place : place + 2] = data.draw(st.binary(min_size=2, max_size=2))
    try:
        out = b"".join(Nifti().clean(bytes(damaged), Context(people, None, "a.nii")).pieces)
    except Refused:
        return
    assert [kind for kind in hits(person(4), out) if kind in {"latin", "phone", "note", "address"}] == []
