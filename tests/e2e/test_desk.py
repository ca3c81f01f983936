"""The desk in a real browser, attacked from the kernel, from other seats and by idle hands (korea.md R17, R26–R28)."""

from __future__ import annotations

import io
import json
import re
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from PIL import Image, ImageChops
from playwright.sync_api import Frame, Page, Route, expect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from demo import daemon, services
from demo.local_names import LoopbackTransport
from tests.e2e.acts import cell, forget_layout, kernel_of, logged, until
from tests.e2e.browsing import VIEW, lab, shot, visitors

# What a script in an output may try against the page around it; each must come to nothing.
ATTACK = """
from IPython.display import HTML, display
display(HTML('''<script>
const tried = {}, attempt = (name, act) => { try { tried[name] = String(act()); } catch (e) { tried[name] = e.name; } };
attempt('parent', () => parent.document.getElementById('mark').remove());
attempt('top', () => top.document.body.innerHTML = '');
attempt('frame', () => frameElement === null ? 'null' : frameElement.remove());
attempt('style', () => parent.document.styleSheets.length);
attempt('leave', () => { top.location = 'about:blank'; return 'asked'; });
attempt('window', () => window.open('/user/mina/lab') === null ? 'null' : 'opened');
attempt('message', () => parent.postMessage({ansim: 'unlock', remove: '#mark'}, '*'));
attempt('seal', () => document.getElementById('ansim-seal').remove());
document.documentElement.requestFullscreen().then(() => 'full', (e) => e.name).then((said) => {
  tried.full = said; document.body.dataset.tried = JSON.stringify(tried);
});
</script>'''))"""
TICKS = """
import time
for n in range(8):
    print('tick', n, flush=True)
    time.sleep(1)
print('ran on:', 6 * 7)"""

BY_SCRIPT = {"X-Ansim-By": "script"}
# JupyterLab opens what was open before, too: the notebook that is seen.
FRONT = ".jp-NotebookPanel:not(.lm-mod-hidden)"


@pytest.fixture(scope="module")
def people(world):
    """Chromium; of this module, because its event loop must not be there for others."""
    with visitors(world) as found:
        yield found


@pytest.fixture
def mina(world):
    """The scientist, with a screen that is open; whatever a test did to it is made good."""
    session = world.session("mina")
    session.portal_headers()
    if session.http.get(f"{session.workspace}/api").status_code == 423:
        unlocked = session.unlock()
        assert unlocked.status_code == 200, unlocked.text
    return session


def _workspace(session) -> str:
    (found,) = [each for each in session.api("GET", "/workspaces").json()["workspaces"] if each["state"] == "running"]
    return str(found["id"])


def _read_to_the_end(kernel) -> None:
    while True:
        kernel._connection.recv(timeout=20)


def _reasons(world, place: str) -> set[str]:
    return {str(each.get("reason", {}).get("code")) for each in logged(world, "screen.locked", place)}


def _notebook(page: Page, session, name: str, code: str) -> Frame:
    """Open a notebook with this one cell in the desk; its kernel waits."""
    forget_layout(session)
    page.goto(session.save_notebook(name, [code]))
    frame = lab(page)
    expect(frame.locator(f"{FRONT} .jp-Notebook-ExecutionIndicator[data-status=idle]")).to_be_visible(timeout=60_000)
    frame.locator(f"{FRONT} .jp-CodeCell .cm-content").first.click()
    return frame


def _run(page: Page, frame: Frame) -> None:
    """Run the notebook's first cell by hand; JupyterLab may still be laying itself out and lose a key."""
    prompt = frame.locator(f"{FRONT} .jp-CodeCell .jp-InputPrompt").first
    for _ in range(10):
        frame.locator(f"{FRONT} .jp-CodeCell .cm-content").first.click()
        page.keyboard.press("Control+Enter")
        page.wait_for_timeout(1_500)
        if prompt.inner_text() != "[ ]:":
            return


def _marked(page: Page) -> list[bool]:
    """Return for each ninth of the screen whether the watermark is seen there: what changes when it is taken away."""
    page.evaluate("document.getElementById('mark').style.visibility = ''")
    pictures = []
    for visibility in ("", "hidden"):
        page.evaluate("how => { document.getElementById('mark').style.visibility = how }", visibility)
        pictures.append(Image.open(io.BytesIO(page.screenshot(caret="initial"))).convert("L"))
    page.evaluate("document.getElementById('mark').style.visibility = ''")
    change = ImageChops.difference(*pictures)
    width, height = change.width // 3, change.height // 3
    boxes = [(x * width, y * height, (x + 1) * width, (y + 1) * height) for y in range(3) for x in range(3)]
    return [change.crop(box).getbbox() is not None for box in boxes]


def test_the_workspace_opens_in_the_desk_alone_and_the_desk_says_who_where_and_when(people, world, mina):
    forget_layout(mina)
    with people.window("mina") as (page, heard):
        page.goto(f"{mina.portal}/")
        page.get_by_role("link", name="작업공간으로 가기").click()
        frame = lab(page)
        expect(frame.locator(".jp-Launcher")).to_be_visible(timeout=60_000)
        shot(page, "desk")
        mark = page.locator("#mark").get_attribute("data-text")
        for part in ("mina", world.project_id, "127.0.0.1", "KST"):
            assert part in mark
        page.goto(f"{mina.workspace}/lab")
        page.wait_for_url("**/services/portal/desk/**")
        assert heard.strangers == []


def test_script_from_the_kernel_neither_sees_nor_removes_the_watermark(people, mina):
    with people.window("mina") as (page, _):
        frame = _notebook(page, mina, "attack.ipynb", ATTACK)
        desk = page.url
        _run(page, frame)
        frame.wait_for_function("document.body.dataset.tried", timeout=60_000)
        tried = json.loads(frame.evaluate("document.body.dataset.tried"))
        assert {tried[name] for name in ("parent", "top", "style")} == {"SecurityError"}, tried
        assert (tried["frame"], tried["window"], tried["full"]) == ("null", "null", "TypeError"), tried
        assert page.url == desk
        assert all(_marked(page))
        frame.evaluate(
            "() => { document.open(); document.write('<body style=background:white>nothing'); document.close() }"
        )
        assert all(_marked(page)), "a page written anew lies under it, too"


@pytest.mark.parametrize("zoom", [0.5, 0.8, 1, 1.5, 2, 3])
def test_the_watermark_is_there_at_every_zoom(people, mina, zoom):
    with people.window("mina") as (page, _):
        # Browser zoom is this: fewer of the page's own pixels on the same screen.
        page.set_viewport_size({name: round(size / zoom) for name, size in VIEW.items()})
        page.goto(f"{mina.portal}/desk/{_workspace(mina)}")
        page.locator("iframe#workspace").wait_for()
        assert all(_marked(page))


def test_a_workspace_that_is_long_in_coming_is_shown_when_it_comes(people, mina):
    with people.window("mina") as (page, _):
        held: list[Route] = []

        def hold(route: Route) -> None:
            held.append(route)

        page.route(re.compile("/user/mina/lab"), hold)
        page.clock.install()
        page.goto(f"{mina.portal}/desk/{_workspace(mina)}", wait_until="domcontentloaded")
        expect(page.locator("iframe#workspace")).to_be_visible()
        page.clock.fast_forward(25_000)
        again = page.get_by_role("heading", name="다시 로그인")
        expect(again).to_be_visible()
        page.clock.fast_forward(8_000)
        expect(again, "asked again, it still says so").to_be_visible()
        page.unroute(re.compile("/user/mina/lab"))  # lets go on what is held
        assert held
        expect(page.locator("iframe#workspace")).to_be_visible(timeout=60_000)
        expect(again).to_be_hidden()


def test_a_locked_screen_shows_nothing_and_the_kernel_runs_on(people, world, mina):
    with people.window("mina") as (page, _):
        frame = _notebook(page, mina, "ticks.ipynb", TICKS)
        _run(page, frame)
        output = frame.locator(f"{FRONT} .jp-OutputArea-output").first
        expect(output).to_contain_text("tick 1", timeout=60_000)
        frame.evaluate("() => { window.stillHere = true }")
        page.get_by_role("button", name="화면 잠그기").click()
        expect(page.locator("iframe#workspace")).to_be_hidden()
        expect(page.get_by_label("비밀번호", exact=True)).to_be_focused()
        shot(page, "desk-locked")
        until("the gate has locked", lambda: mina.http.get(f"{mina.workspace}/api").status_code == 423)
        for path in ("api", "api/kernels", "api/contents/ticks.ipynb", "lab/api/settings/x"):
            assert mina.http.get(f"{mina.workspace}/{path}").status_code == 423, path
        page.wait_for_timeout(9_000)  # the cell ends meanwhile
        page.get_by_label("비밀번호", exact=True).fill("wrong")
        page.get_by_label("일회용 비밀번호").fill("000000")
        page.get_by_role("button", name="잠금 풀기").click()
        expect(page.get_by_role("alert")).to_contain_text("맞지 않습니다")
        page.get_by_label("비밀번호", exact=True).fill(mina.person.password)
        page.get_by_label("일회용 비밀번호").fill(world.secrets.code("mina"))
        page.keyboard.press("Enter")
        expect(page.locator("iframe#workspace")).to_be_visible()
        expect(output).to_contain_text("ran on: 42", timeout=90_000)
        assert frame.evaluate("window.stillHere") is True, "the page went on, it was not loaded anew"
        place = _workspace(mina)
    assert logged(world, "screen.locked", place)
    assert logged(world, "screen.unlocked", place)


def test_a_lock_closes_the_sockets_that_are_open(world, mina):
    with kernel_of(mina) as kernel:
        cell(kernel, "1")
        place = _workspace(mina)
        form = {"csrf": mina.portal_headers()["X-CSRF-Token"]}
        assert mina.http.post(f"{mina.portal}/desk/{place}/lock", data=form, headers=BY_SCRIPT).status_code == 200
        with pytest.raises((ConnectionClosed, ConnectionError)):
            _read_to_the_end(kernel)  # whatever was on its way, then the end
        with pytest.raises(InvalidStatus, match="423"):
            kernel.__enter__()
        assert mina.unlock().status_code == 200
        with kernel:
            assert cell(kernel, "6 * 7") == "42", "the kernel went on"


def test_an_idle_screen_is_locked_by_a_gate_that_was_away_meanwhile(people, world, mina):
    place, settings = _workspace(mina), world.settings
    note = settings.volumes / place / "screen.json"
    with kernel_of(mina) as kernel:
        cell(kernel, "kept = 42")
        daemon.stop(settings.process, "gate")
        kept = json.loads(note.read_text())
        kept["active_at"] = (datetime.now(UTC) - timedelta(minutes=31)).isoformat()
        note.write_text(json.dumps(kept))
        services.start_all(settings)
        assert mina.http.get(f"{mina.workspace}/api").status_code == 423
        until("the lock in the log", lambda: "locked.idle" in _reasons(world, place))
    with people.window("mina") as (page, _):
        page.goto(f"{mina.portal}/desk/{place}")
        expect(page.get_by_role("heading", name="화면이 잠겼습니다")).to_be_visible()
        assert page.locator("iframe#workspace").get_attribute("src") is None
    assert mina.unlock().status_code == 200
    assert mina.http.get(f"{mina.workspace}/api").status_code == 200


def test_cookies_from_another_address_open_nothing_and_end_the_session(world, mina):
    thief = httpx.Client(transport=LoopbackTransport(local_address="127.0.0.2"), cookies=mina.http.cookies, timeout=30)
    with thief:
        for forged in ({}, {"X-Forwarded-For": "127.0.0.1"}, {"X-Real-Ip": "127.0.0.1"}):
            answer = thief.get(f"{mina.workspace}/api/contents", headers=forged)
            assert (answer.status_code, answer.json()["code"]) == (403, "gate.seat")
        answer = thief.get(f"{mina.portal}/api/v1/me", headers={"X-Forwarded-For": "127.0.0.1"})
        assert (answer.status_code, answer.json()["code"]) == (403, "seat.elsewhere")
        assert thief.get(f"{mina.portal}/api/v1/me").status_code == 401, "the session has ended"
        # Round through the hub, which knows the cookie: signed in, but not where the account is.
        answer = thief.get(f"{mina.portal}/", follow_redirects=True)
        assert "/services/portal/seat" in str(answer.url)
        assert world.project_id not in answer.text
        asked = thief.post(f"{mina.hub}/hub/api/users/mina/server", headers=mina._xsrf(mina.hub), json={})
        assert asked.status_code >= 400
    seen = logged(world, "seat.refused", _workspace(mina))
    assert seen[-1]["outcome"] == "denied"
    assert mina.http.get(f"{mina.workspace}/api").status_code == 200, "the seat itself goes on"


def test_what_is_copied_stays_inside(people, mina):
    with people.window("mina") as (page, _):
        frame = _notebook(page, mina, "copy.ipynb", "geheim = 'patient 4711'")
        page.keyboard.press("Control+a")
        page.keyboard.press("Control+c")
        outside = page.context.new_page()
        outside.set_content("<textarea id=t></textarea>")
        outside.locator("#t").focus()
        outside.keyboard.press("Control+v")
        assert "4711" not in outside.locator("#t").input_value()
        assert "안심구역 안에서" in outside.locator("#t").input_value()
        page.bring_to_front()
        editor = frame.locator(f"{FRONT} .jp-CodeCell .cm-content").first
        editor.click()
        page.keyboard.press("Control+a")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Enter")
        page.keyboard.press("Control+v")
        expect(editor).to_have_text("geheim = 'patient 4711'geheim = 'patient 4711'")
        page.keyboard.press("Control+a")
        page.keyboard.press("Control+x")
        expect(editor).to_have_text("")
        page.keyboard.press("Control+v")
        expect(editor).to_contain_text("4711")


def test_nothing_of_it_is_printed(people, mina):
    with people.window("mina") as (page, _):
        page.goto(f"{mina.portal}/desk/{_workspace(mina)}")
        frame = lab(page)
        frame.wait_for_selector("#ansim-seal", state="attached")
        page.emulate_media(media="print")
        expect(page.locator("iframe#workspace")).to_be_hidden()
        expect(page.get_by_text("인쇄할 수 없습니다")).to_be_visible()
        assert frame.evaluate("getComputedStyle(document.body).display") == "none"


def test_a_sign_in_elsewhere_wins_and_the_older_one_is_told_why(world, mina):
    from demo.session import Session

    other = Session(mina.person, mina.hub, mina.code)
    other.http.close()
    other.http = httpx.Client(
        transport=LoopbackTransport(local_address="127.0.0.3"), follow_redirects=True, timeout=120
    )
    try:
        other.sign_in()
        assert other.api("GET", "/projects").is_success
        assert other.http.get(f"{other.workspace}/api").status_code == 200, "the workspace has moved along"
        assert mina.http.get(f"{mina.workspace}/api").status_code == 403
        told = mina.http.get(f"{mina.portal}/")
        assert "/services/portal/seat" in str(told.url)
        assert "127.0.0.3" in told.text
    finally:
        other.http.close()
        mina.portal_headers()  # signs in again
    assert mina.http.get(f"{mina.workspace}/api").status_code in {200, 423}
