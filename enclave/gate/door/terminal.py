"""A terminal's websocket: JSON lists such as `["stdin", "ls"]` (terminado's protocol), both ways.

What is typed is recorded line by line before it goes on; what is printed is counted like any other output.
"""

from __future__ import annotations

import json

from enclave.gate.door import notices
from enclave.gate.door.channel import TooMuch
from enclave.gate.door.code import Code, recorded
from enclave.gate.door.handshake import Pair
from enclave.gate.door.kernel_message import Malformed
from enclave.gate.door.link import Held
from enclave.gate.door.measure import of_text, strings
from enclave.gate.door.meter import Amount, Spent
from enclave.gate.door.visit import Doorway

ENDS = ("\r", "\n", "\x04", "\x0f")
LONGEST = 4096


class Terminal:
    """One open terminal."""

    def __init__(self, doorway: Doorway, pair: Pair) -> None:
        self._doorway, self._pair = doorway, pair
        self._typed = ""
        self._told = ""

    async def inward(self, held: Held) -> None:
        """Take one message from the browser. Raises `Malformed`."""
        kind, values = _read(held)
        if kind == "stdin" and len(values) == 1 and isinstance(values[0], str):
            if not await self._type(values[0]):
                await self._say(notices.NOT_RECORDED)
                return
        elif kind != "set_size" or not all(isinstance(value, int | float) for value in values):
            raise Malformed("terminal")
        await self._pair.server.send(held.data, text=True)

    async def outward(self, held: Held) -> None:
        """Take one message from the terminal. Raises `Malformed`, `TooMuch`."""
        if spent := self._doorway.book.spent(Amount(held.size)):
            await self._withhold(spent)
            return
        kind, values = _read(held)
        if self._doorway.shown.failing:
            await self._withhold(Spent("untold", "message", 0))
            return
        # Whatever kind it calls itself: who asks for the bytes decides what to show of them.
        seen = of_text("".join([*strings(values)] if kind == "stdout" else [kind, *strings(values)]))
        if spent := self._doorway.book.admit(seen.amount(held.size)):
            await self._withhold(spent)
            return
        await self._doorway.shown.add(seen, held.size)
        self._doorway.sent_bytes += held.size
        await self._pair.browser.send(held.data, text=True)

    async def close(self) -> None:
        """Record what was typed and never finished."""
        await self._record()

    async def _type(self, text: str) -> bool:
        self._typed += text
        if len(self._typed) < LONGEST and not any(end in text for end in ENDS):
            return True
        return await self._record()

    async def _record(self) -> bool:
        typed, self._typed = self._typed, ""
        if not typed:
            return True
        return await recorded(self._doorway, Code("terminal", typed), "terminal")

    async def _withhold(self, spent: Spent) -> None:
        self._doorway.tell_spent(spent)
        mark = f"{spent.kind} {self._doorway.clock():%Y-%m-%dT%H}"
        if mark != self._told:
            self._told = mark
            await self._say(notices.words(spent))

    async def _say(self, text: str) -> None:
        data = json.dumps(["stdout", "\r\n" + text.replace("\n", "\r\n")]).encode()
        if not self._doorway.book.admit_spare(len(data)):
            raise TooMuch
        await self._pair.browser.send(data, text=True)


def _read(held: Held) -> tuple[str, list[object]]:
    try:
        value = json.loads(held.data) if held.text and not held.cut else None
    except (ValueError, RecursionError) as error:
        raise Malformed("terminal") from error
    if not isinstance(value, list) or not value or not isinstance(value[0], str):
        raise Malformed("terminal")
    return value[0], value[1:]
