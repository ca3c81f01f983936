"""Strangers, neighbours and officers at the doors of a workspace, of the hub and of the portal; raw bytes at each."""

from __future__ import annotations

import hashlib
import time

import httpx
import pytest

from demo.local_names import LoopbackTransport
from enclave.gate.client import Gate
from tests.e2e.acts import entries, kernel_of, printed, until
from tests.e2e.wire import half_open, head, say, statuses

OTHERS = ["jiwoo", "dahye", "operator", "haneul"]
INSIDE = ["lab", "api/contents", "api/contents/table.csv", "api/kernels", "api/me", "lab/api/settings"]
SECRETS = ("age_band", "table.csv", '"kernels"')


@pytest.fixture(scope="module")
def doors(world):
    """The ports of what people reach, and the names under which they do."""
    mina = world.session("mina")
    assert mina.http.get(f"{mina.workspace}/api/status").status_code == 200
    with kernel_of(mina) as kernel:
        assert printed(kernel, "print(1 + 1)") == 2
    gate = max(Gate(world.settings.gate_socket).status()["relays"].values(), key=lambda each: each["sent_bytes"])
    hub = world.settings.public_url.partition("://")[2]
    ports = {"front": world.settings.front_port, "hub": world.settings.hub_port, "portal": world.settings.portal_port}
    return ports | {"gate": gate["port"]}, {"hub": hub, "portal": f"portal--service.{hub}", "mina": f"mina.{hub}"}


def _serves(world) -> None:
    """Everybody is still served: the workspace, the hub, the portal."""
    mina = world.session("mina")
    assert mina.http.get(f"{mina.workspace}/api/status").status_code == 200
    assert mina.http.get(f"{mina.hub}/hub/health").status_code == 200
    assert mina.http.get(f"{mina.portal}/health").status_code == 200


@pytest.mark.parametrize("login", OTHERS)
@pytest.mark.parametrize("path", INSIDE)
def test_nobody_opens_anothers_workspace_by_its_address(world, login, path):
    """A member of the same project and its lead, a checker, an operator, an auditor; there is no administrator."""
    answer = world.session(login).http.get(f"{world.session('mina').workspace}/{path}")
    assert answer.status_code in {403, 404}, str(answer.url)
    assert not [word for word in SECRETS if word in answer.text]


@pytest.mark.parametrize("path", INSIDE)
def test_nobody_without_a_sign_in_opens_a_workspace(world, path):
    with httpx.Client(transport=LoopbackTransport(), follow_redirects=True, timeout=30) as nobody:
        answer = nobody.get(f"{world.session('mina').workspace}/{path}")
    assert answer.status_code in {401, 403, 404} or "/hub/login" in str(answer.url), str(answer.url)
    assert not [word for word in SECRETS if word in answer.text]


@pytest.mark.parametrize("login", OTHERS)
def test_the_gates_own_port_asks_for_the_same_sign_in(world, doors, login):
    """Past the proxy, as a process on the host could: with another's cookies there is nothing to be had."""
    ports, names = doors
    other = world.session(login)
    cookies = other.cookies_for(f"{other.workspace}/lab") or "none=1"
    for path in INSIDE:
        request = head(f"GET /user/mina/{path}", f"Host: {names['mina']}", f"Cookie: {cookies}", "Connection: close")
        said = say(ports["gate"], request)
        assert statuses(said)[0] in {302, 303, 401, 403}, said[:200]
        assert not [word for word in SECRETS if word.encode() in said]


def test_another_persons_cookies_under_the_right_name_open_nothing(world, doors):
    ports, names = doors
    for login in OTHERS:
        jar = world.session(login).http.cookies.jar
        forged = "; ".join(f"{each.name.replace(login, 'mina')}={each.value}" for each in jar if each.value)
        said = say(
            ports["front"], head("GET /user/mina/api/contents", f"Host: {names['mina']}", f"Cookie: {forged}")
            .replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1),
        )  # fmt: skip
        assert statuses(said)[0] in {302, 303, 401, 403}, login
        assert b"table.csv" not in said


def test_an_operators_sign_in_for_anothers_workspace_is_refused_by_the_hub(world):
    """The OAuth way: the workspace's own client asked for by somebody else's session."""
    operator = world.session("operator")
    query = {"client_id": "jupyterhub-user-mina", "response_type": "code", "redirect_uri": "/user/mina/oauth_callback",
             "state": "x", "code_challenge": "x" * 43, "code_challenge_method": "S256"}  # fmt: skip
    answer = operator.http.get(f"{operator.hub}/hub/api/oauth2/authorize", params=query, follow_redirects=False)
    assert answer.status_code in {400, 403}, (answer.status_code, answer.headers.get("location"))
    assert "code=" not in answer.headers.get("location", "")


NAMES = {
    "a workspace's name, the hub's path": ("mina", "/hub/login"),
    "a workspace's name, the hub's interface": ("mina", "/hub/api/user"),
    "a workspace's name, the portal's path": ("mina", "/services/portal/health"),
    "the portal's name, a workspace's path": ("portal", "/user/mina/api/status"),
    "the portal's name, the hub's path": ("portal", "/hub/login"),
    "the hub's name, the portal's path": ("hub", "/services/portal/health"),
    "another workspace's name": ("jiwoo.{hub}", "/user/mina/api/status"),
    "a name that is not ours": ("evil.example", "/hub/login"),
    "a longer name": ("mina.{plain}.evil.example", "/user/mina/api/status"),
    "no name": ("", "/hub/login"),
    "an address": ("127.0.0.1:{port}", "/hub/login"),
    "the proxy's own": ("localhost", "/api/routes"),
}


@pytest.mark.parametrize(("name", "path"), NAMES.values(), ids=NAMES)
def test_a_name_gives_only_what_belongs_to_it(world, doors, name, path):
    """What comes back is the hub's word to go to its own name, or a refusal; never another origin's page."""
    ports, names = doors
    host = names.get(name, name.format(port=ports["front"], plain=names["hub"].partition(":")[0], **names))
    mina = world.session("mina")
    cookies = "; ".join(f"{each.name}={each.value}" for each in mina.http.cookies.jar)
    said = say(ports["front"], head(f"GET {path}", f"Host: {host}", f"Cookie: {cookies}", "Connection: close"))
    assert statuses(said)[0] in {302, 400, 403, 404}, said[:300]
    if statuses(said)[0] == 302:
        location = said.partition(b"ocation: ")[2].partition(b"\r\n")[0].decode()
        assert location.startswith((f"{mina.hub}/", "/hub/", f"{mina.portal}/")), location
        assert host == names["hub"] or location.startswith((mina.hub, mina.portal))
    assert b"<form" not in said


def test_a_form_sent_to_the_hub_under_another_name_is_refused(world, doors):
    ports, names = doors
    body = b"username=mina&password=x"
    for host in (names["mina"], names["portal"], "evil.example"):
        lines = [f"Host: {host}", f"Content-Length: {len(body)}", "Connection: close"]
        said = say(ports["front"], head("POST /hub/login?next=", *lines, body=body))
        assert statuses(said) == [403], said[:200]


def test_an_address_in_the_request_line_does_not_choose_the_door(doors):
    ports, names = doors
    for line, host in (
        (f"GET http://{names['mina']}/user/mina/api/status", "evil.example"),
        ("GET http://evil.example/user/mina/api/contents", names["mina"]),
    ):
        said = say(ports["front"], head(line, f"Host: {host}", "Connection: close"))
        assert statuses(said)[0] >= 300
        assert b"table.csv" not in said


CONFUSED = [
    "/user/mina/..%2f..%2fservices/portal/health", "/user/mina/%2e%2e/%2e%2e/hub/home", "/user/mina//files/table.csv",
    "/user/mina/api/contents/..%2f..%2fdata", "/user/mina/lab/..%2ffiles/table.csv", "/user/mina/api;x/contents",
    "/user/mina/%00", "/user/mina/api/contents/%252e%252e/x", "/user/mina/static/..%5c..%5cfiles/table.csv",
    "/user/mina/lab%0d%0aX-Evil:%201", "/user/mina/./files/table.csv", "/user/mina/static/%c0%ae%c0%ae/x",
    "/user/MINA/files/table.csv", "/user/mina%2ffiles/table.csv", "/user/mina/api/contents/%2fetc%2fpasswd",
]  # fmt: skip


@pytest.mark.parametrize("target", CONFUSED)
@pytest.mark.parametrize("door", ["front", "gate"])
def test_an_address_with_two_readings_is_refused(world, doors, door, target):
    ports, names = doors
    cookies = world.session("mina").cookies_for(f"{world.session('mina').workspace}/lab")
    said = say(ports[door], head(f"GET {target}", f"Host: {names['mina']}", f"Cookie: {cookies}", "Connection: close"))
    # 500: the proxy itself cannot read bytes that are no UTF-8; it goes on.
    assert statuses(said)[0] in {302, 400, 403, 404, 500}, said[:200]
    assert b"age_band" not in said
    assert b"x-evil" not in said.lower().partition(b"\r\n\r\n")[0]
    if door == "gate":
        assert statuses(said) == [403] or statuses(said) == [400]


PORTAL_PATHS = [
    "/services/portal/..%2f..%2fhub/home", "/services/portal//api/v1/me", "/services/portal/;x", "/services/portal/%00",
    "/services/portal/api/v1/..%2f..%2f..%2f..%2fetc/passwd", "/services/portal/static/..%2f..%2fapp.py",
    "/services/portal/static/%2e%2e/app.py", "/services/portal/static/..%5capp.py",
    "/api/workspace/v1/egress/preflight",
    "/services/portal/../../api/workspace/v1/egress/preflight", "/services/portal/%2e%2e/%2e%2e/core/login",
]  # fmt: skip


@pytest.mark.parametrize("target", PORTAL_PATHS)
@pytest.mark.parametrize("door", ["front", "portal"])
def test_the_portal_reads_an_address_in_one_way_only(doors, door, target):
    ports, names = doors
    said = say(ports[door], head(f"GET {target}", f"Host: {names['portal']}", "Connection: close"))
    assert statuses(said)[0] in {302, 303, 400, 401, 403, 404, 405}, said[:200]
    assert b"import" not in said
    assert b"root:" not in said


HIDDEN = b"GET /user/mina/files/table.csv HTTP/1.1\r\nHost: h\r\n\r\n"
SMUGGLED = {
    "a length and chunks": (["Content-Length: 6", "Transfer-Encoding: chunked"], b"0\r\n\r\n" + HIDDEN),
    "chunks and a length": (
        ["Transfer-Encoding: chunked", f"Content-Length: {len(HIDDEN) + 5}"],
        b"0\r\n\r\n" + HIDDEN,
    ),
    "two lengths": (["Content-Length: 0", f"Content-Length: {len(HIDDEN)}"], HIDDEN),
    "a list of lengths": (["Content-Length: 0, 44"], HIDDEN),
    "a folded header": (["Transfer-Encoding:", " chunked"], b"0\r\n\r\n" + HIDDEN),
    "a space before the colon": (["Transfer-Encoding : chunked"], b"0\r\n\r\n" + HIDDEN),
    "odd chunks": (["Transfer-Encoding: xchunked"], b"0\r\n\r\n" + HIDDEN),
    "chunked twice": (["Transfer-Encoding: chunked, chunked"], b"0\r\n\r\n" + HIDDEN),
    "a bare line feed": (["X: y\nTransfer-Encoding: chunked"], b"0\r\n\r\n" + HIDDEN),
    "a bare carriage return": (["X: y\rTransfer-Encoding: chunked"], b"0\r\n\r\n" + HIDDEN),
    "an upgrade that is none": (["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c"], HIDDEN),
    "a signed length": (["Content-Length: +0"], HIDDEN),
    "a hex length": (["Content-Length: 0x0"], HIDDEN),
    "a chunk of a wrong size": (["Transfer-Encoding: chunked"], b"0x0\r\n\r\n" + HIDDEN),
}


@pytest.mark.parametrize("case", SMUGGLED)
def test_no_second_request_rides_on_a_first(world, doors, case):
    """At the proxy a second request is a request like any other: the gate sees it and refuses it."""
    lines, body = SMUGGLED[case]
    said = _smuggle(world, doors, "front", lines, body)
    assert b"age_band" not in said
    assert len(statuses(said)) <= 2, said[:300]
    _serves(world)


@pytest.mark.parametrize("case", SMUGGLED)
def test_no_second_request_rides_on_a_first_past_the_proxy(world, doors, case):
    lines, body = SMUGGLED[case]
    said = _smuggle(world, doors, "gate", lines, body.replace(b"table.csv", _mark(case)))
    assert len(statuses(said)) <= 1, said[:300]
    _serves(world)


def test_the_gate_met_none_of_the_second_requests(world):
    """Each asked for a name of its own, and the gate tells what it refuses."""
    wanted = {hashlib.sha256(b"files/" + _mark(case)).hexdigest(): case for case in SMUGGLED}
    told = {each["details"].get("path_sha256") for each in entries(world) if each["action"] == "route.refused"}
    assert not [case for path, case in wanted.items() if path in told]


def _smuggle(world, doors, door, lines, body) -> bytes:
    ports, names = doors
    mina = world.session("mina")
    cookies = mina.cookies_for(f"{mina.workspace}/lab")
    request = head("POST /user/mina/api/sessions", f"Host: {names['mina']}", f"Cookie: {cookies}", *lines, body=body)
    said = say(ports[door], request, timeout_s=3)
    assert 200 not in statuses(said), said[:300]
    return said


def _mark(case) -> bytes:
    """A file's name as long as the one it stands for: the lengths that the cases tell stay true."""
    return b"%05d.csv" % list(SMUGGLED).index(case)


@pytest.mark.parametrize("door", ["front", "gate", "portal", "hub"])
def test_a_head_without_end_is_refused_and_others_are_served(world, doors, door):
    ports, names = doors
    long = head("GET /user/mina/api/status", f"Host: {names['mina']}", "X-Long: " + "x" * 200_000)
    said = say(ports[door], long)
    assert statuses(said) in ([], [400], [431], [413]), said[:200]
    _serves(world)


SLOW = {
    "a head": b"GET /user/mina/api/status HTTP/1.1\r\nHost: {host}\r\nX: ",
    "a body": b"POST /user/mina/api/sessions HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1000\r\n\r\n{",
}


@pytest.mark.parametrize("what", SLOW)
@pytest.mark.parametrize("door", ["front", "gate", "portal", "hub"])
def test_many_requests_that_never_end_stop_nobody(world, doors, door, what):
    ports, names = doors
    host = names["portal"] if door == "portal" else names["mina"]
    # The gate's port is for the proxy alone, which begins no request before its head is whole.
    count = 300 if door == "gate" else 600
    held = half_open(ports[door], SLOW[what].replace(b"{host}", host.encode()), count)
    try:
        started = time.monotonic()
        _serves(world)
        assert time.monotonic() - started < 30
    finally:
        for link in held:
            link.close()
    until("everybody is served again", lambda: _serves(world) is None)


def test_from_inside_anothers_token_is_worth_nothing_at_the_portal(world):
    """The gate says whose workspace asks; the token must be the same person's."""
    jiwoo = world.session("jiwoo")
    with kernel_of(world.session("mina")) as kernel:
        ask = """
import http.client, json, os
def ask(port, path, token, **more):
    link = http.client.HTTPConnection('127.0.0.1', port, timeout=20)
    link.request('GET', path, headers={{'Authorization': 'token ' + token, **more}})
    return link.getresponse().status
mine = os.environ['JUPYTERHUB_API_TOKEN']
status = '/api/workspace/v1/egress/status/{request}'
print(json.dumps([ask(8085, status, mine), ask(8085, status, {other!r}), ask(8085, status, 'x'),
                  ask(8081, '/hub/api/user', {other!r})]))"""
        other = jiwoo.http.cookies.get("jupyterhub-session-id") or "x"
        mine, theirs, none, hub = printed(kernel, ask.format(request=world.requests["good"], other=other))
    assert mine == 200
    assert {theirs, none, hub} <= {401, 403}


FLOOD = """
import json, socket
def raw(port, data):
    with socket.create_connection(('127.0.0.1', port), timeout=15) as link:
        link.settimeout(15)
        said = b''
        try:
            link.sendall(data)
            while part := link.recv(65536): said += part
        except OSError: pass
        return [said.count(b'HTTP/1.1 '), said.split(b' ')[1].decode() if said else 'cut']
H = 'Host: h\\r\\nAuthorization: token x\\r\\n'
attacks = {
 'pipelined': f'GET /hub/api HTTP/1.1\\r\\n{H}\\r\\nGET /hub/api/users HTTP/1.1\\r\\n{H}\\r\\n',
 'chunked': f'POST /hub/api/oauth2/token HTTP/1.1\\r\\n{H}'
            'Transfer-Encoding: chunked\\r\\n\\r\\n0\\r\\n\\r\\nGET / HTTP/1.1\\r\\n\\r\\n',
 'oversized': f'GET /hub/api HTTP/1.1\\r\\n{H}A: ' + 'x' * 200000 + '\\r\\n\\r\\n',
 'injected': f'GET /hub/api HTTP/1.1\\r\\n{H}X: y\\rX-Ansim-Gate: z\\r\\n\\r\\n',
 'large': f'POST /hub/api/oauth2/token HTTP/1.1\\r\\n{H}Content-Length: 99999999\\r\\n\\r\\n',
 'null': f'GET /hub/api\\0 HTTP/1.1\\r\\n{H}\\r\\n',
 'none': '\\x16\\x03\\x01\\x02\\x00',
}
found = {name: [raw(port, text.encode('latin-1')) for port in (8081, 8085)] for name, text in attacks.items()}
held = [socket.create_connection(('127.0.0.1', port), timeout=5) for port in (8081, 8085) for _ in range(150)]
for link in held[::2]: link.sendall(b'GET /hub/api HTTP/1.1\\r\\nX: ')
print(json.dumps(found))"""


def test_what_a_workspace_sends_to_the_doors_inside_harms_neither_hub_nor_portal(world):
    with kernel_of(world.session("mina")) as kernel:
        found = printed(kernel, FLOOD)
        expected = {"pipelined": {"200", "403"}, "chunked": {"411", "403"}, "oversized": {"400", "cut"},
                    "injected": {"400", "cut"}, "large": {"413", "403"}, "null": {"400", "cut"},
                    "none": {"400", "cut"}}  # fmt: skip
        for name, answers in found.items():
            assert {status for _, status in answers} <= expected[name], (name, answers)
            assert all(count <= 1 for count, _ in answers), (name, answers)
        _serves(world)
