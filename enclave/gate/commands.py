"""The gate's own commands over its unix socket: plans, revoking, collecting for the portal; relays for the hub.

Who asks is said by the kernel (the peer's user id), never by the request.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import logging
import pwd
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from enclave.errors import Denied, EnclaveError, Invalid, NotFound, Unavailable
from enclave.forwarded import plain
from enclave.gate.bridge.bridge import Bridge
from enclave.gate.collector import Owner
from enclave.gate.display_limits import set_limits
from enclave.gate.dockerd import Dockerd
from enclave.gate.fastened import Fastened
from enclave.gate.gpus import Gpus, holders
from enclave.gate.peer import peer_uid
from enclave.gate.plans import Plans
from enclave.gate.relay import Relays
from enclave.gate.reruns import Reruns
from enclave.gate.spool import Spool
from enclave.gate.storage import Storage, read_keys
from enclave.gate.volumes import Volumes
from enclave.gate.wire import Refused, Request, read_request, respond_json
from enclave.workspace.plan import container_of

LOG = logging.getLogger("ansim.gate.commands")
BODY = 1 << 20
FINISH_S = 2
ID = "(?P<id>[a-z0-9][a-z0-9-]{0,62})"

Answer = dict[str, Any]


@dataclass(frozen=True)
class Parts:
    """What the commands work with."""

    docker: Dockerd
    plans: Plans
    relays: Relays
    volumes: Volumes
    views: Fastened
    bridge: Bridge
    staging: Path
    spool: Spool
    clock: Callable[[], datetime]
    gpus: Gpus


class Commands:
    """Serves the gate's socket for the portal's user (`app`) and the hub's user (`hub`)."""

    def __init__(self, parts: Parts, *, app: pwd.struct_passwd, hub: pwd.struct_passwd) -> None:
        self._parts, self._making = parts, asyncio.Lock()
        self._unfinished: set[str] = set()
        self.storage = Storage(parts.volumes, parts.staging, Owner(app.pw_uid, app.pw_gid))
        self.reruns = Reruns(parts.docker, parts.plans, self.storage, parts.views, parts.clock)
        only_app, both = {app.pw_uid, 0}, {app.pw_uid, hub.pw_uid, 0}
        self._routes: list[tuple[str, re.Pattern[str], set[int], Callable[[str, Answer], Awaitable[Answer]]]] = [
            ("POST", re.compile("/plans"), only_app, self._register),
            ("POST", re.compile(f"/workspaces/{ID}/revoke"), only_app, self._revoke),
            ("POST", re.compile("/limits"), only_app, self._limit),
            ("POST", re.compile(f"/workspaces/{ID}/collect"), only_app, self.storage.collect),
            ("POST", re.compile(f"/workspaces/{ID}/files"), only_app, self.storage.files),
            ("GET", re.compile(f"/workspaces/{ID}/activity"), only_app, self._activity),
            ("DELETE", re.compile(f"/workspaces/{ID}/volumes"), only_app, self._remove_volumes),
            ("POST", re.compile(f"/workspaces/{ID}/lock"), only_app, self._lock),
            ("POST", re.compile(f"/workspaces/{ID}/unlock"), only_app, self._unlock),
            ("POST", re.compile(f"/workspaces/{ID}/seat"), only_app, self._seat),
            ("GET", re.compile(f"/workspaces/{ID}/screen"), only_app, self._screen),
            ("POST", re.compile(f"/workspaces/{ID}/relay"), both, self._relay),
            ("GET", re.compile(r"/events(\?limit=(?P<id>[0-9]{1,4}))?"), only_app, self._events),
            ("POST", re.compile("/events/settle"), only_app, self._settle),
            ("GET", re.compile("/gpus"), only_app, self._gpus),
            ("GET", re.compile("/gpus/holders"), only_app, self._holders),
            ("POST", re.compile("/gpus/scrub"), only_app, self._scrub),
            ("GET", re.compile(f"/workspaces/{ID}/meter"), only_app, self._meter),
            ("POST", re.compile("/reruns"), only_app, self.reruns.begin),
            ("GET", re.compile(f"/reruns/{ID}"), only_app, self.reruns.look),
            ("POST", re.compile(f"/reruns/{ID}/collect"), only_app, self.reruns.collect),
            ("DELETE", re.compile(f"/reruns/{ID}"), only_app, self.reruns.end),
            ("GET", re.compile("/status"), both, self._status),
        ]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one command with JSON; an error has its own status and the five texts of `EnclaveError`."""
        try:
            request = await read_request(reader, body_limit=BODY)
            answer = await self._command(request, peer_uid(writer))
        except Refused as refused:
            await respond_json(writer, refused.status, _invalid(str(refused)).as_json())
        except EnclaveError as error:
            LOG.warning("%s: %s", error.code, error.en)
            await respond_json(writer, error.status, error.as_json())
        except OSError as error:
            LOG.exception("the system refused")
            await respond_json(writer, 503, _system(error).as_json())
        else:
            await respond_json(writer, 200, answer)

    async def _command(self, request: Request, uid: int) -> Answer:
        for method, path, allowed, command in self._routes:
            found = path.fullmatch(request.target)
            if found and method == request.method:
                if uid not in allowed:
                    raise _not_you(uid, request.target)
                try:
                    body = json.loads(request.body or b"{}")
                    return await command(found.groupdict().get("id", ""), body)
                except (KeyError, TypeError, ValueError, AttributeError) as error:
                    raise _invalid(f"{type(error).__name__}: {error}"[:200]) from error
        raise NotFound(
            "gate.no-command", ko=f"그런 명령이 없습니다: {request.target!a}", en="There is no such command."
        )

    async def _register(self, _: str, body: Answer) -> Answer:
        data, signature, now = *_signed(body), self._parts.clock()
        plan = self._parts.plans.checked(data, signature, now)
        async with self._making:
            # Before there is a container: nothing of it can come between.
            await self._parts.relays.front.assets.ensure(plan.image_id)
            await asyncio.to_thread(self._parts.views.ensure, plan)
            await self._parts.bridge.prepare(plan)
        # In force only once its volumes are there: else a container could be started on the bare folders. And nothing
        # slow in between: volumes that belong to no plan are put away.
        await self.storage.prepare(plan, read_keys(body.get("keys", {})))
        self._unfinished.discard(plan.workspace_id)
        self._parts.plans.register(data, signature, now)
        self._parts.relays.front.screens.begin(plan)
        self._parts.relays.front.renew(plan)
        LOG.info("plan %s in force for workspace %s of %s", plan.sha256[:12], plan.workspace_id, plan.login)
        return {"sha256": plan.sha256}

    async def _limit(self, _: str, body: Answer) -> Answer:
        plan = set_limits(self._parts.plans, *_signed(body), self._parts.clock())
        self._parts.relays.front.renew(plan)
        LOG.info("display limits of workspace %s are those of plan %s", plan.workspace_id, plan.sha256[:12])
        return {"sha256": plan.sha256}

    async def _revoke(self, workspace_id: str, _: Answer) -> Answer:
        network = self._parts.plans.network(workspace_id)
        # The browser and the container first: a disk on which no plan can be forgotten keeps nobody from stopping.
        self._parts.relays.close(workspace_id)
        try:
            await self._parts.docker.remove(container_of(workspace_id))
        except Unavailable as error:
            self._unfinished.add(workspace_id)
            raise _stop_waits(error) from error
        finally:
            # Also when the engine hangs: nobody comes in or starts it again.
            self._parts.plans.revoke(workspace_id)
        self._unfinished.discard(workspace_id)
        async with self._making:
            await asyncio.to_thread(self._parts.views.release, workspace_id)
            await self._leave_network(network)
        await self.storage.put_away(workspace_id)
        LOG.info("workspace %s revoked", workspace_id)
        return {}

    async def finish(self) -> None:
        """Finish for ever what was stopped while the engine did not answer."""
        while True:
            await asyncio.sleep(FINISH_S)
            for workspace_id in sorted(self._unfinished):
                # One that was opened again while others were waited for is not ended.
                if workspace_id not in self._unfinished:
                    continue
                with suppress(EnclaveError, OSError):
                    await self._revoke(workspace_id, {})

    async def _leave_network(self, name: str) -> None:
        plans = self._parts.plans
        if name and name not in {plans.network(other) for other in plans.workspaces()}:
            await self._parts.bridge.let_go(name)

    async def _lock(self, workspace_id: str, _: Answer) -> Answer:
        self._parts.relays.front.lock(workspace_id)
        return {}

    async def _unlock(self, workspace_id: str, body: Answer) -> Answer:
        self._parts.relays.front.screens.unlock(workspace_id, _address(body["seat"]))
        return {}

    async def _seat(self, workspace_id: str, body: Answer) -> Answer:
        self._parts.relays.front.move(workspace_id, _address(body["seat"]))
        return {}

    async def _screen(self, workspace_id: str, _: Answer) -> Answer:
        return self._parts.relays.front.screens.of(workspace_id).as_json()

    async def _relay(self, workspace_id: str, body: Answer) -> Answer:
        host, port = await self._parts.relays.open(workspace_id, str(body["container_id"]))
        return {"host": host, "port": port}

    async def _remove_volumes(self, workspace_id: str, _: Answer) -> Answer:
        self._parts.plans.revoke(workspace_id)
        async with self._making:
            await asyncio.to_thread(self._parts.views.release, workspace_id)
        await self.storage.remove(workspace_id)
        self._parts.relays.front.screens.forget(workspace_id)
        return {}

    async def _activity(self, workspace_id: str, _: Answer) -> Answer:
        used = await self._parts.docker.cpu_ns(container_of(workspace_id))
        return {"cpu_ns": used, "last_hand": self._parts.relays.front.last_hand(workspace_id)}

    async def _events(self, limit: str, _: Answer) -> Answer:
        found = await asyncio.to_thread(self._parts.spool.events, int(limit or 200))
        return {"events": [event.as_json() for event in found]}

    async def _settle(self, _: str, body: Answer) -> Answer:
        names = [str(name) for name in body["ids"]]
        return {"settled": await asyncio.to_thread(self._parts.spool.settle, names)}

    async def _gpus(self, _: str, __: Answer) -> Answer:
        reading = self._parts.gpus.read()
        return {"reading": None if reading is None else reading.as_json()}

    async def _holders(self, _: str, __: Answer) -> Answer:
        return {"holders": await holders(self._parts.docker, self._parts.plans)}

    async def _scrub(self, _: str, body: Answer) -> Answer:
        taken = await holders(self._parts.docker, self._parts.plans)
        return self._parts.gpus.scrub(str(body["uuid"]), str(body["round"]), taken)

    async def _meter(self, workspace_id: str, _: Answer) -> Answer:
        return self._parts.relays.front.meter(workspace_id)

    async def _status(self, _: str, __: Answer) -> Answer:
        return {
            "engine": await self._parts.docker.ping(),
            "relays": self._parts.relays.figures(),
            "spool": self._parts.spool.figures(),
            "workspaces": self._parts.plans.workspaces(),
        }


def _signed(body: Answer) -> tuple[bytes, bytes]:
    """Return a plan and its signature as they were sent."""
    try:
        return body["plan"].encode(), base64.b64decode(body["signature"], validate=True)
    except binascii.Error as error:
        raise _invalid("signature") from error


def _address(value: object) -> str:
    """Return an address; none would mean that the workspace is bound to no seat. Raises `ValueError`."""
    if not (found := plain(str(value))):
        raise ValueError("no address")
    return found


def _not_you(uid: int, target: str) -> Denied:
    return Denied(
        "gate.not-you",
        ko=f"이 명령을 내릴 수 없는 사용자입니다(uid {uid}): {target!a}",
        en=f"User id {uid} may not give this command: {target!a}",
        remedy_ko="서비스의 실행 사용자를 확인하십시오.",
        remedy_en="Check which user the service runs as.",
    )


def _invalid(what: str) -> Invalid:
    return Invalid(
        "gate.malformed",
        ko=f"명령의 형식이 잘못되었습니다: {what}",
        en=f"The command is malformed: {what}",
        remedy_ko="게이트와 포털의 판이 같은지 확인하십시오.",
        remedy_en="Check that gate and portal are of one version.",
    )


def _stop_waits(error: Unavailable) -> Unavailable:
    return Unavailable(
        "gate.stop-waits",
        ko=f"작업공간의 화면을 닫고 계획을 거두었지만 컨테이너는 엔진이 답할 때까지 남습니다({error.code}).",
        en=f"The workspace's screen is closed and its plan withdrawn; its container stays until the engine answers"
        f" ({error.code}).",
        remedy_ko="엔진이 다시 답하면 저절로 지웁니다. 운영자에게 엔진 상태 확인을 요청하십시오.",
        remedy_en="It is removed by itself once the engine answers. Ask the operator to look at the engine.",
    )


def _system(error: OSError) -> Unavailable:
    return Unavailable(
        "gate.system",
        ko=f"게이트가 일을 마치지 못했습니다: {error.strerror}. 아무것도 남기지 않았습니다.",
        en=f"The gate could not finish: {error.strerror}. Nothing was left behind.",
        remedy_ko="디스크 공간을 확인한 뒤 다시 시도하십시오.",
        remedy_en="Check the disk's free space, then try again.",
    )
