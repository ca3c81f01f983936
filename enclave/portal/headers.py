"""The headers that go with every answer of the portal, and with the sandboxed risk report.

A page may load nothing but our own style sheet, script and pictures, may send forms only to us, may not be framed
and is never stored by a browser or a proxy. Written as a plain ASGI wrapper: Starlette's
BaseHTTPMiddleware would put a task and a queue between a streamed release and its receiver.
"""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
# The desk frames one person's workspace; on the way in, the frame passes the hub's sign-in, which may not be framed
# itself. So the frame can be taken to no other site, and carry nothing there.
DESK_POLICY = PAGE_POLICY + "; frame-src {workspace} {hub}"
# A risk report is a file from a snapshot folder: it may style itself and show its own pictures, and nothing else.
# `sandbox` without any token gives it an origin of its own, so that it cannot act as the person who looks at it.
REPORT_POLICY = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; "
    "frame-ancestors 'self'; base-uri 'none'"
)
ALWAYS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), clipboard-read=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def desk_policy(workspace: str, hub: str) -> str:
    """Return the policy of the desk page of one workspace; both are origins."""
    return DESK_POLICY.format(workspace=workspace, hub=hub)


class SafeHeaders:
    """ASGI wrapper: sets the headers above on each answer unless the answer has stricter ones of its own."""

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        self.app = app
        self.https = https

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._complete(MutableHeaders(scope=message))
            await send(message)

        await self.app(scope, receive, send_with_headers)

    def _complete(self, headers: MutableHeaders) -> None:
        headers.setdefault("Content-Security-Policy", PAGE_POLICY)
        for name, value in ALWAYS.items():
            headers.setdefault(name, value)
        if self.https:
            headers.setdefault("Strict-Transport-Security", "max-age=31536000")
