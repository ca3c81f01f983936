"""An incident on its pages, as JSON and on the command line: opened with a freeze, reported, closed by another."""

from __future__ import annotations

import json
import re
from datetime import timedelta

from click.testing import CliRunner
from sqlalchemy import select

from audit.tables import audit_entry
from enclave import clock
from enclave.cli import ansim
from enclave.portal import inspecting
from enclave.queries import ends
from enclave.queries import incident as queries
from tests.enclave.portal.test_accessibility import Page, faults
from tests.enclave.portal.world import ROOT, World

WORDS = "반출물이 다른 기관의 서버에 올라가 있습니다"
FIELDS = {
    "kind": "leak",
    "discovered": "2026-11-24T09:30",
    "circumstances": WORDS,
    "items": "연령대, 진료과",
    "subjects": "1,200",
    "advice": "의심스러운 연락에 답하지 않기",
    "response": "과제 동결",
    "contact": "정보보호팀 02-000-0000",
}


def actions(world: World) -> list[str]:
    with world.store.read() as session:
        rows = session.scalars(select(audit_entry.c.bytes).order_by(audit_entry.c.position))
        return [json.loads(data)["action"] for data in rows]


def test_one_form_freezes_the_project_and_starts_the_clock(world: World) -> None:
    fields = FIELDS | {"project": world.project_id, "freeze": "1"}
    fields["discovered"] = f"{clock.now().astimezone(clock.KST):%Y-%m-%dT%H:%M}"
    answer = world.browser("suyeon").form("/incidents", **fields)
    assert answer.status_code == 303, answer.text[-800:]
    assert actions(world)[-2:] == ["project.freeze", "incident.open"]
    now, look = clock.now(), world.actor("suyeon")
    assert ends.of_project(world.store, look, world.project_id, now=now).freeze is not None
    (found,) = queries.incidents(world.store, look, now=now)
    assert (found.frozen, found.hours_left, found.accounts[0].subjects) == (True, 71, 1200)
    for login in ("operator", "haneul", "sora", "suyeon"):
        assert "신고를 기다리는 사고 1건" in world.browser(login).get(f"{ROOT}/").text
    assert "신고를 기다리는 사고" not in world.browser("mina").get(f"{ROOT}/").text


def test_what_may_not_be_frozen_by_this_person_opens_nothing_until_the_box_is_off(world: World) -> None:
    browser = world.browser("mina")
    fields = FIELDS | {"project": world.project_id, "freeze": "1"}
    answer = browser.form("/incidents", **fields)
    assert answer.status_code == 403
    assert WORDS in answer.text, "what was typed stays"
    assert queries.incidents(world.store, world.actor("operator"), now=clock.now()) == ()
    fields.pop("freeze")
    assert browser.form("/incidents", **fields).status_code == 303
    (found,) = queries.incidents(world.store, world.actor("operator"), now=clock.now())
    answer = world.browser("operator").form(f"/incidents/{found.id}/freeze", reason="조사")
    assert answer.status_code == 303
    assert actions(world)[-1] == "project.freeze"


def test_it_is_reported_closed_and_its_pages_are_accessible(world: World) -> None:
    world.browser("mina").form("/incidents", **FIELDS)
    (found,) = queries.incidents(world.store, world.actor("operator"), now=clock.now())
    inspecting.note_late_incidents(world.portal)
    assert actions(world)[-1] == "incident.late"
    operator, page = world.browser("operator"), f"/incidents/{found.id}"
    for path in ("/incidents", page):
        for language in ("ko", "en"):
            text = operator.get(ROOT + path, params={"lang": language}).text
            assert faults(Page(text)) == []
    kept = operator.get(ROOT + page).text
    assert all(f">\n{FIELDS[name]}</textarea>" in kept for name in ("items", "circumstances", "advice", "response"))
    assert "신고 기한이 지났습니다" in operator.get(f"{ROOT}/incidents", params={"lang": "ko"}).text
    assert operator.form(f"{page}/file", receipt="").status_code == 422
    assert operator.form(f"{page}/file", receipt="PIPC-17").status_code == 303
    assert operator.form(f"{page}/close", reason="끝").status_code == 403
    report = operator.get(f"{ROOT}{page}/report.txt").text
    assert WORDS in report
    assert "정보주체 수: 1,200명" in report
    assert world.browser("sora").form(f"{page}/close", reason="끝").status_code == 303
    assert actions(world)[-1] == "incident.close"


def test_programs_do_the_same_as_json(world: World) -> None:
    browser = world.browser("suyeon")
    body = {name: value for name, value in FIELDS.items() if name != "discovered"}
    body |= {"discovered_at": "2026-11-24T09:30:00+09:00", "subjects": 1200, "project_id": world.project_id}
    key = {"Idempotency-Key": "k-1"}
    made = browser.api("POST", "/incidents", body, **key)
    assert made.status_code == 201, made.text
    name = made.json()["id"]
    assert browser.api("POST", "/incidents", body, **key).json()["id"] == name
    assert browser.api("POST", f"/incidents/{name}/file", {"receipt": "K-1"}).json()["state"] == "filed"
    assert len(browser.api("GET", "/incidents").json()["incidents"]) == 1
    assert WORDS in browser.api("GET", f"/incidents/{name}/report").text
    assert world.browser("mina").api("GET", f"/incidents/{name}").status_code == 403


def test_whoever_holds_the_machine_can_open_one_when_nobody_can_sign_in(world: World, monkeypatch) -> None:
    monkeypatch.setenv("ANSIM_HOME", str(world.settings.home))
    world.portal.store.engine.dispose()
    asked = ["incident", "open", "--kind", "possible", "--what", WORDS, "--project", world.project_id, "--freeze"]
    done = CliRunner().invoke(ansim, asked, catch_exceptions=False)
    name = re.search(r"사고 (\S+) 접수", done.output)
    assert name is not None, done.output
    listed = CliRunner().invoke(ansim, ["incident", "list"], catch_exceptions=False).output
    assert f"{name[1]}\tpossible\topen\t71h\t{world.project_id}" in listed
    assert WORDS in CliRunner().invoke(ansim, ["incident", "report", name[1]], catch_exceptions=False).output
    (found,) = queries.incidents(world.store, world.actor("operator"), now=clock.now())
    assert found.frozen
    assert found.due_at - found.discovered_at == timedelta(hours=72)
