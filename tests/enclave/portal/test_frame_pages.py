"""The sample of frames in pages, in the API and in a real browser: what is seen, by whom, and what a mark does."""

from __future__ import annotations

import base64
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page as Browsed
from playwright.sync_api import expect

from deid.frame_cases import FrameCase
from enclave import clock, keys
from enclave.actor import Actor
from enclave.commands import dataset, logbook
from enclave.frames.picture import about_from, pair_from
from enclave.logbook.question import Question
from enclave.queries import dataset as queries
from enclave.states import SnapshotState
from tests.enclave.filmed import Filmed, filmed, signed
from tests.enclave.portal.test_accessibility import Page, faults
from tests.enclave.portal.test_browser import CHROMIUM, Open, complaints, visit
from tests.enclave.portal.test_publication_pages import template_key
from tests.enclave.portal.world import ROOT, World

__all__ = ["complaints", "visit"]  # fixtures
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Filmed:
    return filmed(tmp_path_factory.mktemp("film"), size=4, min_recall=0.5)


def receive(world: World, film: Filmed, seed: str = "00ff") -> str:
    signing = keys.load_signing_key(template_key(world))
    place = signed(world.settings.snapshots, film, provider="bitgoeul", dataset="visits", key=signing)
    public = keys.load_public_key(world.settings.snapshot_public_key)
    return dataset.receive_snapshot(
        world.store, Actor.console(), folder=place, public_key=public, now=clock.now(),
        frames=film.sealed(world.portal.vault, seed),
    ).id  # fmt: skip


def state(world: World, snapshot_id: str) -> SnapshotState:
    return queries.snapshot(world.store, Actor.console(), snapshot_id).state


def given(page: str) -> dict[str, object]:
    """What the page gives its script."""
    found = re.search(r'<script type="application/json" id="frame">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    shown: dict[str, object] = json.loads(found[1])["shown"]
    return shown


def test_a_page_gives_its_script_both_pictures_and_what_was_blanked(world: World, film: Filmed) -> None:
    made = receive(world, film)
    page = world.browser("suyeon").get(f"{ROOT}/snapshots/{made}/frames/1")
    assert (page.status_code, faults(Page(page.text)), page.headers["cache-control"]) == (200, [], "no-store")
    shown = given(page.text)
    packed = [base64.b64decode(str(shown[side])) for side in ("before", "after")]
    about = about_from(shown)
    head = json.dumps({**shown, "bytes": [len(each) for each in packed]}).encode()
    pair = pair_from(b"\n".join([head, b"".join(packed)]))
    assert (pair.about, pair.before().shape[:2]) == (about, (about.rows, about.columns))


@pytest.mark.parametrize(
    ("login", "status"),
    [("mina", 403), ("jiwoo", 403), ("operator", 403), ("dahye", 403), ("haneul", 403), ("sora", 403)],
)
def test_nobody_else_gets_a_frame_and_nothing_of_it_is_in_page_or_log(world, film, login, status) -> None:
    made = receive(world, film)
    browser, path = world.browser(login), f"/snapshots/{made}/frames/1"
    answers = [browser.get(ROOT + path), browser.get(f"{ROOT}{path}/before.png"), browser.form(path, m_FACE="1")]
    answers += [browser.api("GET", path), browser.api("GET", path + "/after.png"), browser.api("PUT", path, {})]
    assert {each.status_code for each in answers} == {status}
    more = [browser.form(f"/snapshots/{made}/frames-close"), browser.get(f"{ROOT}/snapshots/{made}/frames")]
    assert {each.status_code for each in more} <= {403, 404}
    assert not [each for each in (*answers, *more) if b"PNG" in each.content or '"before"' in each.text]


def test_a_steward_goes_through_the_frames_and_a_mark_sends_the_snapshot_back(world: World, film: Filmed) -> None:
    made = receive(world, film)
    path, browser = f"/snapshots/{made}/frames", world.browser("suyeon")
    assert "영상의 표본 검토" in browser.get(f"{ROOT}/snapshots/{made}").text
    listed = browser.get(ROOT + path)
    assert (listed.status_code, faults(Page(listed.text)), '"before"' in listed.text) == (200, [], False)
    wrong = browser.form(path + "/1", m_FACE="두 개", note="메모", places="LETTERS 1 2")
    assert (wrong.status_code, "메모" in wrong.text, "LETTERS 1 2" in wrong.text) == (422, True, True)
    assert browser.form(path + "/1", places="LETTERS one two").status_code == 422
    spots = ("", "LETTERS 3 4", "", "")
    goes = [browser.form(f"{path}/{n}", places=each).headers["location"] for n, each in enumerate(spots, 1)]
    assert [each.removeprefix(ROOT + path) for each in goes] == ["/2", "/3", "/4", ""]
    assert "LETTERS 3 4" in browser.get(f"{ROOT}{path}/2").text
    assert browser.form(path + "-close").status_code == 303
    assert state(world, made) is SnapshotState.RETURNED
    record = browser.get(f"{ROOT}/snapshots/{made}/record").text
    assert ("남은 글자" in record, "장면 4건" in record) == (True, True)
    assert browser.get(f"{ROOT}{path}/1").status_code == 409


def test_the_api_does_the_same_draws_in_any_window_and_each_look_is_an_entry(world: World, film: Filmed) -> None:
    made = receive(world, film)
    path, steward = f"/snapshots/{made}", world.browser("suyeon")
    assert "cases" not in steward.api("GET", path).json()["way"]["frames"]
    known = steward.api("GET", path + "/frames/1").json()
    assert (known["number"], "packed" in known["pair"], known["note"]) == (1, False, "")
    about = known["pair"]["about"]
    drawn = steward.api("GET", path + "/frames/1/after.png?center=0&width=1")
    assert (drawn.headers["content-type"], drawn.headers["cache-control"]) == ("image/png", "no-store")
    picture = np.asarray(Image.open(io.BytesIO(drawn.content)))
    assert (picture.shape[:2], set(np.unique(picture)) <= {0, 255, 128, 127}) == (
        (about["rows"], about["columns"]),
        True,
    )
    for bad in ("/frames/1/middle.png", "/frames/1/after.png?center=inf&width=1", "/frames/99"):
        assert steward.api("GET", path + bad).status_code in {404, 422}
    wrong = steward.api("PUT", path + "/frames/1", {"places": [{"kind": "NAME", "row": 1, "column": 1}]})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "sample.marks")
    for number in range(1, 5):
        judged = steward.api("PUT", f"{path}/frames/{number}", {"missed": {}})
    assert [case["missed"] for case in judged.json()["frames"]["cases"]] == [0] * 4
    world.publish_log()
    found = logbook.ask(
        world.store,
        world.actor("haneul"),
        question=Question(action="sample.view"),
        after=None,
        limit=20,
        now=clock.now(),
    )
    assert sorted(row.outcome for row in found.page.rows) == ["done", "done", "failed"]
    verdict = steward.api("POST", path + "/frames/close").json()
    assert (verdict["estimate"]["missed"], verdict["estimate"]["cases"]) == (0, 4)


def test_no_form_and_no_address_offers_what_was_not_seen(world: World, film: Filmed) -> None:
    made = receive(world, film)
    steward, path = world.browser("suyeon"), f"/snapshots/{made}"
    today = clock.korean_date(clock.now())
    fields = {"drb_number": "DRB-1", "drb_on": today, "starts_on": today, "ends_on": today.replace(year=2030)}
    answer = steward.form(path + "/offer", risk="0" * 64, code=world.code("suyeon"), **fields)
    assert (answer.status_code, "영상의 표본 검토를 아직 통과하지 않았습니다" in answer.text) == (409, True)
    body = {name: str(value) for name, value in fields.items()} | {"risk_sha256": "0" * 64}
    asked = steward.api("POST", path + "/offer", body)
    assert (asked.status_code, asked.json()["code"]) == (409, "sample.not-passed")
    assert state(world, made) is SnapshotState.RECEIVED


def test_who_reads_english_goes_through_the_frames_in_english(world: World, film: Filmed) -> None:
    browser, path = world.browser("suyeon"), f"{ROOT}/snapshots/{receive(world, film)}/frames"
    said = {path: ("0 of 4 judged", "Sample review of images"), f"{path}/1": ("What is left", "face visible", "Before")}
    for address, words in said.items():
        page = browser.get(address, params={"lang": "en"}).text
        assert [each for each in words if each not in page] == []
        assert [each for each in ("처리 전", "남은 식별정보", "검토 끝내기") if each in page] == []


def lines_of(film: Filmed) -> str:
    """A seed that draws the ultrasound."""
    from tests.enclave.test_frame_sample import seed_that_draws

    return seed_that_draws(film, _ultrasound(film).ref, 4)


def _ultrasound(film: Filmed) -> FrameCase:
    return next(each for each in film.cases() if each.source == "us.dcm")


@pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="no chromium here")
def test_in_a_browser_both_are_drawn_a_click_marks_and_the_keyboard_suffices(
    world: World, film: Filmed, visit: Open, complaints: list[str]
) -> None:
    made = receive(world, film, lines_of(film))
    for number in range(1, 5):
        page = visit("suyeon", f"/snapshots/{made}/frames/{number}")
        if _ultrasound(film).file in page.content():
            break
    pixels = "id => [...document.getElementById(id).getContext('2d').getImageData(0, 0, 320, 240).data]"
    before, after = (np.array(page.evaluate(pixels, side)).reshape(-1, 4)[:, :3] for side in ("before", "after"))
    stored = _stored(film)
    assert (before.reshape(240, 320, 3) == stored).all()
    assert (before != after).any()
    # The outline is drawn, and goes again.
    page.get_by_label(re.compile("테두리")).check()
    page.wait_for_timeout(100)
    assert (np.array(page.evaluate(pixels, "before")).reshape(-1, 4)[:, :3] != before).any()
    # By keyboard alone: outline off, zoom in, the other picture follows, to the counts, save.
    page.locator("#after").locator("xpath=..").focus()
    page.keyboard.press("o")
    for _ in range(3):
        page.keyboard.press("+")
    expect(page.locator("#zoom")).to_have_value("4")
    page.keyboard.press("ArrowDown")
    until(page, "tops => tops[1] > 0 && tops[0] === tops[1]")
    page.keyboard.press("w")
    # By mouse: a face, marked and taken back, and letters.
    page.get_by_role("radio", name="얼굴이 보임").check()
    page.locator("#after").click(position={"x": 40, "y": 60})
    expect(page.get_by_role("spinbutton", name="얼굴이 보임")).to_have_value("1")
    page.get_by_role("button", name="지우기 1").click()
    expect(page.get_by_role("spinbutton", name="얼굴이 보임")).to_have_value("")
    page.get_by_role("radio", name="남은 글자 식별정보").check()
    page.locator("#after").click(position={"x": 40, "y": 60})
    page.locator("h1").click()
    page.keyboard.press("j")
    # The next frame's readouts of window and level, where it has them, are statuses too.
    expect(page.get_by_role("status").filter(has_text="판정했습니다")).to_be_visible()
    found = queries.dossier(world.store, world.actor("suyeon"), made, now=clock.now()).frames
    assert found is not None
    assert [case.missed for case in found.cases if case.missed is not None] == [1]
    # What the browser says of this test's own reading of pixels is none of the page's.
    assert [each for each in complaints if "willReadFrequently" not in each] == []


def until(page: Browsed, told: str) -> None:
    """Wait until what both views are scrolled to is as told; the page's own policy forbids Playwright's way to wait."""
    for _ in range(100):
        if page.evaluate(f"({told})([...document.querySelectorAll('.view')].map(each => each.scrollTop))"):
            return
        page.wait_for_timeout(50)
    pytest.fail(told)


def _stored(film: Filmed) -> np.ndarray:
    from pydicom import dcmread

    return np.asarray(dcmread(film.source / "us.dcm").pixel_array)


@pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="no chromium here")
def test_without_scripts_both_are_seen_and_counts_are_enough(
    world: World, film: Filmed, visit: Open, complaints: list[str]
) -> None:
    made = receive(world, film)
    page = visit("suyeon", f"/snapshots/{made}/frames/1", scripts=False)
    for name in ("처리 전", "처리 뒤"):
        picture = page.get_by_role("img", name=re.compile(name))
        expect(picture).to_be_visible()
        assert picture.evaluate("each => each.naturalWidth > 0")
    page.get_by_role("spinbutton", name="그 밖의 식별정보").fill("2")
    page.get_by_role("button", name="저장하고 다음").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("장면 2 / 4")
    assert complaints == []
