"""A portal that decides and releases without end, to be killed.

Prints a line after each thing that was acknowledged to somebody: `decided <release>`, `built <release>`.
"""

from __future__ import annotations

import os
from itertools import count
from pathlib import Path

from enclave.commands import release
from tests.enclave.scene import NOW, reopen


def main(url: str, home: str, project_id: str) -> None:
    scene = reopen(url, Path(home))
    # Noise does not compress: making the package takes long enough to be killed in the middle of it.
    noise = os.urandom(3 << 20).hex()
    for number in count():
        made = scene.submitted(project_id, scene.checked(f"{os.getpid()}-{number}-{noise}"))
        scene.vote("checker-a", made)
        named = scene.vote("checker-b", made).release.id
        print("decided", named, flush=True)
        release.build(scene.store, scene.depot, release_id=named, now=NOW)
        print("built", named, flush=True)
