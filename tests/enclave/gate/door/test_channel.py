"""A kernel's websocket at the door: what passes is untouched, what is too much is replaced, code is recorded first."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import pytest
import websockets
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.asyncio.server import ServerConnection

from enclave.gate.door import meter
from enclave.gate.spool import Bounds
from tests.enclave.gate.door import peer

BIG = "x" * (20 << 20)
both = pytest.mark.parametrize("v1", [True, False], ids=["v1", "json"])


def kernel(*messages: bytes | str, seen: list[Any] | None = None) -> peer.Behaviour:
    """Answer each message of the page with these, and keep what came."""

    async def behave(link: ServerConnection) -> None:
        async for data in link:
            if seen is not None:
                seen.append(data)
            for message in messages:
                await link.send(message)

    return behave


async def talk(behave: peer.Behaviour, *, v1: bool, count: int, sends: Any = None, **display: int) -> list[Any]:
    async with peer.scene(behave, **display) as scene, scene.socket(v1=v1) as link:
        await link.send(sends or peer.execute("1", v1=v1))
        return [await link.recv() for _ in range(count)]


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@both
@settings(max_examples=40, deadline=None)
@given(content=st.dictionaries(st.text(max_size=8), values, max_size=5), metadata=st.dictionaries(st.text(), values))
def test_within_the_budget_every_byte_arrives_as_it_was_sent_both_ways(
    v1: bool, content: dict[str, Any], metadata: dict[str, Any]
) -> None:
    seen: list[Any] = []
    out = peer.from_kernel("iopub", "display_data", content, v1=v1, metadata=metadata)
    sent = peer.request("comm_msg", content, v1=v1)
    got = peer.run(talk(kernel(out, seen=seen), v1=v1, count=1, sends=sent))
    assert got == [out]
    assert seen == [sent]


def test_buffers_pass_in_the_older_protocol() -> None:
    text = peer.from_kernel("iopub", "comm_msg", {"data": {}}, v1=False)
    assert isinstance(text, str)
    parts = [text.encode(), b"\x00\x01" * 50, b""]
    offsets = [4 * 4, 4 * 4 + len(parts[0]), 4 * 4 + len(parts[0]) + 100]
    data = b"".join([(3).to_bytes(4, "big"), *(o.to_bytes(4, "big") for o in offsets), *parts])
    assert peer.run(talk(kernel(data), v1=False, count=1)) == [data]


# 20 MB by every road that a message has: channel, type, content, and what else is in it.
ROADS: dict[str, tuple[str, str, Any, dict[str, Any]]] = {
    "stream": ("iopub", "stream", {"name": "stdout", "text": BIG}, {}),
    "display": ("iopub", "display_data", {"data": {"text/plain": BIG}}, {}),
    "hidden type": ("iopub", "display_data", {"data": {"x-y/z": BIG}}, {}),
    "unknown type": ("iopub", "never_heard_of", {"a": BIG}, {}),
    "metadata": ("iopub", "display_data", {"data": {}}, {"metadata": {"a": BIG}}),
    "status": ("iopub", "status", {"execution_state": "busy", "a": BIG}, {}),
    "status's metadata": ("iopub", "status", {"execution_state": "busy"}, {"metadata": {"a": BIG}}),
    "payload": ("shell", "execute_reply", {"status": "ok", "payload": [{"data": BIG}]}, {}),
    "expressions": ("shell", "execute_reply", {"status": "ok", "user_expressions": {"a": BIG}}, {}),
    "input": ("stdin", "input_request", {"prompt": BIG, "password": False}, {}),
    "control": ("control", "debug_reply", {"body": BIG}, {}),
    "comm": ("iopub", "comm_open", {"data": {"state": BIG}}, {}),
    "header": ("iopub", "stream", {"name": "stdout", "text": ""}, {"more": {"a": BIG}}),
    "kernel info": ("shell", "kernel_info_reply", {"banner": BIG}, {}),
}


@both
@pytest.mark.parametrize("road", ROADS)
def test_twenty_megabytes_do_not_get_through_and_the_cell_still_ends(v1: bool, road: str) -> None:
    async def play() -> tuple[list[Any], list[Any]]:
        asked: list[Any] = []
        idle = peer.from_kernel("iopub", "status", {"execution_state": "idle"}, v1=v1)
        channel, kind, content, more = ROADS[road]
        messages = (peer.from_kernel(channel, kind, content, v1=v1, **more), idle)
        async with peer.scene(kernel(*messages, seen=asked)) as scene, scene.socket(v1=v1) as link:
            await link.send(peer.execute("1", v1=v1))
            got = []
            try:
                while not got or peer.read(got[-1])["content"].get("execution_state") != "idle":
                    got.append(await link.recv())
            except websockets.ConnectionClosed:
                got.append(None)
            return got, asked

    got, asked = peer.run(play())
    assert sum(len(each) for each in got if each) < 4000
    if road == "header":
        assert got == [None]
        return
    answers = [peer.read(each) for each in got]
    assert answers[-1]["content"]["execution_state"] == "idle"
    if road in {"payload", "expressions", "control", "kernel info"}:
        assert answers[0]["content"]["status"] == "error"
        assert answers[0]["parent_header"]["msg_id"] == "m-1"
    if road == "input":
        assert peer.read(asked[1])["header"]["msg_type"] == "input_reply"


@both
def test_over_the_hour_a_cell_gets_one_line_and_its_states_and_replies(v1: bool) -> None:
    out = peer.from_kernel("iopub", "stream", {"name": "stdout", "text": "y" * 1000}, v1=v1)
    reply = peer.from_kernel("shell", "execute_reply", {"status": "ok", "user_expressions": {"a": "z"}}, v1=v1)
    idle = peer.from_kernel("iopub", "status", {"execution_state": "idle", "filler": "z" * 1000}, v1=v1)

    async def play() -> list[Any]:
        async with peer.scene(kernel(*[out] * 30, reply, idle), hour_bytes=6500) as scene, scene.socket(v1=v1) as link:
            await link.send(peer.execute("1", v1=v1))
            got = [peer.read(await link.recv())]
            while got[-1]["header"]["msg_type"] != "status":
                got.append(peer.read(await link.recv()))
            await peer.until(lambda: scene.events("display-spent"))
            return [*got, [event.details for event in scene.events("display-spent")]]

    *got, events = peer.run(play())
    kinds = [each["header"]["msg_type"] for each in got]
    assert kinds in ([*["stream"] * count, "execute_reply", "status"] for count in (4, 5, 6))
    assert "안심구역" in got[-3]["content"]["text"]
    assert got[-1]["content"] == {"execution_state": "idle"}
    assert events == [{"kind": "bytes", "window": "hour", "limit": 6500}]


@both
def test_the_type_of_a_replaced_reply_is_what_was_asked_for_and_not_what_the_kernel_says(v1: bool) -> None:
    """Sixty-four letters of its choice in each reply would be a way out that no budget ends."""
    secret = peer.from_kernel("shell", "a_secret_of_the_data_reply", {"status": "ok"}, v1=v1)
    (got,) = peer.run(talk(kernel(secret), v1=v1, count=1, hour_bytes=0))
    assert peer.read(got)["header"]["msg_type"] == "execute_reply"
    assert "secret" not in str(got)


FORGED = {
    "other code": {"code": "1,2,3\n" * 30, "execution_count": 1},
    "something beside it": {"code": "1", "execution_count": 1, "more": "1,2,3\n" * 30},
}


@both
@pytest.mark.parametrize("what", FORGED)
def test_output_dressed_as_code_is_counted_and_searched(v1: bool, what: str) -> None:
    async def play() -> tuple[int, list[bytes]]:
        forged = peer.from_kernel("iopub", "execute_input", FORGED[what], v1=v1)
        async with peer.scene(kernel(forged)) as scene, scene.socket(v1=v1) as link:
            await link.send(peer.execute("1", v1=v1))
            await link.recv()
            rows = scene.front.meter("w-1")["hour"]["shown"]["rows"]
            await peer.until(lambda: scene.events("display"))
            return rows, [event.text for event in scene.events("display")]

    rows, texts = peer.run(play())
    assert rows >= 30
    assert b"1,2,3" in texts[0]


@both
def test_the_code_of_a_cell_is_no_output(v1: bool) -> None:
    async def play() -> int:
        code = "x = [1, 2, 3]\n" * 30
        echo = peer.from_kernel("iopub", "execute_input", {"code": code, "execution_count": 1}, v1=v1)
        async with peer.scene(kernel(echo)) as scene, scene.socket(v1=v1) as link:
            await link.send(peer.execute(code, v1=v1))
            await link.recv()
            return int(scene.front.meter("w-1")["hour"]["shown"]["rows"])

    assert peer.run(play()) == 0


def test_what_will_be_replaced_is_not_read() -> None:
    """A megabyte of JSON costs the gate's time, which is everybody's; here it is broken, which reading would find."""
    whole = peer.from_kernel("iopub", "stream", {"name": "stdout", "text": "x" * 100_000}, v1=False)
    assert isinstance(whole, str)
    broken = whole[:60_000] + '"' + whole[60_000:]
    (got,) = peer.run(talk(kernel(broken), v1=False, count=1, hour_bytes=50_000))
    assert "[안심구역]" in peer.read(got)["content"]["text"]


@both
def test_one_tenant_cannot_fill_the_record_that_everybody_needs(v1: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meter, "CODES_HOUR", 3)
    monkeypatch.setattr(meter, "CODE_BYTES_HOUR", 1000)
    for code, ran in (("x", 3), ("#" * 600, 1)):

        async def play(code: str = code) -> tuple[int, list[Any]]:
            seen: list[Any] = []
            idle = peer.from_kernel("iopub", "status", {"execution_state": "idle"}, v1=v1)
            async with peer.scene(kernel(idle, seen=seen)) as scene, scene.socket(v1=v1) as link:
                for number in range(5):
                    await link.send(peer.execute(code, v1=v1, name=f"m-{number}"))
                    while peer.read(await link.recv())["content"].get("execution_state") != "idle":
                        pass
                await peer.until(lambda: scene.events("display-spent"))
                return len(seen), scene.events("display-spent")

        count, told = peer.run(play())
        assert count == ran
        assert told[0].details["kind"] == "code"


@both
def test_the_explanation_is_the_same_for_everybody_and_names_no_count(v1: bool) -> None:
    texts = set()
    for size in (2000, 3000):
        out = peer.from_kernel("iopub", "stream", {"name": "stdout", "text": "y" * size}, v1=v1)
        (got,) = peer.run(talk(kernel(out), v1=v1, count=1, hour_bytes=100))
        texts.add(json.dumps(peer.read(got)["content"], ensure_ascii=False))
    assert len(texts) == 1
    assert "안심구역" in texts.pop()


@both
@pytest.mark.parametrize(
    ("limits", "content"),
    [
        ({"hour_rows": 50}, {"data": {"text/html": "<table>" + "<tr><td>1</td></tr>" * 100}}),
        ({"hour_rows": 50}, {"data": {"text/plain": "a  b  c\n" * 100}}),
        ({"day_rows": 50}, {"data": {"application/vnd.dataresource+json": {"data": [{"a": 1}] * 100}}}),
        ({"hour_pictures": 0}, {"data": {"image/png": base64.b64encode(b"x").decode()}}),
        ({"day_pictures": 0}, {"data": {"text/html": "<img src='data:image/png;base64,AAAA'>"}}),
        (
            {"hour_pictures": 0},
            {"data": {"application/javascript": "document.createElement('canvas'); x='data:image/png'"}},
        ),
        ({"hour_pictures": 0}, {"data": {"application/vnd.plotly.v1+json": {"data": []}}}),
    ],
)
def test_rows_and_pictures_have_limits_of_their_own(v1: bool, limits: dict[str, int], content: dict[str, Any]) -> None:
    out = peer.from_kernel("iopub", "display_data", content, v1=v1)
    assert peer.run(talk(kernel(out), v1=v1, count=1)) == [out]
    (got,) = peer.run(talk(kernel(out), v1=v1, count=1, **limits))
    assert "안심구역" in peer.read(got)["content"]["text"]


def test_the_next_hour_shows_again_and_a_new_plan_at_once() -> None:
    out = peer.from_kernel("iopub", "stream", {"name": "stdout", "text": "y" * 1000}, v1=True)

    async def play() -> list[bool]:
        shown = []
        async with peer.scene(kernel(out), hour_bytes=1500) as scene, scene.socket() as link:
            for step in range(4):
                if step == 2:
                    scene.now = scene.now.replace(hour=4)
                if step == 3:
                    peer.renew(scene, hour_bytes=10_000)
                await link.send(peer.execute("1", v1=True))
                shown.append(await link.recv() == out)
        return shown

    assert peer.run(play()) == [True, False, True, True]


@both
def test_code_is_recorded_before_it_runs_with_its_expressions(v1: bool) -> None:
    async def play() -> tuple[list[Any], int]:
        seen: list[Any] = []
        async with peer.scene(kernel(seen=seen)) as scene, scene.socket(v1=v1) as link:
            content = {"code": "print('안녕')", "silent": True, "user_expressions": {"a": "open('f').read()"}}
            await link.send(peer.request("execute_request", content, v1=v1))
            await peer.until(lambda: seen)
            return [(e.details["source"], e.text.decode()) for e in scene.events("code")], len(seen)

    assert peer.run(play()) == ([("execute", "print('안녕')"), ("expression", "open('f').read()")], 1)


@both
def test_what_cannot_be_recorded_is_not_run_and_the_person_is_told(v1: bool) -> None:
    async def play() -> tuple[list[Any], list[Any]]:
        seen: list[Any] = []
        async with peer.scene(kernel(seen=seen), bounds=Bounds(events=0)) as scene, scene.socket(v1=v1) as link:
            await link.send(peer.execute("secret", v1=v1))
            return [peer.read(await link.recv()) for _ in range(4)], seen

    got, seen = peer.run(play())
    assert seen == []
    assert [each["header"]["msg_type"] for each in got] == ["status", "error", "execute_reply", "status"]
    assert all(each["parent_header"]["msg_id"] == "m-1" for each in got)
    assert "기록할 수 없어서" in got[2]["content"]["evalue"]


DEBUG = {
    "evaluate": ({"expression": "1+1", "frameId": 1}, "1+1"),
    "dumpCell": ({"code": "x = 1"}, "x = 1"),
    "setBreakpoints": ({"breakpoints": [{"line": 1, "condition": "f()"}]}, 'setBreakpoints {"breakpoints"'),
    "setVariable": ({"name": "a", "value": "g()"}, 'setVariable {"name": "a"'),
    "newCommand": ({"a": "h()"}, "newCommand"),
}


@pytest.mark.parametrize("command", DEBUG)
def test_what_a_debugger_would_run_is_recorded(command: str) -> None:
    arguments, text = DEBUG[command]

    async def play() -> list[str]:
        seen: list[Any] = []
        async with peer.scene(kernel(seen=seen)) as scene, scene.socket() as link:
            content = {"type": "request", "command": command, "arguments": arguments}
            await link.send(peer.request("debug_request", content, v1=True, channel="control"))
            await peer.until(lambda: seen)
            return [event.text.decode() for event in scene.events("code")]

    (recorded,) = peer.run(play())
    assert recorded.startswith(text)


MALFORMED = {
    "twice": '{"header": {"msg_id": "a", "msg_type": "execute_request"}, "channel": "shell", '
    '"content": {"code": "a", "code": "b"}}',
    "unknown request": peer.request("apply_request", {"a": 1}, v1=False),
    "another channel": peer.request("execute_request", {"code": "1"}, v1=False, channel="iopub"),
    "code is no text": peer.request("execute_request", {"code": ["1"]}, v1=False),
    "no JSON": "{",
    "deep": "[" * 100_000,
    "no object": "[]",
}


@pytest.mark.parametrize("what", MALFORMED)
def test_what_no_front_end_sends_closes_the_socket_with_an_event(what: str) -> None:
    async def play() -> tuple[int | None, list[Any], int]:
        seen: list[Any] = []
        async with peer.scene(kernel(seen=seen)) as scene, scene.socket(v1=False) as link:
            await link.send(MALFORMED[what])
            with pytest.raises(websockets.ConnectionClosed) as closed:
                await link.recv()
            await asyncio.sleep(0.1)
            return closed.value.rcvd.code if closed.value.rcvd else None, seen, len(scene.events("malformed"))

    assert peer.run(play()) == (1008, [], 1)


@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=300))
def test_random_bytes_never_reach_the_kernel_nor_break_the_door(data: bytes) -> None:
    async def play() -> list[Any]:
        seen: list[Any] = []
        async with peer.scene(kernel(seen=seen)) as scene, scene.socket() as link:
            await link.send(data)
            with pytest.raises(websockets.ConnectionClosed):
                await link.recv()
            return seen

    assert peer.run(play()) == []


def test_what_was_shown_is_told_in_few_events() -> None:
    out = peer.from_kernel("iopub", "stream", {"name": "stdout", "text": "주민번호 9001011234567\n"}, v1=True)

    async def play() -> list[Any]:
        async with peer.scene(kernel(*[out] * 200)) as scene, scene.socket() as link:
            await link.send(peer.execute("1", v1=True))
            for _ in range(200):
                await link.recv()
            await peer.until(lambda: scene.events("display"))
            return scene.events("display")

    (event,) = peer.run(play())
    assert event.text.decode().count("9001011234567") == 200
    assert event.details["bytes"] == 200 * len(out)
    assert event.details["cut"] == 0


def test_a_message_longer_than_what_is_kept_of_one_says_that_its_end_is_missing() -> None:
    out = peer.from_kernel("iopub", "stream", {"name": "stdout", "text": "가나다라 마바사\n" * 9_000}, v1=True)

    async def play() -> list[Any]:
        async with peer.scene(kernel(out)) as scene, scene.socket() as link:
            await link.send(peer.execute("1", v1=True))
            await link.recv()
            await peer.until(lambda: scene.events("display"))
            return scene.events("display")

    assert sum(int(event.details["cut"]) for event in peer.run(play())) == 1
