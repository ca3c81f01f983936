"""People doing their work in the portal: applying, approving, pledging, deciding, receiving."""

from __future__ import annotations

import io
import re
import threading
import zipfile
from datetime import timedelta

import httpx
import pytest

from enclave import clock
from enclave.portal.pages.apply import column_value
from enclave.portal.words import catalogue
from enclave.queries import egress, project
from enclave.states import ProjectState, ReleaseState, RequestState
from tests.enclave.portal.world import GRANTS, PURPOSE, ROOT, SMALL, TABLE, Browser, World

JUDGEMENTS = {
    "purpose_relation": "승인된 목적의 연령대별 빈도표입니다.",
    "identifiability": "가장 작은 칸이 60명으로 식별할 수 없습니다.",
    "safety_measures": "계획이 충분합니다.",
}


def form_values(text: str, name: str) -> list[str]:
    return re.findall(rf'name="{name}" value="([^"]*)"', text)


def application_form(**changes: object) -> dict[str, object]:
    today = clock.now().date()
    fields: dict[str, object] = {
        "title": "새 과제 <이름>",
        "purpose": PURPOSE,
        "legal_basis": "가명_과학적연구",
        "ethics": "면제",
        "expected_outputs": "빈도표",
        "safety_plan": "암호화 보관",
        "members": "mina",
        "starts_on": str(today),
        "ends_on": str(today + timedelta(days=30)),
        "columns": [column_value("visits", "visits", "sex"), column_value("visits", "visits", "age")],
        "act": "submit",
    }
    return fields | changes


def vote(world: World, login: str, request: str, browser: Browser | None = None, **changes: object) -> httpx.Response:
    browser = browser or world.browser(login)
    page = browser.get(f"{ROOT}/review/{request}").text
    for picture_path in re.findall(r'<img class="shown" src="([^"]+)"', page):
        browser.get(picture_path)
    fields: dict[str, object] = {
        "round": form_values(page, "round")[0],
        "content": form_values(page, "content")[0],
        "once": form_values(page, "once")[-1],
        "decision": "approve",
        "reason_code": "output-checked",
        "code": world.code(login),
        **JUDGEMENTS,
    }
    return browser.form(f"/review/{request}/decide", **(fields | changes))


def state(world: World, request: str) -> egress.RequestView:
    return egress.request(world.store, world.actor("mina"), request, now=clock.now())


def test_an_application_goes_from_the_form_to_the_workspace_button(world: World) -> None:
    lead, steward, scientist = (world.browser(login) for login in ("jiwoo", "suyeon", "mina"))
    sent = lead.form("/apply", **application_form())
    assert sent.status_code == 303, sent.text
    path = sent.headers["location"].removeprefix(ROOT)
    assert path.removeprefix("/projects/") in steward.get(f"{ROOT}/columns").text

    decided = steward.form(
        path.replace("projects", "columns"),
        dataset="visits",
        approved=[column_value("visits", "visits", "sex")],
        reason="나이는 목적에 필요하지 않음",
    )
    assert decided.status_code == 303, decided.text
    columns = project.project(world.store, world.actor("jiwoo"), path.rpartition("/")[2], now=clock.now()).columns
    assert {each.column: each.state.value for each in columns} == {"sex": "approved", "age": "rejected"}

    for browser in (lead, scientist):
        page = browser.get(ROOT + path).text
        pledge = {name: form_values(page, name)[0] for name in ("version", "text_sha256")}
        assert browser.form(f"{path}/pledge", agree="yes", **pledge).status_code == 303
    assert lead.form(f"{path}/activate").status_code == 303
    found = project.project(world.store, world.actor("jiwoo"), path.rpartition("/")[2], now=clock.now())
    assert found.state is ProjectState.ACTIVE
    assert f'href="{ROOT}{path}/start"' in scientist.get(f"{ROOT}/").text
    started = scientist.get(f"{ROOT}{path}/start")
    assert started.headers["location"] == "http://ansim.localhost:8000/hub/spawn"


def test_a_refused_application_keeps_every_word_and_names_the_field(world: World) -> None:
    browser = world.browser("jiwoo")
    answer = browser.form("/apply", **application_form(purpose="짧은 목적", safety_plan="보관 계획 <1>"))
    assert answer.status_code == 422
    text = answer.text
    assert "짧은 목적</textarea>" in text
    assert "보관 계획 &lt;1&gt;</textarea>" in text
    assert text.count(" checked") == 2
    assert re.search(
        r'<textarea id="f-purpose"[^>]*aria-describedby="h-purpose e-purpose"[^>]*aria-invalid="true"', text
    )

    missing = browser.form("/apply", **application_form(title="", ends_on="", columns=[]))
    assert missing.status_code == 422
    for name in ("title", "ends_on", "columns"):
        assert f'id="e-{name}"' in missing.text, name
    assert PURPOSE in missing.text


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"columns": [column_value("visits", "visits", "rrn")]}, "rrn"), ({"columns": ["nonsense"]}, ""),
     ({"members": "nobody"}, "nobody"), ({"ends_on": "2020-13-45"}, "2020-13-45"), ({"legal_basis": "아무거나"}, "")],
    ids=["unknown column", "forged box", "unknown person", "no date", "forged choice"],
)  # fmt: skip
def test_an_application_for_what_does_not_exist_is_told_so(world: World, changes: dict[str, object], code: str) -> None:
    answer = world.browser("jiwoo").form("/apply", **application_form(**changes))
    assert answer.status_code in {404, 409, 422}
    assert code in answer.text
    assert PURPOSE in answer.text
    assert len(project.mine(world.store, world.actor("jiwoo"), now=clock.now())) == 1


def test_a_returned_application_comes_back_filled_in(world: World) -> None:
    lead, steward = world.browser("jiwoo"), world.browser("suyeon")
    path = lead.form("/apply", **application_form()).headers["location"].removeprefix(ROOT)
    steward.form(path.replace("projects", "columns") + "/return", return_reason="연령대가 왜 필요한지 적어 주세요")
    page = lead.get(f"{ROOT}{path}/edit").text
    assert "연령대가 왜 필요한지 적어 주세요" in page
    assert PURPOSE in page
    assert page.count(" checked") == 2
    assert lead.form(f"{path}/edit", **application_form(title="고친 과제")).headers["location"] == ROOT + path


def test_a_workspace_that_would_be_refused_has_no_button_but_a_reason(world: World) -> None:
    lead = world.browser("jiwoo")
    lead.form("/apply", **application_form())
    page = lead.get(f"{ROOT}/").text
    assert "project.not-active" in page
    assert page.count("/start") == 1, "only the active project can be opened"


def test_two_checkers_approve_and_the_receiver_takes_it_once(world: World) -> None:
    request = world.submit({"표2.csv": TABLE.encode()})
    assert vote(world, "dahye", request).status_code == 303
    assert state(world, request).state is RequestState.SUBMITTED
    assert vote(world, "woojin", request).status_code == 303
    released = state(world, request).release
    assert released is not None
    assert released.state is ReleaseState.DONE

    receiver, other = world.browser("mina"), world.browser("jiwoo")
    path = f"/releases/{released.id}/hand-over"
    assert f'action="{ROOT}{path}"' in receiver.get(f"{ROOT}/releases").text
    assert f'action="{ROOT}{path}"' not in other.get(f"{ROOT}/releases/{released.id}").text
    assert other.form(path, code=world.code("jiwoo")).status_code == 403
    assert receiver.form(path, code="000000").status_code == 403
    package = receiver.form(path, code=world.code("mina"))
    assert (package.status_code, package.headers["content-type"]) == (200, "application/zip")
    assert package.headers["content-disposition"].startswith("attachment; filename*=UTF-8''")
    with zipfile.ZipFile(io.BytesIO(package.content)) as content:
        assert content.read("표2.csv").decode() == TABLE
    assert receiver.form(path).status_code == 409
    at_rest = b"".join(file.read_bytes() for file in world.settings.releases.iterdir())
    assert "연령대".encode() not in at_rest


def test_the_requester_and_the_project_see_why_they_cannot_decide(world: World) -> None:
    request = world.submit({"표2.csv": TABLE.encode()})
    for login in ("mina", "jiwoo"):
        page = world.browser(login).get(f"{ROOT}/review/{request}").text
        assert ("role.missing" in page) is (login == "jiwoo"), "the requester may withdraw, and is told that instead"
        assert ("/withdraw" in page) is (login == "mina")
        assert f"/review/{request}/decide" not in page
        assert vote_directly(world, login, request).status_code == 403


def vote_directly(world: World, login: str, request: str) -> httpx.Response:
    """Send a vote without having been offered the form."""
    found = state(world, request)
    return world.browser(login).form(
        f"/review/{request}/decide",
        round=str(found.round),
        content=found.content_sha256,
        decision="approve",
        reason_code="output-checked",
        code=world.code(login),
        **JUDGEMENTS,
    )


@pytest.mark.parametrize("name", JUDGEMENTS)
def test_a_vote_without_one_of_the_judgements_is_not_cast_and_loses_nothing(world: World, name: str) -> None:
    request = world.submit({"표2.csv": TABLE.encode()})
    answer = vote(world, "dahye", request, **{name: "  "})
    assert answer.status_code == 422
    assert f'id="e-{name}"' in answer.text
    kept = [text for other, text in JUDGEMENTS.items() if other != name]
    assert all(text in answer.text for text in kept)
    assert state(world, request).reviews_in == 0


def test_a_vote_needs_a_second_factor_that_was_not_used_before(world: World) -> None:
    request, another = world.submit({"a.csv": TABLE.encode()}), world.submit({"b.csv": TABLE.encode()})
    assert vote(world, "dahye", request, code="").status_code == 403
    code = world.code("dahye")
    assert vote(world, "dahye", request, code=code).status_code == 303
    # A thief who has seen the code cannot use it in a session of their own.
    assert vote(world, "dahye", another, world.browser("dahye"), code=code).status_code == 403
    assert state(world, another).reviews_in == 0


def test_a_blocked_file_cannot_be_approved_and_the_page_says_so(world: World) -> None:
    request = world.submit({"작은칸.csv": SMALL.encode()})
    browser = world.browser("dahye")
    page = browser.get(f"{ROOT}/review/{request}").text
    assert "차단 판정을 받은 파일은 사유 없이 승인할 수 없습니다." in page
    assert "cell.small" in page
    assert vote(world, "dahye", request, browser).status_code == 403
    # The second factor was proved a moment ago in this very session: no second code is asked for.
    returned = vote(
        world, "dahye", request, browser, decision="return", reason_code="small-cell", comment="합쳐 주세요.", code=""
    )
    assert returned.status_code == 303


def test_a_vote_counts_for_what_was_looked_at_and_nothing_else(world: World) -> None:
    request = world.submit({"표2.csv": TABLE.encode()})
    assert vote(world, "dahye", request, content="0" * 64).status_code == 409
    assert vote(world, "woojin", request, round="7").status_code == 409
    assert state(world, request).reviews_in == 0


def test_a_double_click_is_one_vote_and_two_clicks_land_on_the_same_page(world: World) -> None:
    request = world.submit({"표2.csv": TABLE.encode()})
    browser = world.browser("dahye")
    page = browser.get(f"{ROOT}/review/{request}").text
    fields = {
        "csrf": browser.csrf(), "once": form_values(page, "once")[-1], "round": "1", "decision": "approve",
        "content": form_values(page, "content")[0], "reason_code": "output-checked", "code": world.code("dahye"),
        **JUDGEMENTS,
    }  # fmt: skip
    answers: list[httpx.Response] = []

    def click() -> None:
        answers.append(browser.post(f"{ROOT}/review/{request}/decide", data=fields))

    clicks = [threading.Thread(target=click) for _ in range(4)]
    for each in clicks:
        each.start()
    for each in clicks:
        each.join()
    assert {(each.status_code, each.headers["location"]) for each in answers} == {(303, f"{ROOT}/review/{request}")}
    assert state(world, request).reviews_in == 1


def test_two_checkers_at_the_same_moment_make_one_release(world: World) -> None:
    request = world.submit({"표2.csv": TABLE.encode()})
    people = [(login, world.browser(login)) for login in ("dahye", "woojin")]
    answers: list[int] = []
    both = [
        threading.Thread(target=lambda who=who: answers.append(vote(world, who[0], request, who[1]).status_code))
        for who in people
    ]
    for each in both:
        each.start()
    for each in both:
        each.join()
    assert answers == [303, 303]
    found = state(world, request)
    assert found.state is RequestState.RELEASED
    assert found.release is not None


def test_reviews_stay_hidden_until_one_has_voted(world: World) -> None:
    request = world.submit({"표2.csv": TABLE.encode()})
    vote(world, "dahye", request)
    words = JUDGEMENTS["identifiability"]
    assert words not in world.browser("woojin").get(f"{ROOT}/review/{request}").text
    assert words not in world.browser("mina").get(f"{ROOT}/review/{request}").text
    vote(world, "woojin", request)
    assert words in world.browser("mina").get(f"{ROOT}/review/{request}").text


def test_looking_at_files_leaves_an_entry_for_each_before_anything_is_shown(world: World) -> None:
    request = world.submit({"a.csv": TABLE.encode(), "b.csv": SMALL.encode()})
    world.browser("dahye").get(f"{ROOT}/review/{request}")
    world.publish_log()
    auditor = world.browser("haneul")
    rows = auditor.api("GET", "/log?action=egress.view").json()["rows"]
    assert len(rows) == 2
    assert {row["object_id"] for row in rows} == {request}


def test_the_log_filters_pages_stably_and_proves_its_entries(world: World) -> None:
    world.publish_log()
    browser = world.browser("haneul")
    granted = browser.get(f"{ROOT}/log?action=role.grant&outcome=done")
    assert granted.text.count("권한 부여</td>") == GRANTS
    assert browser.get(f"{ROOT}/log?from=2020-01-01&until=2020-01-31").text.count("<tr>") <= 1
    assert browser.get(f"{ROOT}/log?from=gestern").status_code == 422
    by_login = browser.get(f"{ROOT}/log?actor=suyeon").text
    assert "항목 심의</td>" in by_login
    assert "계정 생성</td>" not in by_login
    assert 'class="tag warn"' in by_login
    proven = browser.get(f"{ROOT}/log/3").text
    assert 'class="note warn"' in proven, "no witness has seen it"
    assert "기록된 그대로입니다" in proven
    assert catalogue()["log.proof_unsigned"][0] not in proven, "the checkpoint's signature was checked, too"
    assert browser.get(f"{ROOT}/log/999999").status_code == 404


def test_an_entry_that_was_changed_in_the_database_fails_its_proof(world: World) -> None:
    import sqlite3

    world.publish_log()
    connection = sqlite3.connect(world.settings.db / "ansim.sqlite")
    connection.execute("DROP TRIGGER IF EXISTS audit_entry_no_update")
    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        connection.execute(f'DROP TRIGGER "{name}"')
    entry = connection.execute("SELECT entry_id FROM audit_leaf WHERE leaf_index = 3").fetchone()[0]
    (data,) = connection.execute("SELECT bytes FROM audit_entry WHERE id = ?", (entry,)).fetchone()
    changed = bytes(data).replace(b"organisation.create", b"organisation.creatx")
    connection.execute("UPDATE audit_entry SET bytes = ? WHERE id = ?", (changed, entry))
    connection.commit()
    connection.close()
    browser = world.browser("haneul")
    assert 'class="note stop"' in browser.get(f"{ROOT}/log/3").text
    assert 'class="note warn"' in browser.get(f"{ROOT}/log/4").text


def test_an_operator_makes_an_account_and_nobody_holds_a_forbidden_pair(world: World) -> None:
    browser = world.browser("operator")
    fields = {"login": "bora", "name": "윤보라", "organisation_id": "review-b", "password": "a-long-first-password"}
    assert browser.form("/accounts", **fields).headers["location"] == f"{ROOT}/accounts/bora"
    assert browser.form("/accounts", **fields).status_code == 409
    assert browser.form("/accounts/bora/grant", role="output_checker", reason="위촉").status_code == 303
    refused = browser.form("/accounts/bora/grant", role="scientist", reason="겸직")
    assert (refused.status_code, "함께 가질 수 없습니다" in refused.text) == (403, True)
    assert "겸직" in refused.text
    enrolled = browser.form("/accounts/bora/enrol")
    assert 'src="data:image/svg+xml' in enrolled.text
    assert browser.form("/accounts/operator/grant", role="auditor", reason="x").status_code == 403
    assert world.browser("mina").form("/accounts", **(fields | {"login": "eve"})).status_code == 403


def test_a_locked_database_loses_nothing_and_says_so(world: World) -> None:
    import sqlite3

    request = world.submit({"표2.csv": TABLE.encode()})
    browser = world.browser("dahye")
    page = browser.get(f"{ROOT}/review/{request}").text
    csrf = browser.csrf()
    lock = sqlite3.connect(world.settings.db / "ansim.sqlite", isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    try:
        fields = {
            "csrf": csrf, "round": "1", "content": form_values(page, "content")[0], "decision": "approve",
            "reason_code": "output-checked", "code": world.code("dahye"), **JUDGEMENTS,
        }  # fmt: skip
        answer = browser.post(f"{ROOT}/review/{request}/decide", data=fields)
    finally:
        lock.execute("ROLLBACK")
        lock.close()
    assert answer.status_code == 503
    assert JUDGEMENTS["identifiability"] in answer.text
    assert vote(world, "dahye", request, browser).status_code == 303
