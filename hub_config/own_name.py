"""The hub answers under its own name only.

The proxy sends every name that it does not know to the hub. Under a workspace's name the hub's pages would be of one
origin with what a kernel serves, which could then read them and act in them.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from jupyterhub.handlers import BaseHandler

from enclave.errors import Denied
from hub_config.refusal import page_refused

SAFE = {"GET", "HEAD"}


def keep_to_own_name(public_url: str, hub_port: int) -> None:
    """Make each handler of the hub send a browser that came by another name to its own; other requests are refused.

    JupyterHub has no setting for it: this goes before `BaseHandler.prepare`, which every page and interface calls.
    """
    own = {urlsplit(public_url).netloc, f"127.0.0.1:{hub_port}"}  # the second: portal and gate, on loopback
    before = BaseHandler.prepare

    async def prepare(handler: Any) -> None:
        if handler.request.host in own:
            await before(handler)
        elif handler.request.method in SAFE and handler.request.uri.startswith("/"):
            handler.redirect(public_url + handler.request.uri)
        else:
            handler._jupyterhub_user = None  # noqa: SLF001 - JupyterHub's error page asks who is there
            raise page_refused(other_name())

    BaseHandler.prepare = prepare


def other_name() -> Denied:
    """Return the reason for whoever sends something to the hub under another name."""
    return Denied(
        "hub.other-name",
        ko="허브는 자기 주소로만 응답합니다.",
        en="The hub answers under its own address only.",
        remedy_ko="포털에서 다시 시작하십시오.",
        remedy_en="Start again from the portal.",
    )
