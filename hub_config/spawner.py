"""DockerSpawner in the sealed topology: the plan comes from the portal, the engine is seen through the gate.

What is created is the plan's own create body; the gate refuses any other. The container has no network: the gate
opens the relays and returns the loopback port for the proxy.
"""

from __future__ import annotations

import asyncio
from typing import Any

from docker.errors import APIError, DockerException
from dockerspawner import DockerSpawner
from requests.exceptions import RequestException  # noqa: TID251 - what docker-py raises when the engine is away

from enclave.errors import EnclaveError, Unavailable
from enclave.gate.client import Gate
from enclave.settings import Settings
from enclave.workspace.engine import HUB_VARIABLES, create_body
from enclave.workspace.plan import WorkspacePlan, parse_plan
from hub_config.core import Core
from hub_config.origin import address_of
from hub_config.refusal import spawn_refused

GONE, IN_PROGRESS = 404, 409
REMOVED_TRIES, REMOVED_WAIT_S = 50, 0.1


class SealedSpawner(DockerSpawner):  # type: ignore[misc] # DockerSpawner has no types
    """Starts, watches and stops one person's workspace."""

    workspace_id = ""
    plan_sha256 = ""

    async def start(self) -> tuple[str, int]:
        """Ask for a plan, create and start exactly that, open the relays; (host, port) of the notebook server.

        Raises: SpawnException with the reason, 403 for a refusal and 503 when the engine or the gate is away.
        """
        settings = Settings.load()
        core = Core.here()
        try:
            plan_bytes, _ = await core.plan(self.user.name, address_of(self.handler) if self.handler else "")
        except EnclaveError as error:
            raise spawn_refused(error) from error
        plan = parse_plan(plan_bytes)
        self.workspace_id, self.plan_sha256, self.object_name = plan.workspace_id, plan.sha256, plan.container_name
        try:
            address = await self._bring_up(plan, Gate.of(settings))
            facts = {"container_id": self.object_id, "plan_sha256": plan.sha256}
            await core.tell(self.user.name, "started", workspace_id=plan.workspace_id, **facts)
        except EnclaveError as error:
            await self._give_up(core, error)
            raise spawn_refused(error) from error
        except (DockerException, RequestException) as error:
            problem = _engine_problem(error)
            await self._give_up(core, problem)
            raise spawn_refused(problem) from error
        return address

    async def stop(self, now: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 - the hub's own signature
        """Stop and remove the container and say so; an engine that is away leaves it to the gate."""
        try:
            await self.stop_object()
            await self.remove_object()
        except (DockerException, RequestException):
            self.log.exception("%s could not be stopped", self.object_name)
            raise
        await self._report("stopped", reason="stopped by the hub")
        self.clear_state()

    async def poll(self) -> int | str | None:
        """Say whether the container runs; while the engine does not answer, what ran is taken to run."""
        if not self.workspace_id:
            return 0
        try:
            state: int | str | None = await super().poll()
        except (DockerException, RequestException) as error:
            self.log.warning("the engine does not answer about %s: %s", self.object_name, error)
            return None
        if state is not None:
            await self._report("stopped", reason=f"ended by itself: {state}"[:200])
        return state

    async def remove_object(self) -> None:
        """Remove the container for good, running or not.

        DockerSpawner 14 takes the engine's 409 for "already being removed" and then fails to create anew.
        """
        try:
            await self.docker("remove_container", self.object_name, v=True, force=True)
        except APIError as error:
            if error.status_code not in {GONE, IN_PROGRESS}:
                raise
        for _ in range(REMOVED_TRIES):
            if await self.get_object() is None:
                return
            await asyncio.sleep(REMOVED_WAIT_S)

    def get_state(self) -> dict[str, Any]:
        """Keep the workspace's id and plan over a restart of the hub."""
        kept = {"workspace_id": self.workspace_id, "plan_sha256": self.plan_sha256}
        state: dict[str, Any] = super().get_state()
        return state | (kept if self.workspace_id else {})

    def load_state(self, state: dict[str, Any]) -> None:
        """Take the workspace up again after a restart of the hub."""
        super().load_state(state)
        self.workspace_id, self.plan_sha256 = state.get("workspace_id", ""), state.get("plan_sha256", "")

    def clear_state(self) -> None:
        """Forget the workspace."""
        super().clear_state()
        self.workspace_id = self.plan_sha256 = self.object_id = ""

    async def _bring_up(self, plan: WorkspacePlan, gate: Gate) -> tuple[str, int]:
        await self.remove_object()  # a leftover of an earlier start, running or not
        body = create_body(plan, self._hub_variables(plan))
        made = await self.docker("create_container_from_config", body, name=plan.container_name)
        self.object_id = made["Id"]
        await self.start_object()
        return await asyncio.to_thread(gate.relay, plan.workspace_id, self.object_id)

    def _hub_variables(self, plan: WorkspacePlan) -> dict[str, str]:
        """Return what the notebook server must know of the hub, and nothing else."""
        known = {name: value for name, value in self.get_env().items() if name in HUB_VARIABLES}
        fixed = {name: value.format(plan=plan) for name, value in HUB_VARIABLES.items() if value}
        return known | {
            name: value for name, value in fixed.items() if name in known or name.endswith(("_URL", "_DIR"))
        }

    async def _give_up(self, core: Core, problem: EnclaveError) -> None:
        try:
            await self.remove_object()
        except (DockerException, RequestException) as error:
            self.log.warning("%s is left to the gate: %s", self.object_name, error)
        try:
            facts = {"workspace_id": self.workspace_id, "code": problem.code, "text": problem.en[:500]}
            await core.tell(self.user.name, "failed", **facts)
        except EnclaveError as error:
            self.log.warning("failed start of %s could not be reported: %s", self.object_name, error.en)
        self.workspace_id = ""

    async def _report(self, what: str, **facts: str) -> None:
        try:
            await Core.here().tell(self.user.name, what, workspace_id=self.workspace_id, **facts)
        except EnclaveError as error:
            self.log.warning("%s of %s: %s", what, self.object_name, error.en)


def _engine_problem(error: Exception) -> Unavailable:
    """Return the engine's trouble as an error for people; the gate's own words are passed on."""
    return Unavailable(
        "engine.unavailable",
        ko=f"컨테이너 엔진이 작업공간을 시작하지 못했습니다: {str(error)[:300]}",
        en=f"The container engine could not start the workspace: {str(error)[:300]}",
        remedy_ko="아무것도 바뀌지 않았습니다. 잠시 뒤 다시 시작하고, 계속되면 운영자에게 알려 주십시오.",
        remedy_en="Nothing was changed. Start again in a moment; if it persists tell the operator.",
    )
