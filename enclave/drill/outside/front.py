"""Attacks on the front door itself, which anybody on the network can reach: malformed, oversized, never finished."""

from __future__ import annotations

import contextlib
import socket
import time

from enclave.drill.place import Place, Verdict, attack, broken, held, judged
from enclave.drill.wire import head, send

SLOW = 300
TURNED_AWAY = {0, 302, 303, 400, 403, 404, 405, 408, 411, 413, 414, 431, 501, 505}


def _lives(place: Place) -> bool:
    """Say whether hub, portal and workspace answer as ever."""
    door = place.door
    portal = door.headers(door.host_of("portal--service"), token=None)
    return (
        send(door.address, head("GET /hub/health", door.headers(door.public, token=None))).status == 200  # noqa: PLR2004
        and send(door.address, head("GET /services/portal/health", portal)).status == 200  # noqa: PLR2004
        and door.ask(place.login, "GET", "/api/status").status == 200  # noqa: PLR2004
    )


@attack("in.front-malformed")
def front_malformed(place: Place) -> Verdict:
    """What is no HTTP, or hides a second request: to the hub, the portal and a workspace."""
    answers: dict[str, object] = {}
    hidden = b"GET /hub/api/users HTTP/1.1\r\nHost: h\r\n\r\n"
    for name, host, path in _places(place):
        start = f"POST {path} HTTP/1.1\r\nHost: {host}\r\n".encode()
        attacks = {
            "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
            "half a head": start,
            "no host": f"GET {path} HTTP/1.1\r\n\r\n".encode(),
            "null": start + b"A: b\0c\r\nContent-Length: 0\r\n\r\n",
            "two lengths": start + b"Content-Length: 0\r\nContent-Length: %d\r\n\r\n" % len(hidden) + hidden,
            "chunks and length": start + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden,
            "odd chunks": start + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + hidden,
            "bad chunk": start + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n" + hidden,
            "space before colon": start + b"Content-Length : 44\r\n\r\n" + hidden,
            "line feeds": f"GET {path} HTTP/1.1\nHost: {host}\n\n".encode(),
            "method": f"DEBUG {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode(),
        }
        for what, data in attacks.items():
            answer = send(place.door.address, data, seconds=3)
            answers[f"{name}: {what}"] = "two answers" if len(answer.statuses) > 1 else answer.status
    outcome, evidence = judged(answers, lambda answer: answer in TURNED_AWAY)
    return (outcome, evidence + "; all answer as ever") if _lives(place) else broken("a service no longer answers")


def _places(place: Place) -> tuple[tuple[str, str, str], ...]:
    door = place.door
    return (
        ("hub", door.public, "/hub/login"),
        ("portal", door.host_of("portal--service"), "/services/portal/api/v1/projects"),
        ("workspace", door.host_of(place.login), f"/user/{place.login}/api/kernels"),
    )


@attack("in.front-oversized")
def front_oversized(place: Place) -> Verdict:
    """Heads and addresses without end; bodies that are announced and sent."""
    answers: dict[str, object] = {}
    for name, host, path in _places(place):
        said = place.door.headers(host, token=None)
        attacks = {
            "header": head(f"GET {path}", said | {"A": "x" * 300_000}),
            "headers": head(f"GET {path}", said | {f"A{n}": "x" * 100 for n in range(4000)}),
            "address": head(f"GET {path}?{'x' * 300_000}", said),
            "cookie": head(f"GET {path}", said | {"Cookie": "ansim-portal=" + "x" * 200_000}),
            "announced": head(f"POST {path}", said | {"Content-Length": str(10**13)}, b"x"),
        }
        for what, data in attacks.items():
            answers[f"{name}: {what}"] = send(place.door.address, data, seconds=3).status
    # 503: the proxy's, when the gate has cut what was announced and never came.
    outcome, evidence = judged(answers, lambda answer: answer in {*TURNED_AWAY, 503})
    return (outcome, evidence + "; all answer as ever") if _lives(place) else broken("a service no longer answers")


@attack("in.front-slow")
def front_slow(place: Place) -> Verdict:
    """Hundreds of connections that never finish their request, to all three: others are served meanwhile."""
    links: list[socket.socket] = []
    try:
        for number in range(SLOW):
            _, host, path = _places(place)[number % 3]
            link = socket.create_connection(place.door.address, timeout=5)
            link.sendall(f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1000\r\nA: ".encode())
            links.append(link)
        began = time.monotonic()
        alive = _lives(place)
        taken = time.monotonic() - began
    except OSError as error:
        return broken(f"after {len(links)} connections: {error}")
    finally:
        for link in links:
            with contextlib.suppress(OSError):
                link.close()
    if not alive:
        return broken(f"with {len(links)} connections open a service no longer answers")
    return held(f"with {len(links)} connections open, hub, portal and workspace answered within {taken:.1f} s")
