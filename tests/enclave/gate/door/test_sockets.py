"""Frames, handshakes and endings of the door's websockets, spoken by hand where a client library would not."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import struct
from itertools import pairwise
from typing import Any

import pytest
import websockets
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.asyncio.server import ServerConnection

from enclave.gate.door.handshake import V1
from tests.enclave.gate.door import peer

KEY = base64.b64encode(b"k" * 16).decode()


async def echo(link: ServerConnection) -> None:
    async for data in link:
        await link.send(data)


def asking(*lines: str, origin: str | None = peer.ORIGIN, path: str = "terminals/websocket/1", key: str = KEY) -> bytes:
    head = [f"GET /user/kim/{path} HTTP/1.1", "Host: kim.ansim.test", "Connection: Upgrade", "Upgrade: websocket"]
    head += ["Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}", *([f"Origin: {origin}"] if origin else [])]
    return ("\r\n".join([*head, *lines]) + "\r\n\r\n").encode()


async def by_hand(scene: peer.Scene, data: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", scene.port)
    writer.write(data)
    return reader, writer


async def head_of(scene: peer.Scene, data: bytes) -> bytes:
    reader, writer = await by_hand(scene, data)
    head = await reader.readuntil(b"\r\n\r\n")
    writer.close()
    return head


def frame(opcode: int, payload: bytes, *, fin: bool = True, masked: bool = True, rsv: int = 0) -> bytes:
    first = (0x80 if fin else 0) | rsv | opcode
    size = len(payload)
    short = size if size < 126 else 126 if size < 1 << 16 else 127
    length = b"" if size < 126 else struct.pack("!H" if size < 1 << 16 else "!Q", size)
    mask = b"\x01\x02\x03\x04" if masked else b""
    data = bytes(b ^ mask[i % 4] for i, b in enumerate(payload)) if masked else payload
    return bytes([first, (0x80 if masked else 0) | short]) + length + mask + data


@pytest.mark.parametrize(
    "origin",
    [None, "null", "http://lee.ansim.test:8000", "http://kim.ansim.test", "https://kim.ansim.test:8000",
     "http://kim.ansim.test:8000.evil.test", "http://ansim.test:8000", "http://portal--service.ansim.test:8000"],
)  # fmt: skip
def test_only_the_workspaces_own_pages_open_a_socket(origin: str | None) -> None:
    async def play() -> tuple[bytes, list[Any]]:
        async with peer.scene(echo) as scene:
            head = await head_of(scene, asking(origin=origin))
            await peer.until(lambda: scene.events("route-refused"))
            return head, [event.details for event in scene.events("route-refused")]

    head, events = peer.run(play())
    assert head.startswith(b"HTTP/1.1 403")
    assert events == [{"why": "origin"}]


def test_two_origins_are_none() -> None:
    async def play() -> bytes:
        async with peer.scene(echo) as scene:
            return await head_of(scene, asking(f"Origin: {peer.ORIGIN}"))

    assert peer.run(play()).startswith(b"HTTP/1.1 403")


@pytest.mark.parametrize("key", ["", "short", "a" * 24, KEY + "=", KEY[:-2] + "!!"])
def test_a_handshake_without_a_key_is_refused(key: str) -> None:
    async def play() -> bytes:
        async with peer.scene(echo) as scene:
            return await head_of(scene, asking(key=key))

    assert peer.run(play()).startswith(b"HTTP/1.1 403")


def test_no_compression_and_no_subprotocol_that_we_cannot_parse() -> None:
    offered = f"Sec-WebSocket-Protocol: evil, {V1}, v2.kernel.websocket.jupyter.org"

    async def play() -> bytes:
        async with peer.scene(echo) as scene:
            return await head_of(
                scene, asking(offered, "Sec-WebSocket-Extensions: permessage-deflate", path=peer.CHANNELS)
            )

    head = peer.run(play()).lower()
    assert head.startswith(b"http/1.1 101")
    assert b"extensions" not in head
    assert b"sec-websocket-protocol: " + V1.encode() in head


STDIN = b'["set_size", 1, 2, 3, 4]'


@settings(max_examples=25, deadline=None)
@given(cuts=st.lists(st.integers(0, len(STDIN)), max_size=5), ping=st.booleans())
def test_fragments_become_the_message_and_a_ping_between_them_is_answered(cuts: list[int], ping: bool) -> None:
    async def play() -> bytes:
        async with peer.scene(echo) as scene:
            reader, writer = await by_hand(scene, asking())
            await reader.readuntil(b"\r\n\r\n")
            places = [0, *sorted(cuts), len(STDIN)]
            pieces = [STDIN[a:b] for a, b in pairwise(places)]
            for index, piece in enumerate(pieces):
                writer.write(frame(1 if index == 0 else 0, piece, fin=index == len(pieces) - 1))
                if ping and index == 0:
                    writer.write(frame(9, b"hello"))
            want = len(STDIN) + 2 + (7 if ping else 0)
            got = await reader.readexactly(want)
            writer.close()
            return got

    got = peer.run(play())
    pong = bytes([0x8A, 5]) + b"hello"
    assert got.replace(pong, b"") == bytes([0x81, len(STDIN)]) + STDIN
    assert (pong in got) == ping


BROKEN = {
    "not masked": frame(1, STDIN, masked=False),
    "reserved bit": frame(1, STDIN, rsv=0x40),
    "unknown opcode": frame(3, STDIN),
    "control in pieces": frame(9, b"x", fin=False),
    "long control": frame(9, b"x" * 126),
    "continuation of nothing": frame(0, STDIN),
    "two beginnings": frame(1, b"a", fin=False) + frame(1, b"b"),
    "no UTF-8": frame(1, b"\xff\xfe"),
    "length in a long spelling": bytes([0x81, 0x80 | 126, 0, 5, 1, 2, 3, 4]) + b"xxxxx",
    "a length of 63 bits": bytes([0x81, 0xFF]) + b"\xff" * 8 + b"maskabc",
    "a close code that is none": frame(8, struct.pack("!H", 5)),
    "a close of one byte": frame(8, b"x"),
    "no frame": b"GET /user/kim/files/a HTTP/1.1\r\nHost: h\r\n\r\n",
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_malformed_frame_closes_the_socket_with_an_event_and_reaches_nobody(what: str) -> None:
    seen: list[Any] = []

    async def behave(link: ServerConnection) -> None:
        seen.extend([data async for data in link])

    async def play() -> tuple[bytes, int]:
        async with peer.scene(behave) as scene:
            reader, writer = await by_hand(scene, asking() + BROKEN[what])
            got = await reader.read()
            writer.close()
            await peer.until(lambda: scene.events("malformed"))
            return got.partition(b"\r\n\r\n")[2], len(scene.events("malformed"))

    got, events = peer.run(play())
    assert seen == []
    assert events == 1
    assert got[:1] == b"\x88" or got[:1] == b""


def test_a_normal_close_passes_with_its_code_and_no_event() -> None:
    async def play() -> tuple[int, int]:
        async with peer.scene(echo) as scene:
            async with scene.socket("terminals/websocket/1", v1=False) as link:
                await link.close(1000, "bye")
            return link.close_code or 0, len(scene.events("malformed"))

    assert peer.run(play()) == (1000, 0)


def test_when_the_server_goes_the_page_is_told() -> None:
    async def goes(link: ServerConnection) -> None:
        await link.recv()
        await link.close(1001, "x" * 100)

    async def play() -> tuple[int, str]:
        async with peer.scene(goes) as scene, scene.socket("terminals/websocket/1", v1=False) as link:
            await link.send(STDIN.decode())
            with pytest.raises(websockets.ConnectionClosed):
                await link.recv()
            return link.close_code or 0, link.close_reason or ""

    assert peer.run(play()) == (1001, "")


def test_what_a_page_still_says_when_the_server_is_gone_resets_no_connection() -> None:
    """A reset would make the proxy write an HTTP error into the open socket."""

    async def goes(link: ServerConnection) -> None:
        await link.recv()
        link.transport.close()

    async def play() -> bytes:
        async with peer.scene(goes) as scene:
            reader, writer = await by_hand(scene, asking())
            await reader.readuntil(b"\r\n\r\n")
            writer.write(frame(1, STDIN) * 20_000 + frame(8, b"\x03\xe9"))
            told = await reader.read()
            writer.close()
            return told

    assert peer.run(play()) == b"\x88\x02\x03\xe9"


@pytest.mark.parametrize("answer", ["HTTP/1.1 403 No", "HTTP/1.1 200 OK", "HTTP/1.1 101 X\r\nSec-WebSocket-Accept: x"])
def test_a_server_that_does_not_switch_rightly_opens_nothing(answer: str) -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"{answer}\r\nContent-Length: 0\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\nraw".encode())
        await reader.read()
        writer.close()

    async def play() -> bytes:
        async with peer.scene(echo) as scene:
            server = await asyncio.start_server(plain, "127.0.0.1", 0)
            port = server.sockets[0].getsockname()[1]
            scene.front.forget("w-1")
            handler = scene.front.handler(scene.plan, lambda: asyncio.open_connection("127.0.0.1", port))
            door = await asyncio.start_server(handler, "127.0.0.1", 0)
            scene.port = door.sockets[0].getsockname()[1]
            reader, writer = await by_hand(scene, asking())
            writer.write_eof()
            got = await reader.read()
            writer.close()
            door.close()
            server.close()
            return got

    got = peer.run(play())
    assert b" 101 " not in got
    assert b"raw" not in got


def test_a_gigabyte_in_one_message_leaves_memory_flat_and_the_neighbour_served() -> None:
    """The flood is one frame of 1 GB, sent in pieces of 1 MB, beside a terminal that echoes."""
    chunk = os.urandom(1 << 20)

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        key = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key")).split()[1]
        from enclave.gate.door.handshake import _accept

        writer.write(b"HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Accept: ")
        writer.write(_accept(key) + b"\r\n\r\n" + bytes([0x82, 127]) + struct.pack("!Q", 1 << 30))
        for _ in range(1 << 10):
            writer.write(chunk)
            await writer.drain()
        writer.close()

    async def play() -> tuple[int, int]:
        async with peer.scene(echo) as scene:
            server = await asyncio.start_server(flood, "127.0.0.1", 0)
            port = server.sockets[0].getsockname()[1]
            other = scene.front.handler(scene.plan, lambda: asyncio.open_connection("127.0.0.1", port))
            door = await asyncio.start_server(other, "127.0.0.1", 0)
            loud = peer.Scene(door.sockets[0].getsockname()[1], scene.spool, scene.front, scene.plan)
            async with scene.socket("terminals/websocket/1", v1=False) as quiet:
                await quiet.send(STDIN.decode())
                await quiet.recv()
                before = most = peer.resident()
                reader, writer = await by_hand(loud, asking(path=peer.CHANNELS))
                reading = asyncio.create_task(reader.read())
                echoes = 0
                while not reading.done():
                    await quiet.send(STDIN.decode())
                    assert await quiet.recv() == STDIN.decode()
                    echoes, most = echoes + 1, max(most, peer.resident())
                writer.close()
            door.close()
            server.close()
            return echoes, most - before

    echoes, grown = peer.run(play())
    assert echoes > 50
    assert grown < 24 << 20, f"{grown} bytes more"


def test_a_flood_of_small_messages_ends_in_a_closed_socket_and_a_bounded_screen() -> None:
    busy = peer.from_kernel("iopub", "status", {"execution_state": "busy"}, v1=True)

    async def flood(link: ServerConnection) -> None:
        await link.recv()
        for _ in range(10**6):
            await link.send(busy)

    async def play() -> tuple[int, int]:
        async with peer.scene(flood, hour_bytes=0) as scene, scene.socket() as link:
            await link.send(peer.execute("1", v1=True))
            got = sum(map(len, await peer.all_of(link)))
            await peer.until(lambda: [e for e in scene.events("display-spent") if e.details.get("why") == "flood"])
            return got, link.close_code or 0

    from enclave.gate.door import meter

    full, meter.SPARE_BYTES = meter.SPARE_BYTES, 1 << 20
    try:
        got, code = peer.run(play())
    finally:
        meter.SPARE_BYTES = full
    assert code == 1008
    assert got <= 1 << 20


def test_cutting_sockets_closes_what_is_open() -> None:
    async def play() -> int:
        async with peer.scene(echo) as scene, scene.socket("terminals/websocket/1", v1=False) as link:
            await link.send(STDIN.decode())
            await link.recv()
            scene.front.forget("w-1")
            with pytest.raises(websockets.ConnectionClosed):
                await link.recv()
            return link.close_code or 0

    assert peer.run(play()) == 1001


def test_a_terminal_is_counted_like_any_output_and_says_so_once() -> None:
    async def prints(link: ServerConnection) -> None:
        await link.recv()
        for _ in range(50):
            await link.send(json.dumps(["stdout", "z" * 1000]))
        await link.close()

    async def play() -> list[str]:
        async with (
            peer.scene(prints, hour_bytes=5000) as scene,
            scene.socket("terminals/websocket/1", v1=False) as link,
        ):
            await link.send(STDIN.decode())
            return [json.loads(data)[1] for data in await peer.all_of(link)]

    got = peer.run(play())
    assert [text for text in got if not text.startswith("z")] == got[4:]
    assert len(got) == 5
    assert "안심구역" in got[4]


@pytest.mark.parametrize("said", [["other", "1,2,3\n" * 30], ["stdout", ["1,2,3\n" * 30]], ["1,2,3\n" * 30]])
def test_whatever_a_terminal_calls_its_output_is_counted_and_searched(said: list[Any]) -> None:
    async def program(link: ServerConnection) -> None:
        await link.send(json.dumps(said))
        await link.wait_closed()

    async def play() -> tuple[int, bytes]:
        async with peer.scene(program) as scene, scene.socket("terminals/websocket/1", v1=False) as link:
            await link.recv()
            rows = scene.front.meter("w-1")["hour"]["shown"]["rows"]
            await peer.until(lambda: scene.events("display"))
            return rows, scene.events("display")[0].text

    rows, text = peer.run(play())
    assert rows >= 30
    assert b"1,2,3" in text


def test_a_typed_line_is_recorded_before_it_runs() -> None:
    seen: list[Any] = []

    async def shell(link: ServerConnection) -> None:
        async for data in link:
            seen.append(json.loads(data)[1])  # noqa: PERF401 - the test looks at it meanwhile

    async def play() -> list[Any]:
        async with peer.scene(shell) as scene:
            async with scene.socket("terminals/websocket/1", v1=False) as link:
                for key in "ls /data\r":
                    await link.send(json.dumps(["stdin", key]))
                await peer.until(lambda: "\r" in seen)
                assert [event.text.decode() for event in scene.events("code")] == ["ls /data\r"]
                await link.send(json.dumps(["stdin", "never finished"]))
                await peer.until(lambda: "never finished" in seen)
            await peer.until(lambda: len(scene.events("code")) == 2)
            return [(e.details["source"], e.text.decode()) for e in scene.events("code")]

    assert peer.run(play()) == [("terminal", "ls /data\r"), ("terminal", "never finished")]


def test_a_line_that_cannot_be_recorded_does_not_run() -> None:
    seen: list[Any] = []

    async def shell(link: ServerConnection) -> None:
        async for data in link:
            seen.append(json.loads(data)[1])  # noqa: PERF401 - the test looks at it meanwhile

    async def play() -> str:
        bounds = peer.Bounds(events=0)
        async with peer.scene(shell, bounds=bounds) as scene, scene.socket("terminals/websocket/1", v1=False) as link:
            await link.send(json.dumps(["stdin", "rm\r"]))
            return str(json.loads(await link.recv())[1])

    assert "기록할 수 없어서" in peer.run(play())
    assert seen == []


@pytest.mark.parametrize(
    "data", ["", "[]", '["stdin"]', '["stdin", 1]', '["set_size", "x"]', '["other", 1]', "{}", b"x"]
)
def test_what_no_terminal_sends_closes_it(data: str | bytes) -> None:
    async def play() -> int:
        async with peer.scene(echo) as scene, scene.socket("terminals/websocket/1", v1=False) as link:
            await link.send(data)
            with pytest.raises(websockets.ConnectionClosed):
                await link.recv()
            return link.close_code or 0

    assert peer.run(play()) == 1008


def test_events_of_the_server_are_shown_and_counted_and_nobody_answers_them() -> None:
    async def tells(link: ServerConnection) -> None:
        for _ in range(5):
            await link.send('{"schema_id": "x"}')
        async for _ in link:
            pass

    async def play() -> tuple[list[Any], int]:
        async with peer.scene(tells, hour_bytes=40) as scene, scene.socket("api/events/subscribe", v1=False) as link:
            got = [await link.recv(), await link.recv()]
            await link.send("x")
            with pytest.raises(websockets.ConnectionClosed):
                got.append(await link.recv())
            return got, link.close_code or 0

    assert peer.run(play()) == (['{"schema_id": "x"}'] * 2, 1008)


def test_messages_that_never_end_take_a_workspaces_share_of_memory_and_no_more() -> None:
    """Sixteen megabytes are allowed in one message; forty pages send almost as much and stop."""
    piece = b"\x01" * (1 << 20)

    async def play() -> tuple[int, int]:
        async with peer.scene(echo) as scene:
            before = peer.resident()
            links = [await by_hand(scene, asking(path=peer.CHANNELS)) for _ in range(40)]
            for _, writer in links:
                head = bytes([0x02, 0xFF]) + struct.pack("!Q", 15 << 20) + bytes(4)
                writer.write(head)
                for _ in range(14):
                    writer.write(piece)
                    await writer.drain()
            await asyncio.sleep(0.5)
            grown = peer.resident() - before
            for _, writer in links:
                writer.close()
                await writer.wait_closed()
            await peer.until(lambda: scene.front._doorways["w-1"].room.taken == 0)
            return grown, scene.front._doorways["w-1"].room.taken

    grown, taken = peer.run(play())
    assert grown < 300 << 20, f"{grown >> 20} MiB more"
    assert taken == 0
