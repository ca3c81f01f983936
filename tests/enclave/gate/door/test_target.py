"""One spelling for each address: whatever a browser sends is one canonical address, or is refused."""

from __future__ import annotations

from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enclave.gate.door.routes import CLASSES, ROUTES, Kind, Route, class_of, find
from enclave.gate.door.target import Odd, read_target

ODD = [
    b"/user/lee/lab",
    b"/user/kim",
    b"/user/kimx/lab",
    b"/user/KIM/lab",
    b"/user/kim/../lee/lab",
    b"/user/kim/%2e%2e/lee/lab",
    b"/user/kim/%252e%252e/lee",
    b"/user/kim/lab//tree",
    b"/user/kim//lab",
    b"/user/kim/./lab",
    b"/user/kim/lab%2ftree",
    b"/user/kim/lab%5ctree",
    b"/user/kim/lab\\tree",
    b"/user/kim/lab;x",
    b"/user/kim/lab%3bx",
    b"/user/kim/lab%00",
    b"/user/kim/lab%0a",
    b"/user/kim/lab%7f",
    b"/user/kim/lab%ff",
    b"/user/kim/lab%c0%ae",
    b"/user/kim/lab%2",
    b"/user/kim/%2566iles/a",
    b"/user/kim/lab#x",
    b"/user/kim/lab?a=%zz",
    b"/user/kim/lab?a=%0d%0ax",
    b"/user/kim/lab\xea\xb0\x80",
    b"http://kim.ansim.test/user/kim/lab",
    b"//kim.ansim.test/user/kim/lab",
    b"*",
    b"kim.ansim.test:443",
    b"/user/kim/" + b"a" * 5000,
    b"/user/kim/lab?" + b"&".join(b"a%d=1" % i for i in range(40)),
]


@pytest.mark.parametrize("raw", [raw for raw in ODD if raw != b"/user/kim"], ids=lambda raw: repr(raw)[:40])
def test_an_address_with_two_readings_or_of_somebody_else_is_refused(raw: bytes) -> None:
    with pytest.raises(Odd):
        read_target("kim", raw)


segments = st.text(st.characters(codec="utf-8", exclude_characters="/\\;%"), min_size=1, max_size=12).filter(
    lambda text: text.isprintable() and text not in {".", ".."}
)


@given(
    parts=st.lists(segments, max_size=4), query=st.lists(st.tuples(segments, st.text("ab+& =", max_size=5)), max_size=3)
)
def test_a_plain_address_goes_on_with_the_same_meaning(parts: list[str], query: list[tuple[str, str]]) -> None:
    path = "/".join(quote(part, safe="") for part in parts)
    pairs = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in query)
    target = read_target("kim", f"/user/kim/{path}?{pairs}".encode())
    assert target.path == "/".join(parts)
    assert list(target.query) == query
    again = read_target("kim", target.canonical.encode())
    assert (again.path, again.query, again.canonical) == (target.path, target.query, target.canonical)


@given(raw=st.binary(max_size=60))
def test_whatever_comes_is_one_canonical_address_or_none(raw: bytes) -> None:
    try:
        target = read_target("kim", b"/user/kim/" + raw)
    except Odd:
        return
    canonical = target.canonical
    assert canonical.startswith("/user/kim/")
    assert ".." not in canonical.partition("?")[0].split("/")
    assert read_target("kim", canonical.encode()).canonical == canonical
    # However often somebody decodes it again, it names the same place.
    once = unquote(canonical.partition("?")[0])
    assert unquote(once) == once or "%" in target.path


REFUSED = {
    "files/a.csv": "files",
    "FILES/a.csv": "files",
    "view/a": "files",
    "nbconvert/html/a.ipynb": "export",
    "api/nbconvert": "export",
    "api/bundlers": "export",
    "bundle/a": "export",
    "proxy/8080": "proxy",
    "lsp/ws/pylsp": "proxy",
    "lab/api/extensions": "extensions",
    "lab/api/plugins": "extensions",
    "api/shutdown": "api",
    "api/spec.yaml": "api",
    "api/security/csp-report": "api",
    "api/config/notebook": "api",
    "metrics": "other",
    "terminals/1": "other",
    "edit/a.py": "other",
    "notebooks/a.ipynb": "other",
    "tree/a": "other",
    "hub/token": "other",
    "user-redirect": "other",
    "API/contents/a": "contents",
}


@pytest.mark.parametrize("path", REFUSED)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "get"])
def test_what_is_not_on_the_list_is_refused_and_named_harmlessly(path: str, method: str) -> None:
    target = read_target("kim", f"/user/kim/{path}".encode())
    assert find(method, target, websocket=False) in {"route", "method"}
    assert class_of(path) == REFUSED[path]


@pytest.mark.parametrize(
    "query",
    ["format=base64", "content=1&format=base64", "form%61t=base64", "download=1", "download", "type=other",
     "format=TEXT", "format=text&format=base64", "hash=md5", "a=b", "type=file&type=notebook"],
)  # fmt: skip
def test_contents_are_asked_for_as_text_or_json_only(query: str) -> None:
    target = read_target("kim", f"/user/kim/api/contents/a.csv?{query}".encode())
    assert find("GET", target, websocket=False) == "query"


@pytest.mark.parametrize("query", ["", "type=file&content=1&format=text&hash=0&1764300000000", "content=0"])
def test_contents_are_read_as_jupyterlab_reads_them(query: str) -> None:
    target = read_target("kim", f"/user/kim/api/contents/data/%EA%B0%80.csv?{query}".encode())
    route = find("GET", target, websocket=False)
    assert isinstance(route, Route)
    assert route.kind is Kind.CONTENT


def test_a_socket_is_no_page_and_a_page_no_socket() -> None:
    socket = read_target("kim", b"/user/kim/api/events/subscribe")
    assert find("GET", socket, websocket=False) == "websocket"
    assert find("GET", read_target("kim", b"/user/kim/lab"), websocket=True) == "websocket"


def test_no_listed_route_is_of_a_refused_class() -> None:
    for route in ROUTES:
        for name, pattern in CLASSES[:4]:
            example = route.pattern.pattern.split("(")[0].rstrip("/")
            assert not (example and pattern.fullmatch(example)), (name, example)
