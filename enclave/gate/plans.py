"""The plans this gate may follow: signed, for folders that may be mounted, one in force for each workspace.

Kept on disk beside the workspace's volumes, so that a restarted gate knows what is running and why:
`volumes/<workspace>/plans/<sha256>.json`, and `volumes/<workspace>/current` naming the one in force.
"""

from __future__ import annotations

import base64
import json
import os
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from enclave import whole
from enclave.errors import Denied, NotFound
from enclave.gate.fastened import is_fastened
from enclave.workspace.mounts import Roots, check_mounts
from enclave.workspace.plan import FASTENED, PATTERNS, MountKind, PlanDamaged, WorkspacePlan, verify_plan
from enclave.workspace.topology import Topology, network_of

# A running workspace may be older than the plan in force; nobody needs to know of more than this many.
KEPT = 8


class Plans:
    """Registered plans under `roots.volumes`; `key` is the file with the plan key's public half (PEM).

    `topology` is the installation's: a plan that asks for a network where workspaces are sealed is refused.
    """

    def __init__(self, roots: Roots, key: Path, topology: str = Topology.SEALED) -> None:
        self.roots, self._topology = roots, topology
        self._key = key

    def checked(self, data: bytes, signature: bytes, now: datetime) -> WorkspacePlan:
        """Return a plan that may be put in force; raises what `register` raises."""
        plan = self.verified(data, signature)
        self.check(plan, now)
        return plan

    def register(self, data: bytes, signature: bytes, now: datetime) -> WorkspacePlan:
        """Put a plan in force. Raises `Denied`: unsigned, damaged, expired, or naming what may not be mounted."""
        plan = self.checked(data, signature, now)
        folder = self._folder(plan.workspace_id) / "plans"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        text = json.dumps({"plan": data.decode(), "signature": base64.b64encode(signature).decode()})
        whole.write(folder / f"{plan.sha256}.json", text.encode())
        whole.write(folder.parent / "current", plan.sha256.encode())
        for old in sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns)[:-KEPT]:
            old.unlink()
        return plan

    def verified(self, data: bytes, signature: bytes) -> WorkspacePlan:
        """Return a plan if the plan key signed it; raises `Denied`. Whether it may be followed is another question."""
        try:
            return verify_plan(data, signature, self.public_key())
        except PlanDamaged as error:
            raise _denied("plan-damaged", str(error)) from error

    def startable(self, sha256: str, workspace_id: str, now: datetime) -> WorkspacePlan:
        """Return the plan if it is in force, unexpired, and its folders are what they should be; else `Denied`."""
        plan = self.known(workspace_id, sha256)
        current = self._folder(workspace_id) / "current"
        if plan is None or not current.exists() or current.read_text() != sha256:
            raise _denied("plan-unknown", f"{workspace_id} {sha256[:12]}")
        self.check(plan, now)
        self.check_ready(plan)
        return plan

    def check_ready(self, plan: WorkspacePlan) -> None:
        """Raise `Denied` unless everything the plan mounts is fastened and mounted now."""
        for mount in plan.mounts:
            if mount.kind in FASTENED and not is_fastened(mount):
                raise _denied("mount-missing", mount.source)
        _check_mounted(plan)

    def may_start(self, workspace_id: str, now: datetime) -> bool:
        """Say whether a plan of this workspace is in force and not yet ended."""
        plan = self.in_force(workspace_id)
        return plan is not None and now < plan.expires_at

    def known(self, workspace_id: str, sha256: str) -> WorkspacePlan | None:
        """Return a plan that was registered here once and is still signed rightly; it may have ended."""
        if not PATTERNS["workspace_id"].fullmatch(workspace_id) or not sha256.isalnum():
            return None
        try:
            kept = json.loads((self._folder(workspace_id) / "plans" / f"{sha256}.json").read_bytes())
            return verify_plan(kept["plan"].encode(), base64.b64decode(kept["signature"]), self.public_key())
        except (OSError, ValueError):
            return None

    def in_force(self, workspace_id: str) -> WorkspacePlan | None:
        """Return the plan in force; None if there is none, or it was revoked."""
        current = self._folder(workspace_id) / "current"
        return self.known(workspace_id, current.read_text()) if current.exists() else None

    def keep(self, workspace_id: str, name: str, text: str) -> None:
        """Write a small file beside a workspace's plans, whole or not at all."""
        whole.write(self._folder(workspace_id) / name, text.encode())

    def kept(self, workspace_id: str, name: str) -> str:
        """Return what `keep` wrote; raises `OSError`."""
        return (self._folder(workspace_id) / name).read_text()

    def check_in_force(self, workspace_id: str) -> None:
        """Raise `Denied` if the workspace has no plan in force: it was revoked."""
        if not (self._folder(workspace_id) / "current").exists():
            raise _denied("plan-unknown", workspace_id)

    def network(self, workspace_id: str) -> str:
        """Return the network of the plan in force; empty if it has none, or there is no such plan."""
        plan = self.in_force(workspace_id)
        return plan.network if plan else ""

    def revoke(self, workspace_id: str) -> None:
        """Let nothing of this workspace start any more; what was known stays known, so that it can be removed."""
        (self._folder(workspace_id) / "current").unlink(missing_ok=True)

    def workspaces(self) -> list[str]:
        """Return the ids of all workspaces that ever had a plan here."""
        return sorted(path.parent.name for path in self.roots.volumes.glob("*/plans"))

    def _folder(self, workspace_id: str) -> Path:
        if not PATTERNS["workspace_id"].fullmatch(workspace_id):
            raise NotFound(
                "gate.workspace-unknown",
                ko=f"그런 작업공간이 없습니다: {workspace_id!a}",
                en=f"There is no such workspace: {workspace_id!a}",
                remedy_ko="작업공간 번호를 확인하십시오.",
                remedy_en="Check the workspace's id.",
            )
        return self.roots.volumes / workspace_id

    def public_key(self) -> Ed25519PublicKey:
        """Return the plan key's public half."""
        # Read each time: a key may be renewed while the gate runs.
        key = load_pem_public_key(self._key.read_bytes())
        if not isinstance(key, Ed25519PublicKey):
            raise _denied("plan-damaged", f"{self._key} is not an Ed25519 key")
        return key

    def check(self, plan: WorkspacePlan, now: datetime) -> None:
        """Raise `Denied` unless the plan is unexpired and names only what may be mounted."""
        if now >= plan.expires_at:
            raise _denied("plan-expired", f"{plan.expires_at:%Y-%m-%dT%H:%M:%SZ}")
        if plan.network and plan.network != network_of(plan.project_id, self._topology):
            raise _denied("plan-network", plan.network)
        check_mounts(plan, self.roots)
        for mount in plan.mounts:
            if mount.kind is MountKind.CONFIG and not _is_real_folder(mount.source):
                raise _denied("mount-missing", mount.source)


def _check_mounted(plan: WorkspacePlan) -> None:
    """Raise `Denied` unless home and outbox are the mounted volumes and not the bare folders of the host."""
    for mount in plan.mounts:
        if mount.kind in {MountKind.HOME, MountKind.OUTBOX} and not Path(mount.source).is_mount():
            raise _denied("volume-away", mount.source)


def _is_real_folder(path: str) -> bool:
    # The engine follows symbolic links in a bind's source; so there must be none on the whole way.
    return os.path.realpath(path) == path and Path(path).is_dir()


def _denied(what: str, which: str) -> Denied:
    return Denied(
        f"gate.{what}",
        ko=f"게이트가 작업공간 계획을 받아들이지 않았습니다({what}): {which}",
        en=f"The gate does not accept this workspace plan ({what}): {which}",
        remedy_ko="작업공간을 다시 시작하면 새 계획이 만들어집니다. 계속되면 운영자에게 알려 주십시오.",
        remedy_en="Starting the workspace again makes a new plan. If it persists tell the operator.",
    )
