"""What a workspace may ask of the world: four lines of the hub's API, and the portal's workspace API.

Both doors are sockets inside the workspace's own network namespace. Lines are matched whole, headers are passed
by name, and who is asking is said by the door, not by the asker.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass

from enclave.gate.wire import (
    Handler,
    Headers,
    Refused,
    Request,
    close,
    forward,
    limited,
    pump,
    read_request,
    respond,
)
from enclave.workspace.engine import HUB_PORT, PORTAL_PORT

LOG = logging.getLogger("ansim.gate.inbound")
MOST_CONNECTIONS = 64
HUB_BODY, PORTAL_BODY = 64 << 10, 1 << 20
PASSED = {b"authorization", b"accept", b"accept-language", b"content-type", b"user-agent"}
# No percent sign, no dot segment, no doubled slash: one spelling for each route.
PORTAL_TARGET = re.compile(r"/api/workspace/v1(/[A-Za-z0-9_-]+)+(\?[A-Za-z0-9_=&.-]*)?")


@dataclass(frozen=True)
class Door:
    """One way out of a workspace: where it leads, what passes, which headers are said by us."""

    port: int
    upstream_port: int
    body_limit: int
    passes: Callable[[Request], bool]
    says: tuple[tuple[bytes, bytes], ...] = ()

    def headers(self, request: Request) -> Headers:
        """Return the headers that go on: the passed ones of the request, then our own."""
        kept = [(name, value) for name, value in request.headers if name in PASSED]
        return [(b"host", f"127.0.0.1:{self.upstream_port}".encode()), *kept, *self.says]


def hub_door(login: str, upstream_port: int) -> Door:
    """Return the door to the hub: version, own user, own activity, and the token of a browser's login."""
    allowed = {
        ("GET", "/hub/api"),
        ("GET", "/hub/api/"),
        ("GET", "/hub/api/user"),
        ("POST", f"/hub/api/users/{login}/activity"),
        ("POST", "/hub/api/oauth2/token"),
    }
    return Door(HUB_PORT, upstream_port, HUB_BODY, lambda request: (request.method, request.target) in allowed)


def portal_door(workspace_id: str, secret: str, upstream_port: int) -> Door:
    """Return the door to the portal's workspace API; it says whose workspace this is."""
    says = ((b"x-ansim-workspace", workspace_id.encode()), (b"x-ansim-gate", secret.encode()))

    def passes(request: Request) -> bool:
        return request.method in {"GET", "POST"} and bool(PORTAL_TARGET.fullmatch(request.target))

    return Door(PORTAL_PORT, upstream_port, PORTAL_BODY, passes, says)


def door_handler(door: Door, workspace_id: str) -> Handler:
    """Return the server's side of a door."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass on one request that is on the list, or refuse it."""
        try:
            request = await read_request(reader, body_limit=door.body_limit)
            if not door.passes(request):
                raise Refused(403, f"{request.method} {request.target}"[:200])  # noqa: TRY301 - one place answers
            from_above, above = await asyncio.open_connection("127.0.0.1", door.upstream_port)
        except Refused as refused:
            LOG.warning("workspace %s: refused %d: %a", workspace_id, refused.status, str(refused))
            await respond(writer, refused.status)
            return
        except OSError:
            await respond(writer, 503)
            return
        try:
            await forward(request, above, door.headers(request))
            await pump(from_above, writer)
        finally:
            await close(above)

    return limited(serve, most=MOST_CONNECTIONS)
