"""Which name a request came in by: pages and REST only under the portal's own host name.

Another name for the same port (a workspace's host, an address typed by hand, a name an attacker lets point here)
would be another origin with other rules, so it is refused with 421 before anything reads a cookie.
"""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send


class OneHost:
    """ASGI wrapper: what lies below `root`, but for `free` paths, is served under `host` alone."""

    def __init__(self, app: ASGIApp, *, root: str, host: str, free: frozenset[str]) -> None:
        self.app, self.root, self.host, self.free = app, root, host.lower(), free

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and scope["path"].startswith(self.root) and scope["path"] not in self.free:
            hosts = Headers(scope=scope).getlist("host")
            if [host.lower() for host in hosts] != [self.host]:
                text = "이 주소로는 포털을 열 수 없습니다. / The portal is not served under this address.\n"
                await PlainTextResponse(text, 421)(scope, receive, send)
                return
        await self.app(scope, receive, send)
