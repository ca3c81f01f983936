"""The list of what JupyterLab 4.6 asks of jupyter_server 2.21. What is not on it is refused, also after an upgrade.

Each line: method, path below the workspace's prefix, the largest body and the largest answer in bytes, what kind of
answer it is (see `Kind`), the names of the query's parameters. To list a route that an upgrade needs: find out what
it can carry out of the workspace, then add a line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from enclave.gate.door.target import Target

KIB, MIB = 1 << 10, 1 << 20


class Kind(StrEnum):
    """How an answer is treated on its way to the browser."""

    STATIC = "static"  # files of the image: the gate's own copies
    PAGE = "page"  # an HTML document
    SMALL = "small"  # what the front end polls; counted apart
    CONTENT = "content"  # files of the person: counted as shown
    CHANNELS = "channels"  # a kernel's websocket
    TERMINAL = "terminal"  # a terminal's websocket
    EVENTS = "events"  # the server's events, a websocket


@dataclass(frozen=True)
class Route:
    """One listed route."""

    method: str
    pattern: re.Pattern[str]
    kind: Kind
    body_limit: int
    answer_limit: int
    parameters: frozenset[str]


ID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
NAME = "[A-Za-z0-9_-]{1,64}"
# Of a file or folder; what a segment may hold was decided by the canonical spelling.
FILE = "(/[^/]+)*"
CONTENTS = "type content format hash contentProviderId"
LAB = "reset clone redirects file-browser-path"
CHECKPOINT = f"api/contents{FILE}/checkpoints"


def _route(line: str, kind: Kind, *, body: int = 0, answer: int = 256 * KIB, query: str = "") -> Route:
    method, _, pattern = line.partition(" ")
    return Route(method, re.compile(pattern), kind, body, answer, frozenset(query.split()))


ROUTES = (
    # pages
    _route("GET ", Kind.PAGE),
    _route(f"GET lab(/tree{FILE}|/workspaces/{NAME}(/tree{FILE})?)?", Kind.PAGE, query=LAB),
    _route(f"GET doc/tree{FILE}", Kind.PAGE),
    _route("GET (login|logout)", Kind.PAGE, query="next redirects"),
    _route("GET oauth_callback", Kind.PAGE, query="code state error error_description"),
    # files of the image
    _route("GET (static|lab/extensions|lab/api/themes|kernelspecs)(/[^/]+)+", Kind.STATIC, answer=32 * MIB, query="v"),
    _route("GET (favicon.ico|custom/custom.(css|js))", Kind.STATIC, answer=MIB),
    # what the front end keeps about itself
    _route("GET lab/api/(settings|translations|workspaces|licenses)", Kind.SMALL, answer=4 * MIB, query="ids_only"),
    _route("GET lab/api/build", Kind.SMALL),  # whether its own files are complete; asked at each start
    _route("GET lab/api/listings(/[^/]+)+", Kind.SMALL),
    _route(f"GET lab/api/translations/{NAME}", Kind.SMALL, answer=4 * MIB),
    _route("GET lab/api/settings(/[^/]+)+", Kind.SMALL, answer=MIB),
    _route("PUT lab/api/settings(/[^/]+)+", Kind.SMALL, body=256 * KIB),
    _route(f"GET lab/api/workspaces/{NAME}", Kind.SMALL),
    _route(f"(PUT|DELETE) lab/api/workspaces/{NAME}", Kind.SMALL, body=256 * KIB),
    _route("GET api(/status|/me|/kernelspecs|/kernels|/sessions|/terminals)?", Kind.SMALL, query="permissions"),
    # kernels, sessions, terminals
    _route("POST api/(kernels|sessions|terminals)", Kind.SMALL, body=64 * KIB),
    _route(f"(GET|DELETE) api/(kernels|sessions)/{ID}", Kind.SMALL),
    _route(f"PATCH api/sessions/{ID}", Kind.SMALL, body=64 * KIB),
    _route(f"POST api/kernels/{ID}/(interrupt|restart)", Kind.SMALL, body=64 * KIB),
    _route(f"(GET|DELETE) api/terminals/{NAME}", Kind.SMALL),
    _route(f"GET api/kernels/{ID}/channels", Kind.CHANNELS, query="session_id"),
    _route(f"GET terminals/websocket/{NAME}", Kind.TERMINAL),
    _route("GET api/events/subscribe", Kind.EVENTS),
    # the airlock's panel: what it says of files is counted like the files
    _route("GET ansim-airlock/requests", Kind.SMALL),
    _route("POST ansim-airlock/(preflight|submit|repair)", Kind.CONTENT, body=64 * KIB, answer=MIB),
    # the person's files; before them the checkpoints, which lie below the same prefix
    _route(f"(GET|POST) {CHECKPOINT}", Kind.SMALL, body=4 * KIB),
    _route(f"(POST|DELETE) {CHECKPOINT}/{NAME}", Kind.SMALL, body=4 * KIB),
    _route(f"GET api/contents{FILE}", Kind.CONTENT, answer=32 * MIB, query=CONTENTS),
    _route(f"(POST|PATCH) api/contents{FILE}", Kind.CONTENT, body=64 * KIB, answer=MIB, query=CONTENTS),
    _route(f"PUT api/contents{FILE}", Kind.CONTENT, body=32 * MIB, answer=MIB, query=CONTENTS),
    _route(f"DELETE api/contents{FILE}", Kind.CONTENT),
)  # fmt: skip
# What JupyterLab asks by itself, for links in a traceback: refused, and no attempt of anybody.
BY_ITSELF = re.compile("api/resolvePath")
METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}
SOCKETS = {Kind.CHANNELS, Kind.TERMINAL, Kind.EVENTS}
# JupyterLab appends the milliseconds of the moment, so that nothing is taken from a cache.
STAMP = re.compile(r"[0-9]{10,16}")
ALLOWED_VALUES = {"type": {"file", "notebook", "directory", ""}, "format": {"text", "json", ""}, "hash": {"0", "1"}}

# Slugs of what is refused, for the log: the first pattern that matches names it.
CLASSES = (
    ("files", re.compile("(files|view)(/.*)?", re.IGNORECASE)),
    ("export", re.compile("(api/)?nbconvert(/.*)?|.*bundle.*", re.IGNORECASE)),
    ("proxy", re.compile("(proxy|lsp)(/.*)?", re.IGNORECASE)),
    ("extensions", re.compile("lab/api/(extensions|plugins)(/.*)?", re.IGNORECASE)),
    ("contents", re.compile("api/contents(/.*)?", re.IGNORECASE)),
    ("api", re.compile("(lab/)?api(/.*)?", re.IGNORECASE)),
)


def find(method: str, target: Target, *, websocket: bool) -> Route | str:
    """Return the listed route, or a slug of why there is none."""
    if method not in METHODS:
        return "method"
    found = next((route for route in ROUTES if _is(route, method, target.path)), None)
    if found is None:
        return "route"
    if (found.kind in SOCKETS) != websocket:
        return "websocket"
    return found if _query_fits(found, target) else "query"


def class_of(path: str) -> str:
    """Return a harmless name for what was asked: paths hold names that people gave."""
    return next((name for name, pattern in CLASSES if pattern.fullmatch(path)), "other")


def _is(route: Route, method: str, path: str) -> bool:
    return bool(re.fullmatch(route.method, method) and route.pattern.fullmatch(path))


def _query_fits(route: Route, target: Target) -> bool:
    names = [name for name, value in target.query if value or not STAMP.fullmatch(name)]
    if len(set(names)) != len(names) or not set(names) <= route.parameters:
        return False
    return all(value in ALLOWED_VALUES.get(name, {value}) for name, value in target.query)
