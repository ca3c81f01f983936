"""What is measured: from the request to start a server until the first cell of a new kernel has run.

The same client for every opponent: REST for the start, the real websocket for the cell.
"""

from __future__ import annotations

import json
import socket
import time
import uuid
from dataclasses import dataclass
from typing import Any

import httpx
from websockets.sync.client import connect

POLL_S = 0.05
LIMIT_S = 120
CODE = "print(6 * 7)"


@dataclass(frozen=True)
class Way:
    """How one opponent is reached: `start` and `stop` its address for servers, `server` that of the notebook server.

    `http` carries the credentials; `headers(url)` gives those of a changing request or a websocket.
    """

    servers: str
    server: str
    http: httpx.Client
    headers: Any

    def start(self) -> None:
        """Ask for the server and wait until it answers."""
        until = time.monotonic() + LIMIT_S
        self.http.post(self.servers, headers=self.headers(self.servers), json={}).raise_for_status()
        while time.monotonic() < until:
            answer = self.http.get(f"{self.server}/api/status", headers=self.headers(self.server))
            if answer.status_code == httpx.codes.OK and "json" in answer.headers["content-type"]:
                return
            time.sleep(POLL_S)
        raise TimeoutError(f"{self.server} did not answer in {LIMIT_S} s")

    def stop(self) -> None:
        """Stop the server and wait until the hub has forgotten it."""
        until = time.monotonic() + LIMIT_S
        self.http.delete(self.servers, headers=self.headers(self.servers))
        user = self.servers.removesuffix("/server")
        while self.http.get(user, headers=self.headers(user)).json().get("servers") and time.monotonic() < until:
            time.sleep(0.1)

    def run_cell(self) -> str:
        """Start a kernel, run one cell, return what it printed."""
        answer = self.http.post(f"{self.server}/api/kernels", headers=self.headers(self.server), json={})
        answer.raise_for_status()
        url = f"{self.server}/api/kernels/{answer.json()['id']}/channels"
        port = int(url.split(":")[2].split("/", maxsplit=1)[0])
        plain = socket.create_connection(("127.0.0.1", port))
        with connect("ws" + url.removeprefix("http"), sock=plain, additional_headers=self.headers(url)) as channel:
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
