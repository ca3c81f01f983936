"""Executed code, findings and display limits on pages and by REST: who sees what, and that nothing in them is alive."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict

import pytest
from sqlalchemy import select

from audit.tables import audit_entry
from enclave.portal.pages.code import lines
from enclave.workspace.plan import Display
from tests.enclave.portal.world import ACCOUNTS, ROOT, World

SECRET = "df[df.name == '김수한무']  # <script>alert(1)</script>"
PATHS = (
    "/code",
    "/code/{code}",
    "/code/{code}/text",
    "/findings",
    "/findings/{finding}",
    "/findings/{finding}/samples",
)
SEES = {
    "haneul": set(PATHS),
    "sora": {"/code", "/code/{code}", "/findings", "/findings/{finding}"},
}


def recorded(world: World) -> Counter[tuple[str, str]]:
    with world.store.read() as rows:
        found = rows.connection().execute(select(audit_entry.c.bytes)).scalars()
        entries = [json.loads(data) for data in found]
    return Counter((entry["action"], entry["outcome"]) for entry in entries)


@pytest.mark.parametrize("login", ACCOUNTS)
def test_each_account_sees_exactly_what_its_role_may(world: World, login: str) -> None:
    seen = world.watched(SECRET)
    browser = world.browser(login)
    opened = set()
    for path in PATHS:
        answer = browser.get(ROOT + path.format(**seen))
        assert answer.status_code in {200, 403}, answer.text[-500:]
        opened |= {path} if answer.status_code == 200 else set()
        assert ("김수한무" in answer.text) is (path == "/code/{code}/text" and login == "haneul")
        assert "<script>alert" not in answer.text
        same = browser.api("GET", path.format(**seen))
        if path in {"/code", "/code/{code}/text", "/findings", "/findings/{finding}/samples"}:
            assert same.status_code == answer.status_code
            assert ("김수한무" in same.text) is (path == "/code/{code}/text" and login == "haneul")
    assert opened == SEES.get(login, set())


def test_every_look_at_a_text_and_every_try_is_an_entry(world: World) -> None:
    seen = world.watched(SECRET)
    before = recorded(world)
    world.browser("haneul").get(f"{ROOT}/code/{seen['code']}/text")
    world.browser("operator").get(f"{ROOT}/code/{seen['code']}/text")
    world.browser("haneul").get(f"{ROOT}/findings/{seen['finding']}/samples")
    world.browser("haneul").get(f"{ROOT}/code/{seen['code']}")
    new = recorded(world) - before
    assert {key: count for key, count in new.items() if key[0] in {"code.view", "display.view"}} == {
        ("code.view", "done"): 1,
        ("code.view", "denied"): 1,
        ("display.view", "done"): 1,
    }


def test_nothing_hides_in_code_that_is_shown() -> None:
    assert lines("a = '\u202e'\r\n\tb\\n\x00") == ["a = '\\u202e'\\r", "\tb\\n\\x00"]


def test_a_project_filter_and_unknown_records(world: World) -> None:
    seen = world.watched(SECRET)
    browser = world.browser("sora")
    assert seen["code"] in browser.get(f"{ROOT}/code", params={"project": world.project_id}).text
    assert seen["code"] not in browser.get(f"{ROOT}/code", params={"project": "p-other"}).text
    assert browser.get(f"{ROOT}/code/x-none").status_code == 404
    assert browser.get(f"{ROOT}/findings/f-none").status_code == 404


def test_the_lead_and_the_steward_are_told_of_findings_and_a_member_is_not(world: World) -> None:
    world.watched()
    told = {
        login
        for login in ("jiwoo", "suyeon", "mina", "haneul", "operator")
        if "1번 발견되었습니다" in world.browser(login).get(f"{ROOT}/projects/{world.project_id}").text
    }
    assert told == {"jiwoo", "suyeon", "haneul"}
    by_rest = world.browser("mina").api("GET", f"/projects/{world.project_id}/findings").json()
    assert by_rest == {"findings": None}


def form(**changes: object) -> dict[str, object]:
    usual = {name: value // 1024 if name.endswith("_bytes") else value for name, value in asdict(Display()).items()}
    return {**usual, "display_reason": "민감한 자료", **changes}


def test_a_steward_sets_the_limits_on_the_projects_page_and_a_mistake_keeps_what_was_typed(world: World) -> None:
    steward, path = world.browser("suyeon"), f"/projects/{world.project_id}"
    wrong = steward.form(f"{path}/display", **form(hour_rows="77,777", day_rows="many"))
    assert (wrong.status_code, "정수가 아닙니다" in wrong.text, 'value="77,777"' in wrong.text) == (422, True, True)
    wide = steward.form(f"{path}/display", **form(day_rows=10**9))
    assert (wide.status_code, "display" in wide.text) == (403, True)
    assert steward.form(f"{path}/display", **form(hour_pictures=0, day_pictures=3)).status_code == 303
    limits = world.browser("mina").api("GET", f"{path}/display").json()
    assert (limits["limits"]["hour_pictures"], limits["limits"]["day_pictures"], limits["allowed"]) == (0, 3, [])
    assert "민감한 자료" in world.browser("mina").get(ROOT + path).text


@pytest.mark.parametrize("login", ["mina", "jiwoo", "operator", "haneul", "dahye"])
def test_nobody_else_sets_limits(world: World, login: str) -> None:
    browser, path = world.browser(login), f"/projects/{world.project_id}"
    assert "화면 한도 정하기" not in browser.get(ROOT + path).text
    assert browser.form(f"{path}/display", **form()).status_code == 403
    answer = browser.api("PUT", f"{path}/display", {**asdict(Display()), "reason": "r"})
    assert answer.status_code == 403


def test_a_steward_sets_the_limits_by_rest(world: World) -> None:
    steward, path = world.browser("suyeon"), f"/projects/{world.project_id}/display"
    body = {**asdict(Display()), "hour_rows": 7, "reason": "r"}
    answer = steward.api("PUT", path, body)
    assert (answer.status_code, answer.json()["limits"]["hour_rows"]) == (200, 7)
    assert steward.api("GET", path).json()["allowed"] == ["set_display_policy"]
    assert steward.api("PUT", path, {**body, "hour_rows": -1}).status_code == 422
