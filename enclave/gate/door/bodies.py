"""What a browser sends in a request, on its way in: nothing it carries runs inside without a record.

A file is recorded before it is there, because it may be run later (`%run`, an import, a module that shadows one at a
kernel's start). A terminal is asked for by name and folder: its server would take a command to run as well.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import h11

from enclave.gate.door.code import Code, recorded
from enclave.gate.door.kernel_message import Malformed, strict_json
from enclave.gate.door.visit import Visit
from enclave.gate.exchange import Side

# Kept as text up to here, with room for its name; of what is longer the hash.
KEPT = 1000 << 10
# A notebook's text is recorded cell by cell when it is run; a folder has none.
NO_CODE = {"notebook", "directory"}
TERMINAL = {"name", "cwd"}


class Withheld(Exception):  # noqa: N818 - an answer, not a fault
    """This body does not go on; `status` and `words` (a key of `refused.WORDS`) are what the browser is told."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status, self.words = status, words


@dataclass(frozen=True)
class Body:
    """A whole body: `data` is empty if it was longer than what is kept."""

    data: bytes
    size: int
    sha256: str


async def pass_body(visit: Visit, server: Side, limit: int) -> None:
    """Pass on the browser's body; where it is judged, its last piece is held back until it may. Raises `Withheld`."""
    judge, size, digest, kept, last = _judge(visit), 0, hashlib.sha256(), bytearray(), b""
    while isinstance(event := await visit.browser.next(), h11.Data):
        size += len(event.data)
        if size > limit:
            raise Withheld(413, "body")
        if judge:
            digest.update(event.data)
            kept += event.data[: KEPT + 1 - len(kept)]
        if last:
            await server.send(h11.Data(data=last))
        last = bytes(event.data)
    if not isinstance(event, h11.EndOfMessage):
        return
    if judge:
        await judge(visit, Body(bytes(kept) if size <= KEPT else b"", size, digest.hexdigest()))
    if last:
        await server.send(h11.Data(data=last))
    await server.send(h11.EndOfMessage())


def _judge(visit: Visit) -> Callable[[Visit, Body], Awaitable[None]] | None:
    if visit.method == "PUT" and visit.target.path.startswith("api/contents/"):
        return _record_file
    return _check_terminal if (visit.method, visit.target.path) == ("POST", "api/terminals") else None


async def _record_file(visit: Visit, body: Body) -> None:
    model = _object(body.data)
    if model.get("type") in NO_CODE or not body.size:
        return
    content = model.get("content")
    text = content if isinstance(content, str) else body.data.decode(errors="replace")
    if not body.data:
        text = f"{body.size} bytes, sha256 {body.sha256}"
    name = json.dumps(visit.target.path, ensure_ascii=False)
    if not await recorded(visit.doorway, Code("file", f"# {name}\n{text}"), "contents"):
        raise Withheld(503, "not-recorded")


async def _check_terminal(_: Visit, body: Body) -> None:
    model = _object(body.data)
    plain = set(model) <= TERMINAL and all(isinstance(value, str) for value in model.values())
    if not plain or (body.size and not model and body.data.strip() not in {b"{}", b"null"}):
        raise Withheld(403, "other")


def _object(data: bytes) -> dict[str, object]:
    """Return the body's JSON object as it has one reading, else an empty one."""
    try:
        value = strict_json(data)
    except Malformed:
        return {}
    return value if isinstance(value, dict) else {}
