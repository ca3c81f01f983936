"""What a checker with three minutes sees: the verdict first, what was made again, what is out already, and where."""

from __future__ import annotations

import os
from pathlib import Path
from types import ModuleType

import pytest
from playwright.sync_api import expect

from enclave.queries import workspace
from tests.enclave.portal.test_browser import CHROMIUM, Open, complaints, visit
from tests.enclave.portal.test_flows import vote
from tests.enclave.portal.test_inner_apis import GateOf, core, gate, inside, needs_root, outbox, place
from tests.enclave.portal.test_ledger_api import ALL, FEWER, recipe
from tests.enclave.portal.test_recipes_api import ansim
from tests.enclave.portal.world import ROOT, World

__all__ = ["ansim", "complaints", "core", "gate", "place", "visit"]
pytestmark = [needs_root, pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="no chromium here")]
# ANSIM_SHOTS=folder keeps pictures of the page for people.
SHOTS = os.environ.get("ANSIM_SHOTS", "")


def asked(world: World, place: workspace.WorkspaceView, gate: GateOf, files: dict[str, tuple[bytes, object]]) -> str:
    """A request with these files and their recipes, from inside the workspace; its id."""
    names = outbox(gate, place, **{name: content for name, (content, _) in files.items()})
    about = {name: {"recipe": each} for name, (_, each) in zip(names, files.values(), strict=True) if each}
    body = {"files": names, "about": about, "purpose": "논문 표 2", "context": "성별 인원", "key": f"key-{names}"[:60]}
    caller = inside(world, place)
    caller.timeout = (
        300  # each file is made again in two processes of its own; how long that may take is no matter here
    )
    answer = caller.post("/egress/submit", json=body)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


@pytest.fixture
def released(world: World, place: workspace.WorkspaceView, gate: GateOf) -> str:
    """A first request, out already: the number of people by sex."""
    made = asked(world, place, gate, {"all": (ALL, recipe(world, 0))})
    assert vote(world, "dahye", made).status_code == 303, "one is enough for what was made again and passes"
    return made


@pytest.fixture
def second(world: World, place: workspace.WorkspaceView, gate: GateOf, ansim: ModuleType, released: str) -> str:
    """A second one: an honest table, a forged one, and one that leaves three people of the first out."""
    made = ansim.table("visits/visits", "sex", values="amount", aggfunc=["count", "mean"])
    made.save("table.csv")
    honest = Path("table.csv").read_bytes()
    files = {
        "fewer": (FEWER, recipe(world, 30)),
        "forged": (honest.replace(b",20,", b",21,", 1), made.recipe),
        "honest": (honest, made.recipe),
        "plain": (b"a,b\n", None),
    }
    return asked(world, place, gate, files)


def test_the_verdict_comes_first_and_everything_is_said_in_both_languages(
    world: World, visit: Open, complaints: list[str], released: str, second: str
) -> None:
    page = visit("dahye", f"/review/{second}")
    page.set_viewport_size({"width": 1280, "height": 900})
    glance = page.get_by_role("region", name="한눈에 보기").first
    box = glance.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] < 900, "seen without scrolling"
    rows = glance.locator("tbody tr")
    expect(rows.nth(0)).to_contain_text("차단")
    expect(rows.nth(0)).to_contain_text("차이로 1명이 드러남")
    expect(rows.nth(1)).to_contain_text("다시 계산: 불일치")
    expect(rows.nth(2)).to_contain_text("다시 계산: 일치")
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/review-ko.png")
        page.screenshot(path=f"{SHOTS}/review-ko-full.png", full_page=True)
    page.goto(page.url + "?lang=en")
    rows = page.get_by_role("region", name="At a glance").first.locator("tbody tr")
    expect(rows.nth(0)).to_contain_text("their difference gives 1 away")
    expect(rows.nth(1)).to_contain_text("recomputed: differs")
    expect(rows.nth(2)).to_contain_text("recomputed: matches")
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/review-en-full.png", full_page=True)
    assert complaints == []


def test_the_earlier_release_is_named_and_its_file_is_one_key_away(
    world: World, visit: Open, released: str, second: str
) -> None:
    page = visit("dahye", f"/review/{second}")
    overlaps = page.locator(".file").first.locator(".overlaps")
    expect(overlaps).to_contain_text(released)
    link = overlaps.get_by_role("link", name="all.csv")
    link.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".file:target")).to_contain_text("all.csv")
    assert f"/review/{released}#" in page.url


def test_cells_that_differ_come_first_with_both_numbers(world: World, visit: Open, second: str) -> None:
    page = visit("dahye", f"/review/{second}")
    forged = page.locator(".file").nth(1).locator(".evidence").filter(has_text="다시 계산한 결과")
    expect(forged.locator("summary")).to_contain_text("일치한 칸 3 / 4")
    worst = forged.locator("tbody tr").first
    expect(worst).to_contain_text("불일치")
    assert worst.locator("td").all_inner_texts()[3:5] == ["21", "20"]


def test_those_who_asked_see_no_evidence_and_no_overlap_that_was_computed(world: World, second: str) -> None:
    page = world.browser("mina").get(f"{ROOT}/review/{second}").text
    for word in ("다시 계산: 불일치", "일치한 칸", "명이 드러남", "다시 계산한 값</th>"):
        assert word not in page
