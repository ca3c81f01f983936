"""Nothing is offered that lacks a step of R89, and nobody can stand in for another or speak twice."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import count

import polars as pl
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deid.snapshot import publish, unfinished
from enclave.actor import Actor
from enclave.clock import korean_date
from enclave.commands import dataset, publication
from enclave.errors import Conflict, Denied, EnclaveError, Invalid, NotFound
from enclave.queries import dataset as queries
from enclave.states import SnapshotState
from tests.enclave import publishing
from tests.enclave.publishing import ANSWERS
from tests.enclave.scene import CAST, NOW, Scene, _manifest

SIGNER = Ed25519PrivateKey.generate()
THREE = ("checker-a", "checker-b", "checker-c")


VERSIONS = count()


@pytest.fixture(name="scene")
def the_shared_scene(shared: Scene) -> Scene:
    """One scene for all: each test makes a snapshot of its own."""
    return shared


def built(scene: Scene, **changes: object) -> str:
    """Another snapshot of `set-a`, received and under review."""
    frame = pl.DataFrame({"pid": ["a", "b"], "amount": [next(VERSIONS), 2]})
    with unfinished(scene.means.settings.snapshots) as folder:
        (folder / "data/visits").mkdir(parents=True)
        frame.write_parquet(folder / "data/visits/part-0.parquet")
        manifest = replace(_manifest("set-a", "hospital-a", {"visits": frame}, ""), **changes)  # type: ignore[arg-type]
        place = publish(folder, scene.means.settings.snapshots, manifest, SIGNER)[0]
    return publishing.received(scene.store, place, SIGNER.public_key(), now=NOW)


@pytest.fixture
def waiting(scene: Scene) -> str:
    return built(scene)


def reviewed(scene: Scene, snapshot_id: str, *reviewers: str) -> str:
    return publishing.reviewed(scene.store, snapshot_id, steward="steward-a", reviewers=reviewers, now=NOW)


def judge(
    scene: Scene, login: str, snapshot_id: str, risk: str, *, adequate: bool = True, fresh: bool = True
) -> object:
    return publication.judge_adequacy(
        scene.store,
        scene.actor(login, fresh=fresh),
        snapshot_id=snapshot_id,
        risk_sha256=risk,
        adequate=adequate,
        reason="읽고 확인함",
        now=NOW,
    )


def offer(scene: Scene, snapshot_id: str, risk: str, login: str = "steward-a", **changes: object) -> object:
    decision = publishing.decision(NOW, **changes)
    actor = scene.actor(login)
    return publication.offer(scene.store, actor, snapshot_id=snapshot_id, risk_sha256=risk, decision=decision, now=NOW)


def refused(act: Callable[[], object], *kinds: type[EnclaveError]) -> str:
    with pytest.raises(kinds or (EnclaveError,)) as raised:
        act()
    return raised.value.code


def state(scene: Scene, snapshot_id: str) -> SnapshotState:
    return queries.snapshot(scene.store, Actor.console(), snapshot_id).state


def test_a_snapshot_is_offered_after_every_step_and_new_applications_use_it(scene: Scene, waiting: str) -> None:
    old = queries.dataset(scene.store, scene.actor("scientist"), "set-a").current
    assert old is not None
    assert old.id != waiting
    risk = reviewed(scene, waiting, *THREE)
    with scene.new_entries() as entries:
        offer(scene, waiting, risk)
    current = queries.dataset(scene.store, scene.actor("scientist"), "set-a").current
    assert current is not None
    assert (current.id, current.published_by) == (waiting, "u-steward-a")
    assert [entry["action"] for entry in entries] == ["snapshot.publish"]
    details = entries[0]["details"]
    assert (details["reviewers"], details["waived"], details["drb_on"]) == (3, False, str(korean_date(NOW)))  # type: ignore[index]
    assert "DRB-2026-11" not in json.dumps(entries)


# What is missing, and what the refusal is called.
@pytest.mark.parametrize(
    ("reviewers", "code"),
    [((), "adequacy.missing"), (THREE[:2], "adequacy.missing"), (("owner", "checker-a"), "adequacy.missing")],
)
def test_fewer_than_three_reviewers_are_not_enough(scene: Scene, waiting: str, reviewers, code) -> None:
    risk = reviewed(scene, waiting, *reviewers)
    assert refused(lambda: offer(scene, waiting, risk), Conflict) == code
    assert state(scene, waiting) is SnapshotState.RECEIVED


def test_one_person_three_times_is_one_person(scene: Scene, waiting: str) -> None:
    risk = reviewed(scene, waiting, "checker-a")
    for _ in range(2):
        assert refused(lambda: judge(scene, "checker-a", waiting, risk), Conflict) == "adequacy.already"
    assert refused(lambda: offer(scene, waiting, risk), Conflict) == "adequacy.missing"


@pytest.mark.parametrize("login", ["steward-own", "checker-own"])
def test_nobody_of_a_start_up_reviews_or_sees_what_is_under_review(scene: Scene, waiting: str, login: str) -> None:
    risk = reviewed(scene, waiting)
    assert refused(lambda: judge(scene, login, waiting, risk), Denied) == "adequacy.startup"
    assert refused(lambda: queries.snapshot(scene.store, scene.actor(login), waiting), NotFound) == "snapshot.unknown"


def test_the_author_of_the_risk_review_and_the_submitter_do_not_judge_it(scene: Scene) -> None:
    waiting = built(scene)
    risk = reviewed(scene, waiting)
    assert refused(lambda: judge(scene, "steward-a", waiting, risk), Denied) == "adequacy.own-work"
    folder = queries.snapshot(scene.store, Actor.console(), waiting).path
    dataset.receive_snapshot(
        scene.store, scene.actor("steward-a"), folder=folder, public_key=SIGNER.public_key(), now=NOW
    )
    assert queries.snapshot(scene.store, Actor.console(), waiting).state is SnapshotState.RECEIVED


def test_an_approval_of_another_snapshot_does_not_count(scene: Scene, waiting: str) -> None:
    other = built(scene)
    theirs = reviewed(scene, other, *THREE)
    reviewed(scene, waiting)
    assert refused(lambda: judge(scene, "checker-a", waiting, theirs), Conflict) == "risk.other"
    assert refused(lambda: offer(scene, waiting, theirs), Conflict) == "risk.other"


def test_nobody_approves_before_the_risk_review_and_a_new_one_begins_again(scene: Scene, waiting: str) -> None:
    assert refused(lambda: judge(scene, "checker-a", waiting, ""), Conflict) == "risk.missing"
    assert refused(lambda: judge(scene, "checker-a", waiting, "0" * 64), Conflict) == "risk.missing"
    assert refused(lambda: offer(scene, waiting, ""), Conflict) == "risk.missing"
    first = reviewed(scene, waiting, *THREE)
    second = reviewed(scene, waiting)
    assert first != second
    assert refused(lambda: offer(scene, waiting, first), Conflict) == "risk.other"
    assert refused(lambda: offer(scene, waiting, second), Conflict) == "adequacy.missing"


def test_one_word_against_it_stops_it_and_a_waiver_does_not_overrule(scene: Scene, waiting: str) -> None:
    risk = reviewed(scene, waiting, *THREE)
    judge(scene, "checker-a2", waiting, risk, adequate=False)
    waive(scene, waiting, risk)
    assert refused(lambda: offer(scene, waiting, risk), Conflict) == "adequacy.inadequate"


def waive(scene: Scene, snapshot_id: str, risk: str, login: str = "owner", reason: str = "응급 연구") -> object:
    actor = scene.actor(login)
    return publication.waive_adequacy(
        scene.store, actor, snapshot_id=snapshot_id, risk_sha256=risk, reason=reason, now=NOW
    )


def test_a_waiver_needs_a_reason_and_an_asset_owner_of_the_provider(scene: Scene, waiting: str) -> None:
    risk = reviewed(scene, waiting)
    assert refused(lambda: waive(scene, waiting, risk, reason="  "), Invalid) == "input.missing"
    for login in CAST:
        if login != "owner":
            assert refused(lambda: waive(scene, waiting, risk, login), Denied) == "role.missing"  # noqa: B023
    waive(scene, waiting, risk)
    offer(scene, waiting, risk)
    assert state(scene, waiting) is SnapshotState.PUBLISHED


def test_who_wrote_the_risk_review_does_not_waive_the_review_of_it(scene: Scene, waiting: str) -> None:
    risk = publishing.reviewed(scene.store, waiting, steward="owner", reviewers=(), now=NOW)
    assert refused(lambda: waive(scene, waiting, risk), Denied) == "adequacy.own-work"


@pytest.mark.parametrize("login", sorted({*CAST} - {"steward-a", "owner"}))
def test_only_the_provider_writes_the_risk_review_offers_and_sends_back(scene: Scene, waiting: str, login: str) -> None:
    risk = reviewed(scene, waiting, *THREE)
    actor = scene.actor(login)
    assert refused(lambda: offer(scene, waiting, risk, login), Denied)
    for act in (
        lambda: publication.write_risk_review(scene.store, actor, snapshot_id=waiting, answers=ANSWERS, now=NOW),
        lambda: publication.send_back(scene.store, actor, snapshot_id=waiting, reason="r", now=NOW),
    ):
        assert refused(act, Denied)
    assert state(scene, waiting) is SnapshotState.RECEIVED


def test_the_machines_console_decides_nothing(scene: Scene, waiting: str) -> None:
    risk = reviewed(scene, waiting, *THREE)
    decision = publishing.decision(NOW)
    for act in (
        lambda: publication.offer(
            scene.store, Actor.console(), snapshot_id=waiting, risk_sha256=risk, decision=decision, now=NOW
        ),
        lambda: publication.judge_adequacy(
            scene.store, Actor.console(), snapshot_id=waiting, risk_sha256=risk, adequate=True, reason="r", now=NOW
        ),
    ):
        assert refused(act, Denied) == "role.missing"


def test_a_word_and_a_decision_need_a_second_factor_of_this_moment(scene: Scene, waiting: str) -> None:
    risk = reviewed(scene, waiting, "checker-a", "checker-b")
    assert refused(lambda: judge(scene, "checker-c", waiting, risk, fresh=False), Denied) == "second-factor.stale"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"drb_number": " "}, "publication.decision-missing"),
        ({"drb_on": None}, "publication.decision-missing"),
        ({"ends_on": None}, "publication.decision-missing"),
        ({"drb_on": korean_date(NOW) + timedelta(days=1)}, "publication.period"),
        ({"ends_on": korean_date(NOW) - timedelta(days=1)}, "publication.period"),
    ],
    ids=str,
)
def test_number_date_and_period_of_the_decision_are_needed(scene: Scene, waiting: str, changes, code) -> None:
    risk = reviewed(scene, waiting, *THREE)
    assert refused(lambda: offer(scene, waiting, risk, **changes), Invalid) == code


@pytest.mark.parametrize("key", [*ANSWERS])
def test_every_question_of_the_risk_review_is_answered(scene: Scene, waiting: str, key: str) -> None:
    def write() -> object:
        return publication.write_risk_review(
            scene.store, scene.actor("steward-a"), snapshot_id=waiting, answers={**ANSWERS, key: " "}, now=NOW
        )

    assert refused(write, Invalid) == "risk.unanswered"


@pytest.mark.parametrize("changes", [{"tool_versions": {}}, {"legal_basis": ""}, {"tables": {}}], ids=str)
def test_a_snapshot_whose_manifest_lacks_what_a_catalogue_must_say_is_not_received(scene: Scene, changes) -> None:
    assert refused(lambda: built(scene, **changes), Invalid) == "publication.undocumented"


def test_after_its_period_a_snapshot_is_neither_offered_nor_mounted(scene: Scene, waiting: str) -> None:
    risk = reviewed(scene, waiting, *THREE)
    offer(scene, waiting, risk, ends_on=korean_date(NOW))
    from enclave.queries.publication import is_offered, offered_until

    with scene.store.read() as session:
        found = queries.load_snapshot(session, waiting)
        assert [is_offered(session, found, NOW + timedelta(days=each)) for each in (0, 2)] == [True, False]
        assert offered_until(session, [waiting]) == korean_date(NOW)


def test_what_was_sent_back_is_gone_for_good_and_out_of_sight(scene: Scene, waiting: str) -> None:
    risk = reviewed(scene, waiting, *THREE)
    publication.send_back(scene.store, scene.actor("owner"), snapshot_id=waiting, reason="다시", now=NOW)
    assert refused(lambda: offer(scene, waiting, risk), Conflict) == "snapshot.not-under-review"
    folder = queries.snapshot(scene.store, scene.actor("steward-a"), waiting).path
    assert refused(lambda: publishing.received(scene.store, folder, SIGNER.public_key(), now=NOW)) == "state.transition"
    assert refused(lambda: queries.snapshot(scene.store, scene.actor("scientist"), waiting)) == "snapshot.unknown"
