"""What a hostile page, a hostile file name or a hostile neighbour tries at the portal's doors."""

from __future__ import annotations

import pytest

from enclave.portal.render import printable
from tests.enclave.portal.world import ROOT, TABLE, World


def test_every_answer_carries_the_headers_that_shut_the_page(world: World) -> None:
    browser = world.browser("dahye")
    request = world.submit({"표.csv": TABLE.encode()})
    for path in ("/", f"/review/{request}", "/no-such-page", "/api/v1/me", "/static/portal.css", "/health"):
        headers = browser.get(ROOT + path).headers
        assert headers["content-security-policy"].startswith("default-src 'none'; style-src 'self'"), path
        assert "'unsafe" not in headers["content-security-policy"], path
        assert headers["cache-control"] == "no-store", path
        assert (headers["x-frame-options"], headers["x-content-type-options"]) == ("DENY", "nosniff"), path


def test_pages_need_nothing_that_the_policy_forbids(world: World) -> None:
    browser = world.browser("dahye")
    request = world.submit({"표.csv": TABLE.encode()})
    for path in ("/", "/review", f"/review/{request}", "/datasets"):
        text = browser.get(ROOT + path).text
        for forbidden in (" style=", "<style", " onclick=", "javascript:", "//cdn", "https://", "hx-on"):
            assert forbidden not in text, (path, forbidden)
        assert text.count("<script") == text.count(f'<script src="{ROOT}/static/'), path


@pytest.mark.parametrize(
    "host", ["evil.example", "mina.ansim.localhost:8000", "127.0.0.1:8085", "ansim.localhost:8000"]
)
def test_pages_are_served_under_one_host_name_only(world: World, host: str) -> None:
    browser = world.browser("mina")
    assert browser.get(f"{ROOT}/", headers={"Host": host}).status_code == 421
    assert browser.get(f"{ROOT}/api/v1/me", headers={"Host": host}).status_code == 421


def forged(world: World) -> list[dict[str, str]]:
    other = world.browser("jiwoo").csrf()
    return [{}, {"csrf": ""}, {"csrf": "guess"}, {"csrf": other}]


def test_a_form_without_this_sessions_token_does_nothing(world: World) -> None:
    request = world.submit({"표.csv": TABLE.encode()})
    browser = world.browser("mina")
    for fields in forged(world):
        answer = browser.post(f"{ROOT}/review/{request}/withdraw", data=fields)
        assert (answer.status_code, "portal.form" in answer.text) == (403, True)
    assert browser.get(f"{ROOT}/api/v1/requests/{request}").json()["state"] == "submitted"


def test_a_rest_change_without_the_token_does_nothing(world: World) -> None:
    request = world.submit({"표.csv": TABLE.encode()})
    browser = world.browser("mina")
    for token in ("", "guess", world.browser("jiwoo").csrf()):
        answer = browser.post(f"{ROOT}/api/v1/requests/{request}/withdraw", headers={"X-CSRF-Token": token})
        assert (answer.status_code, answer.json()["code"]) == (403, "portal.form")
    assert browser.get(f"{ROOT}/api/v1/requests/{request}").json()["state"] == "submitted"


def test_a_browser_that_says_the_form_comes_from_elsewhere_is_believed(world: World) -> None:
    request = world.submit({"표.csv": TABLE.encode()})
    browser = world.browser("mina")
    data = {"csrf": browser.csrf()}
    for site in ("same-site", "cross-site", "none"):
        answer = browser.post(f"{ROOT}/review/{request}/withdraw", data=data, headers={"Sec-Fetch-Site": site})
        assert answer.status_code == 403, site


def test_every_form_of_every_page_carries_token_and_key(world: World) -> None:
    import re

    request = world.submit({"표.csv": TABLE.encode()})
    seen = 0
    for login, paths in {
        "dahye": [f"/review/{request}"], "mina": [f"/review/{request}"], "operator": ["/accounts", "/accounts/mina"],
        "jiwoo": ["/apply", f"/projects/{world.project_id}"], "suyeon": [f"/snapshots/{world.snapshot_id}"],
    }.items():  # fmt: skip
        browser = world.browser(login)
        for path in paths:
            for form in re.findall(r"<form[^>]*method=\"post\".*?</form>", browser.get(ROOT + path).text, re.DOTALL):
                seen += 1
                assert f'name="csrf" value="{browser.csrf()}"' in form
                assert 'name="once" value="' in form
    assert seen >= 12


HOSTILE = "<img src=x onerror=alert(1)>.csv"


def test_a_file_name_is_only_ever_text(world: World) -> None:
    request = world.submit(
        {HOSTILE: TABLE.encode(), "gnp\u202eexe.csv": TABLE.encode(), "줄\n바꿈.csv": TABLE.encode()}
    )
    text = world.browser("dahye").get(f"{ROOT}/review/{request}").text
    assert "<img src=x" not in text
    assert "&lt;img src=x onerror=alert(1)&gt;.csv" in text
    assert "\u202e" not in text
    assert "gnp\\u202eexe.csv" in text
    assert "줄\\n바꿈.csv" in text


def test_cells_and_texts_of_a_request_are_only_ever_text(world: World) -> None:
    table = "구간,환자수\n<script>alert(1)</script>,20\n=cmd|x,30\n"
    request = world.submit({"t.csv": table.encode()}, purpose="<b>굵게</b>", context="</textarea><script>1</script>")
    text = world.browser("dahye").get(f"{ROOT}/review/{request}").text
    assert "<script>" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "&lt;b&gt;굵게&lt;/b&gt;" in text


@pytest.mark.parametrize(
    ("name", "shown"),
    [("표.csv", "표.csv"), ("a b", "a b"), ("a\tb", "a\\tb"), ("\x1b[31m", "\\x1b[31m"), ("a\\n", "a\\\\n"),
     ("\ud800", "\\ud800"), ("\u200bx", "\\u200bx"), ("e\u0301", "e\u0301")],
)  # fmt: skip
def test_a_name_shows_what_it_hides(name: str, shown: str) -> None:
    assert printable(name) == shown


def test_a_risk_report_runs_in_a_sandbox_of_its_own(world: World) -> None:
    answer = world.browser("suyeon").get(f"{ROOT}/snapshots/{world.snapshot_id}/report")
    policy = [part.strip() for part in answer.headers["content-security-policy"].split(";")]
    assert answer.status_code == 200
    assert "sandbox" in policy, "without any allow-… token"
    assert "default-src 'none'" in policy
    assert not any(part.startswith("script-src") for part in policy)


def test_a_report_that_is_not_the_signed_one_is_not_shown(world: World) -> None:
    browser = world.browser("suyeon")
    from enclave.queries import dataset

    found = dataset.snapshot(world.store, world.actor("suyeon"), world.snapshot_id)
    report = found.path / "report.html"
    good = report.read_bytes()
    report.chmod(0o644)
    try:
        report.write_bytes(good + b"<script>fetch('/services/portal/')</script>")
        answer = browser.get(f"{ROOT}/snapshots/{world.snapshot_id}/report")
        assert (answer.status_code, "portal.report" in answer.text) == (503, True)
    finally:
        report.write_bytes(good)
        report.chmod(0o444)


def test_a_body_that_is_too_large_or_hides_its_length_is_not_read(world: World) -> None:
    browser = world.browser("jiwoo")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert browser.post(f"{ROOT}/apply", content=b"a=" + b"x" * (1 << 20), headers=form).status_code == 413
    assert browser.post(f"{ROOT}/apply", content=iter([b"a=b"]), headers=form).status_code == 411


@pytest.mark.parametrize(
    ("content", "kind"),
    [(b"\xff\xfe=1", "application/x-www-form-urlencoded"), (b"&" * 6000, "application/x-www-form-urlencoded"),
     (b"{}", "application/json"), (b"x", "multipart/form-data; boundary=x")],
)  # fmt: skip
def test_a_body_that_is_no_form_is_told_so(world: World, content: bytes, kind: str) -> None:
    answer = world.browser("jiwoo").post(f"{ROOT}/apply", content=content, headers={"Content-Type": kind})
    assert answer.status_code in {403, 422}


def test_errors_are_pages_with_a_remedy_and_no_trace(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = world.browser("mina")
    for path, status in (("/nothing", 404), ("/projects/p-unknown", 404), ("/log", 403), ("/accounts", 403)):
        answer = browser.get(ROOT + path)
        assert (answer.status_code, "Traceback" in answer.text) == (status, False), path
        assert "<h1>" in answer.text, path
    monkeypatch.setattr("enclave.portal.pages.home._tasks", lambda *_: 1 / 0)
    broken = browser.get(f"{ROOT}/")
    assert broken.status_code == 500
    assert "portal.defect" in broken.text
    assert "ZeroDivision" not in broken.text


def test_an_error_is_told_in_the_visitors_language_and_as_json_to_programs(world: World) -> None:
    browser = world.browser("mina")
    assert "There is no project p-x." in browser.get(f"{ROOT}/projects/p-x?lang=en").text
    assert "p-x이(가) 없습니다" in browser.get(f"{ROOT}/projects/p-x?lang=ko").text
    answer = browser.get(f"{ROOT}/api/v1/projects/p-x")
    assert (answer.status_code, set(answer.json())) == (404, {"code", "ko", "en", "remedy_ko", "remedy_en"})
    assert world.browser().get(f"{ROOT}/api/v1/me").json()["code"] == "portal.sign-in"
