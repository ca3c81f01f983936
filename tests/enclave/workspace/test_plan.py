"""The plan: one spelling, bounds on every field, a signature over exactly these bytes."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from enclave.errors import Denied
from enclave.workspace.engine import create_body
from enclave.workspace.mounts import Roots, check_mounts, plan_mounts
from enclave.workspace.plan import Mount, MountKind, PlanDamaged, WorkspacePlan, parse_plan, sign_plan, verify_plan
from enclave.workspace.views import View

ROOTS = Roots.under(Path("/var/lib/ansim"))
VIEW = View(ROOTS.views / ("ab" * 32), "ab" * 32)
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PLAN = WorkspacePlan(
    workspace_id="w1",
    project_id="p1",
    account_id="a1",
    login="kim",
    image_id="sha256:" + "1" * 64,
    mounts=plan_mounts(ROOTS, "w1", {"nafld": VIEW}),
    expires_at=datetime(2030, 1, 1, tzinfo=UTC),
    environment={"ANSIM_PROJECT": "간 질환"},
)


def test_a_plan_is_read_back_as_it_was_written() -> None:
    read = verify_plan(PLAN.canonical(), sign_plan(PLAN, KEY), KEY.public_key())
    assert read == PLAN
    assert read.sha256 == hashlib.sha256(PLAN.canonical()).hexdigest()


@given(st.integers(0, 10_000), st.binary(min_size=1, max_size=3))
def test_any_other_spelling_of_the_bytes_is_refused(place: int, junk: bytes) -> None:
    data = PLAN.canonical()
    at = place % len(data)
    changed = data[:at] + junk + data[at + 1 :]
    if changed == data:
        return
    with pytest.raises(PlanDamaged):
        verify_plan(changed, sign_plan(PLAN, KEY), KEY.public_key())
    with suppress(PlanDamaged):  # a plan with another value in it may well be a plan
        assert parse_plan(changed).canonical() == changed


@pytest.mark.parametrize(
    "spelled",
    [
        PLAN.canonical() + b" ",
        PLAN.canonical().replace(b'"cpus":1', b'"cpus":true'),
        PLAN.canonical().replace(b'"cpus":1', b'"cpus":1.0'),
        PLAN.canonical().replace(b'"cpus":1', b'"cpus":1,"cpus":1'),
        PLAN.canonical().replace(b'"cpus":1', b'"cpus":1,"privileged":true'),
        PLAN.canonical().replace(b"ansim-plan-v1", b"ansim-plan-v2"),
        PLAN.canonical().replace(b"2030-01-01T00:00:00Z", b"2030-01-01T00:00:00+00:00"),
        b"[]",
        b"null",
        b"",
        b"\xff",
    ],
)
def test_what_is_not_the_canonical_form_is_refused(spelled: bytes) -> None:
    with pytest.raises(PlanDamaged):
        parse_plan(spelled)


def test_a_signature_over_the_bare_bytes_is_no_signature_over_a_plan() -> None:
    with pytest.raises(PlanDamaged, match="not signed"):
        verify_plan(PLAN.canonical(), KEY.sign(PLAN.canonical()), KEY.public_key())


def test_another_keys_signature_is_refused() -> None:
    with pytest.raises(PlanDamaged, match="not signed"):
        verify_plan(PLAN.canonical(), sign_plan(PLAN, Ed25519PrivateKey.generate()), KEY.public_key())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("workspace_id", "../w"),
        ("workspace_id", "w\n"),
        ("workspace_id", ""),
        ("login", "Kim"),
        ("login", "kim/lee"),
        ("image_id", "ansim-workspace:latest"),
        ("memory_bytes", 0),
        ("memory_bytes", True),
        ("cpus", 0),
        ("pids", -1),
        ("home_bytes", 1),
        ("environment", {"lower": "x"}),
        ("environment", {"A": "b\nLD_PRELOAD=c"}),
        ("gpu_uuids", ("all",)),
        ("expires_at", datetime(2030, 1, 1)),
        ("expires_at", datetime(2030, 1, 1, microsecond=1, tzinfo=UTC)),
        ("expires_at", datetime(2030, 1, 1, tzinfo=timezone(timedelta(hours=9)))),
    ],
)
def test_a_field_out_of_bounds_names_itself(field: str, value: Any) -> None:
    with pytest.raises(PlanDamaged, match=field):
        replace(PLAN, **{field: value})


EVIL_MOUNTS = {
    "the raw sources": Mount(MountKind.VIEW, "/var/lib/ansim/source/a", "/data/a", "ab" * 32),
    "a whole snapshot": Mount(MountKind.VIEW, "/var/lib/ansim/snapshots/" + "ab" * 32, "/data/a", "ab" * 32),
    "the engine's socket": Mount(MountKind.CONFIG, "/var/run/docker.sock", "/etc/jupyter"),
    "a view under another name": Mount(MountKind.VIEW, VIEW.path.as_posix(), "/data/a", "cd" * 32),
    "up and out": Mount(MountKind.VIEW, str(ROOTS.views / ".." / "keys"), "/data/a", "ab" * 32),
    "a view over the system": Mount(MountKind.VIEW, str(VIEW.path), "/usr", "ab" * 32),
    "a view below a view": Mount(MountKind.VIEW, str(VIEW.path), "/data/a/b", "ab" * 32),
    "another one's home": Mount(MountKind.HOME, "/var/lib/ansim/volumes/w2/home", "/home/analyst/work"),
    "the own home elsewhere": Mount(MountKind.HOME, "/var/lib/ansim/volumes/w1/home", "/etc/jupyter"),
    "a second view on one place": Mount(MountKind.VIEW, str(VIEW.path), "/data/nafld", "ab" * 32),
}


@pytest.mark.parametrize("mount", EVIL_MOUNTS.values(), ids=EVIL_MOUNTS)
def test_a_folder_that_may_not_be_mounted_is_refused_by_name(mount: Mount) -> None:
    with pytest.raises(Denied) as refused:
        check_mounts(replace(PLAN, mounts=(*PLAN.mounts, mount)), ROOTS)
    assert refused.value.code == "workspace.mount"


def test_a_workspace_without_its_own_volumes_is_refused() -> None:
    with pytest.raises(Denied):
        check_mounts(replace(PLAN, mounts=PLAN.mounts[:1]), ROOTS)


def test_the_mounts_that_are_planned_are_the_mounts_that_are_allowed() -> None:
    check_mounts(PLAN, ROOTS)


def test_data_and_configuration_are_read_only_and_not_recursive() -> None:
    mounts = {mount["Target"]: mount for mount in create_body(PLAN)["HostConfig"]["Mounts"]}
    assert {target for target, mount in mounts.items() if mount["ReadOnly"]} == {"/data/nafld", "/etc/jupyter"}
    assert all(mount["BindOptions"]["NonRecursive"] for mount in mounts.values())


def test_a_gpu_is_asked_for_by_its_uuid_never_by_count() -> None:
    uuid = "GPU-01234567-89ab-cdef-0123-456789abcdef"
    assert create_body(PLAN)["HostConfig"]["DeviceRequests"] == []
    (request,) = create_body(replace(PLAN, gpu_uuids=(uuid,)))["HostConfig"]["DeviceRequests"]
    assert (request["DeviceIDs"], request.get("Count", 0)) == ([uuid], 0)
