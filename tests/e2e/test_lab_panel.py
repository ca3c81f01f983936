"""The airlock's panel in JupyterLab's real front end: right-click, see the verdicts, mend, ask, follow."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.acts import cell, forget_layout, kernel_of
from tests.e2e.browsing import shot, visitors
from tests.e2e.lab import Lab

GOOD, BAD, EVIL = "좋은표.csv", "작은칸.csv", "이름<img src=x onerror=alert(1)>.csv"
MENDED = BAD.replace(".csv", ".repaired.csv")
MADE = {
    GOOD: "지역,환자수\n동구,120\n서구,340\n북구,95\n",
    BAD: "지역,환자수\n동구,120\n서구,3\n북구,95\n",
    EVIL: "지역,환자수\n동구,120\n서구,340\n",
}


@pytest.fixture(scope="module")
def lab(world, asked):
    """A window of JupyterLab with three files in its file browser."""
    mina = world.session("mina")
    forget_layout(mina)
    with kernel_of(mina) as kernel:
        cell(kernel, f"for name, text in {MADE!r}.items(): open('/home/analyst/work/' + name, 'w').write(text)")
    with visitors(world) as people, people.window() as (page, _):
        people.sign_in(page, "mina")
        page.locator("a[href*='/desk/']").first.click()
        page.wait_for_url("**/desk/**")
        page.set_default_timeout(45_000)
        expect.set_options(timeout=45_000)
        made = Lab(page, mina.workspace)
        expect(made.file(GOOD)).to_be_visible()
        yield made
    with kernel_of(mina) as kernel:
        cell(kernel, f"import os\nfor name in {[*MADE, MENDED]!r}: os.path.exists(name) and os.remove(name)")


@pytest.fixture(scope="module")
def asked(world):
    """What the panel asked for. Looked at and withdrawn when its window is closed: a person has one sign-in."""
    made: list[str] = []
    yield made
    mina = world.session("mina")
    for name in made:
        found = mina.api("GET", f"/requests/{name}").json()
        assert ([file["name"] for file in found["files"]], found["context"]) == ([GOOD], "구별 환자 수")
        assert mina.api("POST", f"/requests/{name}/withdraw", {}).status_code == 200


def choose(lab: Lab, name: str) -> None:
    """Right-click a file and choose the panel's item."""
    lab.file(name).click(button="right")
    lab.inside.locator(".lm-Menu-item:visible", has_text="반출 신청").click()


def panel(lab: Lab):
    return lab.inside.locator("#ansim-airlock")


def test_a_right_click_shows_what_a_checker_will_see_and_why_not(lab):
    choose(lab, BAD)
    card = panel(lab).get_by_role("article", name=BAD)
    expect(card.locator("h3 .ansim-badge")).to_have_text("차단")
    expect(card).to_contain_text("R3 C2")
    expect(panel(lab).get_by_role("button", name="반출 신청", exact=True)).to_be_disabled()
    shot(lab.page, "panel-blocked")


def test_one_click_makes_a_copy_that_passes(lab):
    choose(lab, BAD)
    card = panel(lab).get_by_role("article", name=BAD)
    card.get_by_role("button", name="작은 칸 가리기").first.click()
    mended = panel(lab).get_by_role("article", name=MENDED)
    expect(mended.locator("h3 .ansim-badge")).not_to_have_text("차단")
    expect(panel(lab).get_by_role("button", name="반출 신청", exact=True)).to_be_enabled()
    shot(lab.page, "panel-repaired")


def test_what_passes_is_asked_for_and_then_stands_in_the_list(lab, asked):
    choose(lab, GOOD)
    card = panel(lab).get_by_role("article", name=GOOD)
    expect(card.locator("h3 .ansim-badge")).to_have_text("통과")
    panel(lab).get_by_label("반출 목적").fill("논문 표 1")
    panel(lab).get_by_label("내용 설명").fill("구별 환자 수")
    panel(lab).get_by_role("button", name="반출 신청", exact=True).click()
    said = panel(lab).locator(".ansim-sum", has_text=re.compile(r"신청했습니다: e-\w+"))
    made = said.inner_text().split()[-1]
    asked.append(made)
    row = panel(lab).locator(f"[data-request={made}]")
    expect(row).to_contain_text("심사 중")
    expect(row).to_contain_text("논문 표 1")
    expect(row).to_contain_text(re.compile(r"대기 순서 [1-9]\d* · 처리 기한 20\d\d-\d\d-\d\d"))
    shot(lab.page, "panel-requested")


def test_the_name_of_a_file_is_never_markup_in_the_panel(lab):
    lab.page.on("dialog", lambda dialog: pytest.fail(f"a script ran: {dialog.message}"))
    choose(lab, EVIL)
    expect(panel(lab).get_by_role("article", name=EVIL)).to_be_visible()
    assert panel(lab).locator("img").count() == 0


@pytest.mark.parametrize(
    ("address", "body"),
    [
        ("preflight", {"paths": ["../../../etc/passwd"]}),
        ("preflight", {"paths": ["/etc/passwd"]}),
        ("preflight", {"paths": []}),
        ("preflight", {"paths": "a.csv"}),
        ("submit", {"paths": ["../.bashrc"], "purpose": "a", "context": "b"}),
    ],
)
def test_the_panels_addresses_take_no_file_of_another_place(world, address, body):
    mina = world.session("mina")
    answer = mina.http.post(f"{mina.workspace}/ansim-airlock/{address}", json=body, headers=mina._xsrf(mina.workspace))
    assert answer.status_code == 422
    assert answer.json()["code"].startswith("client.")


@pytest.mark.parametrize(("method", "address"), [("GET", "preflight"), ("POST", "requests"), ("GET", "x"), ("PUT", "")])
def test_other_addresses_below_it_are_refused_by_the_gate(world, method, address):
    mina = world.session("mina")
    answer = mina.http.request(method, f"{mina.workspace}/ansim-airlock/{address}", headers=mina._xsrf(mina.workspace))
    assert answer.status_code == 403
