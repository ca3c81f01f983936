"""The sample review of frames: what is seen of them, who may, what is recorded, what it takes to pass, what is left."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from sqlalchemy import text

from deid.frame_cases import FILE, FrameWriter
from enclave.actor import Actor
from enclave.commands import dataset, frame_sample, publication, samples
from enclave.commands.frame_drawing import FRAMES, LABELS, SealedFrames, purpose_of
from enclave.commands.frame_sample import OpenedFrame, Place
from enclave.commands.samples import Verdict
from enclave.console.frames_given import beneath
from enclave.errors import Conflict, Denied, EnclaveError, Invalid, NotFound
from enclave.model.publication import FrameSampleCase
from enclave.queries import dataset as queries
from enclave.states import SampleState, SnapshotState
from tests.enclave import publishing
from tests.enclave.filmed import SIGNER, Filmed, filmed, signed
from tests.enclave.publishing import ANSWERS
from tests.enclave.scene import CAST, NOW, Scene

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
NOTE = "왼쪽 위에 홍길동이 남음"
SEALED = "(sealed IS NOT NULL OR note_sealed IS NOT NULL)"


@pytest.fixture(name="scene")
def the_shared_scene(shared: Scene) -> Scene:
    """One scene for all: each test makes a snapshot of its own."""
    return shared


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Filmed:
    return filmed(tmp_path_factory.mktemp("film"))


def receive(scene: Scene, film: Filmed, given: SealedFrames | None = None, seed: str = "00ff") -> str:
    folder = signed(scene.means.settings.snapshots, film)
    return again(scene, folder, given or film.sealed(scene.vault, seed))


def again(scene: Scene, folder: Path, given: SealedFrames | None) -> str:
    key = SIGNER.public_key()
    return dataset.receive_snapshot(
        scene.store, Actor.console(), folder=folder, public_key=key, now=NOW, frames=given
    ).id


@pytest.fixture
def waiting(scene: Scene, film: Filmed) -> str:
    return receive(scene, film)


def actor(scene: Scene, login: str) -> Actor:
    return Actor.console() if login == "console" else scene.actor(login)


def look(scene: Scene, snapshot_id: str, number: int = 1, login: str = "steward-a") -> OpenedFrame:
    return frame_sample.look(
        scene.store, scene.vault, actor(scene, login), snapshot_id=snapshot_id, number=number, now=NOW
    )


def judge(scene: Scene, snapshot_id: str, number: int, login: str = "steward-a", places=(), **missed: int) -> None:
    frame_sample.judge(
        scene.store, scene.vault, actor(scene, login), snapshot_id=snapshot_id, number=number, missed=missed,
        places=places, note=NOTE if missed else "", now=NOW,
    )  # fmt: skip


def close(scene: Scene, snapshot_id: str) -> Verdict:
    return samples.close_sample(scene.store, FRAMES, scene.actor("steward-a"), snapshot_id=snapshot_id, now=NOW)


def refused(act, *kinds: type[EnclaveError]) -> str:
    with pytest.raises(kinds or (EnclaveError,)) as raised:
        act()
    return raised.value.code


def state(scene: Scene, snapshot_id: str) -> SnapshotState:
    return queries.snapshot(scene.store, Actor.console(), snapshot_id).state


def test_before_and_after_are_the_pixels_of_the_source_and_of_what_was_written(scene, film) -> None:
    made = receive(scene, film, seed="aa")
    opened = [look(scene, made, number) for number in range(1, 7)]
    cases = {each.file: each for each in film.cases()}
    assert len({(each.file, each.frame) for each in opened}) == 6
    for each in opened:
        for path, shown in ((film.source / cases[each.file].source, each.pair.before()),
                            (film.out / each.file, each.pair.after())):  # fmt: skip
            stored = dcmread(path).pixel_array
            frame = stored[each.frame - 1] if each.frames > 1 else stored
            colour = each.pair.about.colour
            offset = 0 if colour else int(frame.min()) - int(shown.min())
            assert (shown.astype(int) + offset == frame).all(), each.file
    assert {each.why for each in opened} == {""}


def test_what_was_blanked_is_told_with_the_picture_and_only_there_it_differs(scene, film) -> None:
    ultrasound = next(each for each in film.cases() if each.source == "us.dcm")
    made = receive(scene, film, seed=seed_that_draws(film, ultrasound.ref))
    (each,) = (one for n in range(1, 7) if (one := look(scene, made, n)).file == ultrasound.file)
    inside = np.zeros(each.pair.about.full, bool)
    for top, bottom, left, right in each.boxes:
        inside[top:bottom, left:right] = True
    changed = (each.pair.before() != each.pair.after()).any(axis=2)
    assert (len(each.boxes) > 5, changed.any(), (changed & ~inside).any()) == (True, True, False)


def seed_that_draws(film: Filmed, ref: str, size: int = 6) -> str:
    from deid.sampling import draw

    seeds = (f"{number:02x}" for number in range(200))
    return next(seed for seed in seeds if ref in {case.ref for _, case in draw(film.cases(), size, seed).picked})


def test_every_look_and_judgement_is_an_entry_that_names_no_file(scene, film, waiting) -> None:
    with scene.new_entries() as entries:
        for number in range(1, 7):
            look(scene, waiting, number)
            judge(scene, waiting, number)
        verdict = close(scene, waiting)
    assert [each["action"] for each in entries] == ["sample.view", "sample.judge"] * 6 + ["sample.close"]
    assert (verdict.passed, verdict.estimate.cases, verdict.estimate.missed) == (True, 6, 0)
    told = json.dumps(entries)
    assert not [name for each in film.cases() for name in (each.source, each.file) if name in told]


def test_it_cannot_be_offered_before_its_frames_are_passed(scene, waiting) -> None:
    def answer() -> object:
        return publication.write_risk_review(
            scene.store, scene.actor("steward-a"), snapshot_id=waiting, answers=ANSWERS, now=NOW
        )

    assert refused(answer, Conflict) == "sample.not-passed"
    found = queries.dossier(scene.store, scene.actor("steward-a"), waiting, now=NOW)
    assert (found.sample, found.frames.state, found.lacking.code) == (None, SampleState.OPEN, "sample.not-passed")
    assert "frames" in found.may
    for number in range(1, 7):
        judge(scene, waiting, number)
    close(scene, waiting)
    answer()


def test_a_mark_sends_it_back_and_says_where_it_was(scene, waiting) -> None:
    for number in range(1, 7):
        judge(scene, waiting, number, places=[Place("LETTERS", 4, 9)] if number == 2 else (), FACE=int(number == 3))
    verdict = close(scene, waiting)
    assert (verdict.passed, verdict.why, verdict.estimate.missed) == (False, "missed", 2)
    assert state(scene, waiting) is SnapshotState.RETURNED
    found = queries.dossier(scene.store, scene.actor("steward-a"), waiting, now=NOW).frames
    assert found.estimate["missed_by_type"] == {"FACE": 1, "LETTERS": 1}
    with scene.store.read() as session:
        row = session.get(FrameSampleCase, (waiting, 2))
        assert (row.places, row.file.endswith(".dcm")) == ([["LETTERS", 4, 9]], True)
    decision = publishing.decision(NOW)
    code = refused(lambda: publication.offer(
        scene.store, scene.actor("owner"), snapshot_id=waiting, risk_sha256="", decision=decision, now=NOW
    ))  # fmt: skip
    assert code == "snapshot.not-under-review"


def test_without_letters_frames_are_what_was_looked_at_and_too_few_of_them_do_not_pass(scene, tmp_path) -> None:
    few = filmed(tmp_path, size=3, min_recall=0.9)
    made = receive(scene, few)
    for number in range(1, 4):
        judge(scene, made, number)
    verdict = close(scene, made)
    assert (verdict.passed, verdict.why) == (False, "bound")


def test_a_place_and_a_count_of_the_same_kind_are_not_added(scene, waiting) -> None:
    spots = [Place("LETTERS", n, n) for n in range(3)]
    judge(scene, waiting, 1, places=spots, LETTERS=2)
    assert dict(look(scene, waiting).missed) == {"LETTERS": 3}
    judge(scene, waiting, 1, places=spots, LETTERS=5)
    found = look(scene, waiting)
    assert (dict(found.missed), found.places) == ({"LETTERS": 5}, tuple(spots))


@pytest.mark.parametrize(
    ("places", "missed"),
    [
        ([], {"NAME": 1}), ([], {"LETTERS": -1}), ([], {"LETTERS": 10**6}), ([], {"UNSEEN": 1}),
        ([Place("LETTERS", -1, 0)], {}), ([Place("LETTERS", 0, 1 << 16)], {}), ([Place("UNSEEN", 0, 0)], {}),
        ([Place("X", 0, 0)], {}), ([Place("OTHER", 0, 0)] * 1001, {}),
    ],
    ids=str,
)  # fmt: skip
def test_marks_that_make_no_sense_are_refused(scene, waiting, places, missed) -> None:
    assert refused(lambda: judge(scene, waiting, 1, places=places, **missed), Invalid) == "sample.marks"


@pytest.mark.parametrize("login", sorted({*CAST, "console"} - {"steward-a", "owner"}))
def test_nobody_but_the_provider_sees_a_frame_or_judges_it_and_the_attempt_is_recorded(scene, waiting, login) -> None:
    with scene.new_entries() as entries:
        for act in (lambda: look(scene, waiting, 1, login), lambda: judge(scene, waiting, 1, login)):
            assert refused(act, Denied) in {"role.missing", "dataset.other-provider"}
    assert [each["outcome"] for each in entries] == ["denied", "denied"]


def left(scene: Scene, snapshot_id: str) -> int:
    query = f"SELECT count(*) FROM frame_sample_case WHERE snapshot_id = :id AND {SEALED}"
    with scene.store.read() as session:
        return int(session.execute(text(query), {"id": snapshot_id}).scalar() or 0)


def test_pictures_and_notes_are_sealed_and_deleted_when_the_review_is_over(scene, waiting) -> None:
    for number in range(1, 7):
        judge(scene, waiting, number, **({"OTHER": 1} if number == 1 else {}))
    with scene.store.read() as session:
        stored = repr(
            session.execute(text("SELECT * FROM frame_sample_case WHERE snapshot_id = :i"), {"i": waiting}).all()
        )
    assert not [word for word in (NOTE, "홍길동", '"rows"', "modality") if word in stored]
    assert (look(scene, waiting).note, left(scene, waiting)) == (NOTE, 6)
    close(scene, waiting)
    assert left(scene, waiting) == 0
    assert refused(lambda: look(scene, waiting), Conflict) == "snapshot.not-under-review"
    assert refused(lambda: judge(scene, waiting, 1), Conflict) == "snapshot.not-under-review"


def test_a_passed_review_is_closed_to_further_looks(scene, waiting) -> None:
    for number in range(1, 7):
        judge(scene, waiting, number)
    close(scene, waiting)
    assert (state(scene, waiting), left(scene, waiting)) == (SnapshotState.RECEIVED, 0)
    assert refused(lambda: look(scene, waiting), Conflict) == "sample.closed"
    assert refused(lambda: close(scene, waiting), Conflict) == "sample.closed"


@pytest.mark.parametrize("how", ["back", "withdrawn"])
def test_sending_it_back_or_withdrawing_it_deletes_the_pictures_too(scene, waiting, how) -> None:
    owner = scene.actor("owner")
    if how == "back":
        publication.send_back(scene.store, owner, snapshot_id=waiting, reason="다시", now=NOW)
    else:
        dataset.withdraw_snapshot(scene.store, Actor.console(), snapshot_id=waiting, reason="그만", now=NOW)
    assert left(scene, waiting) == 0


def test_a_sealed_frame_opens_at_no_other_place(scene, film) -> None:
    first, second = receive(scene, film), receive(scene, film)
    query = text("SELECT sealed, ref FROM frame_sample_case WHERE snapshot_id = :id AND number = 1")
    with scene.store.read() as session:
        sealed, ref = session.execute(query, {"id": first}).one()
    assert scene.vault.open(bytes(sealed), purpose=purpose_of(first, ref))
    assert refused(lambda: scene.vault.open(bytes(sealed), purpose=purpose_of(second, ref))) == "vault.damaged"


def test_receiving_it_again_draws_no_second_sample(scene, film) -> None:
    folder = signed(scene.means.settings.snapshots, film)
    made = again(scene, folder, film.sealed(scene.vault, "aa"))
    before = [look(scene, made, number).frame for number in range(1, 7)]
    assert again(scene, folder, film.sealed(scene.vault, "bb")) == made
    assert again(scene, folder, None) == made
    assert [look(scene, made, number).frame for number in range(1, 7)] == before


# Attacks on what comes with a snapshot.


def swapped_source(film: Filmed) -> None:
    for path in film.source.iterdir():
        path.write_bytes(path.read_bytes()[:-1] + b"\1")


def swapped_output(film: Filmed) -> None:
    for path in film.out.rglob("*.dcm"):
        path.write_bytes(path.read_bytes()[:-1] + b"\1")


def no_source(film: Filmed) -> None:
    for path in film.source.iterdir():
        path.unlink()


def linked_source(film: Filmed) -> None:
    for path in list(film.source.iterdir()):
        path.rename(film.private / path.name)
        path.symlink_to(film.private / path.name)


def another_private_file(film: Filmed) -> None:
    with FrameWriter(film.private) as writer:
        for case in film.cases()[:4]:
            writer.write(replace(case, boxes=()))
        writer.keep()


def no_private_file(film: Filmed) -> None:
    (film.private / FILE).unlink()


@pytest.mark.parametrize(
    ("attack", "code"),
    [
        (swapped_source, "sample.other-frames"), (swapped_output, "sample.other-frames"),
        (no_source, "sample.other-frames"), (linked_source, "sample.other-frames"),
        (another_private_file, "sample.other-frames"), (no_private_file, "sample.no-frames"),
    ],
    ids=lambda each: getattr(each, "__name__", ""),
)  # fmt: skip
def test_a_snapshot_is_not_received_with_other_files_than_those_of_its_run(scene, film, tmp_path, attack, code) -> None:
    copy = film.copied(tmp_path)
    attack(copy)
    folder = signed(scene.means.settings.snapshots, film)
    with scene.new_entries() as entries:
        assert refused(lambda: again(scene, folder, copy.sealed(scene.vault)), Invalid) == code
    assert [each["outcome"] for each in entries] == ["failed"]
    assert not [name for name in ("us.dcm", "ct.dcm", "mr.dcm") if name in json.dumps(entries)]
    assert refused(lambda: queries.snapshot(scene.store, Actor.console(), folder.name), NotFound)


def test_without_anything_it_is_not_received(scene, film) -> None:
    folder = signed(scene.means.settings.snapshots, film)
    assert refused(lambda: again(scene, folder, None), Invalid) == "sample.no-frames"


def rewritten(film: Filmed, place: Path, **changes: object) -> Filmed:
    """The same run, whose signed private file says something else of every case: whoever signs could do so."""
    copy = film.copied(place)
    with FrameWriter(copy.private) as writer:
        for case in film.cases():
            writer.write(replace(case, **changes))  # type: ignore[arg-type]
        writer.keep()
    asked = {**film.lineage["frame_sample"], "cases_sha256": writer.sha256}  # type: ignore[dict-item]
    return replace(copy, lineage={"frame_sample": asked})


@pytest.mark.parametrize(
    "source", ["../private/frames.jsonl", "/etc/passwd", "", ".", "a//b", "us.dcm/x", "x\0y", ".."]
)
def test_a_reference_that_leads_out_of_the_source_leads_nowhere(scene, film, tmp_path, source) -> None:
    made = rewritten(film, tmp_path, source=source)
    assert refused(lambda: receive(scene, made, made.sealed(scene.vault)), Invalid) == "sample.other-frames"


def test_a_frame_that_is_not_there_stays_in_the_sample_unseen_and_is_a_miss(scene, film, tmp_path) -> None:
    made = rewritten(film, tmp_path, frame=99)
    waiting = receive(scene, made, made.sealed(scene.vault))
    opened = look(scene, waiting)
    assert (opened.pair, opened.why) == (None, "imaging.frame")
    for number in range(1, 7):
        judge(scene, waiting, number)
    assert dict(look(scene, waiting).missed) == {"UNSEEN": 1}
    verdict = close(scene, waiting)
    assert (verdict.passed, verdict.estimate.missed) == (False, 6)
    assert state(scene, waiting) is SnapshotState.RETURNED
    assert "UNSEEN" in LABELS


def test_a_bomb_in_the_source_is_not_shown_and_nothing_falls_over(scene, film, tmp_path) -> None:
    import hashlib

    copy = film.copied(tmp_path / "copy")
    data = dcmread(copy.source / "ct.dcm")
    data.Rows = data.Columns = 65535
    data.save_as(copy.source / "ct.dcm")
    digest = hashlib.sha256((copy.source / "ct.dcm").read_bytes()).hexdigest()
    made = replace(rewritten(copy, tmp_path / "again", source="ct.dcm", source_sha256=digest), source=copy.source)
    opened = look(scene, receive(scene, made, made.sealed(scene.vault)))
    assert (opened.pair, opened.why) == (None, "imaging.size")


def test_what_is_opened_beneath_a_folder_is_a_file_and_no_pipe(tmp_path: Path) -> None:
    (tmp_path / "in/deep").mkdir(parents=True)
    (tmp_path / "in/deep/a").write_bytes(b"yes")
    (tmp_path / "in/link").symlink_to("deep")
    os.mkfifo(tmp_path / "in/pipe")
    with beneath(tmp_path / "in", "deep/a") as file:
        assert file.read() == b"yes"
    for name in ("deep", "link/a", "pipe", "deep/../deep/a", "deep/none"):
        with pytest.raises(OSError):
            beneath(tmp_path / "in", name)


def test_rest_and_pages_are_given_no_bytes_by_a_view(scene, waiting) -> None:
    assert "pair" in asdict(look(scene, waiting))
    assert "packed=" not in repr(look(scene, waiting))
