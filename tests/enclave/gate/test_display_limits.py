"""Other limits for a running workspace: signed, for that workspace, and nothing else in them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from enclave import keys
from enclave.errors import Denied
from enclave.gate.display_limits import set_limits, with_newest
from enclave.gate.plans import Plans
from enclave.workspace.mounts import Roots, plan_mounts
from enclave.workspace.plan import Display, WorkspacePlan, sign_plan

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
TIGHT = Display(hour_bytes=1 << 20, hour_pictures=0)


class Gate:
    """Plans in a folder, the portal's key, and the plan a workspace runs by."""

    def __init__(self, home: Path) -> None:
        roots = Roots.under(home)
        for folder in (roots.volumes, roots.config):
            folder.mkdir(parents=True)
        keys.create_signing_key(home / "plan.key")
        self.key = keys.load_signing_key(home / "plan.key")
        self.plans = Plans(roots, home / "plan.pub")
        self.plan = WorkspacePlan(
            workspace_id="w-1",
            project_id="p-1",
            account_id="u-1",
            login="mina",
            image_id="sha256:" + "a" * 64,
            mounts=plan_mounts(roots, "w-1", {}),
            expires_at=NOW + timedelta(minutes=10),
        )
        self.start(self.plan)

    def renewed(self, **changes: Any) -> WorkspacePlan:
        return replace(self.plan, **{"display": TIGHT, "expires_at": NOW + timedelta(minutes=1), **changes})

    def start(self, plan: WorkspacePlan) -> None:
        self.plans.register(plan.canonical(), sign_plan(plan, self.key), NOW)

    def set(self, plan: WorkspacePlan, key: Ed25519PrivateKey | None = None) -> WorkspacePlan:
        return set_limits(self.plans, plan.canonical(), sign_plan(plan, key or self.key), NOW)


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate(tmp_path)


def test_new_limits_count_for_the_running_workspace_and_after_a_restart_of_the_gate(gate: Gate) -> None:
    assert with_newest(gate.plans, gate.plan) == gate.plan
    assert gate.set(gate.renewed()).display == TIGHT
    again = Plans(gate.plans.roots, gate.plans._key)
    assert with_newest(again, gate.plan) == replace(gate.plan, display=TIGHT)


def test_they_are_no_right_to_start_and_push_no_plan_out(gate: Gate) -> None:
    for minute in range(1, 30):
        gate.set(gate.renewed(display=replace(TIGHT, hour_rows=minute)))
    assert gate.plans.known("w-1", gate.plan.sha256) == gate.plan
    assert gate.plans.in_force("w-1") == gate.plan
    assert refusal(gate, gate.plan) == "gate.volume-away"  # nothing but its volumes, which are not mounted here
    assert refusal(gate, gate.renewed(display=replace(TIGHT, hour_rows=29))) == "gate.plan-unknown"


def refusal(gate: Gate, plan: WorkspacePlan) -> str:
    """Return the code with which this plan may not start now."""
    with pytest.raises(Denied) as refused:
        gate.plans.startable(plan.sha256, "w-1", NOW)
    return refused.value.code


def test_the_next_start_has_its_own_limits(gate: Gate) -> None:
    gate.set(gate.renewed())
    following = replace(gate.plan, expires_at=NOW + timedelta(minutes=20))
    gate.start(following)
    assert with_newest(gate.plans, following) == following


EVIL: dict[str, Callable[[WorkspacePlan], dict[str, Any]]] = {
    "another person": lambda _: {"login": "evil"},
    "more memory": lambda plan: {"memory_bytes": plan.memory_bytes * 2},
    "another seat": lambda _: {"seat": "10.0.0.1"},
    "no lock": lambda _: {"idle_minutes": 30},
    "another workspace": lambda _: {"workspace_id": "w-2"},
    "a network": lambda _: {"network": "ansim-p-1"},
    "a clipboard": lambda _: {"clipboard_chars": 100},
    "fewer mounts": lambda plan: {"mounts": plan.mounts[:-1]},
    "expired": lambda _: {"expires_at": NOW},
}


@pytest.mark.parametrize("name", EVIL)
def test_anything_else_in_it_is_refused(gate: Gate, name: str) -> None:
    with pytest.raises(Denied):
        gate.set(gate.renewed(**EVIL[name](gate.plan)))
    assert with_newest(gate.plans, gate.plan) == gate.plan


def test_a_plan_signed_by_another_key_and_a_revoked_workspace_are_refused(gate: Gate) -> None:
    with pytest.raises(Denied):
        gate.set(gate.renewed(), Ed25519PrivateKey.generate())
    gate.plans.revoke("w-1")
    with pytest.raises(Denied):
        gate.set(gate.renewed())


@settings(max_examples=30, suppress_health_check=list(HealthCheck))
@given(st.binary(max_size=300) | st.sampled_from([b"0", b"[]", b"{}", b'{"plan": 1, "signature": 2, "of": 3}']))
def test_a_file_that_is_damaged_leaves_the_limits_of_the_start(gate: Gate, data: bytes) -> None:
    (gate.plans.roots.volumes / "w-1" / "limits.json").write_bytes(data)
    assert with_newest(gate.plans, gate.plan) == gate.plan
