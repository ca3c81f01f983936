"""Attacks from inside on the two doors that lead out: the hub's four lines, and the portal's workspace interface.

Raw bytes, because a proper client would not say what an attacker says. Facts: `login`, `neighbour.login`, `gate` (the
host at which this workspace finds both doors), `door_s` (after how long a door cuts who is slow). The token is the
notebook server's own, from the environment.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from enclave.workspace.barriers.inside.kit import Verdict, broken, held, probe

HUB, PORTAL = 8081, 8085
Door = tuple[str, int]
SMUGGLED = "GET /hub/api/users HTTP/1.1\r\nHost: h\r\n\r\n"
STATUS = re.compile(rb"^HTTP/1\.[01] (\d{3})", re.MULTILINE)
REFUSED = {"400", "403", "404", "405", "408", "411", "413", "cut"}


def hub_of(facts: dict[str, Any]) -> Door:
    """Return where this workspace finds the hub's door."""
    return facts["gate"], HUB


def portal_of(facts: dict[str, Any]) -> Door:
    """Return where this workspace finds the portal's door."""
    return facts["gate"], PORTAL


def head(line: str, *headers: str, body: str = "") -> bytes:
    """Return the bytes of a request as somebody would write it who minds no rule."""
    return ("\r\n".join([f"{line} HTTP/1.1", "Host: h", *headers]) + "\r\n\r\n" + body).encode("latin-1")


def said(door: Door, data: bytes, *, seconds: float = 10) -> tuple[list[str], bytes]:
    """Send bytes to a door; returns the statuses of all answers (`cut` for none) and everything it said."""
    answer = b""
    try:
        with socket.create_connection(door, timeout=seconds) as link:
            link.sendall(data)
            with contextlib.suppress(OSError):
                link.shutdown(socket.SHUT_WR)
            while part := link.recv(65536):
                answer += part
    except (ConnectionError, TimeoutError):
        pass
    return [found.decode() for found in STATUS.findall(answer)] or ["cut"], answer


def all_turned_away(door: Door, attacks: Mapping[str, bytes]) -> Verdict:
    """Send each; held if each got exactly one answer, a refusal."""
    answers = {what: said(door, data)[0] for what, data in attacks.items()}
    wrong = {what: each for what, each in answers.items() if len(each) != 1 or each[0] not in REFUSED}
    if wrong or not answers:
        return broken(f"let in: {wrong or 'nothing was tried'}")
    counts = sorted({each[0] for each in answers.values()})
    return held(
        f"{len(answers)} requests: {', '.join(f'{sum(a == [c] for a in answers.values())} × {c}' for c in counts)}"
    )


def _token() -> str:
    return f"Authorization: token {os.environ.get('JUPYTERHUB_API_TOKEN', '')}"


@probe("in.hub-door-lines")
def hub_lines(facts: dict[str, Any]) -> Verdict:
    """The hub's interface beyond the four lines, with the server's own token."""
    me, other, token = facts["login"], facts["neighbour"]["login"], _token()
    lines = {
        "users": "GET /hub/api/users", "other user": f"GET /hub/api/users/{other}", "groups": "GET /hub/api/groups",
        "services": "GET /hub/api/services", "proxy": "GET /hub/api/proxy", "info": "GET /hub/api/info",
        "own tokens": f"GET /hub/api/users/{me}/tokens", "new token": f"POST /hub/api/users/{me}/tokens",
        "other's activity": f"POST /hub/api/users/{other}/activity", "other's server": f"DELETE /hub/api/users/{other}/server",
        "own server": f"POST /hub/api/users/{me}/server", "named server": f"POST /hub/api/users/{me}/servers/x",
        "new user": "POST /hub/api/users/evil", "shutdown": "POST /hub/api/shutdown", "login page": "GET /hub/login",
        "authorize": "GET /hub/api/oauth2/authorize?client_id=service-portal", "metrics": "GET /hub/metrics",
        "another method": "DELETE /hub/api/user", "proxy routes": "GET /api/routes",
    }  # fmt: skip
    return all_turned_away(
        hub_of(facts), {name: head(line, token, "Content-Length: 0") for name, line in lines.items()}
    )


@probe("in.hub-door-paths")
def hub_paths(facts: dict[str, Any]) -> Verdict:
    """Other spellings of ways: dots, percent signs, doubled slashes, whole addresses."""
    lines = (
        "GET /hub/api/user/../users", "GET /hub/api/..%2fapi%2fusers", "GET /hub/api%2fusers", "GET /hub//api/users",
        "GET /hub/api/user/%2e%2e/users", "GET /hub/api/user;/../users", "GET /hub/api/user?x=/../users",
        "GET http://127.0.0.1/hub/api/users", "GET //127.0.0.1/hub/api", "CONNECT 127.0.0.1:8001", "GET /hub/api/user#",
        "OPTIONS *", "GET /HUB/API/USERS", "GET \\hub\\api",
    )  # fmt: skip
    return all_turned_away(hub_of(facts), {line: head(line, _token()) for line in lines})


@probe("in.hub-door-smuggling")
def hub_smuggling(facts: dict[str, Any]) -> Verdict:
    """A second request behind, beside or within one that is allowed: what comes back must be one answer, not its."""
    tokens = "POST /hub/api/oauth2/token"
    attacks = {
        "behind": head("GET /hub/api", body=SMUGGLED),
        "keep-alive": head("GET /hub/api", "Connection: keep-alive", body=SMUGGLED),
        "upgrade": head("GET /hub/api", "Connection: upgrade", "Upgrade: h2c", body=SMUGGLED),
        "no body": head(tokens, "Content-Length: 0", body=SMUGGLED),
        "two lengths": head(tokens, "Content-Length: 0", f"Content-Length: {len(SMUGGLED)}", body=SMUGGLED),
        "list of lengths": head(tokens, "Content-Length: 0, 44", body=SMUGGLED),
        "signed length": head(tokens, "Content-Length: +0", body=SMUGGLED),
        "chunks": head(tokens, "Transfer-Encoding: chunked", body="0\r\n\r\n" + SMUGGLED),
        "chunks and length": head(tokens, "Content-Length: 5", "Transfer-Encoding: chunked", body="0\r\n\r\n"),
        "odd chunks": head(tokens, "Transfer-Encoding: xchunked", body="0\r\n\r\n" + SMUGGLED),
        "space before colon": head(tokens, "Content-Length : 0", body=SMUGGLED),
    }
    answers = {what: said(hub_of(facts), data) for what, data in attacks.items()}
    wrong = {what: codes for what, (codes, text) in answers.items() if len(codes) != 1 or b'"kind": "user"' in text}
    return broken(f"{wrong}") if wrong else held(f"{len(answers)} attacks, one answer each: " + _codes(answers))


def _codes(answers: Mapping[str, tuple[list[str], bytes]]) -> str:
    return ", ".join(f"{what} {codes[0]}" for what, (codes, _) in answers.items())


@probe("in.door-malformed")
def malformed(facts: dict[str, Any]) -> Verdict:
    """What is no HTTP: control characters in headers, half a head, another protocol; at both doors."""
    attacks = {
        "carriage return in a value": head("GET /hub/api", "A: b\rX-Ansim-Gate: y"),
        "null": head("GET /hub/api", "A: b\0c"),
        "half a head": b"GET /hub/api HTTP/1.1\r\n",
        "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        "HTTP/2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "no version": b"GET /hub/api\r\n\r\n",
        "line feeds alone": b"GET /hub/api/users HTTP/1.1\nHost: h\n\n",
    }
    both = [all_turned_away(door, attacks) for door in (hub_of(facts), portal_of(facts))]
    return (held if all(o == "held" for o, _ in both) else broken)("; ".join(text for _, text in both))


@probe("in.door-oversized")
def oversized(facts: dict[str, Any]) -> Verdict:
    """Heads and bodies without end, sent and announced."""
    attacks = {
        "long header": head("GET /hub/api", "A: " + "x" * 200_000),
        "many headers": head("GET /hub/api", *(f"A{n}: {'x' * 90}" for n in range(2000))),
        "long line": head("GET /hub/api?" + "x" * 200_000),
        "body sent": head("POST /hub/api/oauth2/token", "Content-Length: 3000000", body="x" * 3_000_000),
        "body announced": head("POST /hub/api/oauth2/token", f"Content-Length: {10**12}"),
    }
    both = [all_turned_away(door, attacks) for door in (hub_of(facts), portal_of(facts))]
    return (held if all(o == "held" for o, _ in both) else broken)("; ".join(text for _, text in both))


@probe("in.door-slow")
def slow(facts: dict[str, Any]) -> Verdict:
    """Connections that never finish their request: they are cut, and others are served meanwhile."""
    links = []
    for _ in range(40):
        link = socket.create_connection(hub_of(facts), timeout=facts["door_s"] + 10)
        link.sendall(b"GET /hub/api HTTP/1.1\r\nA: ")
        links.append(link)
    meanwhile = said(hub_of(facts), head("GET /hub/api"))[0]
    began, ends = time.monotonic(), []
    for link in links:
        with contextlib.suppress(OSError):
            link.sendall(b"x")
        try:
            link.recv(100)
            ends.append(time.monotonic() - began)
        except TimeoutError:
            pass
        except OSError:
            ends.append(time.monotonic() - began)
        link.close()
    good = len(ends) == len(links) and meanwhile == ["200"]
    last = f"{max(ends):.0f} s" if ends else "never"
    return (held if good else broken)(
        f"{len(ends)} of {len(links)} cut, the last after {last}; another meanwhile: {meanwhile[0]}"
    )


@probe("in.door-connections")
def connections(facts: dict[str, Any]) -> Verdict:
    """More connections than one workspace needs: the door cuts what is too many, and works again afterwards."""
    links, cut = [], 0
    for _number in range(200):
        link = socket.create_connection(hub_of(facts), timeout=2)
        links.append(link)
    time.sleep(0.3)
    for link in links:
        link.settimeout(0)
        try:
            cut += link.recv(1) == b""
        except BlockingIOError:
            pass
        except OSError:
            cut += 1
    for link in links:
        link.close()
    time.sleep(0.5)
    after = said(hub_of(facts), head("GET /hub/api"))[0]
    good = cut >= 100 and after == ["200"]  # noqa: PLR2004 - 64 is what a door serves at once
    return (held if good else broken)(f"{cut} of {len(links)} cut at once; afterwards {after[0]}")


@probe("in.portal-door-paths")
def portal_paths(facts: dict[str, Any]) -> Verdict:
    """The portal's pages, its interface for people, the core interface, through the workspaces' door."""
    lines = (
        "GET /services/portal/", "GET /services/portal/api/v1/requests", "GET /api/v1/requests", "POST /login",
        "POST /workspaces/operator/plan", "GET /api/workspace/v1/../../v1/requests", "GET /api/workspace/v1/%2e%2e/x",
        "GET /api/workspace/v1//egress", "GET /api/workspace/v1/egress/..;/x", "GET /api/workspace/v1/egress%2fx",
        "GET http://127.0.0.1:8085/services/portal/", "DELETE /api/workspace/v1/egress/x", "PUT /api/workspace/v1/egress/x",
        "GET /openapi.json", "GET /api/workspace/v1/egress/x?a=%0d%0aX: y",
    )  # fmt: skip
    return all_turned_away(portal_of(facts), {line: head(line, _token(), "Content-Length: 0") for line in lines})


@probe("in.portal-door-identity")
def portal_identity(facts: dict[str, Any]) -> Verdict:
    """Saying that one is another workspace, another person, the gate, or somewhere else."""
    line = "POST /api/workspace/v1/egress/preflight"
    body = '{"files": ["drill-none.csv"]}'
    size, kind = f"Content-Length: {len(body)}", "Content-Type: application/json"

    def ask(*headers: str) -> tuple[str, bytes]:
        codes, text = said(portal_of(facts), head(line, size, kind, *headers, body=body))
        return codes[0], text.partition(b"\r\n\r\n")[2]

    own = ask(_token())
    lies = {
        "workspace": f"X-Ansim-Workspace: {facts['neighbour']['workspace']}",
        "workspace, other case": f"x-ansim-WORKSPACE: {facts['neighbour']['workspace']}",
        "underscores": f"X_Ansim_Workspace: {facts['neighbour']['workspace']}",
        "gate": "X-Ansim-Gate: guessed",
        "address": "X-Forwarded-For: 10.0.0.1",
        "host": "X-Forwarded-Host: evil.example",
        "cookie": "Cookie: ansim-portal=stolen",
    }
    told = {what: ask(_token(), lie) for what, lie in lies.items()}
    wrong = {
        what: f"{code} {text[:120]!r}" for what, (code, text) in told.items() if (code, text) != own and code != "cut"
    }
    nobody = ask()[0]
    # Either a verdict on files that are not there, or the refusal of none: both are the own workspace's answer.
    if wrong or nobody not in {"401", "403"} or own[0] not in {"200", "422"} or b"portal.workspace-only" in own[1]:
        return broken(f"believed: {wrong}; own {own[0]}, without a token {nobody}")
    return held(f"{len(lies)} lies, each answered as the own workspace ({own[0]}); without a token {nobody}")


@probe("in.server-token-place")
def token_place(_: dict[str, Any]) -> Verdict:
    """Other secrets than the server's own token, in what a notebook can read of its environment."""
    names = [name for name in os.environ if re.search(r"SECRET|PASSWORD|PRIVATE|_KEY$|CREDENTIAL|CONFIGPROXY", name)]
    text = b"".join(Path(f"/proc/{pid}/environ").read_bytes() for pid in (1, os.getpid()) if _readable(pid))
    leaked = [word for word in (b"CONFIGPROXY_AUTH_TOKEN", b"ANSIM_GATE", b"DATABASE_URL") if word in text]
    return (
        broken(f"{names} {leaked}")
        if names or leaked
        else held(f"{len(os.environ)} variables, none a secret of a service")
    )


def _readable(pid: int) -> bool:
    return os.access(f"/proc/{pid}/environ", os.R_OK)
