"""The page on which reviewers decide about entries whose time is over: who sees it, and what it refuses."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import select

from audit.tables import audit_entry
from tests.enclave.portal.test_accessibility import Page, faults
from tests.enclave.portal.world import ROOT, World


def told(world: World) -> list[dict[str, Any]]:
    with world.store.read() as session:
        found = [json.loads(data) for (data,) in session.execute(select(audit_entry.c.bytes))]
    return [each for each in found if each["action"].startswith("log.purge")]


def test_an_auditor_sees_the_page_and_an_ordinary_member_does_not(world: World) -> None:
    page = world.browser("haneul").get(f"{ROOT}/retention")
    assert page.status_code == 200
    assert faults(Page(page.text)) == []
    assert "아직 파기한 기록이 없습니다" in page.text
    assert world.browser("mina").get(f"{ROOT}/retention").status_code == 403


def test_an_auditor_only_reads_and_what_is_refused_on_the_page_is_recorded(world: World) -> None:
    browser = world.browser("haneul")
    csrf = browser.get(f"{ROOT}/retention").text.split('name="csrf" value="')[1].split('"')[0]
    wrong = {"csrf": csrf, "period": "t-none", "reason": "보존 기간 만료"}
    refused = browser.post(f"{ROOT}/retention/propose", data=wrong)
    assert refused.status_code == 403
    assert browser.post(f"{ROOT}/retention/m-none/approve", data={"csrf": csrf}).status_code == 404
    assert [(each["action"], each["outcome"]) for each in told(world)] == [
        ("log.purge-propose", "denied"),
        ("log.purge-approve", "failed"),
    ]
    assert "만료" not in json.dumps(told(world), ensure_ascii=False)
