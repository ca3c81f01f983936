"""`*.localhost` names for programs: browsers resolve them to loopback by themselves, the C library need not.

Source: RFC 6761 §6.3 (names under .localhost are loopback).
"""

from __future__ import annotations

import httpx


class LoopbackTransport(httpx.HTTPTransport):
    """Connects every `*.localhost` request to 127.0.0.1 and keeps the name in the Host header."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request; the Host header keeps the name, the connection goes to loopback."""
        if not request.url.host.endswith("localhost"):
            return super().handle_request(request)
        # A new request: the caller's keeps its URL, because cookies are filed under its host.
        there = request.url.copy_with(host="127.0.0.1")
        local = httpx.Request(
            request.method, there, headers=request.headers, stream=request.stream, extensions=request.extensions
        )
        return super().handle_request(local)
