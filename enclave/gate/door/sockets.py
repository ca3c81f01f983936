"""Websockets of a page: opened on both sides, pumped message by message in both directions, closed with a reason."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Protocol

from enclave.gate.door.channel import Channel, TooMuch
from enclave.gate.door.handshake import V1, Pair, refusal, shake
from enclave.gate.door.kernel_message import Malformed
from enclave.gate.door.link import BROKEN, GOING_AWAY, POLICY, Broken, Held, Link
from enclave.gate.door.lock import CLOSE_CODE
from enclave.gate.door.passing import say
from enclave.gate.door.refused import explain
from enclave.gate.door.routes import Kind, Route
from enclave.gate.door.server_events import ServerEvents
from enclave.gate.door.terminal import Terminal
from enclave.gate.door.visit import Visit
from enclave.gate.exchange import Side

LOG = logging.getLogger("ansim.gate.door")
# What a browser may send in one message; what it may be shown in one is the plan's.
FROM_BROWSER = 16 << 20
# A message that is only just too large is measured whole; replies and headers need this at least.
LEAST = 64 << 10
MOST_SOCKETS = 256


class Talk(Protocol):
    """What happens to the messages of one socket."""

    async def inward(self, held: Held) -> None:
        """Take one message from the browser."""

    async def outward(self, held: Held) -> None:
        """Take one message from the workspace."""

    async def close(self) -> None:
        """Take note that the socket has ended."""


async def serve_socket(visit: Visit, route: Route, server: Side) -> None:
    """Open one websocket and serve it to its end. Raises `h11.ProtocolError` or `OSError`."""
    if why := refusal(visit):
        _tell(visit, "route-refused", why)
        await say(visit, explain(visit, 403, why))
        return
    if len(visit.doorway.sockets) >= MOST_SOCKETS:
        await say(visit, explain(visit, 503, "busy"))
        return
    pair = await shake(visit, server)
    if isinstance(pair, int):
        await say(visit, explain(visit, pair if 400 <= pair < 600 else 502, "unreachable"))  # noqa: PLR2004
        return
    await _talk(visit, pair, _talk_of(visit, route, pair))


def _talk_of(visit: Visit, route: Route, pair: Pair) -> Talk:
    if route.kind is Kind.CHANNELS:
        return Channel(visit.doorway, pair, v1=pair.subprotocol == V1)
    return Terminal(visit.doorway, pair) if route.kind is Kind.TERMINAL else ServerEvents(visit.doorway, pair)


async def _talk(visit: Visit, pair: Pair, talk: Talk) -> None:
    ending: asyncio.Future[tuple[int, str]] = asyncio.get_running_loop().create_future()

    def end(code: int, reason: str) -> None:
        if not ending.done():
            ending.set_result((code, reason))

    visit.doorway.sockets.add(end)
    if visit.doorway.screens.of(visit.doorway.plan.workspace_id).locked:
        end(CLOSE_CODE, "locked")  # it was locked while both sides shook hands
    ways = [
        asyncio.create_task(_way(visit, pair.browser, lambda: FROM_BROWSER, talk.inward, end)),
        asyncio.create_task(_way(visit, pair.server, lambda: _limit(visit), talk.outward, end)),
    ]
    try:
        code, reason = await ending
    finally:
        visit.doorway.sockets.discard(end)
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        pair.browser.let_go()
        pair.server.let_go()
        with suppress(OSError):
            await talk.close()
    # A browser that reads nothing, or never ends, must not hold the connection for its goodbye.
    with suppress(TimeoutError, OSError, Broken):
        async with asyncio.timeout(1):
            await asyncio.gather(pair.browser.close(code, reason), pair.server.close(GOING_AWAY))
            if code != BROKEN:
                # Closed with something unread the connection is reset, upon which the proxy writes an HTTP error into
                # the open socket: the page would hear of a broken frame instead of our goodbye.
                await pair.browser.hear_out()


def _limit(visit: Visit) -> int:
    return max(visit.doorway.plan.display.message_bytes, LEAST)


async def _way(
    visit: Visit,
    link: Link,
    limit: Callable[[], int],
    take: Callable[[Held], Awaitable[None]],
    end: Callable[[int, str], None],
) -> None:
    """Serve one direction until it ends; whatever ends it ends the socket."""
    try:
        async for held in link.messages(limit):
            await take(held)
        end(*(link.closed or (GOING_AWAY, "")))
    except Broken as broken:
        _tell(visit, "malformed", "frame")
        LOG.warning("malformed frames at the door of %s: %s", visit.doorway.plan.workspace_id, broken)
        end(BROKEN, "malformed")
    except Malformed as malformed:
        _tell(visit, "malformed", f"message-{malformed}")
        end(POLICY, "malformed")
    except TooMuch:
        _tell(visit, "display-spent", "flood")
        end(POLICY, "display limit")
    except OSError:
        end(GOING_AWAY, "")


def _tell(visit: Visit, kind: str, why: str) -> None:
    visit.doorway.recorder.notice(visit.doorway.plan.workspace_id, kind, {"why": why})
