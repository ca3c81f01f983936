"""The gate's client: what portal and hub ask of the one privileged process, over its unix socket."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from audit.exchange import Ask, Limits, NoAnswerError, exchange
from enclave.errors import Unavailable, answered
from enclave.gate.events import GateEvent, event_of
from enclave.gate.limits import Collected, CollectLimits, ListedFile, RefusedFile
from enclave.gate.screen import Screen, screen_of
from enclave.gpu.devices import Reading
from enclave.settings import Settings

_OK = range(200, 300)
_MOST_BYTES = 64 << 20


class Patience(NamedTuple):
    """Seconds in which the gate answers whole.

    A gate that hangs keeps its socket, and the kernel takes connections for it. `prompt`: most calls; `stop`: what
    ends something, and waits for the engine; `work`: mounting, waiting for a notebook server, copying gigabytes.
    """

    prompt: float = 30
    stop: float = 60
    work: float = 300


class Gate:
    """A door to the gate. Every method raises the `EnclaveError` that the gate answered, or `Unavailable`."""

    def __init__(self, path: Path, patience: Patience = Patience()) -> None:  # noqa: B008 - frozen
        self._socket, self._patience = path, patience

    @classmethod
    def of(cls, settings: Settings) -> Gate:
        """Return the gate of these settings."""
        return cls(settings.gate_socket, Patience(settings.gate_wait_s, settings.gate_stop_s, settings.gate_work_s))

    def register_plan(self, plan: bytes, signature: bytes, *, keys: Mapping[str, bytes]) -> str:
        """Hand over a signed plan with the keys of its volumes, which are prepared; returns the plan's sha256."""
        body = {"plan": plan.decode(), "signature": base64.b64encode(signature).decode(), "keys": _keys(keys)}
        return str(self._call("POST", "/plans", body, most_s=self._patience.work)["sha256"])

    def set_limits(self, plan: bytes, signature: bytes) -> None:
        """Hand over the plan of an open workspace signed anew, in which nothing but the display limits differs."""
        self._call("POST", "/limits", {"plan": plan.decode(), "signature": base64.b64encode(signature).decode()})

    def revoke(self, workspace_id: str) -> None:
        """Stop and remove the workspace's container, cut its relays, forget its plans. Doing it twice is fine."""
        self._call("POST", f"/workspaces/{workspace_id}/revoke", {}, most_s=self._patience.stop)

    def lock(self, workspace_id: str) -> None:
        """Lock the workspace's screen: sockets to the browser are closed, kernels go on."""
        self._call("POST", f"/workspaces/{workspace_id}/lock", {})

    def unlock(self, workspace_id: str, seat: str) -> None:
        """Open the screen at this address, for somebody who has just proved who they are."""
        self._call("POST", f"/workspaces/{workspace_id}/unlock", {"seat": seat})

    def move_seat(self, workspace_id: str, seat: str) -> None:
        """Let the workspace be used from this address alone."""
        self._call("POST", f"/workspaces/{workspace_id}/seat", {"seat": seat})

    def screen(self, workspace_id: str) -> Screen:
        """Return whether the screen is locked now, and since when no hand was there."""
        return screen_of(self._call("GET", f"/workspaces/{workspace_id}/screen", None))

    def relay(self, workspace_id: str, container_id: str) -> tuple[str, int]:
        """Open the relays into a started container and wait for its server; (host, port) for the proxy."""
        answer = self._call(
            "POST", f"/workspaces/{workspace_id}/relay", {"container_id": container_id}, most_s=self._patience.work
        )
        return str(answer["host"]), int(answer["port"])

    def collect(
        self,
        workspace_id: str,
        names: Iterable[str],
        *,
        limits: CollectLimits | None = None,
        volume: str = "outbox",
        keys: Mapping[str, bytes] | None = None,
    ) -> list[Collected | RefusedFile]:
        """Copy files (`name` or `folder/name`, relative to the volume) into staging; one answer for each name.

        With `keys` also while nothing runs: the volumes are then mounted for as long as it takes.
        """
        bounds = limits or CollectLimits()
        body: dict[str, Any] = {"names": list(names), "limits": bounds.__dict__, "volume": volume}
        body |= {"keys": _keys(keys)} if keys is not None else {}
        files = self._call("POST", f"/workspaces/{workspace_id}/collect", body, most_s=self._patience.work)["files"]
        return [_file(item) for item in files]

    def files(self, workspace_id: str, *, keys: Mapping[str, bytes]) -> tuple[dict[str, list[ListedFile]], int]:
        """Return the files of each volume that could be collected, and how many entries were left out."""
        answer = self._call(
            "POST", f"/workspaces/{workspace_id}/files", {"keys": _keys(keys)}, most_s=self._patience.work
        )
        found: dict[str, list[ListedFile]] = {"outbox": [], "home": []}
        for item in answer["files"]:
            found[item.pop("volume")].append(ListedFile(**item))
        return found, int(answer["left_out"])

    def activity(self, workspace_id: str) -> dict[str, int | None]:
        """Return `cpu_ns`, which all its processes used so far (None: nothing runs), and `last_hand`.

        `last_hand` is the Unix second of the last hand at its screen, as the lock counts it; None: it is not open.
        """
        return self._call("GET", f"/workspaces/{workspace_id}/activity", None)

    def remove_volumes(self, workspace_id: str) -> None:
        """Destroy home and outbox of a workspace that has no container any more."""
        self._call("DELETE", f"/workspaces/{workspace_id}/volumes", None, most_s=self._patience.work)

    def events(self, limit: int = 200) -> list[GateEvent]:
        """Return the oldest events that wait to be recorded; the same ones again until they are settled."""
        return [event_of(values) for values in self._call("GET", f"/events?limit={limit}", None)["events"]]

    def settle(self, ids: Iterable[str]) -> None:
        """Let the gate forget events that are recorded; ids that it no longer knows are fine."""
        self._call("POST", "/events/settle", {"ids": list(ids)})

    def gpus(self) -> Reading | None:
        """Return the driver's inventory as it was read last, and have it read anew; None before the first time."""
        reading = self._call("GET", "/gpus", None)["reading"]
        return None if reading is None else Reading.from_json(reading)

    def gpu_holders(self) -> dict[str, str]:
        """Return which workspace's container runs with which device now."""
        return {str(uuid): str(owner) for uuid, owner in self._call("GET", "/gpus/holders", None)["holders"].items()}

    def scrub(self, uuid: str, number: str) -> dict[str, Any] | None:
        """Begin to erase a device's memory in this round, or return the report of it; None while it goes on."""
        answer = self._call("POST", "/gpus/scrub", {"uuid": uuid, "round": number})
        return answer["report"] if answer["state"] == "done" else None

    def meter(self, workspace_id: str) -> dict[str, Any]:
        """Return what was shown of a running workspace: `hour` and `day` (sums) and `limits`; empty if none runs."""
        return self._call("GET", f"/workspaces/{workspace_id}/meter", None)

    def begin_rerun(self, order: bytes, signature: bytes, code: Mapping[str, bytes]) -> None:
        """Have submitted code run again in a sealed container of its own; `look_rerun` says how it stands."""
        sent = {name: base64.b64encode(content).decode() for name, content in code.items()}
        body = {"order": order.decode(), "signature": base64.b64encode(signature).decode(), "code": sent}
        self._call("POST", "/reruns", body, most_s=self._patience.work)

    def look_rerun(self, rerun_id: str) -> dict[str, Any]:
        """Return `state` (running, ended), `exit_code`, `why` (time, memory, gone, engine or nothing), `seconds`."""
        return self._call("GET", f"/reruns/{rerun_id}", None)

    def collect_rerun(
        self, rerun_id: str, names: Iterable[str], *, limits: CollectLimits
    ) -> list[Collected | RefusedFile]:
        """Copy what an ended run wrote under these names into staging; what it did not write is left out."""
        body = {"names": list(names), "limits": limits.__dict__}
        return [
            _file(item)
            for item in self._call("POST", f"/reruns/{rerun_id}/collect", body, most_s=self._patience.work)["files"]
        ]

    def end_rerun(self, rerun_id: str) -> None:
        """Remove a run and all it wrote. Doing it twice is fine."""
        self._call("DELETE", f"/reruns/{rerun_id}", None, most_s=self._patience.stop)

    def status(self) -> dict[str, Any]:
        """Plans, running workspaces, their ports and bytes, whether the engine answers."""
        return self._call("GET", "/status", None)

    def _call(self, method: str, path: str, body: dict[str, Any] | None, *, most_s: float = 0) -> dict[str, Any]:
        # ASCII JSON: a name with lone surrogates must arrive at the gate and be refused there, not break here.
        content = b"" if body is None else json.dumps(body).encode()
        ask = Ask(method, f"http://gate{path}", content, unix=str(self._socket))
        try:
            said = exchange(ask, Limits(most_s or self._patience.prompt, _MOST_BYTES))
        except NoAnswerError as error:
            raise _unreachable(error) from error
        answer: dict[str, Any] = json.loads(said.body)
        if said.status in _OK:
            return answer
        raise answered(said.status, answer)


def _keys(keys: Mapping[str, bytes]) -> dict[str, str]:
    return {name: base64.b64encode(key).decode() for name, key in keys.items()}


def _file(item: dict[str, Any]) -> Collected | RefusedFile:
    if "code" in item:
        return RefusedFile(**item)
    return Collected(**{**item, "path": Path(item["path"])})


def _unreachable(error: Exception) -> Unavailable:
    return Unavailable(
        "gate.unreachable",
        ko=f"게이트가 응답하지 않습니다: {error}",
        en=f"The gate does not answer: {error}",
        remedy_ko="잠시 뒤 다시 시도하고, 계속되면 운영자에게 게이트 상태 확인을 요청하십시오.",
        remedy_en="Try again in a moment; if it persists ask the operator to look at the gate.",
    )
