"""HTTP through the door: what is too large or too much does not begin to arrive; headers are ours."""

from __future__ import annotations

import asyncio
import json
import random
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx
import pytest

from enclave.gate.door import meter, recorder, room
from enclave.gate.spool import Bounds
from tests.enclave.gate.door import peer

Given = tuple[int, dict[str, str], bytes]


@asynccontextmanager
async def web(
    answer: Callable[[str], Given], **display: int
) -> AsyncIterator[tuple[peer.Scene, httpx.AsyncClient, list[bytes]]]:
    """A door before a server that answers each path as told; the heads that reached it."""
    heads: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        heads.append(head)
        if length := re.search(rb"(?i)content-length: (\d+)", head):
            with suppress(asyncio.IncompleteReadError):  # the door kept it
                await reader.readexactly(int(length[1]))
        status, headers, body = answer(head.split()[1].decode())
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n{lines}\r\n".encode() + body)
        await writer.drain()
        await reader.read()
        writer.close()

    async def nothing(_: Any) -> None:
        pass

    async with peer.scene(nothing, **display) as scene:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        handler = scene.front.handler(scene.plan, lambda: asyncio.open_connection("127.0.0.1", port))
        door = await asyncio.start_server(handler, "127.0.0.1", 0)
        base = f"http://127.0.0.1:{door.sockets[0].getsockname()[1]}/user/kim/"
        async with httpx.AsyncClient(base_url=base, timeout=20) as client:
            yield scene, client, heads
        door.close()
        server.close()


def ask(path: str, given: Given, method: str = "GET", **display: int) -> tuple[httpx.Response, list[Any], list[bytes]]:
    async def play() -> tuple[httpx.Response, list[Any], list[bytes]]:
        async with web(lambda _: given, **display) as (scene, client, heads):
            answer = await client.request(method, path, content=b"{}" if method != "GET" else None)
            await asyncio.sleep(0.1)
            return answer, [(event.kind, dict(event.details)) for event in scene.spool.events()], heads

    found: tuple[httpx.Response, list[Any], list[bytes]] = peer.run(play())
    return found


JSON = {"Content-Type": "application/json"}


def test_a_small_text_file_opens_and_is_counted() -> None:
    body = json.dumps({"content": "a,b,c\n" * 10}).encode()
    answer, events, _ = ask("api/contents/a.csv?type=file&content=1&format=text", (200, JSON, body))
    assert answer.content == body
    assert events == []


@pytest.mark.parametrize(("path", "passes"), [("data.csv", False), ("notes.txt", False), ("plots.ipynb", True)])
def test_a_file_above_the_limit_is_cut_before_it_reaches_the_browser(path: str, passes: bool) -> None:
    body = json.dumps({"content": "x" * 3_000_000}).encode()
    answer, events, _ = ask(f"api/contents/{path}?content=1", (200, JSON, body))
    assert (answer.status_code == 200) == passes
    if not passes:
        assert answer.status_code == 403
        assert "반출 신청" in answer.json()["message"]
        assert len(answer.content) < 2000
        assert events[0] == ("route-refused", {"why": "answer-size", "method": "GET", "route": "contents"})


def test_a_large_notebook_read_back_counts_at_full_size() -> None:
    body = json.dumps({"content": {"cells": ["x" * 3_000_000]}}).encode()
    answer, events, _ = ask("api/contents/a.ipynb?content=1", (200, JSON, body), hour_bytes=2_000_000)
    assert answer.status_code == 403
    assert ("display-spent", {"kind": "bytes", "window": "hour", "limit": 2_000_000}) in events


def test_pictures_in_a_notebook_count_when_it_is_opened() -> None:
    body = json.dumps({"content": {"outputs": ["data:image/png;base64,"] * 3}}).encode()
    assert ask("api/contents/a.ipynb?content=1", (200, JSON, body), hour_pictures=3)[0].status_code == 200
    assert ask("api/contents/a.ipynb?content=1", (200, JSON, body), hour_pictures=2)[0].status_code == 403


def test_lists_still_open_when_the_display_is_spent() -> None:
    listing = json.dumps({"type": "directory", "content": []}).encode()
    for path in ("api/contents?type=directory&content=1", "api/kernels", "api/sessions"):
        assert ask(path, (200, JSON, listing), hour_bytes=0)[0].status_code == 200
    assert ask("api/contents/a.txt?content=1", (200, JSON, listing), hour_bytes=0)[0].status_code == 403


def test_a_list_as_large_as_a_file_is_counted_as_one() -> None:
    body = json.dumps(["x" * 100_000]).encode()
    assert ask("api/kernels", (200, JSON, body), hour_bytes=0)[0].status_code == 403
    assert ask("api/kernels", (200, JSON, b"x" * 300_000))[0].status_code == 403


HOSTILE = {
    "Content-Type": "text/html",
    "Content-Disposition": "attachment; filename=data.csv",
    "Content-Security-Policy": "default-src *",
    "Set-Cookie": "a=b; Domain=ansim.test; Path=/",
    "Service-Worker-Allowed": "/",
    "Clear-Site-Data": '"cookies"',
    "Access-Control-Allow-Origin": "*",
    "Refresh": "0; url=http://evil.test",
    "Link": "<http://evil.test>; rel=preload",
    "X-Frame-Options": "ALLOWALL",
    "Strict-Transport-Security": "max-age=9999999",
    "Report-To": "{}",
    "Referrer-Policy": "unsafe-url",
    "Cache-Control": "public, max-age=99999",
}


def test_headers_of_a_strangers_program_do_not_reach_the_browser() -> None:
    answer, _, _ = ask("api/status", (200, HOSTILE, b"{}"))
    names = set(answer.headers)
    assert not names & {
        "content-disposition", "set-cookie", "service-worker-allowed", "clear-site-data", "refresh", "link",
        "access-control-allow-origin", "x-frame-options", "strict-transport-security", "report-to",
    }  # fmt: skip
    policy = answer.headers.get_list("content-security-policy")
    assert len(policy) == 1
    assert "default-src 'self'" in policy[0]
    assert "frame-ancestors 'none'" in policy[0]
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("cookie", "passes"),
    [("a=b; Path=/user/kim/; HttpOnly", True), ("a=b; domain=.ansim.test", False), ("a=b;DOMAIN =x", False),
     ("a=b; Path=/;\tDomain=x", False), ("a b=c", False)],
)  # fmt: skip
def test_a_cookie_is_for_this_host_alone(cookie: str, passes: bool) -> None:
    answer, _, _ = ask("api/status", (200, {**JSON, "Set-Cookie": cookie}, b"{}"))
    assert ("set-cookie" in answer.headers) == passes


def test_what_goes_in_asks_for_no_other_encoding_and_no_part() -> None:
    async def play() -> bytes:
        async with web(lambda _: (200, JSON, b"{}")) as (_, client, heads):
            hostile = {
                "Accept-Encoding": "gzip",
                "Range": "bytes=0-1",
                "X-HTTP-Method-Override": "DELETE",
                "X-Forwarded-Host": "x",
            }
            await client.get("api/status", headers=hostile)
            return heads[0].lower()

    head = peer.run(play())
    for name in (b"accept-encoding", b"range", b"override", b"x-forwarded-host"):
        assert name not in head


def test_headers_are_counted_like_the_rest_of_an_answer_and_few_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meter, "FRESH_HOUR", 40_000)
    count = iter(range(100))

    def told(_: str) -> Given:
        far = {"Location": f"/{next(count)}" + "a" * 9000, "ETag": "e" * 50_000, "Vary": "v" * 900}
        return 200, JSON | far, b"{}"

    async def play() -> tuple[int, list[int]]:
        async with web(told, hour_bytes=20_000) as (_, client, _heads):
            answers = [await client.get("api/status") for _ in range(8)]
            arrived = sum(len(name) + len(value) for name, value in answers[0].headers.raw)
            return arrived, [answer.status_code for answer in answers]

    arrived, statuses = peer.run(play())
    assert arrived < 12_000
    assert statuses == [200] * 6 + [403] * 2


@pytest.mark.parametrize("path", ["lab/api/workspaces/a", "lab", "api/contents?type=directory"])
def test_what_a_page_needs_to_live_is_no_second_screen(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """New bytes in small answers are free up to a limit; then they are counted as shown. The same again is not new."""
    monkeypatch.setattr(meter, "FRESH_HOUR", 200_000)
    count = iter(range(100))

    async def play(answer: Callable[[str], Given]) -> tuple[list[int], Any]:
        async with web(answer, hour_bytes=100_000) as (scene, client, _):
            statuses = [(await client.get(path)).status_code for _ in range(15)]
            return statuses, scene.front.meter("w-1")["hour"]

    statuses, hour = peer.run(play(lambda _: (200, JSON, json.dumps([next(count), "x" * 30_000]).encode())))
    assert (statuses[0], statuses[-1]) == (200, 403)
    assert 0 < hour["fresh"] <= 200_000
    assert 0 < hour["shown"]["bytes"] <= 100_000
    statuses, hour = peer.run(play(lambda _: (200, JSON, b"x" * 30_000)))
    assert set(statuses) == {200}
    assert hour["shown"]["bytes"] == 0


@pytest.mark.parametrize(
    ("method", "path", "size"),
    [("PATCH", "api/contents/a", 70_000), ("POST", "api/kernels", 70_000), ("DELETE", "api/contents/a", 1)],
)
def test_a_body_above_its_routes_limit_is_refused(method: str, path: str, size: int) -> None:
    async def play() -> httpx.Response:
        async with web(lambda _: (200, JSON, b"{}")) as (_, client, _heads):
            return await client.request(method, path, content=b"x" * size)

    assert peer.run(play()).status_code == 413


@pytest.mark.parametrize(
    "path", ["files/a.csv", "nbconvert/html/a.ipynb", "lab/api/extensions", "api/shutdown", "metrics"]
)
def test_a_closed_way_is_explained_and_leads_to_the_egress_request(path: str) -> None:
    answer, events, heads = ask(path, (200, JSON, b"secret"))
    assert answer.status_code == 403
    said = answer.json()
    assert set(said) == {"code", "message", "ko", "en", "remedy_ko", "remedy_en", "link"}
    assert said["link"].startswith("http://portal.test/p/projects/")
    assert heads == []
    assert events[0][0] == "route-refused"
    assert len(events[0][1]["path_sha256"]) == 64
    assert path not in json.dumps(events)


def test_what_jupyterlab_asks_by_itself_goes_nowhere_and_is_nobodys_attempt() -> None:
    answer, events, heads = ask("api/resolvePath?path=/usr/lib/python3.11/socket.py&kernel=k", (200, JSON, b"secret"))
    assert (answer.status_code, events, heads) == (404, [], [])


def test_strangers_cannot_fill_the_record_with_refusals(monkeypatch: pytest.MonkeyPatch) -> None:
    async def play() -> list[Any]:
        async with web(lambda _: (200, JSON, b"{}")) as (scene, client, _):
            for number in range(200):
                await client.get(f"files/{number}")
            # The next window, in which the rest is told as a number.
            monkeypatch.setattr(recorder, "WINDOW_S", 1e-3)
            await client.get("files/200")
            await asyncio.sleep(0.3)
            return [each.details.get("count") for each in scene.spool.events(1000)]

    # One window: the clock's own may end in between.
    monkeypatch.setattr(recorder, "WINDOW_S", 1e9)
    assert Counter(peer.run(play())) == {None: 31, 170: 1}


TERMINALS = {
    "a command": {"shell_command": ["sh", "-c", "id"]},
    "a command beside a name": {"name": "1", "shell_command": ["id"]},
    "variables": {"extra_env": {"BASH_ENV": "/tmp/x"}},
    "no text": {"cwd": ["a"]},
    "a list": ["shell_command"],
}


def sent(method: str, path: str, body: bytes, bounds: Bounds | None = None) -> tuple[int, list[bytes], list[Any]]:
    """Return the status, the bodies that reached the server whole, and the events."""

    async def play() -> tuple[int, list[bytes], list[Any]]:
        whole: list[bytes] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            with suppress(asyncio.IncompleteReadError):
                whole.append(await reader.readexactly(len(body)))
                writer.write(b"HTTP/1.1 200 X\r\nContent-Length: 2\r\n\r\n{}")
            writer.close()

        async with peer.scene(nothing, bounds=bounds) as scene:
            server = await asyncio.start_server(serve, "127.0.0.1", 0)
            port = server.sockets[0].getsockname()[1]
            handler = scene.front.handler(scene.plan, lambda: asyncio.open_connection("127.0.0.1", port))
            door = await asyncio.start_server(handler, "127.0.0.1", 0)
            address = f"http://127.0.0.1:{door.sockets[0].getsockname()[1]}/user/kim/{path}"
            async with httpx.AsyncClient(timeout=20) as client:
                answer = await client.request(method, address, content=body)
            await asyncio.sleep(0.1)
            door.close()
            server.close()
            return answer.status_code, whole, scene.spool.events()

    found: tuple[int, list[bytes], list[Any]] = peer.run(play())
    return found


@pytest.mark.parametrize("what", TERMINALS)
def test_a_terminal_takes_no_command_from_the_browser(what: str) -> None:
    status, whole, events = sent("POST", "api/terminals", json.dumps(TERMINALS[what]).encode())
    assert (status, whole) == (403, [])
    assert [event.details["why"] for event in events] == ["body"]


@pytest.mark.parametrize("body", [b"", b"{}", b"null", b'{"name": "1", "cwd": "a"}'])
def test_a_terminal_is_asked_for_by_name_and_folder(body: bytes) -> None:
    assert sent("POST", "api/terminals", body) == (200, [body], [])


def test_a_file_is_recorded_before_it_is_there_and_a_notebook_when_it_is_run() -> None:
    body = json.dumps({"type": "file", "format": "text", "content": "import os\nos.system('id')\n"}).encode()
    status, whole, events = sent("PUT", "api/contents/x/ipykernel_launcher.py", body)
    assert (status, whole) == (200, [body])
    assert [(event.kind, event.details["source"]) for event in events] == [("code", "file")]
    assert events[0].text == b"# \"api/contents/x/ipykernel_launcher.py\"\nimport os\nos.system('id')\n"
    content = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}
    note = json.dumps({"type": "notebook", "format": "json", "content": content}).encode()
    assert sent("PUT", "api/contents/a.ipynb", note) == (200, [note], [])


def put(path: str, model: dict[str, Any], **more: Any) -> tuple[int, list[bytes], list[Any]]:
    return sent("PUT", f"api/contents/{path}", json.dumps(model).encode(), **more)


def notebook(source: Any = "", **cell: Any) -> dict[str, Any]:
    cells = [{"cell_type": "code", "source": source, "metadata": {}, "outputs": [], **cell}]
    content = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}
    return {"type": "notebook", "format": "json", "content": content}


def shaped(**changes: Any) -> dict[str, Any]:
    whole = notebook()
    return whole | {"content": whole["content"] | changes}


def spelt(*letters: Any) -> list[Any]:
    return random.Random(12).choices(letters, k=400_000)


CODE_CELL = {"cell_type": "code", "source": "", "metadata": {}, "outputs": []}
TEXT = {"type": "file", "format": "text", "content": "x"}
# As JupyterLab's file browser uploads, and as a script would try instead.
UPLOADS: dict[str, tuple[str, dict[str, Any] | bytes]] = {
    "a file": ("a.bin", {"type": "file", "format": "base64", "content": "AAAA", "name": "a.bin"}),
    "a piece": ("a.bin", {"type": "file", "format": "base64", "content": "AAAA", "chunk": 1}),
    "a piece of text": ("a.txt", TEXT | {"chunk": -1}),
    "a text without its form": ("a.py", {"type": "file", "content": "x = 1"}),
    "a large text": ("a.txt", TEXT | {"content": "x" * 1_100_000}),
    "a folder with something in it": ("a", {"type": "directory", "content": [TEXT]}),
    "a folder with a text in it": ("a", {"type": "directory", "format": "text", "content": "x"}),
    "a folder in a form that holds bytes": ("a", {"type": "directory", "format": "base64"}),
    "a folder with much beside it": ("a", {"type": "directory", "mimetype": "x" * 20_000}),
    "no notebook": ("a.py", {"type": "notebook", "format": "json", "content": {"cells": []}}),
    "a notebook as text that is large": ("a.ipynb", TEXT | {"content": json.dumps("y" * 1_100_000)}),
    "a notebook with a large attachment": (
        "a.ipynb",
        notebook(attachments={"a": {"image/png": "".join(map(str, range(250_000)))}}),
    ),
    "a notebook with a large output": ("a.ipynb", notebook(outputs=[{"text": "".join(map(str, range(250_000)))}])),
    "a notebook with large metadata": ("a.ipynb", notebook(metadata={"".join(map(str, range(250_000))): 1})),
    "a notebook with a large cell": ("a.ipynb", notebook("".join(map(str, range(250_000))))),
    "a notebook with a large cell in lines": ("a.ipynb", notebook(source=[f"{n:09}" for n in range(150_000)])),
    "a notebook with numbers in its metadata": ("a.ipynb", notebook(metadata={"x": list(range(250_000))})),
    "a notebook with numbers in an output": ("a.ipynb", notebook(outputs=[{"data": list(range(250_000))}])),
    "a notebook whose short texts spell something": (
        "a.ipynb",
        notebook(metadata={"x": spelt("a", "b")}),
    ),
    "a notebook whose nesting spells something": (
        "a.ipynb",
        notebook(metadata={"x": spelt([], [[]])}),
    ),
    "a notebook whose outputs spell something": ("a.ipynb", notebook(outputs=[{"a": 1}, {"a": 2}] * 5_001)),
    "a notebook with many cells": ("a.ipynb", shaped(cells=[CODE_CELL] * 10_001)),
    "a notebook whose cells are no list": ("a.ipynb", shaped(cells={"x": "y" * 100})),
    "a notebook whose cell is no cell": ("a.ipynb", shaped(cells=["x"])),
    "a notebook of format 3": ("a.ipynb", shaped(nbformat=3)),
    "a notebook of format 3 with sheets": ("a.ipynb", shaped(nbformat=3, worksheets=[], cells={"x": "y"})),
    "a notebook of no format": ("a.ipynb", {"type": "notebook", "content": {"cells": []}}),
    "a notebook whose format is a truth": ("a.ipynb", shaped(nbformat_minor=True)),
    "a notebook of a large minor format": ("a.ipynb", shaped(nbformat_minor=10**4000)),
    "a notebook with something beside its fields": ("a.ipynb", shaped(worksheets=[])),
    "a notebook whose metadata is a text": ("a.ipynb", shaped(metadata="x")),
    "a cell with something beside its fields": ("a.ipynb", notebook(extra="x")),
    "a cell of an unknown kind": ("a.ipynb", notebook(cell_type="heading")),
    "a cell without a text": ("a.ipynb", notebook(source={"x": "y"})),
    "a cell whose cuts say something": ("a.ipynb", notebook(source=["a", "b\n"])),
    "outputs that are no list": ("a.ipynb", notebook(outputs={"x": "y"})),
    "a name twice": ("a.py", b'{"type": "file", "format": "text", "content": "x", "type": "notebook"}'),
    "no JSON": ("a.py", b"x = 1"),
}


@pytest.mark.parametrize("case", UPLOADS)
def test_an_upload_stays_outside_and_is_told_where_imports_begin(case: str) -> None:
    path, model = UPLOADS[case]
    body = model if isinstance(model, bytes) else json.dumps(model).encode()
    status, whole, events = sent("PUT", f"api/contents/{path}", body)
    assert (status, whole) == (403, [])
    assert [event.details for event in events] == [{"why": "upload", "method": "PUT", "route": "contents"}]


# As JupyterLab 4.6 asks: folder, method, body. The file browser, the launcher, the menu, a copy; another client's PUT.
NEW: dict[str, tuple[str, str, bytes]] = {
    "a folder": ("POST", "", b'{"path":"","type":"directory"}'),
    "a folder in a folder": ("POST", "/a/%EA%B0%80 b", '{"path":"a/가 b","type":"directory"}'.encode()),
    "a file": ("POST", "/a", b'{"path":"a","type":"file","ext":".md"}'),
    "a notebook": ("POST", "", b'{"type":"notebook","path":""}'),
    "a copy": ("POST", "/a", b'{"copy_from":"b.py"}'),
    "a folder that has a name": ("PUT", "/a", b'{"type":"directory"}'),
    "a folder with the fields it is shown with": (
        "PUT",
        "/a",
        b'{"type":"directory","format":"json","content":[],"name":"a","path":"a","writable":true,"size":null}',
    ),
}


@pytest.mark.parametrize("case", NEW)
def test_what_is_new_is_asked_for_by_its_kind(case: str) -> None:
    method, folder, body = NEW[case]
    assert sent(method, f"api/contents{folder}", body) == (200, [body], [])


def test_something_new_brings_nothing() -> None:
    status, whole, events = sent("POST", "api/contents", json.dumps(TEXT).encode())
    assert (status, whole, [event.details["why"] for event in events]) == (403, [], ["upload"])


def test_what_a_notebooks_cells_say_is_recorded_before_it_is_there() -> None:
    status, whole, events = put("a.ipynb", notebook("x = 1"))
    assert (status, len(whole)) == (200, 1)
    assert [(event.kind, event.text) for event in events] == [("code", b'# "api/contents/a.ipynb"\nx = 1')]


def test_code_that_came_as_an_output_first_is_recorded_when_it_becomes_a_cell() -> None:
    """`%run` of a notebook runs its cells: what was only counted as an output is not known as code."""

    async def play() -> list[bytes | None]:
        async with web(lambda _: (200, JSON, b"{}")) as (scene, client, _):
            for model in (notebook("", outputs=[{"text": "import os"}]), notebook("import os"), notebook("import os")):
                assert (await client.put("api/contents/a.ipynb", json=model)).status_code == 200
            await asyncio.sleep(0.3)
            return [event.text for event in scene.spool.events(1000) if event.kind == "code"]

    assert peer.run(play()) == [b'# "api/contents/a.ipynb"\nimport os']


def test_a_notebook_that_was_opened_is_saved_again_without_a_record_and_without_being_counted() -> None:
    numbers, picture = list(range(2_000)), "".join(map(str, range(5_000)))
    model = notebook("x = 1", outputs=[{"data": {"application/json": numbers}}, {"data": {"image/png": picture}}])

    async def play() -> list[str]:
        async with web(lambda _: (200, JSON, json.dumps(model).encode())) as (scene, client, _):
            assert (await client.get("api/contents/a.ipynb?content=1")).status_code == 200
            assert (await client.put("api/contents/a.ipynb", json=model)).status_code == 200
            assert scene.front._doorways["w-1"].brought.size == 0
            return [event.kind for event in scene.spool.events(1000) if event.kind == "code"]

    assert peer.run(play()) == []


def test_a_file_that_cannot_be_recorded_is_not_put_there() -> None:
    body = json.dumps({"type": "file", "format": "text", "content": "x = 1"}).encode()
    assert sent("PUT", "api/contents/a.py", body, Bounds(workspace_events=0))[:2] == (503, [])


def test_answers_that_never_end_take_a_workspaces_share_of_memory_and_no_more() -> None:
    """Ten answers of a notebook's size stop before their end; those that find no room are refused."""
    inside: list[asyncio.StreamWriter] = []

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inside.append(writer)
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 X\r\nContent-Length: 33000000\r\n\r\n" + b"x" * 20_000_000)
        await reader.read()

    async def play() -> tuple[int, int]:
        async with peer.scene(nothing) as scene:
            server = await asyncio.start_server(endless, "127.0.0.1", 0)
            port = server.sockets[0].getsockname()[1]
            handler = scene.front.handler(scene.plan, lambda: asyncio.open_connection("127.0.0.1", port))
            door = await asyncio.start_server(handler, "127.0.0.1", 0)
            address = f"http://127.0.0.1:{door.sockets[0].getsockname()[1]}/user/kim/api/contents/a.ipynb?content=1"
            most, share = 0, scene.front._doorways["w-1"].room
            async with httpx.AsyncClient(timeout=20) as client:
                asked = [asyncio.create_task(client.get(address)) for _ in range(10)]
                for _ in range(20):
                    await asyncio.sleep(0.1)
                    most = max(most, share.taken)
                for writer in inside:
                    writer.close()
                answers = await asyncio.gather(*asked, return_exceptions=True)
            await peer.until(lambda: share.taken == 0)
            door.close()
            server.close()
            return most, sum(isinstance(each, httpx.Response) and each.status_code == 403 for each in answers)

    most, refused = peer.run(play())
    assert 100 << 20 < most <= room.MOST
    assert refused >= 3


async def nothing(_: Any) -> None:
    pass
