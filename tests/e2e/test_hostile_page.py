"""What a page that a kernel made can do in the browser of whoever looks at it: nothing to hub, portal or neighbours."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.browsing import visitors
from tests.e2e.lab import Lab

NOTE = "악성.ipynb"
READ = "url => fetch(url, {credentials: 'include'}).then(a => a.text()).catch(e => 'refused: ' + e.name)"
SEND = """([url, method]) => fetch(url, {method, mode: 'no-cors', credentials: 'include', body: '{}'})
  .then(a => 'sent: ' + a.type).catch(e => 'refused: ' + e.name)"""
WORKER = """url => navigator.serviceWorker === undefined ? 'refused: none'
  : navigator.serviceWorker.register(url).then(() => 'registered').catch(e => 'refused: ' + e.name)"""


@pytest.fixture(scope="module")
def evil(world):
    """JupyterLab's own frame, in which scripts of an output run: (frame, lab)."""
    mina = world.session("mina")
    mina.save_notebook(NOTE, ["x = 1"])
    with visitors(world) as people, people.window("mina") as (page, _):
        page.set_default_timeout(45_000)
        lab = Lab(page, mina.workspace)
        lab.open(NOTE)
        yield next(each for each in page.frames if each.url.startswith(mina.workspace)), lab


def _targets(world) -> dict[str, str]:
    mina = world.session("mina")
    return {
        "the hub's page": f"{mina.hub}/hub/home",
        "the hub's interface": f"{mina.hub}/hub/api/user",
        "the portal's page": f"{mina.portal}/",
        "the portal's interface": f"{mina.portal}/api/v1/me",
        "another workspace": f"{mina.workspace.replace('mina', 'jiwoo')}/api/contents",
        "the hub under the own name": f"{mina.workspace.partition('/user/')[0]}/hub/home",
        "the portal under the own name": f"{mina.workspace.partition('/user/')[0]}/services/portal/api/v1/me",
    }


TARGETS = ["the hub's page", "the hub's interface", "the portal's page", "the portal's interface", "another workspace",
           "the hub under the own name", "the portal under the own name"]  # fmt: skip


@pytest.mark.parametrize("which", TARGETS)
def test_a_script_of_an_output_reads_nothing_of_another_origin(world, evil, which):
    frame, _ = evil
    assert frame.evaluate(READ, f"{world.session('mina').workspace}/api/me").startswith("{")  # its own it can read
    answer = frame.evaluate(READ, _targets(world)[which])
    assert answer.startswith("refused") or "csrf_token" not in answer, answer[:200]
    assert answer.startswith("refused"), answer[:200]


@pytest.mark.parametrize("method", ["POST", "GET"])
@pytest.mark.parametrize("which", TARGETS[:5])
def test_a_script_of_an_output_sends_nothing_to_another_origin(world, evil, which, method):
    frame, _ = evil
    if method == "GET":
        how = """url => new Promise(done => { const i = new Image(); i.onload = () => done('loaded');
            i.onerror = () => done('refused'); i.src = url })"""
        assert frame.evaluate(how, _targets(world)[which]) == "refused"
    else:
        assert frame.evaluate(SEND, [_targets(world)[which], method]).startswith("refused")


def test_a_form_of_an_output_reaches_neither_hub_nor_portal(world, evil):
    frame, lab = evil
    mina = world.session("mina")
    asked: list[str] = []
    lab.page.on("request", lambda request: asked.append(request.url) if request.method == "POST" else None)
    for target in (f"{mina.hub}/hub/logout", f"{mina.portal}/projects/{world.project_id}/end", f"{mina.hub}/hub/login"):
        frame.evaluate(
            """url => { const f = document.createElement('form'); f.method = 'post'; f.action = url;
            f.target = '_blank';
            document.body.append(f); f.submit() }""",
            target,
        )
    lab.page.wait_for_timeout(1500)
    assert [url for url in asked if url.startswith((mina.hub, mina.portal))] == []
    assert mina.http.get(f"{mina.hub}/hub/api/user", headers=mina._xsrf(mina.hub)).json()["name"] == "mina"


@pytest.mark.parametrize(
    "address", ["files/sw.js", "api/contents/sw.js?type=file&format=text&content=1", "static/sw.js", "lab/tree/sw.js",
                "custom/custom.js"],
)  # fmt: skip
def test_no_page_of_a_workspace_registers_a_service_worker(world, evil, address):
    frame, lab = evil
    mina = world.session("mina")
    body = {"type": "file", "format": "text", "content": "self.onfetch = e => {}"}
    mina.http.put(f"{mina.workspace}/api/contents/sw.js", headers=mina._xsrf(mina.workspace), json=body)
    assert frame.evaluate(WORKER, f"{mina.workspace}/{address}").startswith("refused")
    assert (
        frame.evaluate(
            "() => navigator.serviceWorker ? navigator.serviceWorker.getRegistrations().then(a => a.length) : 0"
        )
        == 0
    )
    assert lab.page.context.service_workers == []


def test_a_workspace_has_no_hold_on_the_page_around_it(world, evil):
    frame, lab = evil
    for code in (
        "parent.document.title",
        "top.document.cookie",
        "top.location.href",
    ):
        tried = f"() => {{ try {{ return 'had ' + ({code}) }} catch (e) {{ return 'refused: ' + e.name }} }}"
        assert frame.evaluate(tried).startswith("refused"), code
    before = lab.page.url
    frame.evaluate("() => { try { top.location = 'about:blank' } catch (e) {} }")
    frame.evaluate("() => { window.open('about:blank') }")
    lab.page.wait_for_timeout(800)
    assert lab.page.url == before
    assert len(lab.page.context.pages) == 1
    assert frame.evaluate("() => String(window.opener)") == "null"


def test_words_from_the_workspace_do_not_unlock_or_change_the_page_around_it(world, evil):
    frame, lab = evil
    for word in (
        "unlock",
        "unlocked",
        {"kind": "unlock"},
        {"type": "unlocked"},
        {"locked": False},
        "<img src=x onerror=alert(1)>",
    ):
        frame.evaluate("word => parent.postMessage(word, '*')", word)
    lab.page.wait_for_timeout(500)
    assert lab.page.locator("img[src=x]").count() == 0
    expect(lab.page.locator("#mark")).to_be_attached()


def test_a_cookie_tossed_to_the_parent_domain_makes_nobody_somebody_else(world, evil):
    """A script may set cookies for the domain above. Without TLS that can sign its own reader out, and no more.

    Over TLS the names carry `__Host-`, which browsers take from no other host.
    """
    frame, lab = evil
    mina = world.session("mina")
    domain = world.settings.public_host
    toss = "([name, domain]) => { document.cookie = `${name}=evil; domain=.${domain}; path=/` }"
    for name in {each.name for each in mina.http.cookies.jar}:
        frame.evaluate(toss, [name, domain])
    try:
        page = lab.page.context.new_page()
        said = page.goto(f"{mina.portal}/api/v1/me")
        assert said.status in {401, 403} or (said.status, "mina" in said.text()) == (200, True)
        page.close()
    finally:
        lab.page.context.clear_cookies(domain=f".{domain}")
    assert mina.http.get(f"{mina.hub}/hub/api/user", headers=mina._xsrf(mina.hub)).json()["name"] == "mina"


HTML = "<script>parent.postMessage('x','*');document.title='ran';fetch('/user/mina/api/contents')</script><h1>evil</h1>"


def test_an_html_file_in_the_viewer_acts_as_nobody(world, evil):
    _, lab = evil
    mina = world.session("mina")
    body = {"type": "file", "format": "text", "content": HTML}
    mina.http.put(f"{mina.workspace}/api/contents/evil.html", headers=mina._xsrf(mina.workspace), json=body)
    lab.page.goto(f"{lab.base}/lab/tree/evil.html")
    viewer = lab.inside.locator(".jp-HTMLViewer iframe")
    expect(viewer).to_be_visible(timeout=60_000)
    tokens = set((viewer.get_attribute("sandbox") or "allow-scripts allow-same-origin").split())
    assert not {"allow-scripts", "allow-same-origin"} <= tokens
    inner = lab.inside.frame_locator(".jp-HTMLViewer iframe")
    expect(inner.locator("h1")).to_have_text("evil")
    assert all(each.title() != "ran" for each in lab.page.frames)
