"""Attacks on the gate `text_sample`: offering a snapshot that asks for it without the closed review.

Everything else that an offer needs is there: the risk review (put into the database by hand, since its command asks
for the sample too), the reviewers' words and the board's decision. What stops the offer is the sample alone.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import delete

from enclave.actions import Action
from enclave.actor import Actor
from enclave.commands import publication
from enclave.commands.acting import intent
from enclave.errors import Conflict, NotFound
from enclave.model.publication import RiskReview, TextSample, TextSampleCase
from enclave.queries import dataset as queries
from enclave.states import SnapshotState
from tests.enclave import publishing
from tests.enclave.scene import NOW, Scene
from tests.enclave.test_text_sample import built, close, judge, receive, refused

REVIEWERS = ("checker-a", "checker-b", "checker-c")
TEXTS = range(1, 7)


@pytest.fixture(name="scene")
def the_shared_scene(shared: Scene) -> Scene:
    return shared


def almost_ready(scene: Scene, place: Path) -> str:
    """A snapshot that lacks its sample only; the hash of its risk review is its own id."""
    made = receive(scene, *built(scene, place))
    by_hand(
        scene,
        RiskReview(
            id=f"k-{made[:8]}", snapshot_id=made, number=1, answers=publishing.ANSWERS, sha256=made,
            written_by="u-steward-a", written_at=NOW,
        ),
    )  # fmt: skip
    for login in REVIEWERS:
        publication.judge_adequacy(
            scene.store, scene.actor(login), snapshot_id=made, risk_sha256=made, adequate=True, reason="적정", now=NOW
        )
    return made


def by_hand(scene: Scene, *rows: object) -> None:
    """Write into the database past the commands, as whoever holds it could."""
    with scene.store.write(intent(Action.SNAPSHOT_RISK, Actor.console(), ("snapshot", "by hand"))) as tx:
        tx.session.add_all(rows)


def offer(scene: Scene, snapshot_id: str, risk_sha256: str = "", login: str = "steward-a") -> object:
    return publication.offer(
        scene.store, scene.actor(login), snapshot_id=snapshot_id, risk_sha256=risk_sha256 or snapshot_id,
        decision=publishing.decision(NOW), now=NOW,
    )  # fmt: skip


def under_review(scene: Scene, snapshot_id: str) -> bool:
    return queries.snapshot(scene.store, Actor.console(), snapshot_id).state is SnapshotState.RECEIVED


@pytest.mark.parametrize("login", ["steward-a", "owner"])
def test_the_command_itself_does_not_offer_it_and_the_attempt_is_recorded(scene, tmp_path, login):
    made = almost_ready(scene, tmp_path)
    with scene.new_entries() as entries:
        assert refused(lambda: offer(scene, made, login=login), Conflict) == "sample.not-passed"
    assert [(entry["action"], entry["outcome"]) for entry in entries] == [("snapshot.publish", "failed")]
    assert under_review(scene, made)


def test_neither_all_judgements_nor_a_waiver_stand_for_the_closed_review(scene, tmp_path):
    made = almost_ready(scene, tmp_path)
    for number in TEXTS:
        judge(scene, made, number)
    publication.waive_adequacy(
        scene.store, scene.actor("owner"), snapshot_id=made, risk_sha256=made, reason="급함", now=NOW
    )
    assert refused(lambda: offer(scene, made), Conflict) == "sample.not-passed"
    assert close(scene, made).passed
    offer(scene, made)
    assert not under_review(scene, made)


def test_the_passed_review_of_another_snapshot_opens_nothing(scene, tmp_path):
    made, other = (almost_ready(scene, tmp_path / name) for name in ("made", "other"))
    for number in TEXTS:
        judge(scene, other, number)
    assert close(scene, other).passed
    for risk in (made, other):
        assert refused(lambda risk=risk: offer(scene, made, risk), Conflict) == "sample.not-passed"
    assert refused(lambda: offer(scene, f"{made[:32]}{other[32:]}", other), NotFound)
    assert under_review(scene, made)


def test_without_its_sample_on_record_what_was_signed_still_asks_for_it(scene, tmp_path):
    made = almost_ready(scene, tmp_path)
    with scene.store.write(intent(Action.SNAPSHOT_RISK, Actor.console(), ("snapshot", "by hand"))) as tx:
        for model in (TextSampleCase, TextSample):
            tx.session.execute(delete(model).where(model.snapshot_id == made))
    assert refused(lambda: offer(scene, made), Conflict) == "sample.not-passed"
    assert under_review(scene, made)
