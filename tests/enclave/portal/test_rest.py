"""The REST interface: the same commands, what is allowed in every answer, nothing that is not for outside."""

from __future__ import annotations

from datetime import timedelta

from demo.looking import look
from enclave import clock
from enclave.portal.rest_json import told
from tests.enclave.portal.world import PURPOSE, ROOT, SMALL, TABLE, World

JUDGEMENTS = {"purpose_relation": "목적에 맞음", "identifiability": "식별 불가", "safety_measures": "충분함"}


def application(**changes: object) -> dict[str, object]:
    today = clock.now().date()
    return {
        "title": "새 과제",
        "purpose": PURPOSE,
        "legal_basis": "가명_과학적연구",
        "data": {"visits": {"visits": ["sex", "age"]}},
        "people": ["mina"],
        "starts_on": str(today),
        "ends_on": str(today + timedelta(days=30)),
        "expected_outputs": "표",
        "ethics": "면제",
        "safety_plan": "보관",
    } | changes


def test_a_project_goes_all_the_way_by_rest_and_each_answer_says_what_is_allowed_next(world: World) -> None:
    lead, steward, mina = (world.browser(login) for login in ("jiwoo", "suyeon", "mina"))
    made = lead.api("POST", "/projects", application())
    assert (made.status_code, made.json()["state"], made.json()["allowed"]) == (201, "submitted", [])
    path = f"/projects/{made.json()['id']}"
    assert steward.api("GET", path).json()["allowed"] == ["decide_columns", "return_application"]
    body = {"dataset_id": "visits", "approve": {"visits": ["sex", "age"]}, "reason": "맞음"}
    assert steward.api("POST", f"{path}/columns", body).json()["state"] == "approved"
    text = lead.api("GET", "/pledge").json()
    pledge = {name: text[name] for name in ("version", "text_sha256")}
    for browser in (lead, mina):
        assert browser.api("POST", f"{path}/pledge", pledge).status_code == 200
    assert "activate" in lead.api("GET", path).json()["allowed"]
    assert lead.api("POST", f"{path}/activate").json()["state"] == "active"
    options = {each["project_id"]: each["refusal"] for each in mina.api("GET", "/workspaces").json()["options"]}
    assert options[made.json()["id"]] is None


def test_a_request_is_decided_and_received_by_rest(world: World) -> None:
    request = world.submit({"표.csv": TABLE.encode()})
    for login in ("dahye", "woojin"):
        browser = world.browser(login)
        assert [each["id"] for each in browser.api("GET", "/requests/queue").json()["requests"]] == [request]
        found = browser.api("GET", f"/requests/{request}").json()
        look(browser, request)
        assert {"comment", "declare", "reject", "return", "review"} == set(found["allowed"])
        body = {"decision": "approve", "round": found["round"], "content_sha256": found["content_sha256"],
                "reason_code": "output-checked", "code": world.code(login), **JUDGEMENTS}  # fmt: skip
        decided = browser.api("POST", f"/requests/{request}/decide", body)
        assert decided.status_code == 200
    release = decided.json()["release"]
    assert (decided.json()["state"], release["state"]) == ("released", "done")
    receiver = world.browser("mina")
    body = {"code": world.code("mina")}
    assert receiver.api("POST", f"/releases/{release['id']}/hand-over", body).content[:2] == b"PK"
    assert receiver.api("POST", f"/releases/{release['id']}/hand-over", {}).json()["code"] == "state.transition"


def test_a_repeated_change_with_the_same_key_is_one_change(world: World) -> None:
    browser = world.browser("jiwoo")
    first, second = (browser.api("POST", "/projects", application(), **{"Idempotency-Key": "k1"}) for _ in range(2))
    third = browser.api("POST", "/projects", application(), **{"Idempotency-Key": "k2"})
    assert first.json()["id"] == second.json()["id"] != third.json()["id"]


def test_no_answer_carries_a_path_a_key_or_a_manifest(world: World) -> None:
    request = world.submit({"a.csv": TABLE.encode(), "b.csv": SMALL.encode()})
    browser = world.browser("jiwoo")
    texts = [
        browser.api("GET", path).text for path in ("/datasets", f"/requests/{request}", "/projects", "/workspaces")
    ]
    texts.append(world.browser("operator").api("GET", "/accounts").text)
    for text in texts:
        for secret in ('"path"', '"manifest"', "password", "totp", "sealed", str(world.home)):
            assert secret not in text


def test_only_those_who_may_read_the_log_and_the_accounts_do(world: World) -> None:
    for login in ("jiwoo", "dahye", "suyeon", "operator"):
        assert world.browser(login).api("GET", "/log").status_code == 403, login
    assert world.browser("haneul").api("GET", "/log").status_code == 200
    assert world.browser("mina").api("GET", "/accounts").status_code == 403


def test_what_is_sent_must_have_the_documented_fields(world: World) -> None:
    browser = world.browser("jiwoo")
    answer = browser.api("POST", "/projects", application() | {"state": "active"})
    assert (answer.status_code, answer.json()["code"]) == (422, "portal.unreadable")
    assert "body.state" in answer.json()["ko"]


def test_every_route_is_described_and_every_change_asks_for_the_token(world: World) -> None:
    described = world.browser().get(f"{ROOT}/api/v1/openapi.json").json()
    changes = [
        (path, method, route)
        for path, methods in described["paths"].items()
        for method, route in methods.items()
        if method in {"post", "put", "delete"} and path.startswith(f"{ROOT}/api/v1")
    ]
    assert len(changes) >= 13
    for path, method, route in changes:
        assert "x-csrf-token" in {each["name"] for each in route.get("parameters", [])}, (method, path)
        assert route["summary"], path


def test_views_become_plain_json_and_bytes_never_leave() -> None:
    assert told({"a": (1, b"x", None)}) == {"a": [1, None, None]}
