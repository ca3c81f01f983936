"""What becomes of a run's private folder when its snapshot is received."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from deid.snapshot import read_manifest
from deid.texts import FILE
from enclave.actor import Actor
from enclave.commands.acting import is_id, name_in_log
from enclave.console.private_texts import end_private
from enclave.queries import dataset as queries
from tests.enclave.scene import Scene
from tests.enclave.test_text_sample import ORIGINAL, SIGNER, built, look, receive


@pytest.fixture(name="scene")
def the_shared_scene(shared: Scene) -> Scene:
    return shared


def test_it_is_destroyed_once_received_and_receiving_again_needs_no_texts(scene: Scene, tmp_path: Path) -> None:
    folder, private = built(scene, tmp_path)
    made = receive(scene, folder, private)
    said = end_private(private, read_manifest(folder, SIGNER.public_key()).lineage)
    assert said is not None
    assert str(private / FILE) in said[0]
    assert not private.exists()
    assert look(scene, made).case.text == ORIGINAL, "the sample is sealed in the database"
    assert receive(scene, folder, None) == made
    assert queries.snapshot(scene.store, Actor.console(), made).id == made
    assert end_private(private, {}) is None, "nothing there, nothing said"


@pytest.mark.parametrize(("asks", "why"), [(False, "표본 검토를 요구하지 않습니다"), (True, "다른 수행의 글")])
def test_it_stays_and_says_why_when_the_texts_are_not_this_runs(
    scene: Scene, tmp_path: Path, asks: bool, why: str
) -> None:
    folder, private = built(scene, tmp_path)
    manifest = read_manifest(folder, SIGNER.public_key())
    asked = {**manifest.lineage["text_sample"], "cases_sha256": "0" * 64}
    changed = replace(manifest, lineage={"text_sample": asked} if asks else {})
    said = " ".join(end_private(private, changed.lineage) or ())
    assert why in said
    assert "ansim deid forget" in said
    assert (private / FILE).is_file()
    assert "홍길동" not in said


NUMBERS = [
    "x900101-1234567",
    "P-900101-2234567",
    "file:010-1234-5678",
    "a/01012345678",
    "x9001011234567",
    "P-0101234567",
]


@pytest.mark.parametrize("typed", NUMBERS)
def test_a_number_of_a_person_behind_a_letter_is_no_id(typed: str) -> None:
    """An address may be asked for with one; neither the log nor its search keeps it."""
    assert name_in_log(typed).startswith("unknown-")
    assert not is_id(typed)


OURS = ["P2026-014", "d-2026-11-24", "n-abcdefgh23456723", "0" * 64, "01JD5V3W8T0M2Z9Q4R6S8N1P3K", "123456", "u-1"]


@pytest.mark.parametrize("given", OURS)
def test_an_id_of_ours_stays_as_it_is(given: str) -> None:
    assert name_in_log(given) == given
