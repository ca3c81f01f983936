"""Random histories of the queue on the real databases, with grants at the same moment from several hands.

The oracle reads the rows themselves and keeps its own book of who has which device: never two tenants at once, never
a device to anybody before it was erased after the last tenant, never one person twice, nothing lost.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import select

from enclave.commands import gpu, gpu_device
from enclave.commands import workspace as workspaces
from enclave.errors import Conflict, EnclaveError
from enclave.gpu.devices import GpuKind, GpuProfile
from enclave.model.gpu import GpuLease
from enclave.states import DeviceState, LeaseState, WorkspaceState
from enclave.workspace.plan import parse_plan
from tests.enclave.gpu.acts import CLEAN, RULES, SYSTEM, device, profiled
from tests.enclave.scene import NOW, Scene
from tests.enclave.test_deciding_together import together

LOGINS = ("lead", "scientist", "colleague")
RARELY = st.sampled_from([False] * 7 + [True])
PART = device(3, GpuKind.SLICE, parent=device(1).uuid)
DEVICES = (device(1), device(2), PART)
BROKEN = gpu_device.Evidence(100, 98, 0, 3, 5, "not-cleared")


class QueueMachine(RuleBasedStateMachine):
    """Two projects, three people, three devices of which one is part of another."""

    def __init__(self, scene: Scene, projects: tuple[str, str], clock: list[datetime]) -> None:
        super().__init__()
        self.scene, self.projects, self.clock = scene, projects, clock
        self.plans: dict[str, tuple[datetime, str]] = {}
        # Our own book: device -> who has it; and whether it was erased since.
        self.tenant: dict[str, str] = {}
        self.clean: dict[str, bool] = {}

    @property
    def now(self) -> datetime:
        return self.clock[0]

    def _try(self, act: Callable[[], object]) -> object:
        try:
            return act()
        except EnclaveError as error:
            return error

    @initialize()
    def begin(self) -> None:
        """Whatever the last history left open ends; all devices are there and clean."""
        self.clock[0] += timedelta(days=30)
        gpu_device.note_devices(self.scene.store, SYSTEM, found=DEVICES)
        for row in self._rows(LeaseState.WAITING, LeaseState.GRANTED):
            self._try(
                lambda row=row: gpu.release_lease(
                    self.scene.store, RULES, self.scene.actor("operator"), lease_id=row.id, now=self.now
                )
            )
        for row in self._rows(LeaseState.ENDING):
            gpu.finish_lease(self.scene.store, RULES, SYSTEM, lease_id=row.id, now=self.now)
        for view in self._devices():
            if view.state is DeviceState.QUARANTINED:
                gpu_device.return_to_service(
                    self.scene.store, self.scene.actor("operator"), uuid=view.uuid, reason="r", now=self.now
                )
        self.scrub(broken=False)
        for login, which in zip(LOGINS, (0, 0, 1), strict=True):
            self.ask(login, which, 60)
        self.round(broken=False)

    @rule(broken=RARELY, hands=st.integers(1, 3))
    def round(self, broken: bool, hands: int = 1) -> None:
        """What the portal does every few seconds."""
        self.reap(asked_gate=False)
        self.take_back()
        self.scrub(broken)
        self.grant(hands)

    @rule(login=st.sampled_from(LOGINS), which=st.integers(0, 1), used=st.booleans())
    def pass_on(self, login: str, which: int, used: bool) -> None:
        """The ways on which a device could change hands too early: given back, perhaps just after a start."""
        if used:
            self.start(login, which, killed=False)
        for row in self._rows(LeaseState.GRANTED):
            if row.account_id == f"u-{login}":
                actor = self.scene.actor(login)
                gpu.release_lease(self.scene.store, RULES, actor, lease_id=row.id, now=self.now)
        self.take_back()
        self.ask(login, which, 60)
        self.grant(1)

    @rule(minutes=st.sampled_from([1, 1, 5, 5, 12, 30, 70, 600]))
    def time_passes(self, minutes: int) -> None:
        self.clock[0] += timedelta(minutes=minutes)

    @rule(login=st.sampled_from(LOGINS), which=st.integers(0, 1), minutes=st.sampled_from([15, 60, 480]))
    def ask(self, login: str, which: int, minutes: int) -> None:
        actor, project = self.scene.actor(login), self.projects[which]
        self._try(
            lambda: gpu.request_lease(self.scene.store, RULES, actor, project_id=project, minutes=minutes, now=self.now)
        )

    @rule(hands=st.integers(1, 3))
    def grant(self, hands: int) -> None:
        """The chore, perhaps several at the same moment."""

        def act() -> object:
            return gpu.grant_leases(self.scene.store, RULES, now=self.now)

        before = {row.id for row in self._rows(LeaseState.GRANTED)}
        for result in together(*[act] * hands):
            assert isinstance(result, tuple | Conflict) or result.code.startswith("store."), result
        for row in self._rows(LeaseState.GRANTED):
            if row.id not in before:
                assert row.device_uuid not in self.tenant
                assert self.clean[row.device_uuid]
                self.tenant[row.device_uuid] = row.id
                self.clean[row.device_uuid] = False

    @rule(number=st.integers(0, 5), login=st.sampled_from((*LOGINS, "operator")))
    def give_back(self, number: int, login: str) -> None:
        rows = sorted(self._rows(LeaseState.WAITING, LeaseState.GRANTED), key=lambda row: row.account_id)
        if rows:
            row, actor = rows[number % len(rows)], self.scene.actor(login)
            self._try(lambda: gpu.release_lease(self.scene.store, RULES, actor, lease_id=row.id, now=self.now))

    @rule(login=st.sampled_from(LOGINS), which=st.integers(0, 1), killed=st.booleans())
    def start(self, login: str, which: int, killed: bool) -> None:
        """A start; `killed`: hub and portal die before anything runs."""
        actor, project = self.scene.actor(login), self.projects[which]
        made = self._try(
            lambda: workspaces.request_start(
                self.scene.store, self.scene.means, actor, project_id=project, now=self.now
            )
        )
        if isinstance(made, workspaces.Start):
            plan = parse_plan(made.plan)
            for uuid in plan.gpu_uuids:
                self.plans[uuid] = (plan.expires_at, login)
                holder = next(row for row in self._rows(LeaseState.GRANTED) if row.device_uuid == uuid)
                assert (holder.account_id, holder.project_id) == (f"u-{login}", project)
            if not killed:
                workspaces.mark_started(
                    self.scene.store, SYSTEM, workspace_id=made.workspace.id, container_id="c", now=self.now
                )

    @rule(login=st.sampled_from(LOGINS))
    def stop(self, login: str) -> None:
        from enclave.queries import workspace as views

        for view in views.mine(self.scene.store, self.scene.actor(login)):
            if view.state is WorkspaceState.RUNNING:
                workspaces.mark_stopped(self.scene.store, SYSTEM, workspace_id=view.id, reason="r", now=self.now)

    @rule(asked_gate=RARELY)
    def reap(self, asked_gate: bool) -> None:
        gpu.warn_leases(self.scene.store, RULES, now=self.now)
        gpu.expire_leases(self.scene.store, RULES, now=self.now, seen={} if asked_gate else None)

    @rule()
    def take_back(self) -> None:
        """The gate has stopped everything; what a plan could still start stays held."""
        for row in self._rows(LeaseState.ENDING):
            done = self._try(
                lambda row=row: gpu.finish_lease(self.scene.store, RULES, SYSTEM, lease_id=row.id, now=self.now)
            )
            if not isinstance(done, EnclaveError):
                until, _ = self.plans.get(row.device_uuid, (self.now, ""))
                assert until <= self.now, "let go while a signed plan could still be started"
                assert self.tenant.pop(row.device_uuid) == row.id

    @rule(broken=RARELY)
    def scrub(self, broken: bool) -> None:
        for task in gpu_device.to_scrub(self.scene.store, now=self.now):
            assert task.uuid not in self.tenant, "erased while somebody has it"
            evidence = BROKEN if broken else CLEAN
            gpu_device.settle_scrub(self.scene.store, SYSTEM, task=task, evidence=evidence, now=self.now)
            self.clean[task.uuid] = not broken

    @rule(missing=st.sampled_from([(), (), (1,), (0, 2)]))
    def look_at_the_devices(self, missing: tuple[int, ...]) -> None:
        found = [each for number, each in enumerate(DEVICES) if number not in missing]
        gpu_device.note_devices(self.scene.store, SYSTEM, found=found)

    @rule()
    def mend(self) -> None:
        for view in self._devices():
            if view.state is DeviceState.QUARANTINED:
                gpu_device.return_to_service(
                    self.scene.store, self.scene.actor("operator"), uuid=view.uuid, reason="r", now=self.now
                )

    @invariant()
    def one_device_has_one_tenant_and_one_person_one_turn(self) -> None:
        held = self._rows(LeaseState.GRANTED, LeaseState.ENDING)
        uuids = [row.device_uuid for row in held]
        assert len(uuids) == len(set(uuids))
        assert {row.device_uuid: row.id for row in held} == self.tenant
        assert not {PART.uuid, device(1).uuid} <= set(uuids)
        people = [row.account_id for row in self._rows(LeaseState.WAITING, LeaseState.GRANTED, LeaseState.ENDING)]
        assert len(people) == len(set(people))

    def _rows(self, *states: LeaseState) -> list[GpuLease]:
        with self.scene.store.read() as session:
            return list(session.scalars(select(GpuLease).where(GpuLease.state.in_(states)).order_by(GpuLease.id)))

    def _devices(self):
        from enclave.queries import gpu as queries

        return queries.devices(self.scene.store, self.scene.actor("operator"))


def test_no_history_gives_one_device_to_two_tenants_or_to_anybody_before_it_was_erased(shared: Scene) -> None:
    far = {"ends_on": NOW.date() + timedelta(days=365 * 300)}
    projects = profiled(shared, **far), profiled(shared, GpuProfile.SLICE, **far)
    for made in projects:
        shared.pledged(made, "colleague")
    clock = [NOW]
    run_state_machine_as_test(
        lambda: QueueMachine(shared, projects, clock),
        settings=settings(
            max_examples=30 if shared.store.engine.dialect.name == "sqlite" else 15,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
