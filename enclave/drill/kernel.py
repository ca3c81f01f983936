"""A kernel in the drill's workspace, driven over the websocket that browsers use (Jupyter messaging protocol 5.4)."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any, Self

from enclave.drill.hub import Door
from enclave.drill.wire import WebSocket

REPLY_S = 120.0
# The notebook server asks every 30 seconds and gives up after 90 without an answer.
UNREAD_S = 60.0


class KernelError(RuntimeError):
    """A cell ended in an error, or never ended; the text says which."""


class Kernel:
    """One kernel; use as a context manager."""

    def __init__(self, door: Door, login: str) -> None:
        self._door, self.login = door, login
        answer = door.ask(login, "POST", "/api/kernels", {})
        if answer.status != 201:  # noqa: PLR2004 - made
            raise KernelError(f"no kernel: {answer.status} {answer.body[:200]!r}")
        self.id = str(json.loads(answer.body)["id"])
        self._socket = self._open()

    def _open(self) -> WebSocket:
        link = self._door.websocket(self.login, f"/api/kernels/{self.id}/channels", seconds=REPLY_S)
        if link.status != 101:  # noqa: PLR2004 - switching protocols
            raise KernelError(f"no websocket: {link.status}")
        self._read_at = time.monotonic()
        return link

    def _connected(self) -> None:
        """Connect anew after a long while: a server closes a websocket whose pings nobody reads, and so answers."""
        if time.monotonic() - self._read_at > UNREAD_S:
            self._socket.close()
            self._socket = self._open()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        self._door.ask(self.login, "DELETE", f"/api/kernels/{self.id}")

    def run(self, code: str, *, seconds: float = REPLY_S) -> str:
        """Run one cell; returns what it printed. Raises `KernelError` for its error, or when it does not end."""
        text, error = "", ""
        try:
            for kind, content in self.messages(code, seconds=seconds):
                if kind == "stream":
                    text += content["text"]
                elif kind == "error":
                    error = f"{content['ename']}: {content['evalue']}"
        except OSError as failure:
            raise KernelError(f"the cell did not end: {failure}; so far: {text[-300:]}") from failure
        if error:
            raise KernelError(f"{error}; printed: {text[-300:]}")
        return text

    def value(self, code: str, *, seconds: float = REPLY_S) -> Any:
        """Run one cell whose last line of output is JSON and return its value."""
        lines = self.run(code, seconds=seconds).strip().splitlines()
        if not lines:
            raise KernelError("the cell printed nothing")
        return json.loads(lines[-1])

    def messages(self, code: str, *, seconds: float = REPLY_S) -> Any:
        """Run one cell and yield its messages as (kind, content) until it has replied and is idle."""
        self._connected()
        name, replied, idle = self._send(code), False, False
        end = time.monotonic() + seconds
        while not (replied and idle):
            left = end - time.monotonic()
            if left <= 0:  # also where messages never cease
                raise TimeoutError(f"not within {seconds:.0f} s")
            self._socket.wait(left)
            data = self._socket.receive()
            self._read_at = time.monotonic()
            if not data:
                raise KernelError("the websocket was closed")
            message = json.loads(data)
            if message.get("parent_header", {}).get("msg_id") != name:
                continue
            kind, content = message["header"]["msg_type"], message["content"]
            replied = replied or kind == "execute_reply"
            idle = idle or (kind == "status" and content["execution_state"] == "idle")
            yield kind, content

    @property
    def received(self) -> int:
        """Bytes that came over the websocket so far."""
        return self._socket.received

    def _send(self, code: str) -> str:
        name = uuid.uuid4().hex
        header = {"msg_id": name, "msg_type": "execute_request", "username": "", "session": name[:8], "version": "5.4"}
        content = {"code": code, "silent": False, "store_history": False, "user_expressions": {}, "allow_stdin": False}
        message = {"header": {**header, "date": ""}, "parent_header": {}, "metadata": {}, "content": content}
        self._socket.send(json.dumps({**message, "channel": "shell", "buffers": []}))
        return name
