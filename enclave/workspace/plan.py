"""The plan of one workspace: everything the engine will be asked for, fixed before it is asked.

Pure: no clock, no disk, no engine. The portal computes and signs a plan, the log records its hash, the
spawner and the gate translate it (`enclave.workspace.engine`), and the gate refuses whatever differs.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from functools import cached_property
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from enclave.workspace.user import uid_of

FORMAT = "ansim-plan-v1"
# Signed before the bytes, so that a signature over a plan can never pass for one over anything else.
SIGNATURE_CONTEXT = b"ansim-plan-v1\n"

PATTERNS = {
    "workspace_id": re.compile(r"[a-z0-9][a-z0-9-]{0,62}"),
    "login": re.compile(r"[a-z][a-z0-9-]{1,30}"),
    "image_id": re.compile(r"sha256:[0-9a-f]{64}"),
    "project_id": re.compile(r"[!-~]{1,64}"),
    "account_id": re.compile(r"[!-~]{1,64}"),
}
BOUNDS = {
    "memory_bytes": (64 << 20, 4 << 40),
    "cpus": (1, 1024),
    "pids": (16, 65536),
    "home_bytes": (16 << 20, 16 << 40),
    "outbox_bytes": (16 << 20, 1 << 40),
    # korea.md R17: the screen locks after ten minutes, by policy after thirty at most.
    "idle_minutes": (1, 30),
    "clipboard_chars": (0, 1 << 20),
}
DISPLAY_BOUNDS = (0, 1 << 40)
# Of the Internet protocol, either version; empty: the workspace is not bound to a seat.
SEAT = re.compile(r"([0-9a-f.:]{2,45})?")
# Under this name a workspace on a bridge finds the doors (in its /etc/hosts).
GATE_NAME = "gate"
# Empty: sealed, no network at all. Else the name of the project's own internal bridge (docs/adr/0011-bridge.md).
NETWORK = re.compile(r"(ansim-[a-z0-9][a-z0-9-]{0,50})?")
GPU_UUID = re.compile(r"(GPU|MIG)-[0-9a-f-]{36}")
# How the engine is asked for them: by its own driver for NVIDIA devices, or by CDI (docs/adr/0016-gpus.md).
GPU_DRIVER = re.compile(r"nvidia|cdi")
VARIABLE = re.compile(r"[A-Z][A-Z0-9_]{0,63}=[^\x00-\x1f\x7f]{0,4096}")


class PlanDamaged(ValueError):  # noqa: N818 - says what is the matter, as SnapshotDamaged does
    """The bytes are not the canonical form of a plan, a field is out of bounds, or the signature is not ours."""


class MountKind(StrEnum):
    """What may be seen inside a workspace, and nothing else."""

    VIEW = "view"
    HOME = "home"
    OUTBOX = "outbox"
    CONFIG = "config"
    IMPORT = "import"
    PACKAGES = "packages"


# Named by what is in them, and fastened by the gate before anything may mount them.
FASTENED = frozenset({MountKind.VIEW, MountKind.IMPORT, MountKind.PACKAGES})


@dataclass(frozen=True)
class Mount:
    """One folder of the host inside the workspace; `sha256` names what is fastened, empty for the others."""

    kind: MountKind
    source: str
    target: str
    sha256: str = ""

    @property
    def read_only(self) -> bool:
        """Whether the workspace may only read it: all but its own home and outbox."""
        return self.kind not in {MountKind.HOME, MountKind.OUTBOX}


@dataclass(frozen=True)
class Display:
    """How much may reach one person's screen from one project: the gate counts it and withholds what is over.

    `message_bytes` bounds one kernel message, `content_bytes` one file read through the contents API that is no
    notebook; the others are sums of one clock hour and one calendar day (Korean time) over bytes, table rows and
    pictures. Zero means none at all.
    """

    message_bytes: int = 1 << 20
    content_bytes: int = 1 << 20
    hour_bytes: int = 32 << 20
    day_bytes: int = 128 << 20
    hour_rows: int = 5_000
    day_rows: int = 20_000
    hour_pictures: int = 200
    day_pictures: int = 1_000


@dataclass(frozen=True)
class WorkspacePlan:
    """One start of one workspace. Sizes in bytes, processors in whole cores, `expires_at` in UTC, whole seconds.

    After `expires_at` nothing may be created or started from this plan; what runs already goes on running.
    `seat` is the address from which alone it may be used, `idle_minutes` after how long without a hand its screen
    locks, `clipboard_chars` how many characters one copy may take out of the page.
    Raises `PlanDamaged` when a field is out of bounds.
    """

    workspace_id: str
    project_id: str
    account_id: str
    login: str
    image_id: str
    mounts: tuple[Mount, ...]
    expires_at: datetime
    memory_bytes: int = 2 << 30
    cpus: int = 1
    pids: int = 256
    home_bytes: int = 1 << 30
    outbox_bytes: int = 256 << 20
    environment: Mapping[str, str] = field(default_factory=dict)
    gpu_uuids: tuple[str, ...] = ()
    gpu_driver: str = "nvidia"
    display: Display = field(default_factory=Display)
    seat: str = ""
    idle_minutes: int = 10
    clipboard_chars: int = 0
    network: str = ""

    def __post_init__(self) -> None:
        broken = [name for name, pattern in PATTERNS.items() if not pattern.fullmatch(getattr(self, name))]
        broken += [name for name, bounds in BOUNDS.items() if not _within(getattr(self, name), bounds)]
        if self.expires_at.tzinfo != UTC or self.expires_at.microsecond:
            broken.append("expires_at")
        if not all(VARIABLE.fullmatch(f"{name}={value}") for name, value in self.environment.items()):
            broken.append("environment")
        if not all(map(GPU_UUID.fullmatch, self.gpu_uuids)):
            broken.append("gpu_uuids")
        if not all(_within(value, DISPLAY_BOUNDS) for value in asdict(self.display).values()):
            broken.append("display")
        broken += [
            name
            for name, form in (("seat", SEAT), ("network", NETWORK), ("gpu_driver", GPU_DRIVER))
            if not form.fullmatch(_text(self, name))
        ]
        if broken:
            raise PlanDamaged(f"out of bounds: {', '.join(f'{name}={getattr(self, name)!r}' for name in broken)}")

    @property
    def gate_host(self) -> str:
        """Where the doors to hub and portal are, seen from inside: its own loopback, or the bridge's gateway."""
        return GATE_NAME if self.network else "127.0.0.1"

    @property
    def listens_on(self) -> str:
        """On which of its addresses the notebook server listens: its loopback alone where there is nothing else."""
        return "0.0.0.0" if self.network else "127.0.0.1"  # noqa: S104 - the bridge's rules let the gate alone in

    def canonical(self) -> bytes:
        """Return the bytes that are hashed and signed: JSON, keys sorted, no spaces, integers and texts only."""
        values: dict[str, Any] = {"format": FORMAT, **asdict(self)}
        values["environment"] = dict(self.environment)
        values["expires_at"] = self.expires_at.strftime("%Y-%m-%dT%H:%M:%SZ")
        return json.dumps(values, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()

    @cached_property
    def sha256(self) -> str:
        """The plan's name in the log, in labels and at the gate: 64 hexadecimal digits."""
        return hashlib.sha256(self.canonical()).hexdigest()

    @property
    def uid(self) -> int:
        """User and group id of everything inside, and of no other workspace."""
        return uid_of(self.workspace_id)

    @property
    def container_name(self) -> str:
        """The only name under which the engine may hold this workspace."""
        return container_of(self.workspace_id)


def container_of(workspace_id: str) -> str:
    """Return the name of a workspace's container, whichever of its plans it runs under."""
    return f"ansim-{workspace_id}"


def parse_plan(data: bytes) -> WorkspacePlan:
    """Read canonical bytes; raises `PlanDamaged` for anything that would not be written back byte for byte."""
    try:
        values = json.loads(data)
        if values.pop("format") != FORMAT:
            raise PlanDamaged(f"not a plan of format {FORMAT}")
        values["mounts"] = tuple(Mount(**{**item, "kind": MountKind(item["kind"])}) for item in values["mounts"])
        values["gpu_uuids"] = tuple(values["gpu_uuids"])
        values["display"] = Display(**values["display"])
        values["expires_at"] = datetime.strptime(values["expires_at"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        plan = WorkspacePlan(**values)
        canonical = plan.canonical()
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise PlanDamaged(f"not a plan: {error}") from error
    if canonical != data:
        raise PlanDamaged("the plan is not in canonical form")
    return plan


def sign_plan(plan: WorkspacePlan, key: Ed25519PrivateKey) -> bytes:
    """Make the plan key's signature, 64 bytes (Ed25519, RFC 8032), over the context line and the canonical bytes."""
    return key.sign(SIGNATURE_CONTEXT + plan.canonical())


def verify_plan(data: bytes, signature: bytes, key: Ed25519PublicKey) -> WorkspacePlan:
    """Return the plan in these bytes if the plan key signed them; raises `PlanDamaged` otherwise."""
    try:
        key.verify(signature, SIGNATURE_CONTEXT + data)
    except InvalidSignature as error:
        raise PlanDamaged("the plan is not signed by the plan key") from error
    return parse_plan(data)


def _text(plan: WorkspacePlan, name: str) -> str:
    return str(getattr(plan, name))


def _within(value: int, bounds: tuple[int, int]) -> bool:
    # True would pass for 1, and be written back as `true`.
    return type(value) is int and bounds[0] <= value <= bounds[1]
