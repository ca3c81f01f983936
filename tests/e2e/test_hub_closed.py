"""What a signed-in person can ask of the hub beyond the working day: nothing, and each try is on record."""

from __future__ import annotations

import hashlib
import json
from urllib.parse import urlsplit

import httpx
import pytest

from demo.session import Session
from tests.e2e.acts import cell, entries, kernel_of, printed, until

CLOSED_PAGES = ["/hub/token", "/hub/admin", "/hub/metrics", "/hub/accept-share", "/hub/new-thing"]
CLOSED_API = {
    "users": ("GET", "/hub/api/users"),
    "one user": ("GET", "/hub/api/users/{me}"),
    "own tokens": ("GET", "/hub/api/users/{me}/tokens"),
    "another's tokens": ("GET", "/hub/api/users/jiwoo/tokens"),
    "a token of my own": ("POST", "/hub/api/users/{me}/tokens"),
    "a token of another": ("POST", "/hub/api/users/jiwoo/tokens"),
    "groups": ("GET", "/hub/api/groups"),
    "a group": ("POST", "/hub/api/groups/checkers/users"),
    "services": ("GET", "/hub/api/services"),
    "the portal": ("GET", "/hub/api/services/portal"),
    "the proxy": ("GET", "/hub/api/proxy"),
    "shutdown": ("POST", "/hub/api/shutdown"),
    "versions": ("GET", "/hub/api/info"),
    "figures": ("GET", "/hub/api/metrics"),
    "shares": ("POST", "/hub/api/shares/{me}/"),
    "share codes": ("POST", "/hub/api/share-codes/{me}/"),
    "a named server": ("POST", "/hub/api/users/{me}/servers/second"),
    "an account": ("POST", "/hub/api/users/newcomer"),
    "being admin": ("PATCH", "/hub/api/users/{me}"),
    "removing another": ("DELETE", "/hub/api/users/jiwoo"),
    "an old token page": ("GET", "/hub/api/authorizations/token/abc"),
    "a cookie's owner": ("GET", "/hub/api/authorizations/cookie/jupyterhub-session-id/abc"),
    "an encoded name": ("POST", "/hub/api/users/{me}/%74okens"),
    "a doubled slash": ("POST", "/hub/api//users/{me}/tokens"),
    "up and over": ("GET", "/hub/api/users/x/../{me}/tokens"),
    "a semicolon": ("POST", "/hub/api/users/{me}/tokens;x"),
}


def _ask(session: Session, method: str, path: str, **more: object) -> httpx.Response:
    headers = session._xsrf(session.hub)
    return session.http.request(method, f"{session.hub}{path}", headers=headers, follow_redirects=False, **more)


def _closed(world, path: str) -> list[dict]:
    wanted = hashlib.sha256(urlsplit(path).path.encode()).hexdigest()
    return [each for each in entries(world) if each["action"] == "hub.event"
            and each["details"].get("path_sha256") == wanted]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), CLOSED_API.values(), ids=CLOSED_API)
def test_the_hubs_interface_is_closed_to_a_signed_in_person_and_the_try_is_on_record(world, method, path):
    mina = world.session("mina")
    address = httpx.URL(mina.hub + path.format(me="mina")).path  # as the client writes it
    sent = httpx.URL(mina.hub + path.format(me="mina")).raw_path.decode().partition("?")[0]
    answer = _ask(mina, method, path.format(me="mina"), json={})
    assert answer.status_code == 403, address
    assert answer.json()["code"] == "hub.closed"
    assert answer.json()["ko"]
    assert "token" not in answer.json().keys() & {"token", "api_tokens"}
    until(f"an entry about {sent}", lambda: _closed(world, sent))


@pytest.mark.parametrize("page", CLOSED_PAGES)
def test_a_page_of_the_hub_that_nobody_needs_says_that_it_is_closed(world, page):
    mina = world.session("mina")
    answer = _ask(mina, "GET", page)
    assert answer.status_code == 403
    assert "안심구역에서 닫혀 있습니다" in answer.text
    assert "closed in the enclave" in answer.text
    assert "hub.closed" in answer.text
    until(f"an entry about {page}", lambda: _closed(world, page))


@pytest.mark.parametrize("login", ["operator", "dahye", "haneul"])
def test_no_role_of_the_enclave_is_an_administrator_of_the_hub(world, login):
    session = world.session(login)
    facts = _ask(session, "GET", "/hub/api/user").json()
    assert facts["name"] == login
    assert not facts.get("admin")
    assert not {scope.partition("!")[0] for scope in facts["scopes"]} - {
        "read:users:name", "read:users:groups", "servers", "read:servers", "start:servers", "delete:servers",
        "access:servers", "access:services", "users:activity", "read:users:activity",
    }  # fmt: skip
    assert _ask(session, "GET", "/hub/admin").status_code == 403


def test_a_password_in_the_body_makes_no_token_either(world):
    """JupyterHub takes a name and a password in the body of this call, without a cookie and past the sign-in page."""
    person, hub = world.session("mina").person, world.session("mina").hub
    body = {"auth": {"username": "mina", "password": person.password, "otp": world.secrets.code("mina")}}
    with Session(person, hub, lambda: "").http as nobody:
        answer = nobody.post(f"{hub}/hub/api/users/mina/tokens", json=body)
    assert (answer.status_code, answer.json()["code"]) == (403, "hub.closed")


def test_another_persons_server_is_neither_started_nor_stopped_nor_looked_at(world):
    dahye = world.session("dahye")
    for method, path in (
        ("POST", "/hub/api/users/mina/server"), ("DELETE", "/hub/api/users/mina/server"),
        ("GET", "/hub/api/users/mina/server/progress"), ("POST", "/hub/api/users/mina/activity"),
        ("GET", "/hub/spawn/mina"), ("GET", "/hub/spawn-pending/mina"),
    ):  # fmt: skip
        answer = _ask(dahye, method, path, **({"json": {}} if method == "POST" else {}))
        assert answer.status_code in {403, 404}, (method, path, answer.status_code)
    assert world.session("mina").http.get(f"{world.session('mina').workspace}/api/status").is_success


FROM_INSIDE = """
import http.client, json, os
token = {'Authorization': 'token ' + os.environ['JUPYTERHUB_API_TOKEN'], 'Content-Type': 'application/json'}
def ask(method, path):
    link = http.client.HTTPConnection('127.0.0.1', 8081, timeout=10)
    link.request(method, path, body='{}' if method == 'POST' else None, headers=token)
    answer = link.getresponse()
    return [answer.status, answer.read(200).decode('utf-8', 'replace')]
print(json.dumps([ask(*each) for each in %r]))"""


def test_from_inside_the_servers_token_asks_the_hub_nothing_but_its_own_four_lines(world):
    asked = [(method, path.format(me="mina")) for method, path in CLOSED_API.values()]
    asked += [("GET", page) for page in CLOSED_PAGES]
    asked += [("DELETE", "/hub/api/users/mina/server"), ("POST", "/hub/api/users/mina/server"),
              ("GET", "/hub/api/users/mina/server/progress"), ("POST", "/hub/api/users/jiwoo/activity"),
              ("GET", "/hub/login"), ("GET", "/hub/home"), ("GET", "/hub/spawn")]  # fmt: skip
    with kernel_of(world.session("mina")) as kernel:
        answers = printed(kernel, FROM_INSIDE % (asked,))
        assert [status for status, _ in printed(kernel, FROM_INSIDE % ([("GET", "/hub/api/user")],))] == [200]
    assert dict(zip(map(tuple, asked), answers, strict=True)) == {tuple(each): [403, ""] for each in asked}


def test_the_servers_token_is_worth_nothing_more_outside(world):
    """Stolen from the kernel's environment and typed into a client before the public address."""
    mina = world.session("mina")
    with kernel_of(mina) as kernel:
        token = cell(kernel, "import os; print(os.environ['JUPYTERHUB_API_TOKEN'])")
    headers = {"Authorization": f"token {token}"}
    with Session(mina.person, mina.hub, lambda: "").http as thief:
        facts = thief.get(f"{mina.hub}/hub/api/user", headers=headers).json()
        assert {scope.partition("!")[0] for scope in facts["scopes"]} <= {
            "access:servers", "read:users:name", "read:users:groups", "read:users:activity", "users:activity",
        }  # fmt: skip
        for method, path in [*CLOSED_API.values(), ("DELETE", "/hub/api/users/{me}/server")]:
            answer = thief.request(method, mina.hub + path.format(me="mina"), headers=headers)
            assert answer.status_code == 403, (method, path, answer.text[:200])
        portal = thief.get(f"{mina.portal}/api/v1/requests", headers=headers)
        assert portal.status_code == 401 or "/hub/login" in str(portal.url), portal.text[:200]
        assert json.dumps(world.requests["good"]) not in portal.text
