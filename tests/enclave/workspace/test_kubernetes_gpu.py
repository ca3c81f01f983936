"""Devices as Kubernetes' resources: by kind and count, with the names that NVIDIA's device plugin advertises."""

from __future__ import annotations

from dataclasses import replace

import pytest

from enclave.gpu.devices import Device, GpuKind
from enclave.workspace.kubernetes_gpu import gpu_resources, resource_of
from tests.enclave.gate.test_filter import PLAN


def whole(number: int) -> Device:
    return Device(f"GPU-{number:08x}-0000-0000-0000-000000000000", GpuKind.WHOLE, 80 << 30)


def part(number: int, profile: str) -> Device:
    return Device(f"MIG-{number:08x}-0000-0000-0000-000000000000", GpuKind.SLICE, 10 << 30, whole(1).uuid, "", profile)


@pytest.mark.parametrize(
    ("devices", "resources"),
    [
        ([], {}),
        ([whole(1)], {"nvidia.com/gpu": "1"}),
        ([whole(1), whole(2)], {"nvidia.com/gpu": "2"}),
        ([part(1, "1g.10gb")], {"nvidia.com/mig-1g.10gb": "1"}),
        ([part(1, "1g.10gb+me")], {"nvidia.com/mig-1g.10gb.me": "1"}),
        (
            [part(1, "1g.10gb"), part(2, "3g.40gb"), part(3, "1g.10gb")],
            {"nvidia.com/mig-1g.10gb": "2", "nvidia.com/mig-3g.40gb": "1"},
        ),
    ],
)
def test_a_plans_devices_become_counts_of_resources(devices: list[Device], resources: dict[str, str]) -> None:
    plan = replace(PLAN, gpu_uuids=tuple(each.uuid for each in devices))
    assert gpu_resources(plan, {each.uuid: each for each in devices}) == resources


@pytest.mark.parametrize("profile", ["", "1g/10gb", "a" * 70, "x.", "한"])
def test_a_slice_without_a_profile_that_can_be_a_name_is_no_resource(profile: str) -> None:
    with pytest.raises(ValueError, match="no resource"):
        resource_of(part(1, profile))


def test_a_device_that_nobody_knows_is_an_error_and_not_left_out() -> None:
    with pytest.raises(KeyError):
        gpu_resources(replace(PLAN, gpu_uuids=(whole(1).uuid,)), {})
