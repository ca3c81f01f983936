"""Other limits for a running workspace: signed, for that workspace, and nothing else in them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from enclave import keys
from enclave.errors import Denied
from enclave.gate.display_limits import set_limits, with_newest
from enclave.gate.plans import Plans
from enclave.workspace.mounts import Roots
from enclave.workspace.plan import Display, WorkspacePlan, sign_plan

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
TIGHT = Display(hour_bytes=1 << 20, hour_pictures=0)
PLAN = WorkspacePlan(
    workspace_id="w-1",
    project_id="p-1",
    account_id="u-1",
    login="mina",
    image_id="sha256:" + "a" * 64,
    mounts=(),
    expires_at=NOW + timedelta(minutes=10),
)


class Gate:
    """Plans in a folder, and the portal's key."""

    def __init__(self, home: Path) -> None:
        roots = Roots.under(home)
        roots.volumes.mkdir(parents=True)
        keys.create_signing_key(home / "plan.key")
        self.key = keys.load_signing_key(home / "plan.key")
        self.plans = Plans(roots, home / "plan.pub")
        self.plans._check = lambda plan, now: None  # type: ignore[method-assign]  # mounts are tested elsewhere
        self.start(PLAN)

    def start(self, plan: WorkspacePlan) -> None:
        self.plans.register(plan.canonical(), sign_plan(plan, self.key), NOW)

    def set(self, plan: WorkspacePlan, key: Ed25519PrivateKey | None = None) -> WorkspacePlan:
        return set_limits(self.plans, plan.canonical(), sign_plan(plan, key or self.key), NOW)


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate(tmp_path)


def renewed(**changes: object) -> WorkspacePlan:
    return replace(PLAN, display=TIGHT, expires_at=NOW + timedelta(minutes=1), **changes)  # type: ignore[arg-type]


def test_new_limits_count_for_the_running_workspace_and_after_a_restart_of_the_gate(gate: Gate) -> None:
    assert with_newest(gate.plans, PLAN) == PLAN
    assert gate.set(renewed()).display == TIGHT
    again = Plans(gate.plans.roots, gate.plans._key)
    assert with_newest(again, PLAN) == replace(PLAN, display=TIGHT)


def test_they_are_no_right_to_start_and_push_no_plan_out(gate: Gate) -> None:
    for minute in range(1, 30):
        gate.set(replace(renewed(), display=replace(TIGHT, hour_rows=minute)))
    assert gate.plans.known("w-1", PLAN.sha256) == PLAN
    assert gate.plans.startable(PLAN.sha256, "w-1", NOW) == PLAN
    with pytest.raises(Denied):
        gate.plans.startable(replace(renewed(), display=replace(TIGHT, hour_rows=29)).sha256, "w-1", NOW)


def test_the_next_start_has_its_own_limits(gate: Gate) -> None:
    gate.set(renewed())
    following = replace(PLAN, expires_at=NOW + timedelta(minutes=20))
    gate.start(following)
    assert with_newest(gate.plans, following) == following


EVIL: dict[str, Callable[[], WorkspacePlan]] = {
    "another person": lambda: renewed(login="evil"),
    "more memory": lambda: renewed(memory_bytes=PLAN.memory_bytes * 2),
    "another seat": lambda: renewed(seat="10.0.0.1"),
    "no lock": lambda: renewed(idle_minutes=30),
    "another workspace": lambda: renewed(workspace_id="w-2"),
    "a network": lambda: renewed(network="ansim-p-1"),
    "a clipboard": lambda: renewed(clipboard_chars=100),
    "expired": lambda: replace(renewed(), expires_at=NOW),
}


@pytest.mark.parametrize("name", EVIL)
def test_anything_else_in_it_is_refused(gate: Gate, name: str) -> None:
    with pytest.raises(Denied):
        gate.set(EVIL[name]())
    assert with_newest(gate.plans, PLAN) == PLAN


def test_a_plan_signed_by_another_key_and_a_revoked_workspace_are_refused(gate: Gate) -> None:
    with pytest.raises(Denied):
        gate.set(renewed(), Ed25519PrivateKey.generate())
    gate.plans.revoke("w-1")
    with pytest.raises(Denied):
        gate.set(renewed())


@settings(max_examples=30, suppress_health_check=list(HealthCheck))
@given(st.binary(max_size=300) | st.sampled_from([b"0", b"[]", b"{}", b'{"plan": 1, "signature": 2, "of": 3}']))
def test_a_file_that_is_damaged_leaves_the_limits_of_the_start(gate: Gate, data: bytes) -> None:
    (gate.plans.roots.volumes / "w-1" / "limits.json").write_bytes(data)
    assert with_newest(gate.plans, PLAN) == PLAN
