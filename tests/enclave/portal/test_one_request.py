"""One request from its draft to the receipt of its recall, by REST and pages; each answer says what comes next."""

from __future__ import annotations

from datetime import date

from demo.looking import look
from enclave import workdays
from enclave.states import Verb
from tests.enclave.portal.test_rest import JUDGEMENTS
from tests.enclave.portal.world import ROOT, TABLE, Browser, World

MEND = "분모를 적어 주세요."
# Where each verb of a person is said; `submit` needs files and is asked from the workspace (`/egress/submit`).
ADDRESSES = {
    Verb.SAVE: ("put", "/requests/{request_id}/draft"),
    Verb.SUBMIT: ("post", "/projects/{project_id}/imports"),
    Verb.WITHDRAW: ("post", "/requests/{request_id}/withdraw"),
    Verb.REASSIGN: ("post", "/requests/{request_id}/reassign"),
    Verb.REVIEW: ("post", "/requests/{request_id}/decide"),
    Verb.REVISE: ("post", "/requests/{request_id}/decide"),
    Verb.RETURN: ("post", "/requests/{request_id}/decide"),
    Verb.REJECT: ("post", "/requests/{request_id}/decide"),
    Verb.CONCLUDE: ("post", "/requests/{request_id}/conclude"),
    Verb.REOPEN: ("post", "/requests/{request_id}/reopen"),
    Verb.COMMENT: ("post", "/requests/{request_id}/comments"),
    Verb.DECLARE: ("post", "/requests/{request_id}/declare"),
    Verb.RECALL: ("post", "/releases/{release_id}/recall"),
}
OF_THE_SYSTEM = {Verb.RELEASE, Verb.EXPIRE}
OF_RELEASES = {
    "hand_over": ("post", "/releases/{release_id}/hand-over"),
    "recall": ("post", "/releases/{release_id}/recall"),
    "build": ("post", "/releases/{release_id}/build"),
    "confirm_recall": ("post", "/releases/{release_id}/confirm-recall"),
}


def row(browser: Browser, request: str, where: str = "") -> dict[str, object]:
    return next(each for each in browser.api("GET", f"/requests{where}").json()["requests"] if each["id"] == request)


def decide(browser: Browser, request: str, decision: str, code: str = "") -> dict[str, object]:
    """Look at everything and decide; a code works once, its factor then for five minutes."""
    look(browser, request)
    found = browser.api("GET", f"/requests/{request}").json()
    body = {
        "decision": decision,
        "round": found["round"],
        "content_sha256": found["content_sha256"],
        "reason_code": "output-checked" if decision == "approve" else "missing-context",
        "comment": MEND if decision == "return" else "",
        "code": code,
        **JUDGEMENTS,
    }
    answer = browser.api("POST", f"/requests/{request}/decide", body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_every_verb_that_is_a_persons_has_an_address(world: World) -> None:
    described = world.browser().get(f"{ROOT}/api/v1/openapi.json").json()["paths"]
    assert {*ADDRESSES} == {*Verb} - OF_THE_SYSTEM
    for method, path in (*ADDRESSES.values(), *OF_RELEASES.values()):
        assert method in described[f"{ROOT}/api/v1{path}"], path


def test_a_draft_is_listed_with_what_it_is_for_and_what_may_be_done(world: World) -> None:
    mina = world.browser("mina")
    made = mina.api("POST", "/requests/drafts", {"project_id": world.project_id, "purpose": "논문 표 2"}).json()
    assert {"save", "submit", "withdraw"} <= {*made["allowed"]}
    mine = row(mina, made["id"])
    assert (mine["state"], mine["purpose"], mine["allowed"]) == ("draft", "논문 표 2", made["allowed"])
    assert (mine["queue_position"], mine["due_on"]) == (None, None)
    for login in ("dahye", "operator"):
        assert world.browser(login).api("GET", f"/requests/{made['id']}").status_code == 403


def test_a_request_goes_from_draft_to_the_receipt_of_its_recall(world: World) -> None:
    mina = world.browser("mina")
    request = mina.api("POST", "/requests/drafts", {"project_id": world.project_id, "purpose": "표"}).json()["id"]
    assert world.submit({"표.csv": TABLE.encode()}, request_id=request) == request
    waits = row(mina, request)
    assert (waits["state"], waits["queue_position"]) == ("submitted", 1)
    assert workdays.is_working_day(date.fromisoformat(waits["due_on"]))
    dahye, woojin = world.browser("dahye"), world.browser("woojin")
    assert row(dahye, request, "/queue")["purpose"] == waits["purpose"]
    decide(dahye, request, "return", world.code("dahye"))
    told = mina.api("GET", f"/requests/{request}").json()
    assert ([each["text"] for each in told["comments"]], told["state"]) == ([MEND], "returned")
    assert {"submit", "comment", "withdraw"} <= {*told["allowed"]}
    world.submit({"표.csv": TABLE.encode()}, request_id=request, context="분모는 40명입니다.")
    decide(woojin, request, "approve", world.code("woojin"))
    release = decide(dahye, request, "approve")["release"]
    assert (release["state"], release["allowed"]) == ("done", ["recall"])
    found = mina.api("GET", f"/releases/{release['id']}").json()
    assert found["allowed"] == ["hand_over"]
    assert "받을 반출물 1건" in mina.get(f"{ROOT}/").text
    body = {"code": world.code("mina")}
    assert mina.api("POST", f"/releases/{release['id']}/hand-over", body).content[:2] == b"PK"
    recalled_and_confirmed(world, mina, release["id"])


def recalled_and_confirmed(world: World, mina: Browser, release: str) -> None:
    steward = world.browser("suyeon")
    assert "recall" in steward.api("GET", f"/releases/{release}").json()["allowed"]
    recalled = steward.api("POST", f"/releases/{release}/recall", {"reason": "표 오류"}).json()
    assert (recalled["state"], [each["confirmed_at"] for each in recalled["receipts"]]) == ("recalled", [None])
    assert [each["id"] for each in steward.api("GET", "/requests/stuck").json()["recalls"]] == [release]
    assert "사본 삭제를 확인해 주세요" in mina.get(f"{ROOT}/").text
    assert "확인하지 않은 회수 1건" in steward.get(f"{ROOT}/").text
    assert f"/releases/{release}" in steward.get(f"{ROOT}/metrics").text
    assert "사본 삭제 확인" in mina.get(f"{ROOT}/releases/{release}").text
    assert "사본 삭제 확인" not in steward.get(f"{ROOT}/releases/{release}").text
    assert mina.form(f"/releases/{release}/confirm-recall", statement="").status_code == 422
    assert mina.form(f"/releases/{release}/confirm-recall", statement="노트북에서 지움").status_code == 303
    assert "노트북에서 지움" in steward.get(f"{ROOT}/releases/{release}").text
    assert steward.api("GET", "/requests/stuck").json()["recalls"] == []
    assert "확인하지 않은 회수" not in steward.get(f"{ROOT}/").text
    assert mina.api("GET", f"/releases/{release}").json()["allowed"] == []


def test_a_package_that_could_not_be_made_is_made_again_by_rest(world: World) -> None:
    request = world.submit({"표.csv": TABLE.encode()})
    decide(world.browser("woojin"), request, "approve", world.code("woojin"))
    folder = world.portal.depot.folder
    away = folder.rename(folder.with_name("away"))
    failed = decide(world.browser("dahye"), request, "approve", world.code("dahye"))
    away.rename(folder)
    assert (failed["state"], failed["release"]["state"]) == ("approved", "failed")
    assert "멈춘 신청 1건" in world.browser("suyeon").get(f"{ROOT}/").text
    assert "build" in failed["release"]["allowed"]
    path = f"/releases/{failed['release']['id']}/build"
    assert world.browser("operator").api("POST", path).status_code == 403
    assert world.browser("mina").api("POST", path).json()["state"] == "done"


def test_whoever_declares_an_interest_is_told_that_they_may_do_nothing_more(world: World) -> None:
    request = world.submit({"표.csv": TABLE.encode()})
    checker = world.browser("dahye")
    answer = checker.api("POST", f"/requests/{request}/declare", {"reason": "공동 연구"}).json()
    assert answer["allowed"] == []
    assert checker.api("GET", f"/requests/{request}").json()["code"] == "egress.conflict"
