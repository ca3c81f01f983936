"""The pages in a real browser: nothing they do is stopped by their own policy, and a keyboard and a mouse suffice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from enclave.portal.parts import portal_origin
from tests.enclave.portal.world import GRANTS, ROOT, TABLE, World

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
