"""A person's server without notebooks: JupyterHub's own sign-in for servers, and one page behind it."""

from __future__ import annotations

import asyncio
import os
from urllib.parse import urlsplit

from jupyterhub.services.auth import HubOAuthCallbackHandler, HubOAuthenticated
from jupyterhub.utils import url_path_join
from tornado.web import Application, RequestHandler, authenticated


class Page(HubOAuthenticated, RequestHandler):  # type: ignore[misc] # JupyterHub has no types
    """Says who came."""

    @authenticated
    def get(self) -> None:
        """Answer whom the hub let in."""
        self.finish(f"hello {self.get_current_user()['name']}")


async def main() -> None:
    """Listen where the hub looks."""
    prefix, there = os.environ["JUPYTERHUB_SERVICE_PREFIX"], urlsplit(os.environ["JUPYTERHUB_SERVICE_URL"])
    handlers = [(url_path_join(prefix, "oauth_callback"), HubOAuthCallbackHandler), (prefix + ".*", Page)]
    Application(handlers, cookie_secret=os.urandom(32)).listen(there.port or 80, there.hostname or "127.0.0.1")
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
