"""One end of a websocket, parsed by wsproto (RFC 6455): whole messages, bounded in memory, no extensions.

Why wsproto: its decoder yields parts of a frame as they arrive, so a message above the limit can be measured and
passed over without ever being held; and with large frames it is ten times as fast as one that needs them whole.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from wsproto.connection import Connection, ConnectionState, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Event, Message, Ping, TextMessage
from wsproto.utilities import LocalProtocolError, RemoteProtocolError

from enclave.gate.door.room import Room, Share

CHUNK, PIECE = 256 << 10, 256 << 10
FIN, TEXT, BINARY, EXTENDED = 0x80, 1, 2, 126
# Of a message that is too large: enough to see what it was about.
HEAD, TAIL = 64 << 10, 64
# A flood of tiny frames must not keep the other sockets waiting: after so many it is the others' turn.
FAIR = 32
NORMAL, GOING_AWAY, BROKEN, TOO_LARGE, POLICY = 1000, 1001, 1002, 1009, 1008


@dataclass(frozen=True)
class Held:
    """One message. If it was above the limit, `data` is only its beginning, `tail` its end, and `cut` is true."""

    data: bytes
    text: bool
    size: int
    cut: bool = False
    tail: bytes = b""


class Broken(Exception):  # noqa: N818 - names what the other side did
    """The other side does not speak the protocol."""


class Link:
    """One end, after the handshake. `early` are bytes that came with it."""

    def __init__(
        self,
        kind: ConnectionType,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        early: bytes,
        *,
        room: Room,
    ) -> None:
        self._socket = Connection(kind, trailing_data=early)
        self._reader, self._writer, self._masks = reader, writer, kind is ConnectionType.CLIENT
        self.closed: tuple[int, str] | None = None
        self._parts = bytearray()
        self._size, self._tail = 0, b""
        self._share = Share(room)

    async def messages(self, limit: Callable[[], int]) -> AsyncIterator[Held]:
        """Yield messages until the other side closes; holds at most `limit()` bytes. Raises `Broken` or `OSError`."""
        turn = 0
        while self.closed is None:
            for event in self._socket.events():
                turn += 1
                if turn % FAIR == 0:
                    await asyncio.sleep(0)
                if isinstance(event, Message):
                    if held := self._take(event, limit()):
                        yield held
                else:
                    await self._control(event)
                if self.closed:
                    return
            data = await self._reader.read(CHUNK)
            if not data:
                return
            self._socket.receive_data(data)

    async def send(self, data: bytes, *, text: bool) -> None:
        """Send one message as one frame and wait until the other side takes it."""
        if self._socket.state is not ConnectionState.OPEN:
            return
        if self._masks:
            await self._put(TextMessage(data.decode()) if text else BytesMessage(data))
        else:
            # Towards the browser nothing is masked: the head of a frame, and the bytes as they are.
            head = _head(TEXT if text else BINARY, len(data))
            if len(data) < PIECE:
                await self._write(head + data)
            else:
                self._writer.write(head)
                await self._write(data)

    async def close(self, code: int, reason: str = "") -> None:
        """Say goodbye; the connection itself is closed by whoever opened it."""
        with suppress(LocalProtocolError, OSError):
            await self._put(CloseConnection(code, reason))

    async def hear_out(self) -> None:
        """Read, and pass over, what comes until the other side says goodbye too. Raises `Broken` or `OSError`."""
        try:
            async for _ in self.messages(lambda: 0):
                pass
        finally:
            self.let_go()

    async def _put(self, event: Event) -> None:
        if self._socket.state is ConnectionState.CLOSED:
            return
        await self._write(self._socket.send(event))

    async def _write(self, data: bytes) -> None:
        """Write in pieces, so that the other side reads meanwhile, and nothing is kept twice."""
        view = memoryview(data)
        for start in range(0, len(data), PIECE):
            self._writer.write(view[start : start + PIECE])
            await self._writer.drain()

    async def _control(self, event: Event) -> None:
        if isinstance(event, Ping):
            await self._put(event.response())
        elif isinstance(event, CloseConnection):
            if self._socket.state is ConnectionState.OPEN:
                # wsproto reports what it could not parse as a close that nobody sent.
                raise Broken(str(event.reason))
            self.closed = (int(event.code), "")
            if self._socket.state is ConnectionState.REMOTE_CLOSING:
                with suppress(LocalProtocolError, RemoteProtocolError):
                    await self._put(event.response())

    def _take(self, event: Message[Any], limit: int) -> Held | None:
        text = isinstance(event, TextMessage)
        data = event.data.encode() if isinstance(event.data, str) else event.data
        self._size += len(data)
        if self._size <= self._share.limit(limit):
            self._parts += data
        else:
            # Over: let go of all but the beginning, at once.
            self._tail = ((self._tail or bytes(self._parts[-TAIL:])) + data)[-TAIL:]
            self._parts = (self._parts + data[:HEAD])[:HEAD] if len(self._parts) < HEAD else self._parts[:HEAD]
        if not event.message_finished:
            self._share.keep(len(self._parts))
            return None
        held = Held(bytes(self._parts), text, self._size, self._size > len(self._parts), self._tail)
        self._parts, self._size, self._tail = bytearray(), 0, b""
        self._share.keep(0)
        return held

    def let_go(self) -> None:
        """Give up what is held of a message that never ended."""
        self._parts = bytearray()
        self._share.keep(0)


def _head(opcode: int, size: int) -> bytes:
    """Return the head of one whole, unmasked frame (RFC 6455 §5.2)."""
    if size < EXTENDED:
        return bytes([FIN | opcode, size])
    if size < 1 << 16:
        return struct.pack("!BBH", FIN | opcode, EXTENDED, size)
    return struct.pack("!BBQ", FIN | opcode, EXTENDED + 1, size)
