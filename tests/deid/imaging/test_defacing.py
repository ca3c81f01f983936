"""A face is taken out of a real head, whichever way it was cut, and nothing of the brain; else the head is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from click.testing import CliRunner
from pydicom.uid import JPEGLSLossless, RLELossless

from deid.cli import deid
from deid.imaging.defacing import face
from deid.imaging.defacing.volume import Slice, volumes
from tests.deid.imaging import head
from tests.deid.imaging.head import Cut, cut, series, volume_of

RECIPE = Path(__file__).parents[3] / "recipes/imaging-default.yaml"


def _run(source: Path, *, faces: str = "remove", jobs: int = 1) -> tuple[Path, dict[str, Any]]:
    recipe, out, report = (source.parent / name for name in ("recipe.yaml", "out", "report.json"))
    # No slice is drawn to be searched for letters: which one is, keys of the run say, and here a face alone may go.
    rules = RECIPE.read_text().replace("sample_every: 500", "sample_every: 1000000")
    recipe.write_text(rules.replace("faces: warn", f"faces: {faces}"))
    words = ["folder", source, out, "--recipe", recipe, "--report", report, "--jobs", jobs]
    done = CliRunner().invoke(deid, [str(each) for each in words])
    assert done.exit_code == 0, done.output
    return out, json.loads(report.read_text())


def _faceless(made: Cut, found: np.ndarray[Any, Any]) -> None:
    gone = found != made.stored
    assert made.nose.sum() > 20
    assert (gone & made.nose).sum() >= 0.93 * made.nose.sum()
    # A voxel or two at its edge, where a slice is half brain, may go; nothing of it further in.
    assert (gone & made.brain).sum() <= 2e-4 * made.brain.sum()
    assert (found[gone] <= found.min(axis=(1, 2)).max()).all()
    # Not the whole front of the head either: it is a face that goes.
    assert 0.002 < gone.mean() < 0.15


CUTS = {
    "axial": ("axial", {"thickness": 3.0}),
    "from above": ("axial from above", {}),
    "sagittal": ("sagittal", {}),
    "a tilted gantry": ("tilted", {}),
    "a head that looks aside": ("axial", {"turned": 0.35}),
}


@pytest.mark.parametrize("case", CUTS)
def test_the_face_goes_and_the_brain_stays_whichever_way_a_head_was_cut(tmp_path: Path, case: str) -> None:
    plane, how = CUTS[case]
    made = cut(plane, **how)
    series(made, tmp_path / "in")
    out, report = _run(tmp_path / "in")
    found, objects = volume_of(out)
    assert (report["refused"], report["warnings"]) == ([], {})
    _faceless(made, found)
    assert {str(each.RecognizableVisualFeatures) for each in objects} == {"NO"}
    codes = {item.CodeValue for each in objects for item in each.DeidentificationMethodCodeSequence}
    assert "113102" in codes


def test_the_same_head_is_written_the_same_twice_by_however_many_processes(tmp_path: Path) -> None:
    series(cut("axial"), tmp_path / "in")
    found = []
    for jobs in (1, 2):
        out, _ = _run(tmp_path / "in", jobs=jobs)
        found.append(volume_of(out)[0])
        out.rename(tmp_path / f"out-{jobs}")
    assert (found[0] == found[1]).all()


def test_a_head_in_ct_loses_its_face_too(tmp_path: Path) -> None:
    made = cut("axial", 4.0)
    series(made, tmp_path / "in", kind="CT")
    source = np.stack([pydicom.dcmread(path).pixel_array for path in sorted((tmp_path / "in").iterdir(), key=_number)])
    found, _ = volume_of(_run(tmp_path / "in")[0])
    _faceless(Cut(source, made.nose, made.brain, made.image), found)


def _number(path: Path) -> int:
    return int(path.stem.rpartition("-")[2])


@pytest.mark.parametrize("syntax", [JPEGLSLossless, RLELossless], ids=lambda each: each.name)
def test_compressed_slices_lose_it_in_their_own_syntax(tmp_path: Path, syntax: Any) -> None:
    made = cut("axial")

    def compressed(data: Any) -> None:
        data.BitsStored, data.HighBit, data.PixelRepresentation = 12, 11, 0
        data.compress(syntax, generate_instance_uid=False)

    series(made, tmp_path / "in", write=compressed)
    found, objects = volume_of(_run(tmp_path / "in")[0])
    _faceless(made, found)
    assert {each.file_meta.TransferSyntaxUID for each in objects} == {syntax}


def _few(folder: Path) -> None:
    for path in series(cut("axial"), folder)[8:]:
        path.unlink()


def _gap(folder: Path) -> None:
    for path in series(cut("axial"), folder)[14:16]:
        path.unlink()


def _noise(folder: Path) -> None:
    made = cut("axial")
    noise = np.random.default_rng(1).integers(0, 1000, made.stored.shape).astype(np.int16)
    series(Cut(noise, made.nose, made.brain, made.image), folder)


def _no_place(folder: Path) -> None:
    def without(data: Any) -> None:
        del data.ImagePositionPatient

    series(cut("axial"), folder, write=without)


def _nothing(folder: Path) -> None:
    made = cut("axial")
    series(Cut(np.zeros_like(made.stored), made.nose, made.brain, made.image), folder)


REFUSED = {
    "eight slices": _few,
    "slices are missing in between": _gap,
    "noise": _noise,
    "nothing at all": _nothing,
    "slices without a place in space": _no_place,
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_head_whose_face_cannot_be_found_is_refused(tmp_path: Path, case: str) -> None:
    REFUSED[case](tmp_path / "in")
    out, report = _run(tmp_path / "in")
    assert report["written"] == 0
    assert {each["code"] for each in report["refused"]} == {"imaging.face"}
    assert not list(out.rglob("*.dcm"))


def test_a_chest_keeps_its_pixels(tmp_path: Path) -> None:
    made = cut("axial")
    series(made, tmp_path / "in", said="CHEST")
    out, _ = _run(tmp_path / "in")
    found, objects = volume_of(out)
    assert (found == made.stored).all()
    assert not any("RecognizableVisualFeatures" in each for each in objects)


def test_one_slice_smuggled_in_from_another_place_makes_no_volume() -> None:
    one = head_slice(0.0)
    even = [head_slice(5.0 * number) for number in range(20)]
    assert [len(each) for each in volumes(even)] == [20]
    assert volumes([*even, one]) == []
    assert volumes([*even[:10], head_slice(47.0), *even[10:]]) == []


def head_slice(depth: float) -> Any:
    return Slice(str(depth), (0.0, 0.0, depth), (1, 0, 0, 0, 1, 0), (1.0, 1.0), (200, 200))


def test_without_the_template_nothing_is_written_and_it_is_said_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "recipe.yaml").write_text(RECIPE.read_text().replace("faces: warn", "faces: remove"))
    (tmp_path / "in/a.txt").write_text("a")
    monkeypatch.setattr(face, "WHEEL", "no_such_wheel")
    words = ["folder", tmp_path / "in", tmp_path / "out", "--recipe", tmp_path / "recipe.yaml"]
    done = CliRunner().invoke(deid, [str(each) for each in words])
    assert done.exit_code != 0
    assert "deid.no-face-template" in done.output


def test_the_head_of_the_tests_is_there() -> None:
    assert head.HEAD.exists(), "apt-get install mricron-data"
