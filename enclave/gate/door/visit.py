"""What the door decides with: a workspace's own state (`Doorway`), one request (`Visit`), a reply (`Answer`)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

import h11

from enclave.gate.door.book import Book
from enclave.gate.door.brought import Brought
from enclave.gate.door.meter import Spent
from enclave.gate.door.recorder import Recorder
from enclave.gate.door.room import Room
from enclave.gate.door.screens import Screens
from enclave.gate.door.shown import Shown
from enclave.gate.door.target import Target
from enclave.gate.events import Details
from enclave.gate.exchange import Side
from enclave.gate.wire import Headers
from enclave.settings import Settings
from enclave.workspace.plan import WorkspacePlan

if TYPE_CHECKING:
    from enclave.gate.door.routes import Route


@dataclass(frozen=True)
class Addresses:
    """Where people meet the enclave: the portal's address with its path, and how a workspace's origin is made."""

    portal: str
    scheme: str
    host: str
    # How many trusted proxies stand before our own.
    hops: int = 0

    @property
    def portal_origin(self) -> str:
        """The portal's origin, as browsers write it."""
        return "/".join(self.portal.split("/")[:3])

    def origin(self, login: str) -> str:
        """Return the origin of one person's workspace, as browsers write it."""
        return f"{self.scheme}://{login}.{self.host}"


def addresses_of(settings: Settings) -> Addresses:
    """Return the addresses of an enclave."""
    scheme, _, host = settings.public_url.partition("://")
    portal = f"{scheme}://portal--service.{host}/services/portal"
    return Addresses(portal, scheme, host, settings.trusted_proxies)


@dataclass(eq=False)
class Doorway:
    """One workspace's door, as long as its relay is open. `plan` is the one in force; it may be replaced."""

    plan: WorkspacePlan
    addresses: Addresses
    recorder: Recorder
    screens: Screens
    book: Book
    shown: Shown
    sent_bytes: int = 0
    _told: set[tuple[str, str, str]] = field(default_factory=set)
    room: Room = field(default_factory=Room)
    brought: Brought = field(default_factory=Brought)
    bodies: int = 0  # requests whose body is still on its way
    # Each closes one open socket of a browser with a code and a reason.
    sockets: set[Callable[[int, str], None]] = field(default_factory=set)

    def cut_sockets(self, code: int, reason: str) -> None:
        """Close every open websocket; kernels and terminals go on, a page may connect anew."""
        for cut in list(self.sockets):
            cut(code, reason)

    def clock(self) -> datetime:
        """Return the moment by the clock of the meter."""
        return self.book.now()

    def tell_spent(self, spent: Spent) -> None:
        """Tell the portal that a limit is reached: once for each limit and hour."""
        mark = (spent.kind, spent.window, f"{self.clock():%Y-%m-%dT%H}")
        if mark not in self._told:
            self._told = {told for told in self._told if told[2] == mark[2]} | {mark}
            self.recorder.notice(self.plan.workspace_id, "display-spent", dict(spent.__dict__))

    @property
    def origin(self) -> str:
        """The workspace's own origin."""
        return self.addresses.origin(self.plan.login)


@dataclass(frozen=True)
class Answer:
    """What the door itself replies. `event` (kind and details) is told to the portal first."""

    status: int
    body: bytes = b""
    content_type: str = "text/html; charset=utf-8"
    headers: tuple[tuple[bytes, bytes], ...] = ()
    event: tuple[str, Details] | None = None


@dataclass(eq=False)
class Visit:
    """One request of a browser, parsed; nothing of it has gone anywhere yet.

    `headers` are in lower case, without those of one connection. `route` is set by the last check; `framed` says who
    may frame the answer (sources of the CSP's frame-ancestors), and a check may widen it.
    """

    doorway: Doorway
    method: str
    target: Target
    headers: Headers
    websocket: bool
    chunked: bool
    browser: Side
    route: Route | None = None
    framed: str = "'none'"

    def header(self, name: bytes) -> str:
        """Return one header's value, empty if it is absent; the first if there are several."""
        return next((value.decode("latin-1") for key, value in self.headers if key == name), "")

    @property
    def wants_html(self) -> bool:
        """Whether a person is going to look at the answer: the browser opens it as a document."""
        destination = self.header(b"sec-fetch-dest")
        if destination:
            return destination in {"document", "iframe", "frame"}
        return self.method == "GET" and "text/html" in self.header(b"accept")

    def count(self, size: int) -> None:
        """Add to the bytes that went to the browser."""
        self.doorway.sent_bytes += size

    async def body(self, limit: int) -> bytes:
        """Read the request's body for a reply of our own; raises `ValueError` above `limit`. Once for each visit."""
        found = bytearray()
        while isinstance(event := await self.browser.next(), h11.Data):
            found += event.data
            if len(found) > limit:
                raise ValueError(f"more than {limit} bytes")
        return bytes(found)


Check = Callable[[Visit], Awaitable[Answer | None]]
