"""Starting and stopping the drill's two workspaces as anybody's are: asked of the hub, reached through the front door.

The token is the drill's own at the hub: it starts, stops and enters these two workspaces and can do nothing else
(hub_config/jupyterhub_config.py).
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import Any

from enclave.drill.wire import Answer, WebSocket, head, send
from enclave.settings import Settings

READY_S = 120
POLL_S = 0.3


class NotStartedError(RuntimeError):
    """A workspace of the drill's could not be started; the text is the hub's."""


@dataclass(frozen=True)
class Door:
    """The front door of this enclave: what a browser reaches, and with which Host header."""

    settings: Settings
    token: str = field(repr=False)

    @classmethod
    def of(cls, settings: Settings) -> Door:
        """Return the door with the drill's token; raises `OSError` without it."""
        return cls(settings, settings.drill_token.read_text("ascii").strip())

    @property
    def address(self) -> tuple[str, int]:
        """Where the proxy listens."""
        return "127.0.0.1", self.settings.front_port

    @property
    def public(self) -> str:
        """The hub's public host, with its port."""
        return self.settings.public_url.partition("://")[2]

    def host_of(self, who: str) -> str:
        """Return the public host of somebody's workspace, or of a service (`portal--service`)."""
        return f"{who}.{self.public}"

    def headers(self, host: str, *, token: str | None = "") -> dict[str, str]:
        """Return the usual headers; with the drill's token, another, or none (`None`)."""
        said = {"Host": host, "Connection": "close", "Accept": "*/*"}
        return said if token is None else said | {"Authorization": f"token {token or self.token}"}

    def hub(self, method: str, path: str, body: Any = None) -> Answer:
        """Call the hub's interface with the drill's token; `path` begins below `/hub/api`."""
        data = b"" if body is None else json.dumps(body).encode()
        said = self.headers(self.public) | {"Content-Length": str(len(data)), "Content-Type": "application/json"}
        return send(self.address, head(f"{method} /hub/api{path}", said, data), seconds=READY_S)

    def ask(self, login: str, method: str, path: str, body: Any = None, *, token: str | None = "") -> Answer:
        """Call a workspace's notebook server; `path` begins below `/user/<login>`."""
        data = b"" if body is None else json.dumps(body).encode()
        said = self.headers(self.host_of(login), token=token)
        said |= {"Content-Length": str(len(data)), "Content-Type": "application/json"} if body is not None else {}
        return send(self.address, head(f"{method} /user/{login}{path}", said, data))

    def websocket(self, login: str, path: str, *, token: str | None = "", seconds: float = 60) -> WebSocket:
        """Open a websocket to a workspace."""
        host = self.host_of(login)
        said = {**self.headers(host, token=token), "Origin": f"{self.settings.public_scheme}://{host}"}
        del said["Connection"]
        return WebSocket(self.address, f"/user/{login}{path}", said, seconds=seconds)

    def start(self, login: str) -> None:
        """Start a workspace; raises `NotStartedError`."""
        answer = self.hub("POST", f"/users/{login}/server", {})
        if answer.status not in {201, 202}:
            raise NotStartedError(f"{login}: {answer.status} {_text(answer.body)[:300]}")

    def wait(self, login: str) -> None:
        """Wait until a started workspace answers; raises `NotStartedError`."""
        until = time.monotonic() + READY_S
        while time.monotonic() < until:
            if self.ask(login, "GET", "/api/status").status == 200:  # noqa: PLR2004 - it answers
                return
            time.sleep(POLL_S)
        raise NotStartedError(f"{login}: no answer within {READY_S} s")

    def stop(self, login: str) -> int:
        """Stop a workspace and wait until it is gone; fine if it does not run. Returns the hub's last status."""
        until, status = time.monotonic() + READY_S, 0
        while time.monotonic() < until:
            status = self.hub("DELETE", f"/users/{login}/server").status
            if status in {204, 400, 404}:
                return status
            time.sleep(POLL_S)
        return status


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
