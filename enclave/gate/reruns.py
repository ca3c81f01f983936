"""Running submitted code again: prepared, started, watched, collected from and removed by the gate alone.

A run lives in this process only. Its volumes have keys that nobody else ever knows and that are gone with the process;
a gate that starts removes whatever another one left: containers, volumes, fastened views.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import logging
import os
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from enclave.errors import Denied, EnclaveError, Invalid, NotFound, Unavailable
from enclave.gate.dockerd import Dockerd
from enclave.gate.fastened import Fastened
from enclave.gate.plans import Plans
from enclave.gate.storage import Storage
from enclave.gate.volumes import NAMES
from enclave.volume_keys import KEY_BYTES
from enclave.workspace.plan import PlanDamaged, container_of
from enclave.workspace.rerun import LABEL_RERUN, PREFIX, TOO_LONG, RerunOrder, rerun_body, verify_order

LOG = logging.getLogger("ansim.gate.reruns")
MOST, LOOK_S, GRACE_S, KEPT_S = 2, 0.5, 10, 3600
Answer = dict[str, Any]


@dataclass
class _Run:
    order: RerunOrder
    keys: dict[str, bytes] = field(repr=False)
    began: float
    state: str = "running"
    exit_code: int | None = None
    why: str = ""
    ended: float | None = None

    def as_json(self) -> Answer:
        seconds = (self.ended or time.monotonic()) - self.began
        return {"state": self.state, "exit_code": self.exit_code, "why": self.why, "seconds": round(seconds, 1)}


class Reruns:
    """The runs of this gate, at most two at a time."""

    def __init__(
        self, docker: Dockerd, plans: Plans, storage: Storage, views: Fastened, clock: Callable[[], datetime]
    ) -> None:
        self._docker, self._plans, self._storage, self._views, self._clock = docker, plans, storage, views, clock
        self._runs: dict[str, _Run] = {}
        self._following: set[asyncio.Task[None]] = set()
        self._one = asyncio.Lock()

    async def begin(self, _: str, body: Answer) -> Answer:
        """Check an order and its code, and start it. Raises `Denied`, `Invalid`, `Unavailable` (`gate.rerun-busy`)."""
        order = self._checked(body)
        code = _code(order, body["code"])
        rerun_id = order.plan.workspace_id
        async with self._one:
            if rerun_id in self._runs:
                raise _refused("rerun-known", rerun_id)
            if sum(run.state == "running" for run in self._runs.values()) >= MOST:
                raise _busy()
            run = _Run(order, {name: secrets.token_bytes(KEY_BYTES) for name in NAMES}, time.monotonic())
            self._runs[rerun_id] = run
            try:
                await self._start(run, code)
            except BaseException:  # whatever it was, nothing of it stays
                await self._remove(rerun_id)
                raise
        task = asyncio.create_task(self._follow(run))
        self._following.add(task)
        task.add_done_callback(self._following.discard)
        LOG.info("re-run %s began: order %s", rerun_id, order.sha256[:12])
        return run.as_json()

    async def look(self, rerun_id: str, _: Answer) -> Answer:
        """Say how a run stands. Raises `NotFound` for one that this gate does not know (any more)."""
        return self._run(rerun_id).as_json()

    async def collect(self, rerun_id: str, body: Answer) -> Answer:
        """Copy files that an ended run wrote, by their own names, from wherever in its two volumes they lie."""
        run = self._run(rerun_id)
        if run.state == "running":
            raise _refused("rerun-running", rerun_id)
        keys = {name: base64.b64encode(key).decode() for name, key in run.keys.items()}
        listed = (await self._storage.files(rerun_id, {"keys": keys}))["files"]
        found: list[Answer] = []
        for volume in ("outbox", "home"):
            wanted = {_own(each["name"]): each["name"] for each in reversed(listed) if each["volume"] == volume}
            asked = [name for name in body["names"] if name in wanted and name not in {_own(f["name"]) for f in found}]
            if asked:
                names = {"names": [wanted[name] for name in asked], "limits": body["limits"], "volume": volume}
                found += (await self._storage.collect(rerun_id, {**names, "keys": keys}))["files"]
        return {"files": [{**each, "name": _own(each["name"])} for each in found]}

    async def end(self, rerun_id: str, _: Answer) -> Answer:
        """Remove a run and all it wrote; fine if there is nothing."""
        _check_id(rerun_id)
        await self._remove(rerun_id)
        return {}

    async def sweep(self) -> None:
        """Remove what another gate left; called before anybody can ask."""
        with suppress(EnclaveError):
            for container in await self._docker.labelled(LABEL_RERUN):
                if (rerun_id := container["Labels"][LABEL_RERUN]) in self._left():
                    await self._docker.remove(container_of(rerun_id))
        for rerun_id in self._left():
            LOG.warning("re-run %s was left behind and is removed", rerun_id)
            try:
                await self._remove(rerun_id)
            except (EnclaveError, OSError):
                LOG.exception("re-run %s cannot be removed", rerun_id)

    async def close(self) -> None:
        """Follow no run any more; what goes on is swept by the next gate."""
        for task in tuple(self._following):
            task.cancel()
        await asyncio.gather(*self._following, return_exceptions=True)

    def _left(self) -> set[str]:
        roots = self._plans.roots
        return {path.name for root in (roots.volumes, roots.mounted) for path in root.glob(f"{PREFIX}*")}

    def _checked(self, body: Answer) -> RerunOrder:
        try:
            data, signature = body["order"].encode(), base64.b64decode(body["signature"], validate=True)
            order = verify_order(data, signature, self._plans.public_key())
        except PlanDamaged as error:
            raise _refused("rerun-damaged", str(error)) from error
        self._plans.check(order.plan, self._clock())
        return order

    async def _start(self, run: _Run, code: dict[str, bytes]) -> None:
        plan = run.order.plan
        await asyncio.to_thread(self._views.ensure, plan)
        self._storage.hold(plan.workspace_id)
        await self._storage.prepare(plan, run.keys)
        self._plans.check_ready(plan)
        await asyncio.to_thread(_lay_out, self._plans.roots.volumes / plan.workspace_id / "home", code, plan.uid)
        made = await self._docker.order(
            "POST", "/containers/create", params={"name": plan.container_name}, body=rerun_body(run.order)
        )
        await self._docker.order("POST", f"/containers/{made['Id']}/start")

    async def _follow(self, run: _Run) -> None:
        """Wait until it ends, or end it; then its container goes and its files stay to be collected."""
        name = run.order.plan.container_name
        try:
            while run.state == "running":
                await asyncio.sleep(LOOK_S)
                is_late = time.monotonic() - run.began > run.order.seconds + GRACE_S
                try:
                    await self._look_at(run, name, is_late=is_late)
                except Unavailable:
                    # What runs goes on while its engine hangs.
                    if is_late:
                        run.state, run.why = "ended", "engine"
        finally:
            run.ended = time.monotonic()
            with suppress(Unavailable):
                await self._docker.remove(name)
        LOG.info("re-run %s ended: %s %s", run.order.plan.workspace_id, run.exit_code, run.why)
        await asyncio.sleep(KEPT_S)
        await self._remove(run.order.plan.workspace_id)

    async def _look_at(self, run: _Run, name: str, *, is_late: bool) -> None:
        found = await self._docker.inspect(name)
        if found is None:
            run.state, run.why = "ended", "gone"
        elif not found["State"]["Running"]:
            run.exit_code = int(found["State"]["ExitCode"])
            run.state, run.why = "ended", _why(found["State"], run.exit_code)
        elif is_late:
            run.state, run.why = "ended", "time"

    async def _remove(self, rerun_id: str) -> None:
        if (run := self._runs.pop(rerun_id, None)) is not None:
            run.state = "ended"
        await self._docker.remove(container_of(rerun_id))
        await asyncio.to_thread(self._views.release, rerun_id)
        await self._storage.remove(rerun_id)
        self._storage.let_go(rerun_id)

    def _run(self, rerun_id: str) -> _Run:
        if (run := self._runs.get(rerun_id)) is not None:
            return run
        raise NotFound(
            "gate.rerun-unknown",
            ko="게이트가 모르는 재실행입니다. 게이트가 다시 시작되었을 수 있습니다.",
            en="The gate knows no such re-run; it may have started anew.",
            remedy_ko="재실행은 저절로 다시 시도됩니다.",
            remedy_en="It is tried again by itself.",
        )


def _own(name: str) -> str:
    return name.rpartition("/")[2]


def _why(state: Answer, exit_code: int) -> str:
    if state.get("OOMKilled"):
        return "memory"
    return "time" if exit_code == TOO_LONG else ""


def _code(order: RerunOrder, sent: dict[str, str]) -> dict[str, bytes]:
    """Return the code by name. Raises `Invalid` unless it is exactly what the order names."""
    code = {str(name): base64.b64decode(content, validate=True) for name, content in sent.items()}
    if {name: hashlib.sha256(content).hexdigest() for name, content in code.items()} != dict(order.files):
        raise Invalid(
            "gate.rerun-code",
            ko="보낸 코드가 지시서의 것과 다릅니다.",
            en="The code that was sent is not what the order names.",
            remedy_ko="게이트와 포털의 판이 같은지 확인하십시오.",
            remedy_en="Check that gate and portal are of one version.",
        )
    return code


def _lay_out(home: Path, code: dict[str, bytes], uid: int) -> None:
    # The volume is fresh and nothing runs: no name in it is anybody's but ours.
    for name, content in code.items():
        descriptor = os.open(home / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            os.fchown(descriptor, uid, uid)


def _check_id(rerun_id: str) -> None:
    if not rerun_id.startswith(PREFIX):
        raise _refused("rerun-id", rerun_id)


def _refused(what: str, which: str) -> Denied:
    return Denied(
        f"gate.{what}",
        ko=f"게이트가 재실행 지시를 받아들이지 않았습니다({what}): {which}",
        en=f"The gate does not accept this order to run code again ({what}): {which}",
        remedy_ko="운영자에게 알려 주십시오.",
        remedy_en="Tell the operator.",
    )


def _busy() -> Unavailable:
    return Unavailable(
        "gate.rerun-busy",
        ko=f"동시에 {MOST}건까지만 다시 실행합니다.",
        en=f"At most {MOST} re-runs go on at a time.",
        remedy_ko="차례가 오면 저절로 시작됩니다.",
        remedy_en="It starts by itself when its turn comes.",
    )
