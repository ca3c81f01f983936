"""The steps before a snapshot is offered, as forms; and that nobody else's browser ever gets an original text."""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl
import pytest

from deid.manifest import Column, Manifest, Table
from deid.snapshot import publish, unfinished
from deid.texts import CaseWriter, TextCase, TextSpan
from enclave import clock, keys
from enclave.actor import Actor
from enclave.commands import dataset, logbook
from enclave.commands.text_drawing import SealedTexts
from enclave.logbook.question import Question
from enclave.queries import dataset as queries
from enclave.states import SnapshotState
from tests.enclave.portal.test_accessibility import Page, faults
from tests.enclave.portal.world import ROOT, World
from tests.enclave.publishing import ANSWERS

ORIGINAL, CANARY = "환자 독고영재<b> 010-2345-6789, 보호자 홍길동 내원", "독고영재"


def receive(world: World, tmp_path: Path, *, texts: int = 0) -> str:
    """A snapshot under review, with a sample of so many texts to look at."""
    lineage: dict[str, object] = {}
    private = tmp_path / "private"
    if texts:
        spans = (TextSpan(3, 7, "NAME", 0.9, "rules", ""), TextSpan(27, 30, "NAME", 0.3, "rules", "below-threshold"))
        with CaseWriter(private) as writer:
            for n in range(texts):
                writer.write(TextCase(f"{n:032x}", "visits", "memo", "p", 2, ORIGINAL, "환자 <이름>, 내원", spans))
            writer.keep()
        lineage["text_sample"] = {"size": texts, "min_recall": 0.5, "confidence": 0.95}
        lineage["text_sample"] |= {"cases": writer.count, "cases_sha256": writer.sha256}  # type: ignore[operator]
    columns = {"patient": Column("String", "pseudonym(patient)", "환자", "Patient", quasi_identifier=False)}
    manifest = Manifest(
        id="", dataset="visits", title_ko="외래 방문", title_en="Visits", provider="bitgoeul",
        legal_basis="개인정보 보호법 제28조의2", recipe_version=2, recipe_sha256="cd" * 32,
        created_at="2026-11-25T09:00:00Z", risk={}, gates=(), tool_versions={"ansim-enclave": "0.1.0"},
        tables={"visits": Table("방문", "Visits", columns, 2, 2, ("data/visits/part-000.parquet",))},
        lineage=lineage, files={},
    )  # fmt: skip
    with unfinished(world.settings.snapshots) as folder:
        (folder / "data/visits").mkdir(parents=True)
        pl.DataFrame({"patient": ["a", "b"]}).write_parquet(folder / "data/visits/part-000.parquet")
        signing = keys.load_signing_key(template_key(world))
        place = publish(folder, world.settings.snapshots, manifest, signing)[0]
    sealed = SealedTexts(private, world.portal.vault, "00ff") if texts else None
    public = keys.load_public_key(world.settings.snapshot_public_key)
    return dataset.receive_snapshot(
        world.store, Actor.console(), folder=place, public_key=public, now=clock.now(), texts=sealed
    ).id


def template_key(world: World) -> Path:
    return world.settings.keys / "snapshot.key"


def state(world: World, snapshot_id: str) -> SnapshotState:
    return queries.snapshot(world.store, Actor.console(), snapshot_id).state


def test_a_snapshot_goes_through_every_form_and_is_offered(world: World, tmp_path: Path) -> None:
    made = receive(world, tmp_path)
    path = f"/snapshots/{made}"
    steward = world.browser("suyeon")
    assert "위험성 검토" in steward.get(ROOT + path).text
    half = steward.form(path + "/risk", r_identifying="이름을 지움")
    assert (half.status_code, "이름을 지움" in half.text) == (422, True)
    assert steward.form(path + "/risk", **{f"r_{key}": said for key, said in ANSWERS.items()}).status_code == 303
    way = queries.dossier(world.store, world.actor("suyeon"), made, now=clock.now())
    assert way.risk is not None
    risk = way.risk.sha256
    for login in ("dahye", "woojin", "yerin"):
        answer = world.browser(login).form(
            path + "/adequacy", risk=risk, adequate="yes", judge_reason="확인함", code=world.code(login)
        )
        assert answer.status_code == 303, answer.text
    today = clock.korean_date(clock.now())
    fields = {"drb_number": "DRB-2026-77", "drb_on": today, "starts_on": today, "ends_on": today.replace(year=2030)}
    wrong = steward.form(path + "/offer", risk="0" * 64, code=world.code("suyeon"), **fields)
    assert (wrong.status_code, "DRB-2026-77" in wrong.text) == (409, True)
    assert steward.form(path + "/offer", risk=risk, **fields).status_code == 303
    assert state(world, made) is SnapshotState.PUBLISHED
    record = world.browser("jiwoo").get(f"{ROOT}{path}/record")
    assert [word in record.text for word in (made, "DRB-2026-77", "확인함", "서명")] == [True] * 4
    assert faults(Page(record.text)) == []


def test_what_is_under_review_is_not_there_for_those_who_would_use_it(world: World, tmp_path: Path) -> None:
    made = receive(world, tmp_path)
    for login in ("jiwoo", "mina"):
        browser = world.browser(login)
        assert made[:12] not in browser.get(f"{ROOT}/datasets").text
        for page in ("", "/report", "/record", "/sample"):
            assert browser.get(f"{ROOT}/snapshots/{made}{page}").status_code == 404
    assert made[:12] in world.browser("dahye").get(f"{ROOT}/datasets").text


@pytest.mark.parametrize(
    ("login", "status"),
    [("mina", 403), ("jiwoo", 403), ("operator", 403), ("dahye", 403), ("haneul", 403), ("sora", 403)],
)
def test_nobody_else_gets_an_original_and_nothing_of_it_is_in_page_or_log(world, tmp_path, login, status):
    made = receive(world, tmp_path, texts=3)
    browser = world.browser(login)
    path = f"/snapshots/{made}/sample/1"
    answers = [browser.get(ROOT + path), browser.form(path, m_NAME="1"), browser.form(path + "x")]
    answers += [browser.form(f"/snapshots/{made}/sample-close"), browser.get(f"{ROOT}/snapshots/{made}/sample")]
    assert [answer.status_code for answer in answers[:2]] == [status, status]
    assert not [answer for answer in answers if CANARY in answer.text or "<이름>" in answer.text]
    auditor = world.actor("haneul")
    log = logbook.ask(world.store, auditor, question=Question(), after=None, limit=50, now=clock.now()).page
    assert CANARY not in repr(log)


def test_a_steward_goes_through_the_sample_and_a_miss_sends_the_snapshot_back(world: World, tmp_path: Path) -> None:
    made = receive(world, tmp_path, texts=3)
    path = f"/snapshots/{made}/sample"
    browser = world.browser("suyeon")
    listed = browser.get(ROOT + path)
    assert (CANARY in listed.text, faults(Page(listed.text))) == (False, [])
    page = browser.get(f"{ROOT}{path}/1")
    assert (page.status_code, faults(Page(page.text))) == (200, [])
    assert (CANARY in page.text, "<b> 010" in page.text, "가리지 않음" in page.text) == (True, False, True)
    assert page.headers["cache-control"] == "no-store"
    wrong = browser.form(path + "/1", m_NAME="두 개", note="메모")
    assert (wrong.status_code, "메모" in wrong.text) == (422, True)
    goes = [browser.form(f"{path}/{n}", m_NAME="1" if n == 2 else "").headers["location"] for n in (1, 2, 3)]
    assert [each.removeprefix(ROOT + path) for each in goes] == ["/2", "/3", ""]
    assert browser.form(path + "-close").status_code == 303
    assert state(world, made) is SnapshotState.RETURNED
    after = browser.get(f"{ROOT}/snapshots/{made}")
    assert ("놓친 것 1개" in after.text, CANARY in after.text) == (True, False)
    # The board's printable record says who looked at how many, and what it showed with its interval.
    record = browser.get(f"{ROOT}/snapshots/{made}/record")
    told = " ".join(re.sub(r"<[^>]+>", " ", record.text).split())
    assert "본 사람 suyeon 글 3건 suyeon 님이 끝냄" in told
    assert re.search(r"재현율\(식별정보\) [0-9.]+% \[[0-9.]+, [0-9.]+\] 신뢰수준 95%", told)
    assert CANARY not in record.text
    assert browser.get(f"{ROOT}{path}/1").status_code == 409


def test_another_hospitals_steward_sees_neither_the_texts_nor_a_way_to_them(world: World, tmp_path: Path) -> None:
    from enclave.commands import people
    from enclave.model.people import OrganisationKind
    from enclave.roles import Role

    now, console = clock.now(), Actor.console()
    people.create_organisation(
        world.store, console, organisation_id="mudeung", name="무등의료원", kind=OrganisationKind.PROVIDER, now=now
    )
    people.create_account(
        world.store, console, login="taeho", name="박태호", organisation_id="mudeung", password="p" * 14, now=now
    )
    people.grant_role(world.store, console, login="taeho", role=Role.DATA_STEWARD, reason="시험", now=now)
    made = receive(world, tmp_path, texts=3)
    browser = world.browser("taeho")
    assert browser.get(f"{ROOT}/snapshots/{made}/sample/1").status_code == 403
    assert browser.get(f"{ROOT}/snapshots/{made}/sample").status_code == 403
    assert "/sample" not in browser.get(f"{ROOT}/snapshots/{made}").text


def test_no_form_and_no_address_of_the_api_offers_what_was_not_sampled(world: World, tmp_path: Path) -> None:
    made = receive(world, tmp_path, texts=3)
    steward, path = world.browser("suyeon"), f"/snapshots/{made}"
    today = clock.korean_date(clock.now())
    fields = {"drb_number": "DRB-2026-78", "drb_on": today, "starts_on": today, "ends_on": today.replace(year=2030)}
    answer = steward.form(path + "/offer", risk="0" * 64, code=world.code("suyeon"), **fields)
    assert (answer.status_code, "글의 표본 검토를 아직 통과하지 않았습니다" in answer.text) == (409, True)
    body = {name: str(value) for name, value in fields.items()}
    asked = steward.api("POST", path + "/offer", body | {"risk_sha256": "0" * 64})
    assert (asked.status_code, asked.json()["code"]) == (409, "sample.not-passed")
    for method, address in [("PUT", "/offer"), ("POST", ""), ("PATCH", ""), ("POST", "/publish")]:
        assert steward.api(method, path + address, body).status_code in {404, 405}, (method, address)
    assert state(world, made) is SnapshotState.RECEIVED


def test_who_reads_english_goes_through_the_sample_in_english(world: World, tmp_path: Path) -> None:
    made = receive(world, tmp_path, texts=3)
    browser, path = world.browser("suyeon"), f"{ROOT}/snapshots/{made}/sample"
    said = {
        path: ("0 of 3 judged", "not yet", "Close the review"),
        f"{path}/1": ("The missed values themselves", "One on a line", "not masked", "2 rows with this text"),
    }
    for address, words in said.items():
        page = browser.get(address, params={"lang": "en"}).text
        assert '<html lang="en">' in page
        assert [each for each in words if each not in page] == []
        assert [each for each in ("놓친 값", "아직", "검토 끝내기", "가리지 않음") if each in page] == []
