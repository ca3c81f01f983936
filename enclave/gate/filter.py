"""The engine as the hub sees it: a short list of calls, and only for workspaces with a signed plan.

What is created is never what was asked for but what the plan says (`create_body`); the request is compared with
it, and any difference is refused and logged. Paths and queries are rebuilt from allowed parts.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

from enclave.errors import Denied, EnclaveError
from enclave.gate.bridge.bridge import Bridge
from enclave.gate.dockerd import NOT_FOUND, VERSION, Dockerd, gone
from enclave.gate.gpus import Gpus, check_devices_free
from enclave.gate.plans import Plans
from enclave.gate.wire import CHUNK, Refused, Request, close, forward, pump, read_request, respond_json
from enclave.workspace.engine import HUB_VARIABLES, LABEL_PLAN, LABEL_WORKSPACE, create_body, environment_of
from enclave.workspace.plan import VARIABLE, WorkspacePlan

LOG = logging.getLogger("ansim.gate.filter")
BODY = 1 << 20
NAME = r"(?P<name>[A-Za-z0-9][A-Za-z0-9_.-]{0,127})"
TARGET = re.compile(r"(/v1\.\d{2})?(?P<path>/[^?#]*)(\?(?P<query>[^#]*))?")
# call -> (method, path, parameters that are passed on). Everything that is not here is refused.
CALLS: dict[str, tuple[str, re.Pattern[str], frozenset[str]]] = {
    "ping": ("GET", re.compile(r"/_ping"), frozenset()),
    "version": ("GET", re.compile(r"/version"), frozenset()),
    "create": ("POST", re.compile(r"/containers/create"), frozenset({"name"})),
    "inspect": ("GET", re.compile(rf"/containers/{NAME}/json"), frozenset()),
    "start": ("POST", re.compile(rf"/containers/{NAME}/start"), frozenset()),
    "stop": ("POST", re.compile(rf"/containers/{NAME}/stop"), frozenset({"t"})),
    "wait": ("POST", re.compile(rf"/containers/{NAME}/wait"), frozenset({"condition"})),
    "logs": ("GET", re.compile(rf"/containers/{NAME}/logs"), frozenset({"stdout", "stderr", "tail", "timestamps"})),
    "remove": ("DELETE", re.compile(rf"/containers/{NAME}"), frozenset({"v", "force"})),
}


def matched(request: Request) -> tuple[str, str, dict[str, str]]:
    """Return (call, name, parameters) of an allowed line; raises `Denied` for every other."""
    line = TARGET.fullmatch(request.target)
    for call, (method, path, parameters) in CALLS.items():
        found = path.fullmatch(line["path"]) if line else None
        if line and found and request.method == method:
            given = dict(parse_qsl(line["query"] or "", keep_blank_values=True))
            kept = {key: value for key, value in given.items() if key in parameters}
            return call, found.groupdict().get("name", ""), kept
    raise _denied("call", f"{request.method} {request.target[:200]!a}")


def approved_body(data: bytes, name: str, find: Callable[[str, str], WorkspacePlan]) -> bytes:
    """Return the create body that may go to the engine: the plan's own, with the hub's variables.

    `find(plan_sha256, workspace_id)` returns a startable plan or raises. Raises `Denied` naming the first place
    where `data` differs from the plan.
    """
    try:
        asked = json.loads(data, object_pairs_hook=_no_duplicates)
        labels = asked["Labels"]
        plan = find(str(labels[LABEL_PLAN]), str(labels[LABEL_WORKSPACE]))
        variables = hub_variables(plan, asked["Env"])
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise _denied("create-malformed", f"{type(error).__name__}: {str(error)[:200]!a}") from error
    body = create_body(plan, variables)
    if name != plan.container_name:
        raise _denied("create-differs", f"name {name[:80]!a}")
    if place := difference(body, asked):
        raise _denied("create-differs", place)
    return json.dumps(body).encode()


def hub_variables(plan: WorkspacePlan, environment: list[str]) -> dict[str, str]:
    """Return the variables that only the hub knows; raises `Denied` for one that it has no business setting."""
    pairs = [tuple(line.partition("=")[::2]) for line in environment]
    ours = environment_of(plan)
    added = {name: value for name, value in pairs if name not in ours}
    for name, value in added.items():
        said = HUB_VARIABLES.get(name)
        if said is None or not VARIABLE.fullmatch(f"{name}={value}") or (said and value != said.format(plan=plan)):
            raise _denied("create-variable", name[:80])
    return added


def difference(ours: Any, asked: Any, place: str = "") -> str | None:
    """Return where two JSON values differ first (a dotted path), or None; 1, 1.0 and true are all different."""
    if type(ours) is not type(asked):
        return place or "body"
    if isinstance(ours, dict):
        return _first_different(ours, asked, sorted(ours.keys() | asked.keys()), place)
    if isinstance(ours, list):
        indexed = (dict(enumerate(ours)), dict(enumerate(asked)))
        return _first_different(*indexed, list(range(max(len(ours), len(asked)))), place)
    return None if ours == asked else place


def _first_different(ours: dict[Any, Any], asked: dict[Any, Any], keys: list[Any], place: str) -> str | None:
    for key in keys:
        here = f"{place}.{key}"[:200]
        if key not in ours or key not in asked:
            return here
        if found := difference(ours[key], asked[key], here):
            return found
    return None


class EngineFilter:
    """Serves the hub's connections to the engine."""

    def __init__(  # noqa: PLR0913 - keyword-only: whom it tells and asks
        self,
        docker: Dockerd,
        plans: Plans,
        *,
        clock: Callable[[], datetime],
        ended: Callable[[str], None],
        bridge: Bridge,
        asked: Callable[[str], None],
        gpus: Gpus,
    ) -> None:
        self._asked, self._gpus = asked, gpus
        self._bridge = bridge
        self._docker, self._plans, self._clock, self._ended = docker, plans, clock, ended

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request: pass it on as the plan says, or refuse it in the engine's way (`message`)."""
        try:
            request = await read_request(reader, body_limit=BODY)
            passed, most_s = await self._checked(request)
        except Refused as refused:
            await respond_json(writer, refused.status, {"message": str(refused)})
        except EnclaveError as error:
            LOG.warning("hub: %s: %s", error.code, error.en)
            await respond_json(writer, error.status, {"message": f"{error.code}: {error.en}", **error.as_json()})
        else:
            await self._pass(passed, reader, writer, most_s)

    async def _checked(self, request: Request) -> tuple[Request, float | None]:
        """Return what goes to the engine, and in how many seconds it is answered; None: a wait for a container."""
        call, name, parameters = matched(request)
        body = b""
        if call == "create":
            body = await self._bridge.place(approved_body(request.body, parameters.get("name", ""), self._startable))
            path = "/containers/create"
        elif call in {"ping", "version"}:
            path = CALLS[call][1].pattern
        else:
            path = await self._container(call, name)
        query = f"?{urlencode(parameters)}" if parameters else ""
        passed = Request(request.method, f"/{VERSION}{path}{query}", [], body)
        return passed, None if call == "wait" else self._docker.order_s

    async def _container(self, call: str, name: str) -> str:
        """Return the engine's path for a call on a container of ours; any other is as if it were not there."""
        state = await self._docker.inspect(name)
        labels = (state or {}).get("Config", {}).get("Labels") or {}
        workspace_id, plan_sha256 = labels.get(LABEL_WORKSPACE, ""), labels.get(LABEL_PLAN, "")
        if state is None or self._plans.known(workspace_id, plan_sha256) is None:
            raise Refused(NOT_FOUND, f"No such container: {name}")
        self._asked(workspace_id)
        if call == "start":
            plan = self._startable(plan_sha256, workspace_id)
            await check_devices_free(self._docker, self._plans, self._gpus, plan)
            await self._bridge.prepare(plan)
        if call in {"stop", "remove"}:
            self._ended(workspace_id)
        ending = {"inspect": "/json", "remove": ""}.get(call, f"/{call}")
        return f"/containers/{state['Id']}{ending}"

    def _startable(self, sha256: str, workspace_id: str) -> WorkspacePlan:
        return self._plans.startable(sha256, workspace_id, self._clock())

    async def _pass(
        self,
        request: Request,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        most_s: float | None,
    ) -> None:
        try:
            from_engine, engine = await asyncio.open_unix_connection(str(self._docker.socket))
        except OSError as error:
            problem = gone(error)
            await respond_json(writer, problem.status, {"message": f"{problem.code}: {problem.en}"})
            return
        try:
            kind = [(b"content-type", b"application/json")] if request.body else []
            async with asyncio.timeout(most_s):
                await forward(request, engine, [(b"host", b"engine"), *kind])
                await _until_either(pump(from_engine, writer), _left(reader))
        except TimeoutError:
            # The hub sees its connection end without an answer, or in the middle of one.
            LOG.warning("the engine did not answer within %s s: %s %s", most_s, request.method, request.target)
        finally:
            await close(engine)


async def _left(reader: asyncio.StreamReader) -> None:
    """Wait until the hub has gone: its whole request was read."""
    while await reader.read(CHUNK):
        pass


async def _until_either(*acts: Coroutine[Any, Any, None]) -> None:
    """Wait for the first that ends, and end the others; a hub that gave up must not leave a connection behind."""
    tasks = [asyncio.ensure_future(act) for act in acts]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # Two readers of one document may each take another of two equal keys.
    if len({key.lower() for key, _ in pairs}) != len(pairs):
        raise ValueError("a key stands twice")
    return dict(pairs)


def _denied(what: str, which: str) -> Denied:
    return Denied(
        f"gate.{what}",
        ko=f"게이트가 엔진 호출을 막았습니다({what}): {which}",
        en=f"The gate refuses this call to the engine ({what}): {which}",
        remedy_ko="허브의 설정을 확인하십시오. 계획에 없는 것은 시작할 수 없습니다.",
        remedy_en="Look at the hub's configuration. What is not in the plan cannot be started.",
    )
