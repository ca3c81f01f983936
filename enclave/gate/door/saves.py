"""What a browser may save into the workspace: text and notebooks that a hand wrote there. All else is an import.

JupyterLab's editor saves text as text and notebooks as JSON; its file browser uploads everything as base64, large
files in chunks. The second kind is refused and the answer names the import page (docs/adr/0026-import-lane.md). What
passes is recorded first: a text whole, a notebook's cells whenever one is new; its outputs are bounded (`brought`).
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

from enclave.gate.door.code import Code, recorded
from enclave.gate.door.kernel_message import Malformed, strict_json
from enclave.gate.door.notebook_parts import Strange, parted
from enclave.gate.door.visit import Visit

# Of a text: all of it goes into the record. Of a notebook: what may be opened again (the answer's limit in `routes`).
TEXT_BYTES, NOTEBOOK_BYTES = 1000 << 10, 32 << 20
# A folder is its name: twice the longest address (`name`, `path`) and the other fields, of which the server keeps none.
FOLDER_BYTES = 12 << 10
FIELDS = {"type", "format", "content", "name", "path", "mimetype", "hash", "hash_algorithm", "last_modified", "created"}
FIELDS |= {"writable", "size", "serverPath"}


class Refused(Exception):  # noqa: N818 - an answer, not a fault
    """This save does not go on; `words` is a key of `refused.WORDS`, `status` the answer's."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status, self.words = status, words


async def check_save(visit: Visit, data: bytes) -> None:
    """Record what is about to be saved. Raises `Refused`: an upload, too large, more than was shown, not recorded."""
    try:
        model = await asyncio.to_thread(strict_json, data)
    except Malformed:
        raise Refused(403, "upload") from None
    if not isinstance(model, dict) or not set(model) <= FIELDS:
        raise Refused(403, "upload")
    match (model.get("type"), model.get("format"), model.get("content")):
        case ("directory", "json" | "text" | None, None | []) if len(data) <= FOLDER_BYTES:
            return
        case ("notebook", "json" | None, dict() as content) if visit.target.path.endswith(".ipynb"):
            await _check_notebook(visit, content)
        case ("file" | None, "text", str() as content) if len(data) <= TEXT_BYTES:
            await _record(visit, content)
        case _:
            raise Refused(403, "upload")


async def learn(visit: Visit, body: bytes) -> None:
    """Know what the workspace shows of a notebook: it will be saved again."""
    try:
        value = await asyncio.to_thread(json.loads, body)
        content = value.get("content") if isinstance(value, dict) else None
        sources, rest = await asyncio.to_thread(parted, content) if isinstance(content, dict) else ([], [])
    except (ValueError, RecursionError, Strange):
        return
    visit.doorway.brought.learn([*map(_as_code, sources), *rest])


async def _check_notebook(visit: Visit, content: dict[str, Any]) -> None:
    try:
        sources, rest = await asyncio.to_thread(parted, content)
    except Strange:
        raise Refused(403, "upload") from None
    brought, doorway = visit.doorway.brought, visit.doorway
    fresh = [source for source in sources if brought.unknown([_as_code(source)])]
    if sum(len(source) for source in fresh) > TEXT_BYTES:
        raise Refused(403, "upload")
    today = doorway.book.figures()["day"]
    if not brought.admit(rest, day=str(today["of"]), shown=int(today["shown"]["bytes"])):
        raise Refused(403, "upload")
    if fresh:
        await _record(visit, "\n\n".join(fresh))
        brought.learn(map(_as_code, fresh))


def _as_code(source: str) -> str:
    """Return a cell's text as it is known: what came as an output was counted, not recorded, so it is another text."""
    return f"\0cell\0{source}"


async def _record(visit: Visit, text: str) -> None:
    name = json.dumps(visit.target.path, ensure_ascii=False)
    if not await recorded(visit.doorway, Code("file", f"# {name}\n{text}"), "contents"):
        raise Refused(503, "not-recorded")
