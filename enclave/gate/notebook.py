"""The way from the browser to a notebook server: every request is seen here, outside the workspace's reach.

One request per connection, its head rebuilt. Routes that hand out files are refused here too, because the
notebook server runs as the user's own uid and its own refusals are only manners.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Awaitable, Callable
from urllib.parse import unquote

import h11

from enclave.gate.exchange import Side, answer, end_to_end, is_websocket, switch
from enclave.gate.wire import Handler, close, limited, respond

LOG = logging.getLogger("ansim.gate.notebook")
MOST_CONNECTIONS = 256
WEBSOCKET = re.compile(r"(api/kernels/[0-9a-f-]{36}/channels|api/events/subscribe)")
# Each hands out bytes that nobody reviewed, or opens another way in.
REFUSED = re.compile(
    r"(files|view|nbconvert|terminals|proxy|lsp|api/nbconvert|api/terminals|api/shutdown)(/.*)?", re.IGNORECASE
)
CONTENT_QUERY = re.compile(r"(^|&)(format=base64|download\b)", re.IGNORECASE)

Connect = Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]


def refusal(login: str, target: str) -> str | None:
    """Return why a request target may not pass, or None. `target` is the path and query as sent."""
    path, _, query = target.partition("?")
    prefix = f"/user/{login}/"
    if not path.startswith(prefix):
        return "not-this-workspace"
    for spelling in (path, unquote(path), unquote(unquote(path))):
        rest = "/".join(part for part in spelling.removeprefix(prefix).split("/") if part not in {"", "."})
        if ".." in rest.split("/") or "\\" in rest:
            return "path"
        if REFUSED.fullmatch(rest):
            return "route"
        if rest.startswith("api/contents") and CONTENT_QUERY.search(unquote(query)):
            return "contents"
    return None


def notebook_handler(login: str, connect: Connect, count: Callable[[int], None]) -> Handler:
    """Return the host's side: `connect` opens a connection inside, `count` is told the bytes sent to the browser."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass on one request of the browser, or refuse it."""
        browser = Side(h11.SERVER, reader, writer)
        try:
            head = await browser.next()
        except h11.RemoteProtocolError:
            await respond(writer, 400)
            return
        if not isinstance(head, h11.Request):
            return
        if why := refusal(login, head.target.decode()):
            LOG.warning("refused for %s (%s): %s %a", login, why, head.method.decode(), head.target.decode()[:200])
            await respond(writer, 403, _message(why))
            return
        try:
            server = Side(h11.CLIENT, *await connect())
        except OSError:
            await respond(writer, 503)
            return
        try:
            exchange = switch if _is_channel(login, head) else answer
            await exchange(browser, server, head, headers=end_to_end(head.headers), count=count)
        except h11.ProtocolError:
            LOG.warning("malformed traffic with the notebook of %s", login)
        finally:
            await close(server.writer)

    return limited(serve, most=MOST_CONNECTIONS)


def _is_channel(login: str, head: h11.Request) -> bool:
    path = head.target.decode().partition("?")[0].removeprefix(f"/user/{login}/")
    return is_websocket(head) and bool(WEBSOCKET.fullmatch(path))


def _message(why: str) -> bytes:
    return json.dumps(
        {
            "code": f"gate.{why}",
            "message": "이 경로는 안심구역에서 닫혀 있습니다. 결과는 반출 신청으로 내보내십시오. "
            "(This way is closed in the enclave; ask for egress instead.)",
        }
    ).encode()
