"""What is measured: from the request to start a server until the first cell of a new kernel has run.

The same client for every opponent: REST for the start, the real websocket for the cell.
"""

from __future__ import annotations

import json
import socket
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import httpx
from websockets.sync.client import connect

POLL_S = 0.05
LIMIT_S = 120
CODE = "print(6 * 7)"


class Way(Protocol):
    """How one opponent is used."""

    def start(self) -> None:
        """Ask for the server and wait until it answers."""

    def stop(self) -> None:
        """Stop the server and wait until it is gone."""

    def run_cell(self) -> str:
        """Start a kernel, run one cell, return what it printed."""


@dataclass(frozen=True)
class RestWay:
    """A hub used with a token: `servers` is the address that starts and stops, `server` that of the notebook server."""

    servers: str
    server: str
    http: httpx.Client
    headers: dict[str, str]

    def start(self) -> None:
        """Ask for the server and wait until it answers."""
        until = time.monotonic() + LIMIT_S
        self.http.post(self.servers, headers=self.headers, json={}).raise_for_status()
        while time.monotonic() < until:
            answer = self.http.get(f"{self.server}/api/status", headers=self.headers)
            if answer.status_code == httpx.codes.OK and "json" in answer.headers["content-type"]:
                return
            time.sleep(POLL_S)
        raise TimeoutError(f"{self.server} did not answer in {LIMIT_S} s")

    def stop(self) -> None:
        """Stop the server and wait until the hub has forgotten it."""
        self.http.delete(self.servers, headers=self.headers)
        wait_until_gone(lambda: self.http.get(self.servers.removesuffix("/server"), headers=self.headers).json())

    def run_cell(self) -> str:
        """Start a kernel, run one cell, return what it printed."""
        answer = self.http.post(f"{self.server}/api/kernels", headers=self.headers, json={})
        answer.raise_for_status()
        url = f"{self.server}/api/kernels/{answer.json()['id']}/channels"
        port = int(url.split(":")[2].split("/", maxsplit=1)[0])
        plain = socket.create_connection(("127.0.0.1", port))
        with connect("ws" + url.removeprefix("http"), sock=plain, additional_headers=self.headers) as channel:
            channel.send(json.dumps(_execute_request()))
            while True:
                message = json.loads(channel.recv(timeout=LIMIT_S))
                if message["msg_type"] == "stream":
                    return str(message["content"]["text"])


def seconds(way: Way) -> float:
    """Seconds from the request to the first executed cell; the server is stopped afterwards."""
    started = time.monotonic()
    way.start()
    if way.run_cell().strip() != "42":
        raise AssertionError("the cell did not run")
    took = time.monotonic() - started
    way.stop()
    return took


def wait_until_gone(user: Callable[[], dict[str, Any]]) -> None:
    """Wait until the hub's account of a user knows of no server. Raises: TimeoutError."""
    until = time.monotonic() + LIMIT_S
    while user().get("servers"):
        if time.monotonic() > until:
            raise TimeoutError("the server did not stop")
        time.sleep(POLL_S)


def _execute_request() -> dict[str, Any]:
    identifier = uuid.uuid4().hex
    header = {"msg_id": identifier, "msg_type": "execute_request", "username": "", "session": identifier[:8]}
    content = {"code": CODE, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False}
    return {
        "header": header | {"version": "5.4", "date": ""},
        "parent_header": {},
        "metadata": {},
        "content": content,
        "channel": "shell",
        "buffers": [],
    }
