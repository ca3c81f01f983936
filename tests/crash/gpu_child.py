"""People taking turns at one GPU without end, to be killed.

Prints a line after each thing that was acknowledged: `granted <lease>`, `over <lease>`.
"""

from __future__ import annotations

from pathlib import Path

from enclave.commands import gpu
from tests.enclave.gpu.acts import RULES, asked, ended, granted, scrubbed
from tests.enclave.scene import NOW, reopen


def main(url: str, home: str, project_id: str) -> None:
    scene = reopen(url, Path(home))
    while True:
        for login in ("lead", "scientist"):
            lease = asked(scene, login, project_id)
            assert granted(scene) == [lease.id]
            print("granted", lease.id, flush=True)
            gpu.release_lease(scene.store, RULES, scene.actor(login), lease_id=lease.id, now=NOW)
            ended(scene, lease.id, NOW)
            print("over", lease.id, flush=True)
            scrubbed(scene)
