"""One's own password, changed in the portal: with the old one, counted and recorded, and never shown again."""

from __future__ import annotations

import json

from sqlalchemy import select

from audit.tables import audit_entry
from tests.enclave.portal.world import ROOT, World

OLD, NEW = "demo-only-mina-2026", "a long sentence of one's own"


def test_a_person_changes_their_password_with_the_old_one_and_each_try_is_an_entry(world: World) -> None:
    browser = world.browser("mina")
    page = browser.get(f"{ROOT}/password").text
    csrf = page.split('name="csrf" value="')[1].split('"')[0]

    def send(old: str, new: str, again: str | None = None) -> int:
        data = {"csrf": csrf, "old": old, "new": new, "again": new if again is None else again}
        answer = browser.post(f"{ROOT}/password", data=data, follow_redirects=False)
        if again is not None:
            assert "account.password-differs" in answer.text
        assert old not in answer.text
        assert new not in answer.text
        return answer.status_code

    assert browser.post(f"{ROOT}/password", data={"old": OLD, "new": NEW}).status_code == 403, "no token"
    assert send("not the old one", NEW) == 403
    assert send(OLD, "too short") == 422
    assert send(OLD, NEW, NEW + "x") == 422
    assert send(OLD, NEW, "") == 422
    assert send(OLD, NEW) == 303
    assert send(OLD, NEW + "!") == 403, "the old one is no more"
    with world.store.read() as session:
        found = [json.loads(data) for (data,) in session.execute(select(audit_entry.c.bytes))]
    told = [each for each in found if each["action"] == "account.password"]
    assert [each["outcome"] for each in told] == ["denied", "failed", "failed", "failed", "done", "denied"]
    assert "sentence" not in json.dumps(told)


def test_where_a_provider_signs_people_in_there_is_no_password_to_change(world: World) -> None:
    object.__setattr__(world.portal.settings, "oidc", {"client_id": "ansim"})
    page = world.browser("mina").get(f"{ROOT}/password").text
    assert 'name="old"' not in page
    assert "외부 신원 확인 기관" in page
