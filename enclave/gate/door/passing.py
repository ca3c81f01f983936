"""One HTTP exchange that may pass: the request written anew, the answer read, judged, and written anew.

An answer is held until it is whole (each route has its limit), so that one that does not pass never begins to.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

import h11

from enclave.gate.door import headers, routes
from enclave.gate.door.bodies import Withheld, pass_body
from enclave.gate.door.measure import of_document
from enclave.gate.door.pages import rewrite
from enclave.gate.door.refused import explain
from enclave.gate.door.room import Share
from enclave.gate.door.routes import Kind, Route
from enclave.gate.door.saves import learn
from enclave.gate.door.visit import Answer, Visit
from enclave.gate.exchange import CLOSE, Side

OK = 200
MOST_BODIES = 64
SMALL_BODY, SMALL_BODY_S, LARGE_BODY_S = 1 << 20, 20, 300
NO_STORE = (b"cache-control", b"no-store")
# Around a file's content: names, dates, and escapes of its text.
ENVELOPE = 64 << 10
# Up to here an answer that the page polls is no file.
SMALL = 32 << 10
# Large, and the same for everybody: schemas and translations.
OF_IMAGE = {"lab/api/settings", "lab/api/translations", "lab/api/licenses"}
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


async def pass_on(visit: Visit, route: Route, server: Side) -> None:
    """Do one exchange. Raises `h11.ProtocolError` or `OSError` when an end breaks off or talks nonsense."""
    held = int(visit.chunked or visit.header(b"content-length") not in {"", "0"})
    if held and visit.doorway.bodies >= MOST_BODIES:
        await say(visit, explain(visit, 503, "busy"))  # slow bodies leave room for requests that have none
        return
    visit.doorway.bodies += held
    try:
        await _exchange(visit, route, server)
    finally:
        visit.doorway.bodies -= held


async def _exchange(visit: Visit, route: Route, server: Side) -> None:
    await _send_head(visit, server)
    sending = asyncio.create_task(_send_body(visit, server, route.body_limit))
    waiting = asyncio.create_task(_head(server))
    try:
        # The server may answer before it has read everything (413); our own limit ends the exchange.
        await asyncio.wait({sending, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if not waiting.done() and (wrong := sending.exception()):
            if not isinstance(wrong, Withheld):
                raise wrong  # the browser broke off: the server would wait for the rest
            await _withhold(visit, wrong)
            return
        await _answer(visit, route, server, await waiting)
    finally:
        for task in (sending, waiting):
            task.cancel()
            with suppress(asyncio.CancelledError, OSError, h11.ProtocolError, Withheld):
                await task


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


async def _send_body(visit: Visit, server: Side, limit: int) -> None:
    # Enough for a slow line; who needs longer is holding a place.
    async with asyncio.timeout(SMALL_BODY_S if limit <= SMALL_BODY else LARGE_BODY_S):
        await pass_body(visit, server, limit)


async def _withhold(visit: Visit, wrong: Withheld) -> None:
    if wrong.words in {"other", "upload"}:
        await _refuse(visit, "body" if wrong.words == "other" else "upload", wrong.words, wrong.status)
    else:
        await say(visit, explain(visit, wrong.status, wrong.words))


async def _head(server: Side) -> h11.Response:
    response = await server.next()
    while isinstance(response, h11.InformationalResponse):
        response = await server.next()
    if not isinstance(response, h11.Response):
        raise h11.RemoteProtocolError("no answer")
    return response


async def _answer(visit: Visit, route: Route, server: Side, response: h11.Response) -> None:
    with visit.doorway.room.share() as share:
        await _judge(visit, route, response, await _whole(server, _limit(visit, route), share))


async def _judge(visit: Visit, route: Route, response: h11.Response, body: bytes | None) -> None:
    if body is None:
        await _refuse(visit, "answer-size", "too-large")
    elif not (_count_head(visit, response) and _count(visit, route, body)):
        await _refuse(visit, "display", "display")
    else:
        if route.kind is Kind.PAGE and response.status_code == OK:
            body = rewrite(visit, body)
        elif visit.method == "GET" and visit.target.path.endswith(".ipynb"):
            await learn(visit, body)
        await _give(visit, response, body, NO_STORE)


def _limit(visit: Visit, route: Route) -> int:
    """Return how large an answer may be: a notebook holds its outputs, any other file has the plan's limit."""
    if route.kind is not Kind.CONTENT or visit.target.path.endswith(".ipynb") or visit.method != "GET":
        return route.answer_limit
    # JSON around the content, and its escapes: the rest is counted at full size all the same.
    return min(route.answer_limit, visit.doorway.plan.display.content_bytes + ENVELOPE)


def _count(visit: Visit, route: Route, body: bytes) -> bool:
    """Count an answer before it is shown: files as output, what a page needs to live apart, if it is small."""
    return _live(visit, body) if _is_life(visit, route, len(body)) else _show(visit, body)


def _count_head(visit: Visit, response: h11.Response) -> bool:
    """Count the headers that are passed on: the workspace writes them like the body."""
    passed = b"\n".join(name + b":" + value for name, value in headers.of_stranger(response.headers))
    return _live(visit, passed)


def _live(visit: Visit, data: bytes) -> bool:
    book = visit.doorway.book
    return book.admit_spare(len(data)) if book.admit_fresh(data) else _show(visit, data)


def _is_life(visit: Visit, route: Route, size: int) -> bool:
    if route.kind is Kind.PAGE:
        return True
    if route.kind is Kind.SMALL:
        return size <= SMALL or _is_of_image(visit)
    return size <= SMALL and _is_no_file(visit)


def _is_no_file(visit: Visit) -> bool:
    """Whether it was asked for a list of files, or only about one, or it is the answer to a save."""
    return visit.method != "GET" or bool({("type", "directory"), ("content", "0")} & set(visit.target.query))


def _is_of_image(visit: Visit) -> bool:
    return visit.target.path in OF_IMAGE or visit.target.path.startswith("lab/api/translations/")


def _show(visit: Visit, body: bytes) -> bool:
    found = of_document(body)
    # A file is not one message: its own limit was the answer's.
    spent = visit.doorway.book.admit_file(found.amount(len(body)))
    if spent:
        visit.doorway.tell_spent(spent)
    return spent is None


async def _refuse(visit: Visit, why: str, words: str, status: int = 403) -> None:
    details = {"why": why, "method": visit.method, "route": routes.class_of(visit.target.path)}
    visit.doorway.recorder.notice(visit.doorway.plan.workspace_id, "route-refused", details)
    await say(visit, explain(visit, status, words))


async def _whole(server: Side, limit: int, share: Share) -> bytes | None:
    found = bytearray()
    while isinstance(event := await server.next(), h11.Data):
        found += event.data
        if len(found) > share.limit(limit):
            return None
        share.keep(len(found))
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
