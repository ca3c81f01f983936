"""One HTTP exchange that may pass: the request written anew, the answer read, judged, and written anew.

An answer is held until it is whole (each route has its limit), so that one that does not pass never begins to.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

import h11

from enclave.gate.door import headers
from enclave.gate.door.pages import rewrite
from enclave.gate.door.refused import explain
from enclave.gate.door.routes import Kind, Route
from enclave.gate.door.visit import Answer, Visit
from enclave.gate.exchange import CLOSE, Side

OK = 200
NO_STORE = (b"cache-control", b"no-store")
# What goes on to the notebook server; never what asks for another encoding, a part, or names another client.
DROPPED = {
    b"accept-encoding",
    b"range",
    b"if-range",
    b"forwarded",
    b"x-forwarded-for",
    b"x-forwarded-host",
    b"x-http-method-override",
    b"service-worker",
    b"expect",
    b"content-length",
}


class TooLarge(Exception):  # noqa: N818 - an answer, not a fault
    """The browser sends more than its route takes."""


async def pass_on(visit: Visit, route: Route, server: Side) -> None:
    """Do one exchange. Raises `h11.ProtocolError` or `OSError` when an end breaks off or talks nonsense."""
    await _send_head(visit, server)
    sending = asyncio.create_task(_send_body(visit.browser, server, route.body_limit))
    try:
        # The server may answer before it has read everything (413); our own limit ends the exchange.
        waiting = asyncio.create_task(_head(server))
        await asyncio.wait({sending, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if sending.done() and isinstance(sending.exception(), TooLarge):
            waiting.cancel()
            await say(visit, explain(visit, 413, "body"))
            return
        await _answer(visit, route, server, await waiting)
    finally:
        sending.cancel()
        with suppress(asyncio.CancelledError, OSError, h11.ProtocolError, TooLarge):
            await sending


async def say(visit: Visit, answer: Answer) -> None:
    """Send the browser an answer of our own."""
    said = headers.of_answer([(b"content-type", answer.content_type.encode())], framed=visit.framed)
    # A link's new window keeps the sandbox of JupyterLab's page, and browsers show no page with this header in one.
    ours = [(name, value) for name, value in said if name != b"cross-origin-opener-policy"]
    fixed = [*ours, *answer.headers, NO_STORE, (b"content-length", str(len(answer.body)).encode()), *CLOSE]
    await visit.browser.send(h11.Response(status_code=answer.status, headers=fixed))
    if answer.body and visit.method != "HEAD":
        await visit.browser.send(h11.Data(data=answer.body))
    await visit.browser.send(h11.EndOfMessage())


async def _send_head(visit: Visit, server: Side) -> None:
    kept = [(name, value) for name, value in visit.headers if name not in DROPPED]
    length = [(name, value) for name, value in visit.headers if name == b"content-length"]
    chunked = [(b"transfer-encoding", b"chunked")] if visit.chunked else length
    head = h11.Request(method=visit.method, target=visit.target.canonical, headers=[*kept, *chunked, *CLOSE])
    await server.send(head)


async def _send_body(browser: Side, server: Side, limit: int) -> None:
    size = 0
    while isinstance(event := await browser.next(), h11.Data):
        size += len(event.data)
        if size > limit:
            raise TooLarge
        await server.send(h11.Data(data=bytes(event.data)))
    if isinstance(event, h11.EndOfMessage):
        await server.send(h11.EndOfMessage())


async def _head(server: Side) -> h11.Response:
    response = await server.next()
    while isinstance(response, h11.InformationalResponse):
        response = await server.next()
    if not isinstance(response, h11.Response):
        raise h11.RemoteProtocolError("no answer")
    return response


async def _answer(visit: Visit, route: Route, server: Side, response: h11.Response) -> None:
    limit = route.answer_limit
    body = await _whole(server, limit)
    if body is None:
        details = {"why": "answer-size", "method": visit.method, "route": route.kind.value}
        visit.doorway.recorder.notice(visit.doorway.plan.workspace_id, "route-refused", details)
        await say(visit, explain(visit, 403, "too-large"))
        return
    if route.kind is Kind.PAGE and response.status_code == OK:
        body = rewrite(visit, body)
    await _give(visit, response, body, NO_STORE)


async def _whole(server: Side, limit: int) -> bytes | None:
    found = bytearray()
    while isinstance(event := await server.next(), h11.Data):
        found += event.data
        if len(found) > limit:
            return None
    return bytes(found)


async def _give(visit: Visit, response: h11.Response, body: bytes, caching: tuple[bytes, bytes]) -> None:
    kept = [*headers.of_answer(response.headers, framed=visit.framed), caching, *CLOSE]
    length = [(b"content-length", str(len(body)).encode())] if _has_body(response.status_code) else []
    await visit.browser.send(h11.Response(status_code=response.status_code, headers=[*kept, *length]))
    if body and length:
        visit.count(len(body))
        await visit.browser.send(h11.Data(data=body))
    await visit.browser.send(h11.EndOfMessage())


def _has_body(status: int) -> bool:
    return status not in {204, 304}
