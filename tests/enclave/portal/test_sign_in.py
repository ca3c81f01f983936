"""Signing in through the hub, and everything that must not pass for it."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enclave import clock
from enclave.actor import Actor
from enclave.commands import people
from enclave.portal.oauth import Handshake
from enclave.portal.pages.sign_in import own_path
from enclave.portal.session import IDLE, LONGEST, Sessions
from enclave.portal.words import catalogue
from tests.enclave.portal.world import ROOT, Browser, World


def begun(browser: Browser, login: str, path: str = "/") -> tuple[str, dict[str, list[str]]]:
    """Begin a sign-in and return (path and query of the callback, the query)."""
    browser.world.peer.person = login
    back = urlsplit(browser.at_hub(browser.get(ROOT + path).headers["location"]))
    return f"{back.path}?{back.query}", parse_qs(back.query)


def test_a_stranger_is_sent_to_the_hub_with_state_and_challenge(world: World) -> None:
    sent = world.browser().get(f"{ROOT}/projects/{world.project_id}?lang=en")
    query = parse_qs(urlsplit(sent.headers["location"]).query)
    assert sent.status_code == 302
    assert query["code_challenge_method"] == ["S256"]
    assert len(query["state"][0]) >= 32
    cookie = sent.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=lax", "Max-Age=600", f"Path={ROOT}/oauth_callback"} <= set(cookie.split("; "))


def test_whoever_comes_back_is_signed_in_and_lands_where_they_wanted(world: World) -> None:
    browser = world.browser()
    answer = browser.sign_in("jiwoo", f"/projects/{world.project_id}?lang=en")
    assert answer.headers["location"] == f"{ROOT}/projects/{world.project_id}?lang=en"
    session = next(line for line in answer.headers.get_list("set-cookie") if line.startswith("ansim-portal="))
    assert {"HttpOnly", "SameSite=lax", f"Path={ROOT}"} <= set(session.split("; "))
    assert browser.get(f"{ROOT}/api/v1/me").json()["login"] == "jiwoo"


def test_over_tls_the_cookies_are_secure_and_bound_to_the_host(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(world.portal), "https", property(lambda _: True))
    browser = world.browser()
    handshake = browser.get(f"{ROOT}/").headers["set-cookie"]
    # `__Host-`: a workspace on another host of this domain cannot plant a sign-in of its own (login CSRF).
    assert handshake.startswith("__Host-ansim-handshake=")
    assert {"Secure", "Path=/", "HttpOnly"} <= set(handshake.split("; "))
    assert "domain" not in handshake.lower()
    assert world.portal.cookie.startswith("__Host-")
    assert world.portal.cookie_path == "/"


def test_a_code_with_another_browsers_state_opens_nothing(world: World) -> None:
    # Login CSRF: an attacker sends the victim the attacker's own callback address.
    attacker, victim = world.browser(), world.browser()
    callback, _ = begun(attacker, "jiwoo")
    victim.get(f"{ROOT}/")
    answer = victim.get(callback)
    assert (answer.status_code, "portal.handshake" in answer.text) == (403, True)
    assert victim.get(f"{ROOT}/").status_code == 302


def test_a_code_without_this_browsers_verifier_opens_nothing(world: World) -> None:
    # The thief has code and state but not the cookie, so not the PKCE verifier.
    owner, thief = world.browser(), world.browser()
    callback, query = begun(owner, "jiwoo")
    forged = Handshake(query["state"][0], "x" * 64, f"{ROOT}/").to_cookie()
    answer = thief.get(callback, headers={"Cookie": f"ansim-handshake={forged}"})
    assert answer.status_code == 403
    # The hub burns the code at the first try, right or wrong.
    assert owner.get(callback).status_code == 403


def test_a_code_is_good_once(world: World) -> None:
    browser = world.browser()
    callback, _ = begun(browser, "jiwoo")
    kept = {"Cookie": "; ".join(f"{c.name}={c.value}" for c in browser.cookies.jar)}
    assert browser.get(callback).status_code == 303
    assert browser.get(callback, headers=kept).status_code == 403


@pytest.mark.parametrize("value", ["", "a", "a.b", "a.b.c.d", "a.b.%%%", "..", ".b.L3g"])
def test_a_malformed_handshake_cookie_is_refused_and_not_an_accident(world: World, value: str) -> None:
    answer = world.browser().get(f"{ROOT}/oauth_callback?code=x&state=", headers={"Cookie": f"ansim-handshake={value}"})
    assert answer.status_code == 403


@given(st.text(max_size=300))
def test_a_handshake_survives_its_cookie(wanted: str) -> None:
    wanted = wanted.encode("utf-8", "ignore").decode()
    handshake = Handshake.begin(wanted)
    assert Handshake.from_cookie(handshake.to_cookie()) == handshake


@pytest.mark.parametrize(
    "wanted",
    ["https://evil.example/", "//evil.example", f"{ROOT}//evil.example", f"{ROOT}/\\evil", f"{ROOT}evil", "",
     f"{ROOT}/\r\nSet-Cookie: a=b", f"{ROOT}/oauth_callback?code=x"],
)  # fmt: skip
def test_signing_in_never_leads_off_the_portal(world: World, wanted: str) -> None:
    assert own_path(world.portal, wanted) == "/"


def test_two_session_cookies_are_one_too_many(world: World) -> None:
    # A page on another host of the domain can plant a cookie of the same name for a broader path.
    browser = world.browser("jiwoo")
    own = browser.cookies["ansim-portal"]
    planted = world.portal.sessions.open("mina", "token", clock.now()).id
    answer = browser.get(f"{ROOT}/", headers={"Cookie": f"ansim-portal={own}; ansim-portal={planted}"})
    assert (answer.status_code, "portal.two-cookies" in answer.text) == (403, True)


def test_a_role_that_was_taken_away_counts_at_the_next_request(world: World) -> None:
    from enclave.roles import Role

    browser = world.browser("haneul")
    assert browser.get(f"{ROOT}/log").status_code == 200
    people.revoke_role(
        world.store, Actor.console(), login="haneul", role=Role.AUDITOR, reason="담당 변경", now=clock.now()
    )
    assert browser.get(f"{ROOT}/log").status_code == 403
    assert f'href="{ROOT}/log"' not in browser.get(f"{ROOT}/").text


def test_an_account_that_ended_is_told_so_and_sees_nothing(world: World) -> None:
    browser = world.browser("mina")
    people.end_account(world.store, Actor.console(), login="mina", reason="퇴사", now=clock.now())
    answer = browser.get(f"{ROOT}/")
    assert (answer.status_code, "account.closed" in answer.text) == (403, True)


def test_a_session_ends_when_the_hub_ended_it(world: World) -> None:
    browser = world.browser("mina")
    session = world.portal.sessions.find(browser.cookies["ansim-portal"], clock.now())
    assert session is not None
    session.hub_checked -= timedelta(minutes=2)
    world.peer.tokens.pop(session.token)
    assert browser.get(f"{ROOT}/").status_code == 302


def test_a_hub_that_is_away_ends_nobodys_session_and_lets_nobody_in(world: World) -> None:
    browser = world.browser("mina")
    session = world.portal.sessions.find(browser.cookies["ansim-portal"], clock.now())
    assert session is not None
    session.hub_checked -= timedelta(minutes=2)
    newcomer = world.browser()
    callback, _ = begun(newcomer, "jiwoo")
    world.peer.away = True
    try:
        assert browser.get(f"{ROOT}/").status_code == 200
        assert newcomer.get(callback).status_code == 503
    finally:
        world.peer.away = False


def test_signing_out_ends_the_session_on_the_server(world: World) -> None:
    browser = world.browser("mina")
    kept = browser.cookies["ansim-portal"]
    answer = browser.form("/logout")
    assert answer.status_code == 200
    assert catalogue()["base.signed_out"][0] in answer.text
    assert world.browser().get(f"{ROOT}/", headers={"Cookie": f"ansim-portal={kept}"}).status_code == 302


def test_a_session_ends_after_idleness_and_in_any_case() -> None:
    sessions, start = Sessions(), clock.now()
    idle, busy = sessions.open("a", "t", start), sessions.open("b", "t", start)
    moment = start
    while moment + IDLE / 2 < start + LONGEST:
        moment += IDLE / 2
        assert sessions.find(busy.id, moment) is busy
    assert sessions.find(idle.id, moment) is None
    assert sessions.find(busy.id, start + LONGEST) is None
