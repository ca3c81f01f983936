"""A request from inside a workspace, over several rounds: groups, roles, what was carried over, what is answered."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from enclave import clock, workdays
from enclave.actor import Actor
from enclave.airlock.rules import CheckRules
from enclave.commands import reviewing
from enclave.commands.ballot import Ballot, Judgements
from enclave.portal import carrying
from enclave.queries import egress, workspace
from enclave.states import Decision
from tests.enclave.portal.test_inner_apis import GateOf, core, gate, inside, needs_root, outbox, place
from tests.enclave.portal.world import TABLE, World

__all__ = ["core", "gate", "place"]
ASK = {"purpose": "표 2", "context": "연령대별", "key": "round-number-1"}
MEND = "설명을 더 적어 주세요."
OTHER = TABLE.replace("40", "41") + "90대,61\n"


def _return(world: World, request: str) -> None:
    from dataclasses import replace

    actor: Actor = replace(world.actor("dahye"), second_factor_at=clock.now())
    found = egress.request(world.store, actor, request, now=clock.now())
    said = Judgements("맞음", "식별 불가", "충분함")
    ballot = Ballot(Decision.RETURN, found.round, found.content_sha256, "missing-context", said, MEND)
    reviewing.decide(world.store, actor, request_id=request, vote=ballot, now=clock.now())


@needs_root
def test_the_next_round_checks_again_only_what_changed(
    world: World, place: workspace.WorkspaceView, gate: GateOf
) -> None:
    caller = inside(world, place)
    names = outbox(gate, place, same=TABLE.encode(), other=TABLE.encode())
    first = caller.post("/egress/submit", json=ASK | {"files": names}).json()
    assert [(each["name"], each["carried"]) for each in first["files"]] == [("same.csv", False), ("other.csv", False)]
    _return(world, first["id"])
    told = caller.get(f"/egress/status/{first['id']}").json()
    assert (told["state"], [each["text"] for each in told["comments"]]) == ("returned", [MEND])
    assert {"submit", "withdraw", "comment"} <= set(told["allowed"])
    names = outbox(gate, place, same=TABLE.encode(), other=OTHER.encode())
    body = ASK | {"files": names, "key": "round-number-2", "request_id": first["id"]}
    second = caller.post("/egress/submit", json=body).json()
    assert [(each["name"], each["carried"]) for each in second["files"]] == [("same.csv", True), ("other.csv", False)]
    assert [(each["name"], each["change"]) for each in second["changes"]] == [
        ("other.csv", "changed"),
        ("same.csv", "same"),
    ]
    verdicts = {each["name"]: each["verdict"] for each in first["files"]}
    assert second["files"][0]["verdict"] == verdicts["same.csv"]


def test_a_report_made_under_other_rules_or_known_values_is_not_carried_over(tmp_path: Path) -> None:
    del tmp_path
    named = carrying.rules_sha256(CheckRules(), None)
    assert named == carrying.rules_sha256(CheckRules(), None)
    assert named != carrying.rules_sha256(CheckRules(min_cell=11), None)
    assert named != carrying.rules_sha256(CheckRules(subjects=100), None)


@needs_root
def test_a_workspace_says_what_its_files_are_answers_the_checkers_and_takes_back(
    world: World, place: workspace.WorkspaceView, gate: GateOf
) -> None:
    caller = inside(world, place)
    names = outbox(gate, place, table=TABLE.encode(), notes=b"a,b\n1,2\n")
    body = ASK | {
        "files": names,
        "groups": [{"name": "표", "context": "연령대별 환자 수", "controls": "10 미만 가림"}],
        "about": {
            names[0]: {"group": "표", "statistic": "빈도", "subjects": 120, "smallest_cell": 12},
            names[1]: {"group": "표", "role": "supporting"},
        },
        "details": {"use": "논문", "retention": "3년", "relation": "연구 목적의 표"},
    }
    made = caller.post("/egress/submit", json=body).json()
    assert [(each["name"], each["role"]) for each in made["files"]] == [
        ("table.csv", "output"),
        ("notes.csv", "supporting"),
    ]
    assert [each["name"] for each in made["groups"]] == ["표"]
    assert (made["queue_position"], made["reviewers_needed"]) == (1, 2)
    [row] = [each for each in caller.get("/egress/requests").json()["requests"] if each["id"] == made["id"]]
    assert (row["purpose"], row["queue_position"], row["allowed"]) == (made["purpose"], 1, made["allowed"])
    due = workdays.day_of(workdays.after(datetime.fromisoformat(made["submitted_at"]), 5))
    assert row["due_on"] == made["due_on"] == due.isoformat()
    answered = caller.post(f"/egress/comment/{made['id']}", json={"text": "첫 반출입니다."}).json()
    assert [each["text"] for each in answered["comments"]] == ["첫 반출입니다."]
    found = egress.request(world.store, world.actor("mina"), made["id"], now=clock.now())
    assert (found.details["use"], found.files[0].statistic, found.files[0].subjects) == ("논문", "빈도", 120)
    assert caller.post(f"/egress/withdraw/{made['id']}").json()["state"] == "withdrawn"
    abroad = body | {"key": "round-number-3", "details": {"receiver_country": "US"}}
    assert caller.post("/egress/submit", json=abroad).json()["code"] == "egress.overseas"
