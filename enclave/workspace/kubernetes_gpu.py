"""A plan's devices in the words of Kubernetes: resource names of NVIDIA's device plugin. Pure, and nothing more.

Kubernetes gives by kind and count, never by uuid: which device a pod gets is the device plugin's choice, so there a
lease is one of so many, and erasing between tenants has to be the node's (docs/adr/0016-gpus.md). Not tried on a
cluster with GPUs. Source: k8s-device-plugin, resource naming with the MIG strategy `mixed`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from enclave.gpu.devices import Device, GpuKind
from enclave.workspace.plan import WorkspacePlan

WHOLE = "nvidia.com/gpu"
SLICE = "nvidia.com/mig-{}"
# What may stand after the slash of a resource's name (qualified names, Kubernetes API conventions).
NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?")


def resource_of(device: Device) -> str:
    """Return the resource that a device counts as; raises `ValueError` for a slice without a known profile."""
    if device.kind is GpuKind.WHOLE:
        return WHOLE
    # A plus sign cannot stand in a resource's name; the plugin writes `1g.10gb+me` with a dot.
    name = SLICE.format(device.profile.replace("+", "."))
    if not device.profile or not NAME.fullmatch(name.partition("/")[2]):
        raise ValueError(f"{device.uuid}: no resource for the profile {device.profile!a}")
    return name


def gpu_resources(plan: WorkspacePlan, inventory: Mapping[str, Device]) -> dict[str, str]:
    """Return the plan's devices as `limits` of a container; `requests` must be the same for such resources.

    Counts are texts, as in a manifest. A ResourceQuota wants both given, and KubeSpawner has them as
    `extra_resource_limits` and `extra_resource_guarantees`. Raises `KeyError` for a device that nobody knows.
    """
    counts: dict[str, int] = {}
    for uuid in plan.gpu_uuids:
        name = resource_of(inventory[uuid])
        counts[name] = counts.get(name, 0) + 1
    return {name: str(count) for name, count in sorted(counts.items())}
