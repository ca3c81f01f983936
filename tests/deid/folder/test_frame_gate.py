"""The private file of frames that a sample is drawn from: which frames, tied to which bytes, when it is not there."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread
from pydicom.data import get_testdata_file

from deid.errors import GateFailed, OutputError, RecipeError
from deid.folder.frame_gate import check_private, opened_frames, write_frames
from deid.folder.journal import Done, _done, _plain
from deid.folder.one import Work
from deid.folder.people import People
from deid.folder.recipe import FolderRecipe, load
from deid.folder.registry import SECTIONS
from deid.folder.run import STAGING, run
from deid.folder.tally import Tally
from deid.frame_cases import FILE, FrameCase, FrameWriter, forget_frames, frames_in
from deid.sample_gate import AskedSample, WantedSample, asked_by
from deid.versions.held import held_files
from tests.deid.folder.clinic import Clinic

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
LETTERS, SLICE, MANY = "examples_rgb_color.dcm", "CT_small.dcm", "emri_small.dcm"
WANTED = WantedSample(30, 0.9, 0.95)
KOREAN = os.fsdecode("촬영_홍길동.dcm".encode("cp949"))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """An ultrasound with letters (under a name in CP949), a slice twice, ten frames, a still, and what is no image."""
    folder = tmp_path / "in"
    folder.mkdir()
    for name, called in ((LETTERS, KOREAN), (SLICE, "a.dcm"), (SLICE, "b.dcm"), (MANY, "mr.dcm")):
        shutil.copy(str(get_testdata_file(name)), folder / called)
    Image.new("RGB", (64, 48), "grey").save(folder / "photo.png")
    (folder / "broken.dcm").write_bytes((folder / "a.dcm").read_bytes()[:900])
    return folder


def ran(people: People, recipe: FolderRecipe, source: Path, out: Path) -> tuple[Work, Tally]:
    out.mkdir()
    work = Work(people, recipe, source, out / STAGING)
    return work, run(work, out)


def kept(work: Work, tally: Tally, private: Path) -> dict[str, object]:
    with opened_frames(WANTED, private) as writer:
        lineage = write_frames(work, tally, writer)
        assert writer is not None
        writer.keep()
        return lineage


def cases(private: Path) -> list[FrameCase]:
    with (private / FILE).open("rb") as lines:
        return list(frames_in(lines))


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_every_frame_that_was_written_can_be_drawn_and_is_tied_to_its_bytes(tmp_path, people, recipe, source):
    out, private = tmp_path / "out", tmp_path / "private"
    work, tally = ran(people, replace(recipe, frame_sample=WANTED), source, out)
    asked = asked_by("frame_sample", kept(work, tally, private))
    made = cases(private)
    assert asked == AskedSample(30, 0.9, 0.95, len(made), sha256(private / FILE))
    assert sorted((each.source, each.frame, each.frames) for each in made) == sorted(
        [("a.dcm", 1, 1), (KOREAN, 1, 1), ("photo.png", 1, 1), *(("mr.dcm", n, 10) for n in range(1, 11))]
    )
    for each in made:
        assert each.source_sha256 == sha256(source / each.source)
        assert each.file_sha256 == sha256(out / each.file)
    assert len({each.ref for each in made}) == len(made)
    assert (private / FILE).stat().st_mode & 0o077 == 0


def test_what_was_blanked_is_told_and_it_is_where_the_pixels_changed(tmp_path, people, recipe, source):
    out = tmp_path / "out"
    work, tally = ran(people, replace(recipe, frame_sample=WANTED), source, out)
    kept(work, tally, tmp_path / "private")
    (case,) = (each for each in cases(tmp_path / "private") if each.source == KOREAN)
    before, after = (dcmread(path).pixel_array for path in (source / KOREAN, out / case.file))
    changed = np.zeros(before.shape[:2], bool)
    for top, bottom, left, right in case.boxes:
        changed[top:bottom, left:right] = True
    assert case.found > 5
    assert not ((before != after).any(axis=2) & ~changed).any()
    spared = [each for each in cases(tmp_path / "private") if each.source == "a.dcm"]
    assert [(each.found, each.in_doubt) for each in spared] == [(0, False)]


def test_a_recipe_that_asks_for_none_costs_no_hash(tmp_path, people, recipe, source):
    _, tally = ran(people, recipe, source, tmp_path / "out")
    assert {each.outcome.pictured for each in tally.written} == {None}


def test_what_an_earlier_run_found_comes_back_from_the_journal_as_it_was(tmp_path, people, recipe, source):
    _, tally = ran(people, replace(recipe, frame_sample=WANTED), source, tmp_path / "out")
    from deid.folder.one import Result

    for each in tally.written:
        done = Done(1, 2, Result(each.source, each.format, None, each.outcome))
        assert _done(json.loads(json.dumps(asdict(done), default=_plain))) == done


def test_a_private_folder_is_asked_for_only_where_the_recipe_needs_one() -> None:
    check_private(None, given=False)
    check_private(WANTED, given=True)
    with pytest.raises(OutputError) as raised:
        check_private(WANTED, given=False)
    assert raised.value.code == "deid.no-private-folder"


@pytest.mark.parametrize(
    ("gate", "wanted"),
    [
        ("{frame_sample: {}}", WantedSample(200, 0.95, 0.95)),
        ("{frame_sample: {size: 40, min_recall: 0.9, confidence: 0.9}}", WantedSample(40, 0.9, 0.9)),
        ("{}", None),
    ],
)
def test_the_gate_is_read(tmp_path: Path, recipe: FolderRecipe, gate: str, wanted: WantedSample | None) -> None:
    assert read(tmp_path, gate).frame_sample == wanted


@pytest.mark.parametrize(
    "gate", ["{frame_sample: {size: 1001}}", "{frame_sample: {min_recall: 1}}", "{text_sample: {}}"]
)
def test_a_gate_that_makes_no_sense_is_refused(tmp_path: Path, gate: str) -> None:
    with pytest.raises(RecipeError):
        read(tmp_path, gate)


def read(folder: Path, gate: str) -> FolderRecipe:
    path = folder / "recipe.yaml"
    path.write_text(
        "recipe: 1\nkind: folder\ndataset: scans\nversion: 1\n"
        f"patient: {{domain: patient, max_days: 30}}\ngates: {gate}\n"
    )
    return load(path, SECTIONS)


def test_cases_of_a_run_that_fails_are_not_there_and_those_of_another_are_destroyed_by_name(tmp_path: Path) -> None:
    case = FrameCase("0" * 32, KOREAN, "a" * 64, "p/i.dcm", "b" * 64, 1, 1, ((0, 8, 0, 9),), ("near-threshold",))

    def fail() -> None:
        with FrameWriter(tmp_path / "p") as writer:
            writer.write(case)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert list((tmp_path / "p").iterdir()) == []
    with FrameWriter(tmp_path / "p") as writer:
        writer.write(case)
        writer.keep()
    assert cases(tmp_path / "p") == [case]
    assert (case.in_doubt, case.found) == (True, 1)
    assert forget_frames(tmp_path / "p")
    assert not (tmp_path / "p").exists()
    assert not forget_frames(tmp_path / "p")


def asking(clinic: Clinic) -> Clinic:
    clinic.recipe.write_text(clinic.recipe.read_text() + "gates: {frame_sample: {size: 5, min_recall: 0.9}}\n")
    return clinic


def test_a_snapshot_says_what_is_asked_and_its_files_are_those_of_the_cases(pictures: Clinic, tmp_path: Path) -> None:
    made = asking(pictures).run(private=tmp_path / "private")
    found = cases(tmp_path / "private")
    digest = sha256(tmp_path / "private" / FILE)
    assert asked_by("frame_sample", made.manifest.lineage) == AskedSample(5, 0.9, 0.95, len(found), digest)
    held = held_files(made.snapshot, made.manifest, pictures.keys.storage.of(made.manifest))
    hashes = {each.name: hashlib.sha256(b"".join(each.chunks())).hexdigest() for each in held}
    assert {each.file: each.file_sha256 for each in found} == hashes
    assert digest.encode() in (made.snapshot / "manifest.json").read_bytes()
    assert b"A-0001" not in (made.snapshot / "manifest.json").read_bytes()


def test_without_a_private_folder_nothing_is_run_and_a_failed_run_keeps_no_cases(pictures: Clinic, tmp_path) -> None:
    with pytest.raises(OutputError):
        asking(pictures).run()
    assert pictures.left_behind() == []
    for path in pictures.source.rglob("*.dcm"):
        path.write_bytes(b"no image")
    with pytest.raises(GateFailed):
        pictures.run(private=tmp_path / "private")
    assert list((tmp_path / "private").iterdir()) == []


def test_a_recipe_that_asks_for_none_leaves_the_private_folder_alone(pictures: Clinic, tmp_path: Path) -> None:
    made = pictures.run(private=tmp_path / "private")
    assert ("frame_sample" in made.manifest.lineage, (tmp_path / "private").exists()) == (False, False)
