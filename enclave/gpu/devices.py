"""What a GPU is to the enclave: one whole device, or one slice of a device that was cut up on the host (MIG). Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from enclave.workspace.plan import GPU_UUID

# NVIDIA names an instance after its slices and memory, last in its name: `NVIDIA A100-SXM4-40GB MIG 1g.5gb`.
PROFILE = re.compile(r"MIG ([0-9]g\.[0-9]+gb(\+[a-z.]+)?)$")


class GpuKind(StrEnum):
    """A device as it can be leased."""

    SLICE = "slice"
    WHOLE = "whole"


class GpuProfile(StrEnum):
    """What a project may ask for."""

    NONE = "none"
    SLICE = "slice"
    WHOLE = "whole"


@dataclass(frozen=True)
class Device:
    """One thing that can be leased; `parent` is the whole device that a slice is part of, `profile` e.g. `1g.5gb`.

    Raises `ValueError` for a uuid that no plan could name.
    """

    uuid: str
    kind: GpuKind
    memory_bytes: int
    parent: str = ""
    name: str = ""
    profile: str = ""

    def __post_init__(self) -> None:
        if not GPU_UUID.fullmatch(self.uuid):
            raise ValueError(f"not the uuid of a device: {self.uuid!a}")


@dataclass(frozen=True)
class Reading:
    """What the driver said: its version and the devices, or the problem (`no-driver`, `timeout`, an NVML error)."""

    driver: str = ""
    problem: str = ""
    devices: tuple[Device, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Reading:
        """Read what `as_json` wrote. Raises `ValueError`, `TypeError` or `KeyError` for anything else."""
        devices = tuple(Device(**{**each, "kind": GpuKind(each["kind"])}) for each in values["devices"])
        return cls(str(values["driver"]), str(values["problem"]), devices)


def profile_in(name: str) -> str:
    """Return the slice's profile as its name gives it; empty if it gives none."""
    found = PROFILE.search(name)
    return found[1] if found else ""
