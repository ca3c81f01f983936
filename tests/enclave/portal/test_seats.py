"""One account, one seat, at the portal: stolen cookies, a second browser, a sign-in elsewhere (korea.md R11, R28)."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from sqlalchemy import select

from audit.tables import audit_entry
from enclave import clock
from enclave.commands import credentials
from tests.enclave.portal.world import ROOT, Browser, World

HERE, THERE = "203.0.113.7", "198.51.100.9"


@pytest.fixture
def mina(world: World) -> Iterator[Browser]:
    """Signed in at one address, in one browser of the hub's."""
    world.peer.session_id = "browser-1"
    browser = world.browser()
    browser.headers["X-Forwarded-For"] = HERE
    browser.sign_in("mina")
    yield browser
    world.peer.session_id = ""


def entries(world: World, action: str) -> list[dict[str, object]]:
    with world.store.read() as session:
        found = [json.loads(data) for (data,) in session.execute(select(audit_entry.c.bytes))]
    return [each for each in found if each["action"] == action]


def log_in_at(world: World, address: str) -> None:
    """What the hub's form does after password and code."""
    credentials.log_in(
        world.store, world.portal.vault, login="mina", password="demo-only-mina-2026", code=world.code("mina"),
        ip=address, session_id="s", now=clock.now(), browser="browser-of-the-form",
    )  # fmt: skip


@pytest.mark.parametrize("sent", [THERE, f"{HERE}, {THERE}", f"{HERE},127.0.0.1,{THERE}", "unknown", ""])
def test_a_cookie_used_from_another_address_opens_nothing_and_ends_its_session(
    world: World, mina: Browser, sent: str
) -> None:
    stolen = mina.get(f"{ROOT}/api/v1/me", headers={"X-Forwarded-For": sent, "X-Real-Ip": HERE})
    assert (stolen.status_code, stolen.json()["code"]) == (403, "seat.elsewhere")
    assert mina.get(f"{ROOT}/api/v1/me").status_code == 401, "the session has ended for everybody"
    (entry,) = entries(world, "seat.refused")
    assert (entry["outcome"], entry["details"]) == ("denied", {"made_at": HERE})


def test_what_stands_before_our_proxys_word_changes_nothing(mina: Browser) -> None:
    assert mina.get(f"{ROOT}/api/v1/me", headers={"X-Forwarded-For": f"{THERE}, {HERE}"}).status_code == 200


def test_a_sign_in_elsewhere_wins_and_the_older_browser_is_told_where(world: World, mina: Browser) -> None:
    log_in_at(world, THERE)
    page = mina.get(f"{ROOT}/releases")
    assert page.headers["location"].startswith(f"{ROOT}/seat?")
    told = mina.get(f"{ROOT}/seat").text
    assert THERE in told
    assert world.project_id not in told
    answer = mina.get(f"{ROOT}/api/v1/me")
    assert (answer.status_code, answer.json()["code"]) == (403, "seat.elsewhere")
    assert mina.post(f"{ROOT}/api/v1/projects", json={}).status_code == 403


def test_the_seat_moves_here_with_a_code_of_now_and_with_nothing_less(world: World, mina: Browser) -> None:
    log_in_at(world, THERE)
    page = mina.get(f"{ROOT}/seat").text
    csrf = page.split('name="csrf" value="')[1].split('"')[0]
    assert mina.post(f"{ROOT}/seat", data={"code": world.code("mina")}).status_code == 403, "no token of this session"
    for code in ("", "000000"):
        assert mina.post(f"{ROOT}/seat", data={"csrf": csrf, "code": code}).status_code == 403
        assert mina.get(f"{ROOT}/api/v1/me").status_code == 403
    used = mina.post(f"{ROOT}/seat", data={"csrf": csrf, "code": world.code("mina")})
    assert used.status_code == 403, "the code of the sign-in is used up"
    assert [each["outcome"] for each in entries(world, "seat.move")] == []


def test_a_second_browser_at_the_same_address_waits_for_a_code(world: World, mina: Browser) -> None:
    world.peer.session_id = "browser-2"
    second = world.browser()
    second.headers["X-Forwarded-For"] = HERE
    second.sign_in("mina")
    assert second.get(f"{ROOT}/").headers["location"].startswith(f"{ROOT}/seat?")
    assert mina.get(f"{ROOT}/api/v1/me").status_code == 200, "the first goes on"
    csrf = second.get(f"{ROOT}/seat").text.split('name="csrf" value="')[1].split('"')[0]
    moved = second.post(f"{ROOT}/seat", data={"csrf": csrf, "code": world.code("mina"), "to": f"{ROOT}/releases"})
    assert (moved.status_code, moved.headers["location"]) == (303, f"{ROOT}/releases")
    assert second.get(f"{ROOT}/api/v1/me").status_code == 200
    assert mina.get(f"{ROOT}/").headers["location"].startswith(f"{ROOT}/seat?"), "now the first is elsewhere"
    (entry,) = entries(world, "seat.move")
    assert entry["details"] == {"from": HERE, "to": HERE}


def test_two_windows_of_one_browser_work_side_by_side(world: World, mina: Browser) -> None:
    again = world.browser()
    again.headers["X-Forwarded-For"] = HERE
    again.sign_in("mina")
    assert {each.get(f"{ROOT}/api/v1/me").status_code for each in (mina, again)} == {200}


def test_behind_proxies_that_leave_no_address_nobody_comes_in(world: World) -> None:
    object.__setattr__(world.portal.settings, "trusted_proxies", 2)
    browser = world.browser()
    browser.headers["X-Forwarded-For"] = HERE
    assert browser.sign_in("mina").status_code == 403
