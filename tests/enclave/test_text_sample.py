"""The sample review: who may see an original, what is recorded of it, what it takes to pass, what is left of it."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from itertools import count
from pathlib import Path

import polars as pl
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text

from deid.detect.operators.placeholder import PLACEHOLDERS
from deid.snapshot import publish, unfinished
from deid.text_types import LABELS
from deid.texts import CaseWriter, TextCase, TextSpan
from enclave.actor import Actor
from enclave.commands import dataset, publication, samples, text_sample
from enclave.commands.text_drawing import TEXTS, SealedTexts
from enclave.errors import Conflict, Denied, EnclaveError, Invalid, NotFound
from enclave.queries import dataset as queries
from enclave.states import SampleState, SnapshotState
from tests.enclave import publishing
from tests.enclave.publishing import ANSWERS
from tests.enclave.scene import CAST, NOW, Scene, _manifest

SIGNER = Ed25519PrivateKey.generate()
VERSIONS = count()
ORIGINAL, CANARY = "환자 홍길동 010-2345-6789 내원", "홍길동"
SEALED = "(sealed IS NOT NULL OR note_sealed IS NOT NULL)"
MASKED = "환자 <이름> <전화번호> 내원"
NOTE = "둘째 줄의 이몽룡이 남음"


@pytest.fixture(name="scene")
def the_shared_scene(shared: Scene) -> Scene:
    """One scene for all: each test makes a snapshot of its own."""
    return shared


def cases(number: int, uncertain: int) -> list[TextCase]:
    spans = (TextSpan(3, 6, "NAME", 0.9, "rules", ""), TextSpan(7, 20, "PHONE", 0.9, "rules", ""))
    doubted = (*spans[:1], TextSpan(7, 20, "PHONE", 0.3, "rules", "below-threshold"))
    return [
        TextCase(f"{n:032x}", "visits", "memo", "p1", 1, ORIGINAL, MASKED, doubted if n < uncertain else spans)
        for n in range(number)
    ]


def kept(folder: Path, made: list[TextCase]) -> CaseWriter:
    with CaseWriter(folder) as writer:
        for case in made:
            writer.write(case)
        writer.keep()
    return writer


def built(scene: Scene, tmp_path: Path, *, number: int = 300, uncertain: int = 4, size: int = 6) -> tuple[Path, Path]:
    """A signed snapshot that asks for a sample review, and the private folder of its texts."""
    private = tmp_path / "private"
    writer = kept(private, cases(number, uncertain))
    asked = {"size": size, "min_recall": 0.4, "confidence": 0.95, "cases": writer.count, "cases_sha256": writer.sha256}
    frame = pl.DataFrame({"pid": ["a", "b"], "amount": [next(VERSIONS), 7]})
    with unfinished(scene.means.settings.snapshots) as folder:
        (folder / "data/visits").mkdir(parents=True)
        frame.write_parquet(folder / "data/visits/part-0.parquet")
        manifest = replace(_manifest("set-a", "hospital-a", {"visits": frame}, ""), lineage={"text_sample": asked})
        return publish(folder, scene.means.settings.snapshots, manifest, SIGNER)[0], private


def receive(scene: Scene, folder: Path, private: Path | None, seed: str = "00ff") -> str:
    texts = SealedTexts(private, scene.vault, seed) if private else None
    key = SIGNER.public_key()
    made = dataset.receive_snapshot(scene.store, Actor.console(), folder=folder, public_key=key, now=NOW, texts=texts)
    return made.id


@pytest.fixture
def waiting(scene: Scene, tmp_path: Path) -> str:
    return receive(scene, *built(scene, tmp_path))


def look(scene: Scene, snapshot_id: str, number: int = 1, login: str = "steward-a") -> text_sample.OpenedCase:
    actor = Actor.console() if login == "console" else scene.actor(login)
    return text_sample.look(scene.store, scene.vault, actor, snapshot_id=snapshot_id, number=number, now=NOW)


def judge(scene: Scene, snapshot_id: str, number: int, login: str = "steward-a", **missed: int) -> None:
    actor = Actor.console() if login == "console" else scene.actor(login)
    text_sample.judge(
        scene.store,
        scene.vault,
        actor,
        snapshot_id=snapshot_id,
        number=number,
        missed=missed,
        note=NOTE if missed else "",
        now=NOW,
    )


def close(scene: Scene, snapshot_id: str, login: str = "steward-a") -> samples.Verdict:
    return samples.close_sample(scene.store, TEXTS, scene.actor(login), snapshot_id=snapshot_id, now=NOW)


def refused(act, *kinds: type[EnclaveError]) -> str:
    with pytest.raises(kinds or (EnclaveError,)) as raised:
        act()
    return raised.value.code


def test_the_types_that_can_be_marked_are_those_the_detectors_know():
    assert set(LABELS) == set(PLACEHOLDERS)


def test_a_sample_is_drawn_by_the_recorded_seed_and_every_look_and_judgement_is_an_entry(scene, waiting):
    with scene.new_entries() as entries:
        opened = [look(scene, waiting, number) for number in range(1, 7)]
        for each in opened:
            judge(scene, waiting, each.number)
        verdict = close(scene, waiting)
    assert [each.stratum for each in opened] == ["uncertain"] * 3 + ["rest"] * 3
    assert {each.case.text for each in opened} == {ORIGINAL}
    assert (verdict.passed, verdict.estimate.cases, verdict.estimate.missed) == (True, 6, 0)
    assert verdict.estimate.recall is not None
    assert verdict.estimate.recall.low >= 0.4
    names = ["sample.view"] * 6 + ["sample.judge"] * 6 + ["sample.close"]
    assert [entry["action"] for entry in entries] == names
    assert CANARY not in json.dumps(entries, ensure_ascii=False)


def test_a_snapshot_cannot_go_on_before_its_sample_is_passed(scene, waiting):
    def answer() -> object:
        actor = scene.actor("steward-a")
        return publication.write_risk_review(scene.store, actor, snapshot_id=waiting, answers=ANSWERS, now=NOW)

    assert refused(answer, Conflict) == "sample.not-passed"
    found = queries.dossier(scene.store, scene.actor("steward-a"), waiting, now=NOW)
    assert (found.sample.state, found.lacking.code) == (SampleState.OPEN, "sample.not-passed")
    for number in range(1, 7):
        judge(scene, waiting, number)
    close(scene, waiting)
    answer()
    assert queries.dossier(scene.store, scene.actor("steward-a"), waiting, now=NOW).sample.state is SampleState.PASSED


def test_a_marked_miss_is_never_offered_as_it_is_however_good_the_rest(scene, waiting):
    for number in range(1, 7):
        judge(scene, waiting, number, **({"NAME": 1} if number == 6 else {}))
    verdict = close(scene, waiting)
    assert (verdict.passed, verdict.why, verdict.estimate.missed) == (False, "missed", 1)
    assert queries.snapshot(scene.store, Actor.console(), waiting).state is SnapshotState.RETURNED
    decision = publishing.decision(NOW)
    assert (
        refused(
            lambda: publication.offer(
                scene.store, scene.actor("owner"), snapshot_id=waiting, risk_sha256="", decision=decision, now=NOW
            )
        )
        == "snapshot.not-under-review"
    )


def test_too_small_a_sample_does_not_pass_even_without_a_miss(scene, tmp_path):
    waiting = receive(scene, *built(scene, tmp_path, size=2))
    for number in (1, 2):
        judge(scene, waiting, number)
    verdict = close(scene, waiting)
    assert (verdict.passed, verdict.why) == (False, "bound")


def test_the_review_is_closed_only_when_every_text_was_judged(scene, waiting):
    judge(scene, waiting, 1)
    assert refused(lambda: close(scene, waiting), Conflict) == "sample.unfinished"


@pytest.mark.parametrize("login", sorted({*CAST, "console"} - {"steward-a", "owner"}))
def test_nobody_but_the_provider_sees_an_original_or_judges_it_and_the_attempt_is_recorded(scene, waiting, login):
    with scene.new_entries() as entries:
        for act in (lambda: look(scene, waiting, 1, login), lambda: judge(scene, waiting, 1, login)):
            assert refused(act, Denied) in {"role.missing", "dataset.other-provider"}
    assert [entry["outcome"] for entry in entries] == ["denied", "denied"]
    assert CANARY not in json.dumps(entries, ensure_ascii=False)


def everything_stored(scene: Scene) -> str:
    with scene.store.read() as session:
        rows = session.execute(text("SELECT * FROM text_sample_case")).all()
    return repr(rows)


def test_originals_and_notes_are_sealed_and_deleted_when_the_review_is_over(scene, waiting):
    for number in range(1, 7):
        judge(scene, waiting, number, **({"PHONE": 2} if number == 1 else {}))
    stored = everything_stored(scene)
    assert not [word for word in (CANARY, NOTE, "이몽룡", "010-2345") if word in stored]
    assert look(scene, waiting, 1).note == NOTE
    close(scene, waiting)
    with scene.store.read() as session:
        left = session.execute(
            text(f"SELECT count(*) FROM text_sample_case WHERE snapshot_id = :id AND {SEALED}"), {"id": waiting}
        ).scalar()
    assert left == 0
    assert refused(lambda: look(scene, waiting, 1), Conflict) == "snapshot.not-under-review"


def test_a_sealed_text_opens_at_no_other_place(scene, tmp_path):
    first = receive(scene, *built(scene, tmp_path / "a"))
    second = receive(scene, *built(scene, tmp_path / "b"))
    with scene.store.read() as session:
        sealed = session.execute(
            text("SELECT sealed FROM text_sample_case WHERE snapshot_id = :id AND number = 1"), {"id": first}
        ).scalar()
    from enclave.commands.text_drawing import purpose_of

    with pytest.raises(EnclaveError) as raised:
        scene.vault.open(bytes(sealed), purpose=purpose_of(second, "0" * 32))
    assert raised.value.code == "vault.damaged"


@pytest.mark.parametrize("which", ["none", "another run's", "made easier"])
def test_a_snapshot_that_asks_is_not_received_without_its_own_texts(scene, tmp_path, which):
    folder, private = built(scene, tmp_path)
    if which == "another run's":
        kept(private, cases(20, 0))
    if which == "made easier":
        easy = [replace(case, text="내원", masked="내원") for case in cases(300, 4)]
        kept(private, easy)
    wanted = "sample.no-texts" if which == "none" else "sample.other-texts"
    assert refused(lambda: receive(scene, folder, None if which == "none" else private), Invalid) == wanted
    assert refused(lambda: queries.snapshot(scene.store, Actor.console(), folder.name), NotFound)


def test_receiving_it_again_draws_no_second_sample(scene, tmp_path):
    folder, private = built(scene, tmp_path, number=40)
    made = receive(scene, folder, private, "aa")
    before = [look(scene, made, number).case.ref for number in range(1, 7)]
    assert receive(scene, folder, private, "bb") == made
    assert [look(scene, made, number).case.ref for number in range(1, 7)] == before


@pytest.mark.parametrize("marks", [{"NAME": -1}, {"NICKNAME": 1}, {"NAME": 10**6}], ids=str)
def test_marks_that_make_no_sense_are_refused(scene, waiting, marks):
    assert refused(lambda: judge(scene, waiting, 1, **marks), Invalid) == "sample.marks"


def test_a_text_that_is_not_in_the_sample_is_not_found(scene, waiting):
    assert refused(lambda: look(scene, waiting, 7), NotFound) == "sample.unknown"


def test_sending_it_back_deletes_the_originals_too(scene, waiting):
    publication.send_back(scene.store, scene.actor("owner"), snapshot_id=waiting, reason="다시", now=NOW)
    assert asdict(queries.snapshot(scene.store, Actor.console(), waiting))["state"] is SnapshotState.RETURNED
    assert refused(lambda: look(scene, waiting, 1), Conflict) == "snapshot.not-under-review"
