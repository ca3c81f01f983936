"""A portal that destroys what is due and is killed at one point.

The gate is reduced to what it does with volumes here: the real loop images, keys and mounts, in this process.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from enclave.commands import destruction
from enclave.gate import volumes as rooms
from enclave.gate.volumes import Volumes
from enclave.portal import destroying, filing
from enclave.settings import Settings
from enclave.store import Store
from tests.enclave.scene import reopen

# What is cut off: (where it is looked up, its name, whether it is killed before or after it).
POINTS: dict[str, tuple[Any, str, str]] = {
    "wished": (destruction, "request", "after"),
    "before-keys": (destruction, "destroy_keys", "before"),
    "keys-gone": (destruction, "destroy_keys", "after"),
    "key-out-of-kernel": (rooms, "_forget", "after"),
    "unmounted": (Volumes, "unmount", "after"),
    "half-removed": (rooms, "sync_folder", "before"),
    "removed": (Volumes, "remove", "after"),
    "certified": (destruction, "finish", "after"),
    "half-filed": (filing, "_write", "after"),
}


@dataclass(frozen=True)
class Rooms:
    """The gate's word on volumes."""

    volumes: Volumes

    def revoke(self, workspace_id: str) -> None:
        self.volumes.unmount(workspace_id)

    def remove_volumes(self, workspace_id: str) -> None:
        self.volumes.remove(workspace_id)


@dataclass(frozen=True)
class Part:
    """As much of a portal as destroying needs."""

    settings: Settings
    store: Store
    gate: Rooms


def part_of(url: str, home: Path) -> Part:
    settings = Settings(home=home)
    return Part(settings, reopen(url, home).store, Rooms(Volumes(settings.volumes)))


def killed(act: Callable[..., Any], when: str) -> Callable[..., Any]:
    def wrapper(*arguments: Any, **named: Any) -> Any:
        if when == "after":
            act(*arguments, **named)
        os.kill(os.getpid(), signal.SIGKILL)

    return wrapper


def main(url: str, home: str, point: str) -> None:
    where, name, when = POINTS[point]
    setattr(where, name, killed(getattr(where, name), when))
    destroying.destroy_due(part_of(url, Path(home)))  # type: ignore[arg-type]
