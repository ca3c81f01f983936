"""What a browser sends in a request, on its way in: nothing it carries runs inside without a record.

A file is judged and recorded before it is there (`saves`), because it may be run later (`%run`, an import, a module
that shadows one at a kernel's start). A terminal is asked for by name and folder: its server would take a command to
run as well. Of a new file or folder only the kind is said (`untitled`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import h11

from enclave.gate.door.kernel_message import Malformed, strict_json
from enclave.gate.door.room import Share
from enclave.gate.door.saves import NOTEBOOK_BYTES, Refused, check_save
from enclave.gate.door.untitled import is_untitled
from enclave.gate.door.visit import Visit
from enclave.gate.exchange import Side

TERMINAL = {"name", "cwd"}


class Withheld(Exception):  # noqa: N818 - an answer, not a fault
    """This body does not go on; `status` and `words` (a key of `refused.WORDS`) are what the browser is told."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status, self.words = status, words


async def pass_body(visit: Visit, server: Side, limit: int) -> None:
    """Pass on the browser's body; one that is judged is held back whole until it may. Raises `Withheld`."""
    judge = _judge(visit)
    with visit.doorway.room.share() as share:
        if judge:
            data = await _whole(visit, min(limit, NOTEBOOK_BYTES), share)
            if data is None:
                return
            await judge(visit, data)
            if data:
                await server.send(h11.Data(data=data))
        elif not await _stream(visit, server, limit):
            return
    await server.send(h11.EndOfMessage())


async def _stream(visit: Visit, server: Side, limit: int) -> bool:
    """Pass on piece by piece; False if the browser broke off. Raises `Withheld` above the limit."""
    size = 0
    while isinstance(event := await visit.browser.next(), h11.Data):
        size += len(event.data)
        if size > limit:
            raise Withheld(413, "body")
        await server.send(h11.Data(data=bytes(event.data)))
    return isinstance(event, h11.EndOfMessage)


async def _whole(visit: Visit, limit: int, share: Share) -> bytes | None:
    """Return the whole body, None if the browser broke off. Raises `Withheld` above what may lie in memory."""
    found = bytearray()
    while isinstance(event := await visit.browser.next(), h11.Data):
        found += event.data
        if len(found) > share.limit(limit):
            raise Withheld(413, "upload")
        share.keep(len(found))
    return bytes(found) if isinstance(event, h11.EndOfMessage) else None


def _judge(visit: Visit) -> Callable[[Visit, bytes], Awaitable[None]] | None:
    if visit.method == "PUT" and visit.target.path.startswith("api/contents/"):
        return _check_save
    if visit.method == "POST" and visit.target.path.startswith("api/contents") and "checkpoints" not in _last(visit):
        return _check_new
    return _check_terminal if (visit.method, visit.target.path) == ("POST", "api/terminals") else None


def _last(visit: Visit) -> tuple[str, ...]:
    return tuple(visit.target.path.split("/")[-2:])


async def _check_save(visit: Visit, data: bytes) -> None:
    try:
        await check_save(visit, data)
    except Refused as refused:
        raise Withheld(refused.status, refused.words) from None


async def _check_new(visit: Visit, data: bytes) -> None:
    if not is_untitled(visit.target.path, data):
        raise Withheld(403, "upload")


async def _check_terminal(_: Visit, data: bytes) -> None:
    model = _object(data)
    plain = set(model) <= TERMINAL and all(isinstance(value, str) for value in model.values())
    if not plain or (data and not model and data.strip() not in {b"{}", b"null"}):
        raise Withheld(403, "other")


def _object(data: bytes) -> dict[str, object]:
    """Return the body's JSON object as it has one reading, else an empty one."""
    try:
        value = strict_json(data)
    except Malformed:
        return {}
    return value if isinstance(value, dict) else {}
