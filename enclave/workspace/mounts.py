"""Which folders a plan may name: views of verified snapshots, the workspace's own volumes, our configuration.

Pure: compares texts. The gate additionally looks at the disk (no symbolic link on the way, a real folder).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from enclave.errors import Denied
from enclave.workspace.plan import Mount, MountKind, WorkspacePlan

DATA_TARGET = re.compile(r"/data/[a-z0-9][a-z0-9_-]{0,62}")
SHA256 = re.compile(r"[0-9a-f]{64}")
HOME, OUTBOX, CONFIG = "/home/analyst/work", "/outbox", "/etc/jupyter"


@dataclass(frozen=True)
class Roots:
    """The places on the host that matter for mounts, as absolute paths.

    From `mounted`, `volumes` and `config` a container mounts; `views` is where the portal writes what the gate then
    fastens under `mounted`.
    """

    views: Path
    mounted: Path
    volumes: Path
    config: Path

    @classmethod
    def under(cls, home: Path) -> Roots:
        """Return the places under the enclave's home, as `enclave.settings` names them."""
        return cls(views=home / "views", mounted=home / "mounted", volumes=home / "volumes", config=home / "jupyter")


class HasName(Protocol):
    """A project view by the hash that names it."""

    @property
    def sha256(self) -> str:
        """64 hexadecimal digits."""


def plan_mounts(roots: Roots, workspace_id: str, views: Mapping[str, HasName]) -> tuple[Mount, ...]:
    """Return a workspace's mounts: `views` by dataset name under /data, home, outbox, our configuration."""
    data = [
        Mount(MountKind.VIEW, str(roots.mounted / workspace_id / view.sha256), f"/data/{dataset}", view.sha256)
        for dataset, view in sorted(views.items())
    ]
    own = roots.volumes / workspace_id
    return (
        *data,
        Mount(MountKind.HOME, str(own / "home"), HOME),
        Mount(MountKind.OUTBOX, str(own / "outbox"), OUTBOX),
        Mount(MountKind.CONFIG, str(roots.config), CONFIG),
    )


def check_mounts(plan: WorkspacePlan, roots: Roots) -> None:
    """Raise `Denied` unless every mount is one that `plan_mounts` could have made for this workspace."""
    for mount in plan.mounts:
        if not _is_allowed(mount, plan.workspace_id, roots):
            raise _denied(mount)
    targets = [mount.target for mount in plan.mounts]
    kinds = [mount.kind for mount in plan.mounts]
    if len(set(targets)) != len(targets) or not {MountKind.HOME, MountKind.OUTBOX} <= set(kinds):
        raise _denied(plan.mounts[-1] if plan.mounts else None)


def _is_allowed(mount: Mount, workspace_id: str, roots: Roots) -> bool:
    if mount.kind is MountKind.VIEW:
        named = bool(SHA256.fullmatch(mount.sha256)) and bool(DATA_TARGET.fullmatch(mount.target))
        return named and mount.source == str(roots.mounted / workspace_id / mount.sha256)
    own = roots.volumes / workspace_id
    expected = {
        MountKind.HOME: (str(own / "home"), HOME),
        MountKind.OUTBOX: (str(own / "outbox"), OUTBOX),
        MountKind.CONFIG: (str(roots.config), CONFIG),
    }[mount.kind]
    return (mount.source, mount.target, mount.sha256) == (*expected, "")


def _denied(mount: Mount | None) -> Denied:
    which = f"{mount.source} → {mount.target}" if mount else "-"
    return Denied(
        "workspace.mount",
        ko=f"작업공간에 연결할 수 없는 폴더입니다: {which}",
        en=f"A workspace may not mount this: {which}",
        remedy_ko="검증된 스냅샷의 승인 열과 작업공간 자신의 볼륨만 연결할 수 있습니다. 운영자에게 알려 주십시오.",
        remedy_en="Only approved columns of a verified snapshot and the workspace's own volumes. Tell the operator.",
    )
