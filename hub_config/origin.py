"""From where somebody asks the hub: counted off X-Forwarded-For, as portal and gate do it (`enclave.forwarded`).

Not tornado's `remote_ip`: it believes an `X-Real-Ip` that any browser can send.
"""

from __future__ import annotations

from typing import Any

from tornado.web import RequestHandler

from enclave.forwarded import client_address
from enclave.settings import Settings


def address_of(handler: RequestHandler) -> str:
    """Return the address of the browser, "" if it cannot be told."""
    request: Any = handler.request
    forwarded = request.headers.get_list("X-Forwarded-For")
    peer = request.connection.context.address
    return client_address(forwarded, peer[0] if isinstance(peer, tuple) else "", Settings.load().trusted_proxies)


def where(handler: Any) -> dict[str, str]:
    """Return address and browser of a sign-in; a browser is known by its session at the hub, begun here if need be."""
    return {"ip": address_of(handler), "browser": handler.get_session_cookie() or handler.set_session_cookie()}
