"""The review of the log on its pages: with the keyboard, from what was found to two signatures and their report."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pypdfium2
import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from audit.tables import audit_entry
from enclave import clock
from enclave.actor import Actor
from enclave.commands import credentials, findings, people
from enclave.commands import review_limits as review_limits_commands
from enclave.policy.logreview.cycle import Plan
from enclave.policy.logreview.limits import Limits
from enclave.portal import inspecting
from enclave.queries import logreview as query
from enclave.queries import review_limits
from enclave.roles import Role
from enclave.states import PeriodState
from enclave.vault import Vault
from tests.enclave.portal.test_accessibility import Page, faults
from tests.enclave.portal.test_browser import Open, complaints, visit
from tests.enclave.portal.world import ROOT, World

__all__ = ["complaints", "visit"]
CODE = "일회용 비밀번호"


@pytest.fixture
def office(world: World) -> World:
    """The enclave with a second reviewer, and its log signed."""
    console, now = Actor.console(), clock.now()
    vault = Vault.load(world.settings.vault_key)
    password = "a password of theirs"
    people.create_account(
        world.store, console, login="bora", name="문보라", organisation_id="zone", password=password, now=now
    )
    people.grant_role(world.store, console, login="bora", role=Role.REVIEWER, reason="둘째 점검자", now=now)
    secret = credentials.enrol_totp(world.store, vault, console, login="bora", now=now).secret
    world.secrets = {**world.secrets, "bora": secret}
    world.publish_log()
    return world


def entries(world: World) -> list[dict[str, Any]]:
    with world.store.read() as session:
        return [
            json.loads(data) for data in session.scalars(select(audit_entry.c.bytes).order_by(audit_entry.c.position))
        ]


def newest(world: World) -> query.PeriodView:
    found = query.periods(world.store, world.actor("haneul"), now=clock.now())
    return next(each for each in found if each.state is not PeriodState.OPEN)


def test_a_period_is_reviewed_explained_and_signed_by_two_with_the_keyboard(
    office: World, visit: Open, complaints: list[str]
) -> None:
    page = visit("sora", "/periods")
    page.get_by_role("button", name="기간 마감").press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("기간을 마감했습니다")
    expect(page.get_by_text("끝나지 않은 이상징후가")).to_be_visible()
    expect(page.get_by_role("button", name="점검자로 서명")).to_have_count(0)
    asked = page.get_by_role("checkbox").count()
    assert asked > 0
    page.get_by_label("무엇을 소명해야 하나요").fill("어떤 일이었는지 적어 주세요.")
    page.get_by_role("button", name="고른 것의 소명 요청").press("Enter")
    expect(page.get_by_text("소명 요청", exact=True).first).to_be_visible()
    place = page.url.partition(ROOT)[2].partition("#")[0]
    explained = 0
    for login in ("operator", "jiwoo", "mina", "suyeon", "dahye", "woojin", "yerin", "haneul"):
        page = visit(login, "/")
        if page.get_by_role("link", name=re.compile("소명을 요청받은 일")).count() == 0:
            continue
        page.get_by_role("link", name=re.compile("소명을 요청받은 일")).click()
        # They cannot read the log: when it was and what it was is told here.
        expect(page.get_by_text(re.compile(r"언제: \d{4}-\d\d-\d\d \d\d:\d\d.* 무엇: \S"))).not_to_have_count(0)
        while (box := page.get_by_label("소명", exact=True)).count():
            box.first.fill("개설 준비로 한 일입니다.")
            for choice in page.get_by_label("다운로드 사유").all()[:1]:
                choice.select_option("research")
            page.get_by_role("button", name="소명 보내기").first.press("Enter")
            expect(page.get_by_role("status").first).to_contain_text("소명을 보냈습니다")
            explained += 1
    assert explained == asked
    page = visit("sora", place)
    while (why := page.get_by_label("판단 근거 또는 조치")).count():
        why.first.fill("확인함")
        page.get_by_role("button", name="소명 수용").first.press("Enter")
        expect(page.get_by_role("status").first).to_contain_text("처리했습니다")
    expect(page.get_by_text("막는 것이 없습니다")).to_be_visible()
    folded = page.locator("details", has=page.get_by_text(f"처리가 끝난 이상징후 {asked}건"))
    expect(folded.locator("article.finding")).to_have_count(asked)
    sign(office, page, "sora", "점검자로 서명")
    page = visit("bora", "/")
    page.get_by_role("link", name="승인을 기다리는 점검 1건").click()
    page.get_by_role("link", name="제1차 점검").first.click()
    sign(office, page, "bora", "승인자로 서명")
    expect(page.get_by_text("두 사람이 서명했습니다")).to_be_visible()
    assert (newest(office).reviewer, newest(office).approver) == ("sora", "bora")
    assert complaints == []


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_findings_of_one_rule_are_settled_with_one_reason_by_keyboard(
    office: World, visit: Open, complaints: list[str], scripts: bool
) -> None:
    sora, bora, now = office.actor("sora"), office.actor("bora"), clock.now()
    review_limits_commands.set_plan(
        office.store, replace(sora, second_factor_at=now), plan=Plan("2판", 1, 14), reason="개정", now=now
    )
    office.publish_log()
    period = closed(office)
    found = {
        each.login: each for each in query.period(office.store, bora, period, now=now)[1] if each.rule == "privilege"
    }
    assert set(found) == {"sora", ""}, "the plan and the roles that the console granted"
    findings.ask(office.store, bora, finding_ids=[each.id for each in found.values()], text="왜?", now=now)
    findings.answer(office.store, office.actor("operator"), finding_id=found[""].id, text="개설 <b>준비", now=now)
    page = visit("bora", f"/periods/{period}", scripts=scripts)
    page.get_by_text("‘권한 상승’ 2건을 한 사유로 처리하기").press("Enter")
    group = page.locator("details", has=page.get_by_text("한 사유로 처리하기"))
    expect(group.get_by_text("개설 <b>준비")).to_be_visible()
    expect(group.get_by_label("모두 고르기")).to_be_visible(visible=scripts)
    for box in group.locator("[name=finding]").all():
        expect(box).not_to_be_checked()
        box.press("Space")
    group.get_by_label("고른 것 모두의 판단 근거").fill("정기 인사")
    group.get_by_role("button", name="고른 것 수용").press("Enter")
    told = page.get_by_role("alert")
    expect(told).to_contain_text("고른 2건 가운데 1건을 처리할 수 없어 아무것도 처리하지 않았습니다")
    expect(told).to_contain_text("sora")
    expect(told).to_contain_text("state.transition")
    assert faults(Page(page.content())) == []
    group = page.locator("details[open]", has=page.get_by_text("한 사유로 처리하기"))
    expect(group.get_by_label("고른 것 모두의 판단 근거")).to_have_value("정기 인사")
    assert [box.is_checked() for box in group.locator("[name=finding]").all()].count(True) == 1
    if scripts:
        group.get_by_label("모두 고르기").press("Space")
    for box in group.locator("[name=finding]").all():
        if not box.is_checked():
            box.press("Space")
    group.get_by_role("button", name="고른 것을 조치로 넘김").press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("이상징후 2건을 처리했습니다")
    last = [each for each in entries(office) if each["action"] == "finding.escalate"]
    assert [(each["object"]["id"], each["outcome"]) for each in last] == [
        (each.id, "done") for each in query.period(office.store, bora, period, now=now)[1] if each.rule == "privilege"
    ]
    assert [each for each in complaints if "409" not in each] == [], "what was refused is a conflict"


def sign(world: World, page: object, login: str, button: str) -> None:
    page.get_by_label(CODE).fill(world.code(login))  # type: ignore[attr-defined]
    page.get_by_role("button", name=button).press("Enter")  # type: ignore[attr-defined]
    expect(page.get_by_role("status").first).to_contain_text("서명했습니다")  # type: ignore[attr-defined]


def closed(world: World) -> str:
    world.browser("sora").form("/periods/close")
    return newest(world).id


def test_the_report_is_the_same_in_all_forms_and_its_checkpoint_is_on_every_page(office: World) -> None:
    place = f"{ROOT}/periods/{closed(office)}"
    browser = office.browser("haneul")
    data = browser.get(f"{place}/report.json").content
    facts = json.loads(data)
    shown = browser.get(f"{place}/report.html")
    assert "sandbox" in shown.headers["content-security-policy"]
    assert "<script" not in shown.text
    printed = pypdfium2.PdfDocument(io.BytesIO(browser.get(f"{place}/report.pdf").content))
    root = facts["checkpoint"].splitlines()[2]
    for number in range(len(printed)):
        text = printed[number].get_textpage().get_text_bounded().replace("\r\n", "")
        assert root in text
        assert sha256(data).hexdigest() in text
    assert sha256(data).hexdigest() in shown.text
    page = browser.get(place).text
    assert sha256(data).hexdigest() in page
    assert 'class="tag warn">증인' in page, "no witness has seen this checkpoint"
    assert "△ 증인이 정해져 있지 않습니다" in shown.text
    assert facts["findings"]
    assert [each["told"][0] for each in facts["findings"] if each["told"][0] not in shown.text] == []


def test_pages_of_the_review_can_be_used_without_eyes_or_mouse(office: World) -> None:
    place = f"/periods/{closed(office)}"
    for login, paths in (("sora", ("/periods", place, "/limits", "/reports")), ("operator", ("/explain", "/reports"))):
        browser = office.browser(login)
        for path in paths:
            for language in ("ko", "en"):
                page = Page(browser.get(ROOT + path, params={"lang": language}).text)
                assert not page.open, path
                assert faults(page) == [], path


@pytest.mark.parametrize("login", ["jiwoo", "operator", "suyeon"])
def test_nobody_else_sees_the_review_and_everybody_their_own_explanations(office: World, login: str) -> None:
    period, browser = closed(office), office.browser(login)
    for path in ("/periods", f"/periods/{period}", f"/periods/{period}/report.json", "/limits"):
        assert browser.get(ROOT + path).status_code == 403, path
    assert browser.get(f"{ROOT}/explain").status_code == 200


def test_the_service_runs_the_rules_once_a_day_and_says_what_is_late(
    office: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    inspecting.turn(office.portal)
    inspecting.turn(office.portal)
    runs = [each for each in entries(office) if each["action"] == "period.inspect"]
    assert len(runs) == 1
    later = clock.now() + timedelta(days=60)
    monkeypatch.setattr(clock, "now", lambda: later)
    inspecting.turn(office.portal)
    inspecting.turn(office.portal)
    told = [each["action"] for each in entries(office) if each["action"] in {"period.late", "period.inspect"}]
    assert told == ["period.inspect", "period.inspect", "period.late"]


def test_limits_are_proposed_and_put_into_force_by_another_reviewer(office: World) -> None:
    browser = office.browser("sora")
    sent = {"why": "교대 근무", "scope": "", **{f"p_{name}": value for name, value in FIELDS.items()}}
    assert browser.form("/limits/propose", **sent).status_code == 303
    assert "제안했습니다" in (shown := browser.get(f"{ROOT}/limits").text)
    assert "22 → 23" in shown
    assert "– → 10.20.0.0/16" in shown
    place = re.search(
        r'action="[^"]*(/limits/m-[a-z0-9]+/activate)"', office.browser("bora").get(f"{ROOT}/limits").text
    )
    assert place is not None
    assert f'action="{ROOT}{place[1]}"' not in shown
    limits = Limits(night_from=23, pools=("10.20.0.0/16",)).sha256
    code = office.code("bora")
    assert office.browser("bora").form(place[1], sha256=limits, code=code).status_code == 303
    with office.store.read() as session:
        assert review_limits.active(session)[""].sha256 == limits
    wrong = browser.form("/limits/propose", **sent | {"p_denials": "많이"})
    assert wrong.status_code == 422
    assert "교대 근무" in wrong.text


FIELDS = {
    "night_from": "23", "night_until": "6", "night_approved": "0", "holiday_approved": "0", "rows_per_hour": "1,000",
    "median_times": "5", "requests_per_day": "3", "files_per_day": "20", "mib_per_month": "100", "verify_files": "10",
    "blocked_per_day": "3", "dormant_days": "90", "denials": "5", "pair_percent": "80", "gap_minutes": "65",
    "clock_ms": "1000", "pools": "10.20.0.0/16",
}  # fmt: skip


@pytest.mark.parametrize("path", ["/reports/rights?", "/reports/annual?year=2026&"])
def test_reports_of_rights_and_of_a_year_come_in_three_forms_and_each_is_recorded(office: World, path: str) -> None:
    browser = office.browser("operator")
    made = {kind: browser.get(f"{ROOT}{path}kind={kind}") for kind in ("json", "html", "pdf")}
    assert {kind: answer.status_code for kind, answer in made.items()} == dict.fromkeys(made, 200)
    assert made["pdf"].content.startswith(b"%PDF")
    told = [each for each in entries(office) if each["action"] == "report.make"]
    assert [each["object"]["sha256"] for each in told] == [sha256(each.content).hexdigest() for each in made.values()]
    assert office.browser("jiwoo").get(f"{ROOT}{path}kind=pdf").status_code == 403
    assert browser.get(f"{ROOT}/reports/annual?year=2999").status_code == 422
    assert browser.get(f"{ROOT}/reports/rights?day=2999-01-01").status_code == 422
