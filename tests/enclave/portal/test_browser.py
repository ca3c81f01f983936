"""The pages in a real browser: nothing they do is stopped by their own policy, and a keyboard and a mouse suffice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from enclave.portal.parts import portal_origin
from tests.enclave.portal.world import GRANTS, ROOT, SMALL, TABLE, World, picture

CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync"]  # fmt: skip

pytestmark = pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="no chromium here")
Open = Callable[..., Page]


@pytest.fixture
def complaints() -> list[str]:
    """What the browser's console said, of all pages of a test."""
    return []


@pytest.fixture
def visit(world: World, complaints: list[str]) -> Iterator[Open]:
    """Open a page as somebody, each in a browser window of their own."""
    host = portal_origin(world.settings).partition("://")[2]
    names = f"MAP {host} 127.0.0.1:{world.port}, MAP ansim.localhost:8000 127.0.0.1:{world.peer.port}"
    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, f"--host-resolver-rules={names}"])

        def opened(login: str, path: str, *, scripts: bool = True) -> Page:
            world.peer.person = login
            page = browser.new_context(java_script_enabled=scripts).new_page()
            page.on("console", lambda message: complaints.append(message.text))
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.goto(f"http://{host}{ROOT}{path}")
            return page

        yield opened
        browser.close()


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_a_decision_is_made_and_its_package_received(
    world: World, visit: Open, complaints: list[str], scripts: bool
) -> None:
    request = world.submit({"표2.csv": TABLE.encode()})
    for login in ("dahye", "woojin"):
        page = visit(login, "/", scripts=scripts)
        page.get_by_role("link", name="심사를 기다리는 신청").click()
        page.get_by_role("link", name=request).click()
        for judgement in ("목적 관련성", "개인 식별 가능성", "안전조치 계획"):
            page.get_by_label(judgement).fill("그렇습니다")
        page.get_by_label("승인", exact=True).check()
        page.get_by_label("사유").select_option("output-checked")
        page.get_by_label("일회용 비밀번호").fill(world.code(login))
        page.get_by_role("button", name="결정하기").dblclick()
        expect(page.get_by_role("status")).to_contain_text("결정을 기록했습니다: 승인")
    page = visit("mina", "/releases", scripts=scripts)
    page.get_by_label("일회용 비밀번호").fill(world.code("mina"))
    with page.expect_download() as download:
        page.get_by_role("button", name="받기").click()
    assert download.value.suggested_filename == f"{request}.zip"
    page.get_by_role("button", name="로그아웃").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("로그아웃했습니다")
    assert complaints == []


def test_the_log_is_filtered_in_place_and_the_address_keeps_the_filter(
    world: World, visit: Open, complaints: list[str]
) -> None:
    world.publish_log()
    page = visit("haneul", "/log")
    page.get_by_label("업무").select_option("role.grant")
    expect(page.locator("#found tbody tr")).to_have_count(GRANTS)
    assert "action=role.grant" in page.url
    assert complaints == []


def test_the_log_over_time_is_drawn_without_a_script_and_leads_to_its_entries(
    world: World, visit: Open, complaints: list[str]
) -> None:
    world.publish_log()
    page = visit("haneul", "/log/activity", scripts=False)
    expect(page.locator("svg.plot")).to_have_count(2)
    assert page.locator("svg .done").first.evaluate("bar => getComputedStyle(bar).fill") != "rgb(0, 0, 0)"
    page.locator("summary", has_text="수치로 보기").first.click()
    page.locator("details[open] tbody a").first.click()
    page.locator("#found tbody a").first.click()
    expect(page.get_by_role("heading", name="접속기록 다섯 항목")).to_be_visible()
    assert complaints == []


def test_a_risk_report_cannot_run_anything_or_reach_the_portal(world: World, visit: Open) -> None:
    page = visit("suyeon", f"/snapshots/{world.snapshot_id}/report")
    assert page.title() == "위험 보고서", "its script would have changed the title"
    assert page.evaluate("self.origin") == "null"


def test_the_keyboard_goes_straight_to_the_content(visit: Open) -> None:
    page = visit("mina", "/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")


LONG = "지역,환자수\n" + "".join(f"구{number},{number * 37 % 900 + 11}\n" for number in range(900))
SMALL_LATE = "지역,환자수\n" + "".join(
    f"구{number},{3 if number == 700 else 50 + number % 7}\n" for number in range(800)
)
HERE = "document.activeElement"


def test_a_table_is_sorted_filtered_and_turned_in_place(world: World, visit: Open, complaints: list[str]) -> None:
    request = world.submit({"긴표.csv": LONG.encode()})
    page = visit("dahye", f"/review/{request}")
    cells = page.locator("table.preview tbody td:nth-of-type(2)")
    page.get_by_role("link", name="환자수").click()
    expect(page.locator("th[aria-sort=ascending]")).to_be_visible()
    expect(cells.first).to_have_text("11")
    page.get_by_role("link", name="환자수").click()
    expect(page.locator("th[aria-sort=descending]")).to_be_visible()
    expect(cells.first).to_have_text("910")
    page.get_by_role("searchbox").fill("<15")
    page.get_by_role("searchbox").press("Enter")
    expect(cells).to_have_count(4)
    page.get_by_role("link", name="파일 그대로 보기").click()
    expect(cells).to_have_count(500)
    page.get_by_role("link", name="뒤 ▸").click()
    expect(cells).to_have_count(400)
    expect(page.locator(".share")).to_contain_text("전부 보임")
    assert page.url.endswith(request), "the page itself was never left"
    assert complaints == []


def test_a_finding_leads_to_its_cell_on_a_page_that_is_not_there_yet(
    world: World, visit: Open, complaints: list[str]
) -> None:
    request = world.submit({"긴표.csv": SMALL_LATE.encode()})
    page = visit("dahye", f"/review/{request}")
    expect(page.locator("td.mark")).to_have_count(0)
    page.get_by_role("link", name="R702 C2 (환자수)").click()
    expect(page.locator("td.mark.block")).to_be_focused()
    assert page.evaluate(f"{HERE}.textContent").startswith("3")
    expect(page.locator("td.mark.block")).to_be_in_viewport()
    assert complaints == []


def test_a_request_is_judged_with_the_keyboard_alone(world: World, visit: Open, complaints: list[str]) -> None:
    request = world.submit({"작은칸.csv": SMALL.encode(), "긴표.csv": SMALL_LATE.encode(), "글.md": b"# ok\n"})
    page = visit("dahye", f"/review/{request}")
    press = page.keyboard.press
    press("j")
    assert page.evaluate(f"{HERE}.matches('.file')")
    press("n")
    expect(page.locator("td.mark:focus")).to_have_text("3 (차단: cell.small)")
    for _ in range(20):
        press("n")
        if page.evaluate(f"{HERE}.id").endswith("-0-700-1"):
            break
        page.wait_for_timeout(200)
    expect(page.locator("[id$='-0-700-1']")).to_be_focused()
    press("[")
    expect(page.locator(".file").nth(1).locator("table.preview tbody tr")).to_have_count(500)
    expect(page.locator(".file").nth(1).locator(".preview-box")).to_be_focused()  # it settles after the rows are there
    press("/")
    assert page.evaluate(f"{HERE}.type") == "search"
    page.keyboard.type("구700")
    press("Enter")
    expect(page.locator(".file").nth(1).locator("table.preview tbody tr")).to_have_count(1)
    press("Escape")
    page.evaluate(f"{HERE}.blur()")
    press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()  # the browser closes it in its own time; keys rest until then
    press("d")
    assert page.evaluate(f"{HERE}.id") == "decide"
    for text in ("표에 작은 칸이 있습니다.", "드러날 수 있습니다.", "충분합니다."):
        press("Tab")
        page.keyboard.type(text)
    press("Tab")
    for _ in range(2):
        press("ArrowDown")
    assert page.evaluate(f"{HERE}.value") == "return"
    while page.evaluate(f"{HERE}.name") != "reason_code":
        press("Tab")
    for _ in range(2):
        press("ArrowDown")
    assert page.evaluate(f"{HERE}.value") == "small-cell"
    press("Tab")
    page.keyboard.type("칸을 합쳐 주세요.")
    while page.evaluate(f"{HERE}.name") != "code":
        press("Tab")
    page.keyboard.type(world.code("dahye"))
    press("Enter")
    expect(page.get_by_role("status")).to_contain_text("결정을 기록했습니다: 보완 요청")
    assert complaints == []


def test_single_keys_do_nothing_in_a_field_or_when_they_are_turned_off(world: World, visit: Open) -> None:
    request = world.submit({"표.csv": TABLE.encode()})
    page = visit("dahye", f"/review/{request}")
    page.get_by_label("목적 관련성").click()
    page.keyboard.type("j?d/")
    expect(page.get_by_label("목적 관련성")).to_have_value("j?d/")
    page.get_by_role("button", name="단축키 (?)").click()
    page.get_by_label("단축키 쓰지 않기").check()
    page.keyboard.press("Escape")
    page.evaluate(f"{HERE}.blur()")
    page.keyboard.press("d")
    assert page.evaluate(f"{HERE}.id") != "decide"


ATTACKS = ["<img src=x onerror=alert(1)>", "<b onmouseover=alert(1)>", "javascript:alert(1)", "';alert(1)//", "{{7*7}}"]


def test_nothing_that_a_file_says_runs_or_loads_in_the_browser(
    world: World, visit: Open, complaints: list[str]
) -> None:
    rows = "".join(f"20,{attack.replace(',', ' ')}\n" for attack in ATTACKS)
    request = world.submit({
        f"{ATTACKS[0]}.csv": f"n,{ATTACKS[1]}\n{rows}".encode(),
        "글.md": "\n".join(["# 제목", *ATTACKS, "![x](http://evil.example/x.png)"]).encode(),
        "그림.png": picture(),
    }, purpose=ATTACKS[0], context=ATTACKS[1])  # fmt: skip
    page = visit("dahye", f"/review/{request}?find={ATTACKS[0]}&f={ATTACKS[1]}")
    asked: list[str] = []
    page.on("request", lambda sent: asked.append(sent.url))
    page.on("dialog", lambda dialog: complaints.append(dialog.message))
    page.get_by_role("searchbox").first.fill(ATTACKS[0])
    page.get_by_role("searchbox").first.press("Enter")
    expect(page.locator("table.preview tbody tr")).to_have_count(1)
    page.reload()
    expect(page.locator("img.shown")).to_be_visible()
    assert page.locator("[onerror], [onmouseover], a[href^='javascript']").count() == 0
    assert [url for url in asked if "evil" in url] == []
    assert complaints == []
