"""The server's own events for the page (a file was saved, a kernel was started): counted like any other output."""

from __future__ import annotations

from enclave.gate.door.handshake import Pair
from enclave.gate.door.kernel_message import Malformed
from enclave.gate.door.link import Held
from enclave.gate.door.measure import of_document
from enclave.gate.door.meter import Amount
from enclave.gate.door.visit import Doorway


class ServerEvents:
    """One open subscription; a page only listens."""

    def __init__(self, doorway: Doorway, pair: Pair) -> None:
        self._doorway, self._pair = doorway, pair

    async def inward(self, held: Held) -> None:
        """Take one message from the browser: there are none. Raises `Malformed`."""
        raise Malformed(f"events {held.size}")

    async def outward(self, held: Held) -> None:
        """Take one event; over a limit it is not shown, nobody waits for it."""
        book = self._doorway.book
        if held.cut or book.spent(Amount(held.size)) or not held.text:
            return
        if book.admit(of_document(held.data).amount(held.size)) is None:
            self._doorway.sent_bytes += held.size
            await self._pair.browser.send(held.data, text=True)

    async def close(self) -> None:
        """Nothing is left to do."""
