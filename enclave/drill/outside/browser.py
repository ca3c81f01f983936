"""Attacks from the browser's side: ways on which files leave, other origins, headers, websockets.

Everything goes through the front door (proxy, gate, notebook server) with a session that may enter the workspace, so
that what refuses is the barrier and not the sign-in.
"""

from __future__ import annotations

import contextlib
import json
import re
from urllib.parse import quote

from enclave.drill.place import Place, Verdict, attack, broken, held, judged
from enclave.drill.wire import BINARY, TEXT, Answer, WebSocket, head, send

FILE = "drill-table.csv"
SWITCHED = 101
ROUTES = (
    "files/{f}", "view/{f}", "nbconvert/html/{f}?download=true", "nbconvert/html/x.ipynb", "api/nbconvert",
    "proxy/8085/", "proxy/absolute/8085/", "lsp/ws/python", "api/shutdown", "files/", "lab/extensions/x/{f}",
    "kernelspecs/python3/../../{f}", "edit/{f}?download=1",
    "lab/api/extensions", "lab/api/listings/@jupyterlab/x", "api/spec.yaml", "metrics", "voila/render/{f}",
)  # fmt: skip
DISGUISED = (
    "files%2f{f}", "Files/{f}", "FILES/{f}", "%66iles/{f}", "%2566iles/{f}", "api/../files/{f}", "api/..%2ffiles/{f}",
    "./files/{f}", "//files/{f}", "api/%2e%2e/files/{f}", "api/..;/files/{f}", "files;x/{f}", "files\\{f}", "..%2f..%2fhub/home",
    "%2e%2e/%2e%2e/hub/admin", "nbconvert%2fhtml%2f{f}", "view//{f}", "lab/../files/{f}", "files/%2e/{f}", "static/../files/{f}",
    "..%5cfiles%5c{f}", "%c0%ae%c0%ae/files/{f}", "files%00/{f}", "files/{f}%3fdownload",
)  # fmt: skip
CONTENTS = (
    "api/contents/{f}?format=base64", "api/contents/{f}?download=1", "api/contents/{f}?type=file&format=base64",
    "api/contents/{f}?Format=BASE64", "api/contents/{f}?format=%62ase64", "api/contents/{f}?content=1&format=base64",
    "api/contents//{f}?format=base64", "api/contents/./{f}?format=base64", "API/contents/{f}?format=base64",
)  # fmt: skip


def _marked(place: Place) -> str:
    """Return a text that only a file in the home holds; the file is made if it is not there."""
    mark = f"drill-mark-{place.canaries.approved}"
    if "mark" not in place.notes:
        place.kernel.run(f"open('/home/analyst/work/{FILE}', 'w').write({mark + chr(10)!r} * 50)")
        place.notes["mark"] = mark
    return mark


def _asked(place: Place, paths: tuple[str, ...]) -> dict[str, object]:
    """Ask for each path; the status, or what leaked."""
    mark = _marked(place).encode()
    answers: dict[str, object] = {}
    for path in paths:
        answer = place.door.ask(place.login, "GET", "/" + path.format(f=FILE))
        answers[path] = "LEAKED" if mark in answer.data else answer.status
    return answers


def _closed(answer: object) -> bool:
    return answer in {0, 302, 308, 400, 403, 404, 405, 410, 413, 414}


@attack("in.routes")
def routes(place: Place) -> Verdict:
    """Routes of the notebook server that hand out files, convert them, or open another way in."""
    return judged(_asked(place, ROUTES), _closed)


@attack("in.routes-disguised")
def routes_disguised(place: Place) -> Verdict:
    """The same in other spellings."""
    # 500: the proxy's own error page, for a path that it cannot decode.
    return judged(_asked(place, DISGUISED), lambda answer: _closed(answer) or answer == 500)  # noqa: PLR2004


@attack("in.contents-raw")
def contents_raw(place: Place) -> Verdict:
    """Raw bytes through the interface that opens notebooks: encoded, as a download, or more than may be shown."""
    code = "import os; open('/home/analyst/work/drill-large.txt', 'w').write('drill-large ' * 400_000)"
    place.kernel.run(code + "; open('/home/analyst/work/drill-large.bin', 'wb').write(os.urandom(3 << 20))")
    answers = _asked(place, CONTENTS)
    for name in ("drill-large.txt", "drill-large.bin"):
        answer = place.door.ask(place.login, "GET", f"/api/contents/{name}?type=file")
        answers[name] = f"{len(answer.body)} bytes" if len(answer.body) > (2 << 20) else answer.status
    return judged(answers, _closed)


def _websocket(place: Place, path: str, *, token: str | None = "") -> int:
    with contextlib.closing(place.door.websocket(place.login, path, token=token, seconds=10)) as link:
        return link.status


@attack("in.new-tokens")
def new_tokens(place: Place) -> Verdict:
    """A token of the hub's, which would open the workspace from anywhere."""
    door = place.door
    answers: dict[str, object] = {
        "interface": door.hub("POST", f"/users/{place.login}/tokens", {"note": "x"}).status,
        "list": door.hub("GET", f"/users/{place.login}/tokens").status,
        "authorizations": door.hub("POST", "/authorizations/token", {}).status,
        "page": send(door.address, head("GET /hub/token", door.headers(door.public))).status,
        "own server": door.ask(place.login, "POST", "/api/tokens", {}).status,
    }
    return judged(answers, _closed)


@attack("in.host-header")
def host_header(place: Place) -> Verdict:
    """One origin's page under another's name: the workspace as the portal, the portal as the workspace, and strangers."""
    door, login = place.door, place.login
    portal, own = door.host_of("portal--service"), door.host_of(login)
    asked = {
        "workspace as portal": (portal, f"/user/{login}/api/contents"),
        "workspace as hub": (door.public, f"/user/{login}/api/contents"),
        "workspace as stranger": ("evil.example", f"/user/{login}/api/contents"),
        "workspace as neighbour": (door.host_of(place.neighbour), f"/user/{login}/api/contents"),
        "portal as workspace": (own, "/services/portal/api/v1/me"),
        "portal as stranger": ("evil.example", "/services/portal/api/v1/me"),
        "portal by loopback": ("127.0.0.1", "/services/portal/api/v1/me"),
        "whole address": (own, f"http://{portal}/services/portal/api/v1/me"),
    }
    mark = _marked(place).encode()
    answers: dict[str, object] = {}
    for name, (host, path) in asked.items():
        answer = send(door.address, head(f"GET {path}", door.headers(host)))
        answers[name] = "LEAKED" if mark in answer.data or FILE.encode() in answer.data else answer.status
    twice = f"GET /user/{login}/api/contents HTTP/1.1\r\nHost: {own}\r\nHost: {portal}\r\nConnection: close\r\n\r\n"
    answers["two hosts, no token"] = send(door.address, twice.encode()).status
    return judged(answers, lambda answer: _closed(answer) or answer in {401, 503})


@attack("in.cross-site")
def cross_site(place: Place) -> Verdict:
    """What a page served by the kernel can send to portal and hub: changes are refused, answers cannot be read."""
    door = place.door
    origin = f"{place.settings.public_scheme}://{door.host_of(place.login)}"
    portal = door.host_of("portal--service")
    said = {"Origin": origin, "Referer": f"{origin}/", "Sec-Fetch-Site": "same-site", "Connection": "close"}
    answers: dict[str, object] = {}
    for name, host, path in (
        ("portal form", portal, "/services/portal/projects/x/pledge"),
        ("portal interface", portal, "/services/portal/api/v1/projects"),
        ("portal drill", portal, "/services/portal/drills"),
        ("hub login", door.public, "/hub/login"),
        ("hub server", door.public, f"/hub/api/users/{place.neighbour}/server"),
        ("neighbour", door.host_of(place.neighbour), f"/user/{place.neighbour}/api/kernels"),
    ):
        body = b"username=x&password=x&csrf=x"
        kind = {"Content-Type": "application/x-www-form-urlencoded", "Content-Length": str(len(body)), "Host": host}
        posted = send(door.address, head(f"POST {path}", {**said, **kind}, body))
        asked = send(
            door.address, head(f"OPTIONS {path}", {**said, "Host": host, "Access-Control-Request-Method": "POST"})
        )
        answers[name] = _crossed(posted, asked)
    return judged(answers, lambda answer: str(answer).startswith("refused"))


def _crossed(posted: Answer, asked: Answer) -> str:
    allowed = posted.header("access-control-allow-origin") + asked.header("access-control-allow-origin")
    if allowed:
        return f"readable by {allowed}"
    if posted.status in {302, 303} and "login" not in "".join(posted.header("location")):
        return f"accepted ({posted.status} to {posted.header('location')})"
    return f"refused ({posted.status})" if not 200 <= posted.status < 300 else f"accepted ({posted.status})"  # noqa: PLR2004


@attack("in.cookie-scope")
def cookie_scope(place: Place) -> Verdict:
    """Cookies that another origin of this domain would get, or that a page's script could read."""
    door = place.door
    pages = (
        (door.public, "/hub/login"),
        (door.host_of("portal--service"), "/services/portal/"),
        (door.host_of(place.login), f"/user/{place.login}/lab"),
        (door.host_of(place.login), f"/user/{place.login}/login"),
    )
    seen, wrong = 0, []
    for host, path in pages:
        for cookie in send(door.address, head(f"GET {path}", door.headers(host, token=None))).header("set-cookie"):
            seen += 1
            name, text = cookie.split("=")[0], cookie.lower()
            if "domain=" in text or ("httponly" not in text and name != "_xsrf"):
                wrong.append(f"{host}{path}: {name} {cookie.partition(';')[2]}")
    if wrong or not seen:
        return broken("; ".join(wrong) or "no cookie was seen: nothing was shown")
    return held(f"{seen} cookies, each for its own host alone")


@attack("in.headers")
def headers(place: Place) -> Verdict:
    """Pages that may load from elsewhere, send to elsewhere, or be shown in a frame of elsewhere."""
    door = place.door
    pages = {
        "workspace": (door.host_of(place.login), f"/user/{place.login}/lab", ""),
        "portal": (door.host_of("portal--service"), "/services/portal/health", None),
        "hub": (door.public, "/hub/login", None),
    }
    wrong = []
    for name, (host, path, token) in pages.items():
        answer = send(door.address, head(f"GET {path}", door.headers(host, token=token)))
        policy = " ".join(answer.header("content-security-policy"))
        framed = re.search(r"frame-ancestors ([^;]*)", policy)
        if framed is None or not set(framed[1].split()) <= {"'none'", "'self'"}:
            wrong.append(f"{name}: framed by {framed[1] if framed else 'anybody'}")
        if name == "workspace" and not re.search(r"connect-src 'self'(;|$)", policy):
            wrong.append(f"{name}: sends to elsewhere ({policy[:80]})")
        if name != "hub" and "nosniff" not in " ".join(answer.header("x-content-type-options")):
            wrong.append(f"{name}: content is guessed")
    return (
        broken("; ".join(wrong)) if wrong else held("workspace, portal and hub: own frames only, nothing to elsewhere")
    )


@attack("in.header-injection")
def header_injection(place: Place) -> Verdict:
    """Line breaks in addresses that come back in a header; and headers that say where the visitor comes from."""
    door, login = place.door, place.login
    evil = quote("\r\nX-Injected: 1\r\nSet-Cookie: a=b", safe="")
    paths = {
        "login": (door.public, f"/hub/login?next={evil}"), "spawn": (door.public, f"/hub/spawn/{evil}"),
        "user": (door.public, f"/hub/user/{login}/{evil}"), "portal": (door.host_of("portal--service"), f"/services/portal/?lang={evil}"),
        "workspace": (door.host_of(login), f"/user/{login}/{evil}"), "login of it": (door.host_of(login), f"/user/{login}/login?next={evil}"),
    }  # fmt: skip
    answers: dict[str, object] = {}
    for name, (host, path) in paths.items():
        answer = send(door.address, head(f"GET {path}", door.headers(host, token=None)))
        answers[name] = "injected" if answer.header("x-injected") else "clean"
    spoofed = door.headers(door.public, token=None) | {
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "gopher",
    }
    for path in ("/", "/hub/", "/hub/home", f"/hub/user/{login}/"):
        answer = send(door.address, head(f"GET {path}", spoofed))
        answers[f"forwarded {path}"] = "led away" if "evil.example" in " ".join(answer.header("location")) else "clean"
    return judged(answers, lambda answer: answer == "clean")


@attack("in.websocket-strangers")
def websocket_strangers(place: Place) -> Verdict:
    """A kernel's websocket for nobody, for the neighbour, for a wrong kernel."""
    path = f"/api/kernels/{place.kernel.id}/channels"
    answers: dict[str, object] = {
        "nobody": _websocket(place, path, token=None),
        "neighbour": _websocket(place, path, token=place.neighbour_token),
        "forged": _websocket(place, path, token="0" * 64),
        "another kernel": _websocket(place, "/api/kernels/00000000-0000-0000-0000-000000000000/channels"),
        "any path": _websocket(place, "/api/contents"),
    }
    return judged(answers, lambda answer: answer != SWITCHED)


FRAMES: dict[str, tuple[int, bytes, bool, int | None]] = {
    "unmasked": (0x80 | TEXT, b"{}", False, None),
    "reserved bits": (0xF0 | TEXT, b"{}", True, None),
    "reserved kind": (0x83, b"{}", True, None),
    "continuation first": (0x80, b"{}", True, None),
    "long ping": (0x89, b"x" * 4000, True, None),
    "fragmented ping": (0x09, b"x", True, None),
    "endless": (0x80 | TEXT, b"{", True, 1 << 62),
    "no text": (0x80 | TEXT, b"\xff\xfe\xc0", True, None),
    "no JSON": (0x80 | TEXT, b"[[[[", True, None),
    "deep JSON": (0x80 | TEXT, b"[" * 100_000, True, None),
    "no message": (0x80 | TEXT, b'{"header": 1, "channel": "shell"}', True, None),
    "unknown channel": (0x80 | TEXT, b'{"header": {"msg_type": "x"}, "channel": "evil"}', True, None),
    "binary": (0x80 | BINARY, b"\xff" * 64, True, None),
    "large": (0x80 | TEXT, b'"' + b"x" * (24 << 20) + b'"', True, None),
    "close with a lie": (0x88, b"\x00\x01", True, None),
}


@attack("in.websocket-frames")
def websocket_frames(place: Place) -> Verdict:
    """Frames that no client sends; the kernel, its server and the gate go on, and nobody's bytes are mixed up."""
    said: dict[str, str] = {}
    for name, (first, payload, masked, length) in FRAMES.items():
        path = f"/api/kernels/{place.kernel.id}/channels"
        with contextlib.closing(place.door.websocket(place.login, path, seconds=2)) as link:
            said[name] = _sent(link, first, payload, masked=masked, length=length)
    alive = place.kernel.value("import json; print(json.dumps(42))")
    status = place.door.ask(place.login, "GET", "/api/status").status
    if alive != 42 or status != 200 or "not opened" in said.values():  # noqa: PLR2004
        return broken(f"afterwards the kernel says {alive}, the server {status}; {said}")
    cut = [name for name, what in said.items() if what == "cut"]
    return held(f"{len(said)} kinds, {len(cut)} of them cut at once ({', '.join(cut)[:200]}); kernel and server go on")


def _sent(link: WebSocket, first: int, payload: bytes, *, masked: bool, length: int | None) -> str:
    if link.status != SWITCHED:
        return "not opened"
    try:
        link.frame(first, payload, masked=masked, length=length)
        while data := link.receive():
            json.loads(data)  # what comes is a kernel's message, whole
    except TimeoutError:
        return "ignored"
    except (OSError, ValueError):
        return "cut"
    return "cut"
