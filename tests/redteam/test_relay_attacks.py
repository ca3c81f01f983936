"""Attacks on the two doors that lead out of a workspace, and on the one that leads in."""

from __future__ import annotations

import socket

import pytest

from tests.enclave.gate.world import Workspace, World

pytestmark = [pytest.mark.redteam, pytest.mark.docker]


SEND = """
import socket
s = socket.create_connection(({host!r}, {port}), timeout=10)
s.sendall({data!r} + b"x" * {padding})
try: s.shutdown(socket.SHUT_WR)
except OSError: pass
said = b""
try:
    while part := s.recv(65536): said += part
except ConnectionResetError: pass
print(said.count(b"HTTP/1.1 "), said.split(b" ")[1].decode() if said else "cut")
"""


def send(inside: Workspace, port: int, data: bytes, padding: int = 0) -> str:
    return inside.python(SEND.format(host=inside.plan.gate_host, port=port, data=data, padding=padding)).splitlines()[0]


def head(line: str, *headers: str, body: str = "") -> bytes:
    return ("\r\n".join([f"{line} HTTP/1.1", "Host: h", *headers]) + "\r\n\r\n" + body).encode("latin-1")


SMUGGLED = "GET /hub/api/users HTTP/1.1\r\nHost: h\r\n\r\n"

HUB_ATTACKS = {
    "the list of users": (head("GET /hub/api/users"), "403"),
    "another one's activity": (head("POST /hub/api/users/lee/activity", "Content-Length: 0"), "403"),
    "own user with a query": (head("GET /hub/api/user?include_stopped_servers"), "403"),
    "a token for oneself": (head("POST /hub/api/users/kim/tokens", "Content-Length: 0"), "403"),
    "a prefix of an allowed line": (head("GET /hub/api/user/../users"), "403"),
    "an encoded slash": (head("GET /hub/api%2fusers"), "403"),
    "an absolute address": (head("GET http://127.0.0.1/hub/api"), "403"),
    "another method": (head("DELETE /hub/api/user"), "403"),
    "connect": (head("CONNECT 127.0.0.1:8001"), "403"),
    "a login page": (head("GET /hub/login"), "403"),
    "the proxy's routes": (head("GET /api/routes"), "403"),
    "two lengths": (
        head("POST /hub/api/oauth2/token", "Content-Length: 0", f"Content-Length: {len(SMUGGLED)}", body=SMUGGLED),
        "400",
    ),
    "a list of lengths": (head("POST /hub/api/oauth2/token", "Content-Length: 0, 44", body=SMUGGLED), "400"),
    "a signed length": (head("POST /hub/api/oauth2/token", "Content-Length: +0", body=SMUGGLED), "400"),
    "chunks": (head("POST /hub/api/oauth2/token", "Transfer-Encoding: chunked", body="0\r\n\r\n" + SMUGGLED), "411"),
    "chunks and a length": (
        head("POST /hub/api/oauth2/token", "Content-Length: 5", "Transfer-Encoding: chunked", body="0\r\n\r\n"),
        "411",
    ),
    "odd chunks": (head("POST /hub/api/oauth2/token", "Transfer-Encoding: xchunked", body="0\r\n\r\n"), "400"),
    "a space before the colon": (head("POST /hub/api/oauth2/token", "Content-Length : 0"), "400"),
    "a carriage return in a value": (head("GET /hub/api", "A: b\rX: y"), "400"),
    "a null": (head("GET /hub/api", "A: b\0c"), "400"),
    "a head without end": (b"GET /hub/api HTTP/1.1\r\n", "400"),
    "no HTTP at all": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "400"),
}


@pytest.mark.parametrize(("data", "status"), HUB_ATTACKS.values(), ids=HUB_ATTACKS)
def test_what_is_not_on_the_list_never_reaches_the_hub(inside: Workspace, data: bytes, status: str) -> None:
    before = len(inside.world.hub.seen)
    count, said = send(inside, 8081, data).split()
    assert (count, said) == ("1", status)
    assert len(inside.world.hub.seen) == before


@pytest.mark.parametrize(
    "data",
    [
        head("GET /hub/api", body=SMUGGLED),
        head("GET /hub/api", "Connection: keep-alive", body=SMUGGLED),
        head("GET /hub/api", "Connection: upgrade", "Upgrade: h2c", body=SMUGGLED),
        head("POST /hub/api/oauth2/token", "Content-Length: 0", body=SMUGGLED),
        head("POST /hub/api/oauth2/token", "Content-Length: 0", "Content-Length: 0", body=SMUGGLED),
    ],
    ids=["behind", "keep-alive", "upgrade", "no body", "the same length twice"],
)
def test_a_second_request_on_an_allowed_connection_never_reaches_the_hub(inside: Workspace, data: bytes) -> None:
    before = len(inside.world.hub.seen)
    assert send(inside, 8081, data) == "1 200"
    assert [path for _, path, *_ in inside.world.hub.seen[before:] if "users" in path] == []
    assert len(inside.world.hub.seen) == before + 1


@pytest.mark.parametrize(("length", "padding"), [(70_000, 70_000), (10**12, 0)], ids=["sent", "announced"])
def test_a_body_above_the_cap_is_refused_not_cut(inside: Workspace, length: int, padding: int) -> None:
    before = len(inside.world.hub.seen)
    data = head("POST /hub/api/oauth2/token", f"Content-Length: {length}")
    assert send(inside, 8081, data, padding).split()[1] in {"413", "cut"}
    assert len(inside.world.hub.seen) == before


def test_a_head_without_limit_is_refused(inside: Workspace) -> None:
    assert send(inside, 8081, b"GET /hub/api HTTP/1.1\r\nA: ", 200_000).split()[1] in {"400", "cut"}


PORTAL_ATTACKS = {
    "the pages": "GET /services/portal/",
    "the core of the hub's portal": "POST /login",
    "beside the workspace's routes": "GET /api/v1/requests",
    "up and over": "GET /api/workspace/v1/../../v1/requests",
    "up, encoded": "GET /api/workspace/v1/%2e%2e/%2e%2e/v1/requests",
    "a doubled slash": "GET /api/workspace/v1//egress",
    "a fragment": "GET /api/workspace/v1/egress#x",
    "a semicolon": "GET /api/workspace/v1/egress;/../..",
    "another method": "DELETE /api/workspace/v1/egress/1",
    "another version": "GET /api/workspace/v11/egress",
}


@pytest.mark.parametrize("line", PORTAL_ATTACKS.values(), ids=PORTAL_ATTACKS)
def test_only_the_workspace_routes_of_the_portal_can_be_asked(inside: Workspace, line: str) -> None:
    before = len(inside.world.portal.seen)
    assert send(inside, 8085, head(line, "Content-Length: 0")) == "1 403"
    assert len(inside.world.portal.seen) == before


@pytest.mark.parametrize(
    "spoof",
    [
        "X-Ansim-Workspace: other",
        "x-ANSIM-workspace: other",
        "X_Ansim_Workspace: other",
        "Cookie: session=stolen",
        "X-Forwarded-For: 1.2.3.4",
        "Forwarded: for=1.2.3.4",
        "Connection: x-ansim-workspace",
        "Host: portal--service.ansim.localhost",
    ],
)
def test_no_header_can_claim_to_be_somebody_else(inside: Workspace, spoof: str) -> None:
    name, _, value = spoof.partition(": ")
    lines = ["GET /api/workspace/v1/me HTTP/1.1", *([] if name == "Host" else ["Host: h"]), spoof, "", ""]
    data = "\r\n".join(lines)
    assert send(inside, 8085, data.encode()) == "1 200"
    got = {key.lower(): text for key, text in inside.world.portal.seen[-1][2].items()}
    assert got["x-ansim-workspace"] == inside.plan.workspace_id
    assert len(got["x-ansim-gate"]) == 64
    assert got["connection"] == "close"
    assert value not in {text for key, text in got.items() if key != "x-ansim-workspace"}
    assert set(got) <= {"host", "connection", "x-ansim-workspace", "x-ansim-gate"}


def from_browser(inside: Workspace, data: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", inside.port), timeout=10) as link:
        link.sendall(data)
        said = b""
        while part := link.recv(65536):
            said += part
        return said


REFUSED_ROUTE = "GET /user/kim/files/secret.csv HTTP/1.1\r\nHost: h\r\n\r\n"


@pytest.mark.parametrize(
    "data",
    [
        head("GET /user/kim/lab", body=REFUSED_ROUTE),
        head("GET /user/kim/lab", "Connection: Upgrade", "Upgrade: websocket", body=REFUSED_ROUTE),
        head("POST /user/kim/api/x", "Content-Length: 1", body="1" + REFUSED_ROUTE),
        head("GET /user/kim/lab", "Connection: keep-alive", body=REFUSED_ROUTE),
    ],
    ids=["behind", "false websocket", "behind a body", "keep-alive"],
)
def test_a_refused_route_cannot_ride_behind_an_allowed_one(inside: Workspace, data: bytes) -> None:
    said = from_browser(inside, data)
    assert said.count(b"HTTP/1.1 ") == 1
    assert b"/user/kim/files" not in said


def test_many_idle_connections_from_one_workspace_do_not_stop_another(world: World, inside: Workspace) -> None:
    other = world.run(world.plan(login="lee"))
    hoard = """
import socket
held = [socket.create_connection((HOST, 8085), timeout=5) for _ in range(300)]
print("held")
"""
    assert "held" in inside.python(hoard.replace("HOST", repr(inside.plan.gate_host)))
    assert send(other, 8085, head("GET /api/workspace/v1/me")) == "1 200"
    other.end()
