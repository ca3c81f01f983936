"""Which folders a plan may name: views of snapshots, approved imports and packages, its own volumes, our configuration.

Pure: compares texts. The gate additionally looks at the disk (no symbolic link on the way, a real folder).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from enclave.errors import Denied
from enclave.workspace.plan import FASTENED, Mount, MountKind, WorkspacePlan

DATA_TARGET = re.compile(r"/data/[a-z0-9][a-z0-9_-]{0,62}")
IMPORT_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
IMPORT_TARGET = re.compile(rf"/imports/{IMPORT_NAME.pattern}")
SHA256 = re.compile(r"[0-9a-f]{64}")
HOME, OUTBOX, CONFIG = "/home/analyst/work", "/outbox", "/etc/jupyter"
IMPORTS, PACKAGES = "/imports", "/packages"
TARGETS = {
    MountKind.VIEW: DATA_TARGET,
    MountKind.IMPORT: IMPORT_TARGET,
    MountKind.PACKAGES: re.compile(PACKAGES),
}


@dataclass(frozen=True)
class Roots:
    """The places on the host that matter for mounts, as absolute paths.

    From `mounted`, `volumes` and `config` a container mounts; in `views` and `imports` the portal writes, in `packages`
    the operator, what the gate then fastens under `mounted`.
    """

    views: Path
    imports: Path
    packages: Path
    mounted: Path
    volumes: Path
    config: Path

    @classmethod
    def under(cls, home: Path) -> Roots:
        """Return the places under the enclave's home, as `enclave.settings` names them."""
        return cls(
            views=home / "views",
            imports=home / "imports",
            packages=home / "packages",
            mounted=home / "mounted",
            volumes=home / "volumes",
            config=home / "jupyter",
        )

    def of(self, kind: MountKind) -> Path:
        """Return the folder in which what is fastened lies under its name."""
        return {MountKind.VIEW: self.views, MountKind.IMPORT: self.imports, MountKind.PACKAGES: self.packages}[kind]


class HasName(Protocol):
    """A project view by the hash that names it."""

    @property
    def sha256(self) -> str:
        """64 hexadecimal digits."""


@dataclass(frozen=True)
class Brought:
    """What a project may read besides data: approved imports (their trees by name), the tree of its packages or ""."""

    imports: Mapping[str, str] = field(default_factory=dict)
    packages: str = ""


def plan_mounts(
    roots: Roots, workspace_id: str, views: Mapping[str, HasName], brought: Brought | None = None
) -> tuple[Mount, ...]:
    """Return a workspace's mounts: `views` by dataset under /data, imports, packages, home, outbox, configuration."""
    own, place = roots.volumes / workspace_id, roots.mounted / workspace_id
    data = [(MountKind.VIEW, f"/data/{dataset}", view.sha256) for dataset, view in sorted(views.items())]
    if brought:
        data += [(MountKind.IMPORT, f"{IMPORTS}/{name}", tree) for name, tree in sorted(brought.imports.items())]
        data += [(MountKind.PACKAGES, PACKAGES, brought.packages)] if brought.packages else []
    return (
        *(Mount(kind, str(place / sha256), target, sha256) for kind, target, sha256 in data),
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
    if mount.kind in FASTENED:
        named = bool(SHA256.fullmatch(mount.sha256)) and bool(TARGETS[mount.kind].fullmatch(mount.target))
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
        remedy_ko="승인된 데이터·반입물·패키지와 작업공간 자신의 볼륨만 연결할 수 있습니다. 운영자에게 알려 주십시오.",
        remedy_en="Only approved data, imports and packages, and the workspace's own volumes. Tell the operator.",
    )
