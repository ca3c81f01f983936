"""The steps before a snapshot is offered, and its withdrawal, as JSON: the commands and refusals of the pages."""

from __future__ import annotations

from pathlib import Path

import pytest

from enclave import clock
from enclave.actor import Actor
from enclave.commands import logbook
from enclave.logbook.question import Question
from enclave.queries import dataset as queries
from enclave.states import SnapshotState
from tests.enclave.portal.test_publication_pages import CANARY, receive, state
from tests.enclave.portal.world import World
from tests.enclave.publishing import ANSWERS

STEPS = ("/risk", "/adequacy", "/waiver", "/offer", "/return", "/withdraw", "/end-running")


def period() -> dict[str, str]:
    today = clock.korean_date(clock.now())
    return {
        "drb_number": "DRB-2026-91",
        "drb_on": str(today),
        "starts_on": str(today),
        "ends_on": str(today.replace(year=2030)),
    }


def test_a_snapshot_goes_all_the_way_to_being_offered_and_withdrawn_by_api(world: World, tmp_path: Path) -> None:
    path = f"/snapshots/{receive(world, tmp_path)}"
    steward = world.browser("suyeon")
    before = steward.api("GET", path).json()
    assert (before["state"], before["way"]["risk"], before["way"]["lacking"]["code"]) == (
        "received", None, "risk.missing",
    )  # fmt: skip
    assert before["way"]["allowed"] == ["answer", "return"]
    risk = steward.api("POST", path + "/risk", {"answers": ANSWERS}).json()["way"]["risk"]["sha256"]
    word = {"risk_sha256": risk, "adequate": True, "reason": "확인함"}
    for login in ("dahye", "woojin", "yerin"):
        reviewer = world.browser(login)
        assert "judge" in reviewer.api("GET", path).json()["way"]["allowed"]
        answer = reviewer.api("POST", path + "/adequacy", word | {"code": world.code(login)})
        assert answer.status_code == 200, answer.text
    offer = {"risk_sha256": risk, "code": world.code("suyeon"), **period()}
    offered = steward.api("POST", path + "/offer", offer, **{"Idempotency-Key": "o1"})
    again = steward.api("POST", path + "/offer", offer, **{"Idempotency-Key": "o1"})
    assert (offered.status_code, again.json()) == (200, offered.json())
    assert (offered.json()["state"], offered.json()["way"]["offer"]["drb_number"]) == ("published", "DRB-2026-91")
    gone = steward.api("POST", path + "/withdraw", {"reason": "새 버전", "mounts_end": "next-start"}).json()
    assert (gone["state"], gone["running_stay"], "end_running" in gone["allowed"]) == ("withdrawn", True, True)
    assert steward.api("POST", path + "/end-running", {"reason": "지금"}).json()["running_stay"] is False
    assert steward.api("POST", path + "/end-running", {"reason": "또"}).json()["code"] == "snapshot.ended-already"
    assert steward.api("GET", path + "/releases").json() == {"releases": []}


def test_a_waiver_and_a_return_are_one_call_each(world: World, tmp_path: Path) -> None:
    made = receive(world, tmp_path)
    path, steward, owner = f"/snapshots/{made}", world.browser("suyeon"), world.browser("yerin")
    risk = steward.api("POST", path + "/risk", {"answers": ANSWERS}).json()["way"]["risk"]["sha256"]
    body = {"risk_sha256": risk, "reason": "공개 자료", "code": world.code("yerin")}
    assert owner.api("POST", path + "/waiver", body).json()["way"]["words"][0]["waiver"] is True
    assert steward.api("POST", path + "/return", {"reason": "다시"}).json()["state"] == "returned"
    assert state(world, made) is SnapshotState.RETURNED


def test_without_a_fresh_second_factor_nobody_judges_waives_or_offers(world: World, tmp_path: Path) -> None:
    path, steward = f"/snapshots/{receive(world, tmp_path)}", world.browser("suyeon")
    risk = steward.api("POST", path + "/risk", {"answers": ANSWERS}).json()["way"]["risk"]["sha256"]
    seen = {"risk_sha256": risk, "reason": "확인함"}
    dahye, yerin = world.browser("dahye"), world.browser("yerin")
    answers = [
        dahye.api("POST", path + "/adequacy", seen | {"adequate": True}),
        yerin.api("POST", path + "/waiver", seen),
    ]
    for login in ("dahye", "woojin", "yerin"):
        body = seen | {"adequate": True, "code": world.code(login)}
        assert world.browser(login).api("POST", path + "/adequacy", body).status_code == 200
    answers.append(steward.api("POST", path + "/offer", {"risk_sha256": risk, **period()}))
    assert [(each.status_code, each.json()["code"]) for each in answers] == [(403, "second-factor.stale")] * 3


@pytest.mark.parametrize("login", ["mina", "haneul", "dahye"])
def test_nobody_else_moves_a_snapshot_or_reads_a_text(world: World, tmp_path: Path, login: str) -> None:
    made = receive(world, tmp_path, texts=2)
    path, browser = f"/snapshots/{made}", world.browser(login)
    bodies = {
        "/risk": {"answers": ANSWERS}, "/return": {"reason": "x"}, "/withdraw": {"reason": "x"},
        "/end-running": {"reason": "x"}, "/offer": {"risk_sha256": "0" * 64, **period()},
        "/waiver": {"risk_sha256": "0" * 64, "reason": "x"},
    }  # fmt: skip
    answers = [browser.api("POST", path + step, body) for step, body in bodies.items()]
    answers += [browser.api("PUT", path + "/sample/1", {"missed": {}}), browser.api("POST", path + "/sample/close")]
    answers += [browser.api("GET", path + each) for each in ("/sample", "/sample/1")]
    assert {each.status_code for each in answers} <= {403, 404}
    assert [each for each in answers if CANARY in each.text] == []
    assert state(world, made) is SnapshotState.RECEIVED


def test_a_startup_learns_of_an_offered_version_only_what_its_page_says(world: World) -> None:
    found = world.browser("jiwoo").api("GET", f"/snapshots/{world.snapshot_id}").json()
    assert (found["state"], found["holders"], found["way"]["sample"]) == ("published", None, None)
    assert found["allowed"] == found["way"]["allowed"] == []
    held = world.browser("suyeon").api("GET", f"/snapshots/{world.snapshot_id}").json()["holders"]
    assert [each["project_id"] for each in held] == [world.project_id]


def test_a_steward_goes_through_the_sample_by_api_and_each_look_is_an_entry(world: World, tmp_path: Path) -> None:
    made = receive(world, tmp_path, texts=3)
    path, steward = f"/snapshots/{made}", world.browser("suyeon")
    assert (CANARY in steward.api("GET", path).text, CANARY in steward.api("GET", path + "/sample").text) == (
        False, False,
    )  # fmt: skip
    assert "cases" not in world.browser("dahye").api("GET", path).json()["way"]["sample"]
    looked = steward.api("GET", path + "/sample/1")
    assert (CANARY in looked.json()["case"]["text"], looked.headers["cache-control"]) == (True, "no-store")
    wrong = steward.api("PUT", path + "/sample/1", {"values": [{"type": "NAME", "value": "없는 값"}]})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "sample.values")
    assert steward.api("PUT", path + "/sample/1", {"missed": {"NAME": -1}}).status_code == 422
    for number in (1, 2, 3):
        body = {"values": [{"type": "NAME", "value": "홍길동"}] if number == 2 else []}
        judged = steward.api("PUT", f"{path}/sample/{number}", body)
    assert [case["missed"] for case in judged.json()["sample"]["cases"]] == [0, 1, 0]
    verdict = steward.api("POST", path + "/sample/close").json()
    assert (verdict["passed"], verdict["why"], verdict["estimate"]["missed"]) == (False, "missed", 1)
    assert queries.snapshot(world.store, Actor.console(), made).state is SnapshotState.RETURNED
    world.publish_log()
    looks, auditor = Question(action="sample.view"), world.actor("haneul")
    log = logbook.ask(world.store, auditor, question=looks, after=None, limit=9, now=clock.now())
    assert (len(log.page.rows), CANARY in repr(log)) == (1, False)


def test_what_is_under_review_is_not_there_for_those_who_would_use_it(world: World, tmp_path: Path) -> None:
    path, browser = f"/snapshots/{receive(world, tmp_path)}", world.browser("jiwoo")
    assert browser.api("GET", path).json()["code"] == "snapshot.unknown"
    assert browser.api("GET", path + "/sample").status_code == 404


def test_a_body_with_other_fields_is_refused_before_anything_happens(world: World) -> None:
    steward = world.browser("suyeon")
    answers = [steward.api("POST", f"/snapshots/{world.snapshot_id}{step}", {"anything": 1}) for step in STEPS]
    assert {(each.status_code, each.json()["code"]) for each in answers} == {(422, "portal.unreadable")}
