"""A kernel's websocket: code is recorded before it runs, and what is shown is counted before it is seen.

All four channels count, with headers, metadata and buffers. Over a limit the message's content is replaced: what a
cell waits for (states, replies) always comes, what only shows something becomes one line for each cell and hour.
"""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from dataclasses import replace
from datetime import datetime
from typing import Any

from enclave.gate.door import notices
from enclave.gate.door.code import code_of, recorded
from enclave.gate.door.handshake import Pair
from enclave.gate.door.kernel_message import HEADERS, Malformed, Message, build, read
from enclave.gate.door.link import TAIL, Held
from enclave.gate.door.measure import of_content
from enclave.gate.door.meter import Amount, Spent
from enclave.gate.door.visit import Doorway

# Requests whose answers may still come; a header of a front end has about 250 bytes.
PARENTS, PARENT_BYTES = 1024, 1024
# Without this reply a page does not even connect; one for each request.
ESSENTIAL, ESSENTIAL_BYTES = "kernel_info", 8 << 10
OUTWARD = {"shell", "control", "iopub", "stdin"}


class TooMuch(Exception):  # noqa: N818 - names what the workspace did
    """Even what was replaced came too often: the socket is closed."""


class Channel:
    """One open websocket of a kernel, both ways."""

    def __init__(self, doorway: Doorway, pair: Pair, *, v1: bool) -> None:
        self._doorway, self._pair, self._v1 = doorway, pair, v1
        self._parents: OrderedDict[str, bytes] = OrderedDict()
        self._ran: OrderedDict[str, bytes] = OrderedDict()
        self._told: OrderedDict[tuple[str, str, str], None] = OrderedDict()

    async def inward(self, held: Held) -> None:
        """Take one message from the browser. Raises `Malformed`."""
        message = read(held, v1=self._v1, strict=True)
        codes = code_of(message)
        header = json.dumps(message.header).encode()
        if held.cut or len(header) > PARENT_BYTES:
            raise Malformed("large")
        self._remember(message.id, header)
        if message.kind == "execute_request":
            self._ran[message.id] = _digest(message.content.get("code"))
            if len(self._ran) > PARENTS:
                self._ran.popitem(last=False)
        if all([await recorded(self._doorway, code, message.channel) for code in codes]):
            if message.kind == "execute_request":
                self._doorway.screens.touch(self._doorway.plan.workspace_id)
            await self._pair.server.send(held.data, text=held.text)
        else:
            for ours in notices.not_run(message.channel, message.kind, message.header, self._now()):
                await self._say(ours)

    async def outward(self, held: Held) -> None:
        """Take one message from the kernel. Raises `Malformed`, `TooMuch`."""
        if held.size > HEADERS and self._doorway.book.spent(Amount(held.size)):
            # It will be replaced: reading more than its headers would only cost the others' time.
            held = replace(held, cut=True, tail=held.tail or held.data[-TAIL:])
        message = read(held, v1=self._v1)
        if message.channel not in OUTWARD:
            raise Malformed("channel")
        if self._is_essential(message) and self._doorway.book.admit_fresh(held.data) and self._spare(held.size):
            del self._parents[message.parent_id]
            await self._pass(held)
        elif spent := await self._count(message, held):
            await self._replace(message, spent)
        else:
            await self._pass(held)

    def _is_essential(self, message: Message) -> bool:
        asked = self._parent(message.parent_id).get("msg_type") == f"{ESSENTIAL}_request"
        return asked and message.kind == f"{ESSENTIAL}_reply" and message.size <= ESSENTIAL_BYTES

    async def close(self) -> None:
        """Nothing is left to do: what was asked goes on in the kernel."""

    async def _pass(self, held: Held) -> None:
        self._doorway.sent_bytes += held.size
        await self._pair.browser.send(held.data, text=held.text)

    async def _count(self, message: Message, held: Held) -> Spent | None:
        """Count what the message shows; nothing of a message that is too large is even read."""
        book, shown = self._doorway.book, self._doorway.shown
        spent = book.spent(Amount(held.size))
        if held.cut or spent:
            return spent or Spent("message", "message", self._doorway.plan.display.message_bytes)
        if message.kind == "status":
            return book.admit(Amount(held.size))
        if shown.failing:
            return Spent("untold", "message", 0)
        seen = of_content(self._kind(message), message.content, message.buffers)
        spent = book.admit(seen.amount(held.size))
        if spent is None:
            await shown.add(seen, held.size)
        return spent

    def _kind(self, message: Message) -> str:
        """Return the type as which a message counts: the code of a cell is no output if it is what was recorded."""
        if message.kind != "execute_input" or not isinstance(message.content, dict):
            return message.kind
        said = self._ran.get(message.parent_id) == _digest(message.content.get("code"))
        return message.kind if said and message.content.keys() <= {"code", "execution_count"} else ""

    async def _replace(self, message: Message, spent: Spent) -> None:
        self._doorway.tell_spent(spent)
        parent, now = self._parent(message.parent_id), self._now()
        if message.kind == "status":
            await self._say(notices.status(parent, _state(message), now))
        elif not parent:
            return  # nobody on this page asked: nobody waits
        elif message.kind == "input_request":
            await self._notice(message.parent_id, parent, spent)
            await self._answer_for(message)
        elif message.channel in {"shell", "control"}:
            kind = str(parent.get("msg_type", "")).removesuffix("_request") + "_reply"  # the kernel's word could be any
            await self._say(notices.reply(message.channel, kind, parent, notices.words(spent), now))
        else:
            await self._notice(message.parent_id, parent, spent)

    async def _notice(self, parent_id: str, parent: dict[str, Any], spent: Spent) -> None:
        now = self._now()
        mark = (parent_id, spent.kind, f"{now:%Y-%m-%dT%H}")
        if mark not in self._told:
            self._told[mark] = None
            if len(self._told) > PARENTS:
                self._told.popitem(last=False)
            await self._say(notices.stream(parent, notices.words(spent), now))

    async def _answer_for(self, message: Message) -> None:
        session = str(message.header.get("session", ""))[:64]
        ours = notices.input_reply(session, self._now())
        data, text = build(ours.channel, [ours.header, {}, {}, ours.content], v1=self._v1)
        await self._pair.server.send(data, text=text)

    async def _say(self, ours: notices.Ours) -> None:
        data, text = build(ours.channel, ours.parts, v1=self._v1)
        if not self._spare(len(data)):
            raise TooMuch
        self._doorway.sent_bytes += len(data)
        await self._pair.browser.send(data, text=text)

    def _remember(self, name: str, header: bytes) -> None:
        self._parents[name] = header
        if len(self._parents) > PARENTS:
            self._parents.popitem(last=False)

    def _parent(self, name: str) -> dict[str, Any]:
        """Return the browser's own header of a request: nothing in it was chosen by the workspace."""
        header: dict[str, Any] = json.loads(self._parents.get(name, b"{}"))
        return header

    def _spare(self, size: int) -> bool:
        return self._doorway.book.admit_spare(size)

    def _now(self) -> datetime:
        return self._doorway.clock()


def _digest(code: object) -> bytes:
    return hashlib.blake2b(str(code).encode(errors="replace"), digest_size=16).digest()


def _state(message: Message) -> object:
    try:
        return message.content.get("execution_state")
    except (Malformed, AttributeError):
        return None  # it was cut, or is none
