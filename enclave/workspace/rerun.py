"""The order to run submitted code again: a workspace's barriers around one program, signed by the portal.

Pure. The plan inside is not signed as a workspace's, so the hub can start nothing from it; the order has a signature of
its own, which no workspace plan can pass for. No hub, no portal, no network, no token, no device: data to read, a
volume to write, a time to end (docs/adr/0025).
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from enclave.workspace.engine import create_body
from enclave.workspace.plan import PlanDamaged, WorkspacePlan, parse_plan

FORMAT = "ansim-rerun-v1"
SIGNATURE_CONTEXT = b"ansim-rerun-v1\n"
PREFIX = "rerun-"
LABEL_RERUN = "ansim.rerun"
CODE_NAME = re.compile(r"[^\W.-][^/\x00-\x1f\x7f]{0,120}\.(py|ipynb)")
SHA256 = re.compile(r"[0-9a-f]{64}")
SECONDS = (5, 24 * 3600)
FAILED, TOO_LONG = 3, 124

# Runs inside, as whoever the code is; the gate ends what does not end itself. An error in one cell does not hide the
# files that the others write: it is reported.
NOTEBOOK = (
    "import sys, nbformat, nbclient\n"
    "book = nbformat.read(sys.argv[1], 4)\n"
    "nbclient.NotebookClient(book, timeout=None, allow_errors=True, kernel_name='python3').execute()\n"
    "kinds = [o.get('output_type') for c in book.cells if c.cell_type == 'code' for o in c.outputs]\n"
    f"sys.exit({FAILED} if 'error' in kinds else 0)\n"
)
RUNNER = (
    "import subprocess, sys\n"
    "name, seconds, notebook = sys.argv[1], float(sys.argv[2]), sys.argv[3]\n"
    "how = [sys.executable, name] if name.endswith('.py') else [sys.executable, '-c', notebook, name]\n"
    "try:\n"
    "    done = subprocess.run(how, timeout=seconds, stdin=subprocess.DEVNULL, check=False)\n"
    "except subprocess.TimeoutExpired:\n"
    f"    sys.exit({TOO_LONG})\n"
    f"sys.exit({FAILED} if done.returncode else 0)\n"
)


@dataclass(frozen=True)
class RerunOrder:
    """One run. `files`: (name, SHA-256) of all code that lies beside `main`, which is run; `seconds` at most.

    `plan` is that of a workspace with the id `rerun-…`: its mounts and limits. Raises `PlanDamaged`.
    """

    plan: WorkspacePlan
    main: str
    files: tuple[tuple[str, str], ...]
    seconds: int

    def __post_init__(self) -> None:
        names = [name for name, _ in self.files]
        wrong = [name for name in names if not CODE_NAME.fullmatch(name)]
        if wrong or self.main not in names or len(set(names)) < len(names):
            raise PlanDamaged(f"not files of code: {wrong or self.main!r}")
        if not all(SHA256.fullmatch(digest) for _, digest in self.files):
            raise PlanDamaged("a hash is none")
        if type(self.seconds) is not int or not SECONDS[0] <= self.seconds <= SECONDS[1]:
            raise PlanDamaged(f"out of bounds: seconds={self.seconds!r}")
        if not self.plan.workspace_id.startswith(PREFIX) or self.plan.network or self.plan.gpu_uuids:
            raise PlanDamaged("a re-run has an id of its own, no network and no device")

    def canonical(self) -> bytes:
        """Return the bytes that are hashed and signed."""
        values: dict[str, Any] = {
            "format": FORMAT,
            "plan": self.plan.canonical().decode(),
            "main": self.main,
            "files": [list(each) for each in self.files],
            "seconds": self.seconds,
        }
        return json.dumps(values, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()

    @cached_property
    def sha256(self) -> str:
        """The order's name in the log."""
        return hashlib.sha256(self.canonical()).hexdigest()

    def sign(self, key: Ed25519PrivateKey) -> bytes:
        """Make the plan key's signature over the order (Ed25519), 64 bytes."""
        return key.sign(SIGNATURE_CONTEXT + self.canonical())


def verify_order(data: bytes, signature: bytes, key: Ed25519PublicKey) -> RerunOrder:
    """Return the order in these bytes if the plan key signed them as one. Raises `PlanDamaged`."""
    try:
        key.verify(signature, SIGNATURE_CONTEXT + data)
        values = json.loads(data)
        if values.pop("format") != FORMAT:
            raise PlanDamaged(f"not an order of format {FORMAT}")
        files = tuple((str(name), str(digest)) for name, digest in values["files"])
        order = RerunOrder(parse_plan(values["plan"].encode()), values["main"], files, values["seconds"])
    except InvalidSignature as error:
        raise PlanDamaged("the order is not signed by the plan key") from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise PlanDamaged(f"not an order: {error}") from error
    if order.canonical() != data:
        raise PlanDamaged("the order is not in canonical form")
    return order


def rerun_body(order: RerunOrder) -> dict[str, Any]:
    """Return the engine's create body: a workspace's in everything but what is run and what it is called."""
    body = create_body(order.plan)
    return {
        **body,
        "Cmd": ["python3", "-c", RUNNER, order.main, str(order.seconds), NOTEBOOK],
        "Hostname": "rerun",
        "Labels": {LABEL_RERUN: order.plan.workspace_id},
    }
