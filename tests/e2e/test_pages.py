"""The pages in a real browser: every role's own, with keyboard, without JavaScript, against hostile hands."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.acts import cell, forget_layout, kernel_of, logged, new_request
from tests.e2e.browsing import lab, shot, visitors

EVERYONE = {"/", "/certificates", "/datasets", "/incidents"}
OWN = {
    "mina": EVERYONE | {"/releases", "/gpu"},
    "jiwoo": EVERYONE | {"/apply", "/releases", "/gpu"},
    "suyeon": EVERYONE | {"/metrics", "/columns", "/policies"},
    "dahye": EVERYONE | {"/metrics", "/review", "/releases", "/policies"},
    "haneul": EVERYONE
    | {"/metrics", "/gpu", "/log", "/periods", "/reports", "/code", "/findings", "/drills", "/accounts", "/policies"},
    "operator": EVERYONE | {"/gpu", "/drills", "/accounts", "/policies", "/reports"},
}
ALL = set().union(*OWN.values())
# Not in everybody's menu, but open: they show one's own requests, releases, turns, providers; who has none sees none.
HARMLESS = {"/review", "/columns", "/releases", "/gpu", "/policies"}
UNLABELLED = """() => [...document.querySelectorAll('input:not([type=hidden], [type=submit]), select, textarea')]
  .filter(e => !(e.labels && e.labels.length) && !e.ariaLabel && !e.getAttribute('aria-labelledby'))
  .map(e => e.outerHTML)"""
JUDGED = ("purpose_relation", "identifiability", "safety_measures")
NAME = "<img src=x onerror=alert(1)>.csv"


@pytest.fixture(scope="module")
def people(world):
    """Chromium; of this module, because its event loop must not be there for others."""
    with visitors(world) as found:
        yield found


@pytest.fixture(scope="module")
def portal(world):
    """The portal's address."""
    return world.session("mina").portal


@pytest.fixture
def fresh(world):
    """A request that waits for two votes."""
    with kernel_of(world.session("mina")) as kernel:
        return new_request(kernel)


def _menu(page: Page, portal: str) -> set[str]:
    path = portal.split("localhost", maxsplit=1)[1].split("/", maxsplit=1)[1]
    links = page.locator("nav a").evaluate_all("all => all.map(a => a.getAttribute('href'))")
    return {link.removeprefix(f"/{path}") or "/" for link in links}


@pytest.mark.parametrize("login", OWN)
def test_everyone_signs_in_by_the_form_and_finds_their_pages_and_no_others(people, portal, login):
    with people.window(login) as (page, heard):
        page.goto(f"{portal}/")
        assert _menu(page, portal) == OWN[login]
        for path in sorted(OWN[login]):
            answer = page.goto(portal + path)
            assert answer.status == 200, path
            assert page.locator("html").get_attribute("lang") == "ko"
            assert page.locator("h1").count() == 1, path
            assert page.evaluate(UNLABELLED) == [], path
        assert heard.errors == []
        for path in sorted(ALL - OWN[login]):
            answer = page.goto(portal + path)
            assert answer.status == 403 or path in HARMLESS, (path, answer.status)
        assert heard.strangers == []


def test_signing_in_needs_the_code_and_says_so_in_korean(people, world):
    with people.window() as (page, heard):
        page.goto(f"{world.settings.public_url}/hub/")
        shot(page, "login")
        assert page.locator("h1").count() == 1
        assert page.evaluate(UNLABELLED) == []
        page.get_by_label("아이디").fill("taeho")
        page.get_by_label("비밀번호").fill(world.session("taeho").person.password)
        page.get_by_label("2차 인증 번호").fill("000000")
        page.get_by_role("button", name="로그인").click()
        expect(page.get_by_role("alert")).to_contain_text("맞지 않습니다")
        assert heard.strangers == []


def test_signing_in_works_without_javascript(people, world, portal):
    context = people.context(javascript=False)
    try:
        page = context.new_page()
        people.sign_in(page, "haneul")
        assert page.url == f"{portal}/"
    finally:
        context.close()


@pytest.mark.parametrize("login", OWN)
def test_the_main_pages_work_without_javascript(people, world, portal, login):
    extra = {"dahye": [f"/review/{world.requests['good']}"], "mina": [f"/projects/{world.project_id}"]}
    with people.window(login, javascript=False) as (page, heard):
        for path in [*sorted(OWN[login]), *extra.get(login, [])]:
            assert page.goto(portal + path).status == 200
            expect(page.locator("main h1")).to_be_visible()
            expect(page.locator("header nav")).to_be_visible()
        assert heard.errors == []


def test_the_language_switch_holds_from_page_to_page(people, portal):
    with people.window("mina") as (page, _):
        page.goto(f"{portal}/")
        page.get_by_role("link", name="English").click()
        assert page.locator("html").get_attribute("lang") == "en"
        page.goto(f"{portal}/datasets")
        assert page.locator("html").get_attribute("lang") == "en"
        page.get_by_role("link", name="한국어").click()
        assert page.locator("html").get_attribute("lang") == "ko"


def test_the_keyboard_finds_the_content_first_and_sees_where_it_is(people, portal):
    seen = """e => { const s = getComputedStyle(e), r = e.getBoundingClientRect();
      const outlined = parseFloat(s.outlineWidth) > 0 && s.outlineStyle !== 'none';
      return r.top >= 0 && r.height > 0 && (outlined || s.boxShadow !== 'none') }"""
    with people.window("dahye") as (page, _):
        page.goto(f"{portal}/")
        page.keyboard.press("Tab")
        focus = page.locator(":focus")
        assert focus.get_attribute("href") == "#main"
        expect(focus).to_be_in_viewport()
        page.keyboard.press("Enter")
        assert focus.get_attribute("id") == "main"
        page.goto(f"{portal}/review")
        for _ in range(8):
            page.keyboard.press("Tab")
            assert focus.evaluate(seen), focus.evaluate("e => e.outerHTML")


def test_home_shows_the_project_and_the_way_into_the_workspace(people, world, portal):
    with people.window("mina") as (page, heard):
        page.goto(f"{portal}/")
        shot(page, "home")
        expect(page.get_by_text("지방간 섬유화 위험 예측").first).to_be_visible()
        assert page.locator("a[href*='/desk/'], a[href*='/start']").count() >= 1
        assert heard.errors == []


def test_the_review_page_has_request_verdicts_preview_and_form_on_one_page(people, portal, fresh):
    with people.window("dahye") as (page, heard):
        page.goto(f"{portal}/review")
        page.get_by_role("link", name=fresh).click()
        for heading in ("#request", "#approved", "#your-part", "#earlier"):
            expect(page.locator(heading)).to_be_visible()
        expect(page.locator("table.preview")).to_contain_text("120")
        assert page.evaluate(UNLABELLED) == []
        assert page.locator("h1").count() == 1
        for name in JUDGED:
            expect(page.locator(f"[name={name}]")).to_be_visible()
        shot(page, "review")
        assert heard.errors == []


def _standing(world, request: str) -> tuple[str, int]:
    """The request's state and how many have approved."""
    found = world.ask("mina", "GET", f"/requests/{request}")
    return found["state"], found["reviews_in"]


def _decide(page: Page, world, login: str) -> None:
    """Fill in the form of the review page, all but the click."""
    for name in JUDGED:
        page.locator(f"[name={name}]").fill("모든 칸이 10명 이상인 집계표입니다.")
    page.locator("input[name=decision][value=approve]").check()
    page.locator("[name=reason_code]").select_option("output-checked")
    code = page.locator("[name=code]")
    if code.count() and code.get_attribute("required") is not None:
        code.fill(world.secrets.code(login))


def test_two_checkers_approve_by_clicking_and_the_request_is_released(people, world, portal, fresh):
    for login in ("dahye", "woojin"):
        with people.window(login) as (page, heard):
            page.goto(f"{portal}/review/{fresh}")
            _decide(page, world, login)
            page.locator("form[action$='/decide'] button").click()
            expect(page.get_by_role("status")).to_be_visible()
            assert heard.errors == []
    assert world.ask("mina", "GET", f"/requests/{fresh}")["state"] == "released"


@pytest.mark.parametrize("javascript", [True, False])
def test_a_double_click_decides_once(people, world, portal, fresh, javascript):
    with people.window("woojin", javascript=javascript) as (page, _):
        page.goto(f"{portal}/review/{fresh}")
        _decide(page, world, "woojin")
        page.locator("form[action$='/decide'] button").dblclick(no_wait_after=True)
        expect(page.get_by_role("status")).to_be_visible()
    assert _standing(world, fresh) == ("submitted", 1)
    assert len(logged(world, "egress.approve", fresh)) == 1


def test_a_form_left_empty_keeps_what_was_typed(people, world, portal, fresh):
    with people.window("dahye", javascript=False) as (page, _):
        page.goto(f"{portal}/review/{fresh}")
        _decide(page, world, "dahye")
        page.locator("[name=identifiability]").fill(" ")
        page.locator("form[action$='/decide'] button").click()
        expect(page.get_by_role("alert")).to_be_visible()
        expect(page.locator("[name=purpose_relation]")).to_have_value("모든 칸이 10명 이상인 집계표입니다.")
    assert _standing(world, fresh) == ("submitted", 0)


def test_a_file_name_is_never_markup(people, world, portal):
    with kernel_of(world.session("mina")) as kernel:
        request = new_request(kernel, NAME)
    with people.window("dahye") as (page, heard):
        page.on("dialog", lambda dialog: heard.errors.append(dialog.message))
        page.goto(f"{portal}/review/{request}")
        expect(page.get_by_role("heading", name=NAME)).to_be_visible()
        assert page.locator("img[onerror], img[src='x']").count() == 0
        assert heard.errors == []
    with kernel_of(world.session("mina")) as kernel:
        html = cell(kernel, f"import ansim; print(ansim.egress.preflight(['/tmp/' + {NAME!r}])._repr_html_())")
    assert "<img" not in html


def test_the_risk_report_opens_with_its_plots(people, world, portal):
    with people.window("suyeon") as (page, heard):
        page.goto(f"{portal}/datasets")
        page.locator(f"a[href*='{world.snapshots['nafld']}']").first.click()
        shot(page, "snapshot")
        with page.context.expect_page() as opened:
            page.locator("a[href$='/report']").click()
        report = opened.value
        report.wait_for_load_state()
        heard.look(report)
        report.reload()
        expect(report.locator("h1")).to_be_visible()
        assert report.locator("svg, img").count() >= 1
        shot(report, "report")
        assert heard.errors == []
        assert heard.strangers == []


def test_the_access_log_is_searched_and_an_entry_shows_its_proof(people, portal):
    with people.window("haneul") as (page, heard):
        page.goto(f"{portal}/log")
        page.locator("[name=action]").select_option("egress.review")
        page.locator("[name=outcome]").select_option("denied")
        page.get_by_role("button", name="찾기").click()
        page.wait_for_url("**outcome=denied*")
        rows = page.locator("tbody tr")
        assert rows.count() >= 3
        assert set(rows.locator("td:nth-child(5) .tag").all_inner_texts()) == {"거부"}
        shot(page, "log")
        rows.first.locator("a").first.click()
        expect(page.locator(".note.ok")).to_be_visible()
        assert heard.errors == []


def test_jupyterlab_opens_from_the_portal_and_a_cell_runs(people, world, portal):
    mina = world.session("mina")
    forget_layout(mina)
    with people.window("mina") as (page, heard):
        page.goto(f"{portal}/")
        page.locator("a[href*='/desk/']").first.click()
        lab(page)
        page.goto(f"{world.session('mina').workspace}/lab/tree/시작하기.ipynb")
        page.wait_for_url("**/services/portal/desk/**")  # a workspace opens inside the portal's page alone
        frame = lab(page)
        expect(frame.get_by_role("button", name="Python 3 (ipykernel) | Idle")).to_be_visible(timeout=60_000)
        # Notebooks that stayed open in other tabs are hidden, not gone.
        notebook = frame.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Notebook")
        notebook.locator(".jp-CodeCell").first.locator(".cm-content").click()
        page.keyboard.press("Shift+Enter")
        expect(notebook.locator(".jp-OutputArea-output").first).to_contain_text("patients", timeout=60_000)
        page.wait_for_timeout(500)
        shot(page, "jupyterlab")
        assert heard.strangers == []


def test_a_page_on_a_workspaces_origin_cannot_act_as_the_checker(people, world, portal, fresh):
    """The checker's browser shows a page that a scientist's kernel made: it reads nothing and changes nothing."""
    evil = f"{world.session('mina').workspace}/evil"
    facts = world.ask("dahye", "GET", f"/requests/{fresh}")
    fields = {"decision": "reject", "round": facts["round"], "content": facts["content_sha256"],
              "reason_code": "output-checked", **dict.fromkeys(JUDGED, "x")}  # fmt: skip
    form = "".join(f"<input name={name} value='{value}'>" for name, value in fields.items())
    target = f"{portal}/review/{fresh}/decide"
    html = f"<!doctype html><form method=post action='{target}'>{form}</form><iframe src='{portal}/'></iframe>"
    read = "url => fetch(url, {credentials: 'include'}).then(a => a.text()).catch(e => 'refused: ' + e.name)"
    send = """url => fetch(url, {method: 'POST', mode: 'no-cors', credentials: 'include',
      headers: {'Content-Type': 'application/x-www-form-urlencoded'},
      body: new URLSearchParams(new FormData(document.forms[0]))}).then(a => a.type).catch(e => 'refused: ' + e.name)"""
    with people.window("dahye") as (page, _):
        page.context.route(evil, lambda route: route.fulfill(body=html, content_type="text/html"))
        page.goto(evil)
        assert page.evaluate(read, f"{portal}/api/v1/me").startswith("refused")
        assert page.evaluate(read, f"{portal}/review/{fresh}").startswith("refused")
        with page.expect_request(target):  # it is sent, but what comes back is not even an opaque answer
            assert page.evaluate(send, target).startswith("refused")
        assert page.frames[1].url.startswith("chrome-error:")  # may not be framed
        with page.expect_navigation() as sent:
            page.evaluate("document.forms[0].submit()")
        assert sent.value.status == 403
    assert _standing(world, fresh) == ("submitted", 0)
