"""The few questions and orders the gate itself has for the container engine (Docker Engine API v1.41).

An engine that hangs keeps its socket. Every call has an end, counted from its beginning to the last byte of its
answer; and once one was waited for in vain, others are refused at once for a while, so that nothing of the gate's own
waits behind it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Container, Sequence
from pathlib import Path
from typing import Any

import httpx

from audit.silence import Silence
from enclave.errors import Unavailable
from enclave.workspace.engine import LABEL_WORKSPACE

VERSION = "v1.41"
NOT_FOUND, CONFLICT = 404, 409
LAST_LINES = 40
NOTHING = bytes(1024)  # an empty tar archive: two blocks of zeros
AGAIN_S = 5
# Copying a folder out of an image takes the disk's time.
COPY_TIMES = 4


class Dockerd:
    """The engine behind its own socket. Every method raises `Unavailable` (`gate.engine-gone`) when it is not there.

    `ask_s` and `order_s`: seconds in which a question, and an order that makes or ends something, is answered whole.
    """

    def __init__(self, socket: Path, *, ask_s: float = 20, order_s: float = 45) -> None:
        self.socket, self.ask_s, self.order_s = socket, ask_s, order_s
        self._silence = Silence(AGAIN_S)

    async def _call(
        self,
        method: str,
        path: str,
        params: dict[str, str] | None = None,
        body: Any = None,
        most_s: float | None = None,
    ) -> httpx.Response:
        if not self._silence.may_ask():
            raise gone(TimeoutError())
        transport = httpx.AsyncHTTPTransport(uds=str(self.socket))
        try:
            async with (
                asyncio.timeout(most_s or (self.ask_s if method == "GET" else self.order_s)),
                httpx.AsyncClient(transport=transport, base_url="http://engine", timeout=None) as client,  # noqa: S113 - the whole has its end
            ):
                answer = await client.request(method, f"/{VERSION}{path}", params=params, json=body)
        except TimeoutError as error:
            self._silence.began()
            raise gone(error) from error
        except httpx.HTTPError as error:
            # Who refuses, as while it starts again, is not silent: the next is not held back.
            self._silence.ended()
            raise gone(error) from error
        self._silence.ended()
        return answer

    async def inspect(self, name: str) -> dict[str, Any] | None:
        """Return what the engine knows of a container (by id or name); None if there is none."""
        answer = await self._call("GET", f"/containers/{name}/json")
        return None if answer.status_code == NOT_FOUND else _value(answer)

    async def order(
        self,
        method: str,
        path: str,
        *,
        params: dict[str, str] | None = None,
        body: Any = None,
        fine: Container[int] = (),
    ) -> Any:
        """Give the engine an order of the gate's own and return its answer; a status in `fine` is no refusal."""
        answer = await self._call(method, path, params, body)
        return None if answer.status_code in fine else _value(answer)

    async def folders(self, image_id: str, paths: Sequence[str]) -> list[bytes] | None:
        """Return folders of an image as tar archives, empty ones for those it lacks; nothing of it is ever run.

        None if the engine has no such image.
        """
        body = {"Image": image_id, "Cmd": ["true"], "NetworkDisabled": True, "HostConfig": {"NetworkMode": "none"}}
        answer = await self._call("POST", "/containers/create", body=body)
        if answer.status_code == NOT_FOUND:
            return None
        made = _value(answer)["Id"]
        try:
            most_s = COPY_TIMES * self.order_s
            where = f"/containers/{made}/archive"
            archives = [await self._call("GET", where, {"path": path}, most_s=most_s) for path in paths]
            return [NOTHING if answer.status_code == NOT_FOUND else _bytes(answer) for answer in archives]
        finally:
            await self.remove(made)

    async def wait(self, name: str, *, most_s: float) -> None:
        """Wait until a container has ended, for so many seconds at most."""
        _value(await self._call("POST", f"/containers/{name}/wait", most_s=most_s))

    async def workspaces(self, *, everything: bool = False) -> list[dict[str, Any]]:
        """Return the running containers (or all) that carry a workspace's label, of whatever enclave."""
        status = {} if everything else {"status": ["running"]}
        params = {"all": "true", "filters": json.dumps({"label": [LABEL_WORKSPACE], **status})}
        found: list[dict[str, Any]] = _value(await self._call("GET", "/containers/json", params))
        return found

    async def labelled(self, label: str) -> list[dict[str, Any]]:
        """Return all containers that carry a label, running or not."""
        params = {"all": "true", "filters": json.dumps({"label": [label]})}
        found: list[dict[str, Any]] = _value(await self._call("GET", "/containers/json", params))
        return found

    async def remove(self, name: str) -> None:
        """Kill and remove a container; fine if it is gone already."""
        answer = await self._call("DELETE", f"/containers/{name}", {"force": "true", "v": "true"})
        if answer.status_code not in {NOT_FOUND, CONFLICT}:
            _value(answer)

    async def cpu_ns(self, name: str) -> int | None:
        """Return the processor time that all processes of a running container have used; None if none runs.

        In nanoseconds, counted by the kernel (cgroup), so nothing inside can make it less.
        """
        answer = await self._call("GET", f"/containers/{name}/stats", {"stream": "false", "one-shot": "true"})
        if answer.status_code in {NOT_FOUND, CONFLICT}:
            return None
        return int(_value(answer)["cpu_stats"]["cpu_usage"]["total_usage"]) or None

    async def last_words(self, name: str, *, most: int = 4000) -> str:
        """Return the last lines a container wrote, printable, at most `most` characters."""
        params = {"stdout": "true", "stderr": "true", "tail": str(LAST_LINES)}
        answer = await self._call("GET", f"/containers/{name}/logs", params)
        # Multiplexed frames carry 8 bytes of head each; dropping what is unprintable leaves the text.
        text = answer.content.decode("utf-8", "replace")
        return "".join(c for c in text if c.isprintable() or c == "\n")[-most:]

    async def ping(self) -> bool:
        """Say whether the engine answers."""
        try:
            return (await self._call("GET", "/_ping")).is_success
        except Unavailable:
            return False


def gone(error: Exception) -> Unavailable:
    """Say that the engine does not answer."""
    return Unavailable(
        "gate.engine-gone",
        ko=f"컨테이너 엔진이 응답하지 않습니다({type(error).__name__}). 아무것도 시작되지 않았습니다.",
        en=f"The container engine does not answer ({type(error).__name__}). Nothing was started.",
        remedy_ko="잠시 뒤 다시 시작하십시오. 계속되면 운영자에게 엔진 상태 확인을 요청하십시오.",
        remedy_en="Start again in a moment. If it persists ask the operator to look at the engine.",
    )


def _value(answer: httpx.Response) -> Any:
    return answer.json() if _bytes(answer) else None


def _bytes(answer: httpx.Response) -> bytes:
    if not answer.is_success:
        raise Unavailable(
            "gate.engine-refused",
            ko=f"컨테이너 엔진이 거부했습니다: {answer.text[:300]}",
            en=f"The container engine refused: {answer.text[:300]}",
            remedy_ko="운영자에게 알려 주십시오.",
            remedy_en="Tell the operator.",
        )
    return answer.content
