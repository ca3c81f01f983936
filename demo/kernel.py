"""A kernel driven over the real websocket, as a browser does it (Jupyter messaging protocol 5.4, JSON on the wire)."""

from __future__ import annotations

import contextlib
import json
import socket
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

from websockets.sync.client import ClientConnection, connect

from demo.session import Session

REPLY_S = 120.0


@dataclass
class Outcome:
    """What one cell gave: its text, and the error if there was one."""

    text: str = ""
    error: str = ""


class Kernel:
    """One kernel of one person's workspace; use as a context manager."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._id = session.new_kernel()
        self._socket: ClientConnection | None = None
        self._open = contextlib.ExitStack()

    def __enter__(self) -> Self:
        url = f"{self._session.workspace}/api/kernels/{self._id}/channels"
        port = int(url.split(":")[2].split("/", maxsplit=1)[0])
        plain = socket.create_connection(("127.0.0.1", port))
        headers = {"Cookie": self._session.cookies_for(url), "Origin": url.split("/user/", maxsplit=1)[0]}
        address = "ws" + url.removeprefix("http")
        self._socket = self._open.enter_context(
            connect(address, sock=plain, additional_headers=headers, max_size=64 << 20)
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def run(self, code: str) -> Outcome:
        """Run one cell and wait for its reply and its idle state.

        Raises: TimeoutError when nothing arrives for two minutes.
        """
        message = self._request(code)
        outcome, replied, idle = Outcome(), False, False
        for reply in self._replies(message):
            kind, content = reply["header"]["msg_type"], reply["content"]
            if kind == "stream":
                outcome.text += content["text"]
            elif kind in {"display_data", "execute_result"}:
                outcome.text += content["data"].get("text/plain", "") + "\n"
            elif kind == "error":
                outcome.error = f"{content['ename']}: {content['evalue']}"
            replied = replied or kind == "execute_reply"
            idle = idle or (kind == "status" and content["execution_state"] == "idle")
            if replied and idle:
                return outcome
        return outcome

    def _request(self, code: str) -> str:
        identifier = uuid.uuid4().hex
        header = {"msg_id": identifier, "msg_type": "execute_request", "username": "", "session": identifier[:8]}
        content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False}
        message = {
            "header": header | {"version": "5.4", "date": ""},
            "parent_header": {},
            "metadata": {},
            "content": content,
            "channel": "shell",
            "buffers": [],
        }
        self._connection.send(json.dumps(message))
        return identifier

    def _replies(self, to: str) -> Iterator[dict[str, Any]]:
        while True:
            message: dict[str, Any] = json.loads(self._connection.recv(timeout=REPLY_S))
            if message.get("parent_header", {}).get("msg_id") == to:
                yield message

    @property
    def _connection(self) -> ClientConnection:
        if self._socket is None:
            raise RuntimeError("use the kernel in a with statement")
        return self._socket
