"""A portal that takes in what the gate saw, to be killed.

Prints a line after each batch that was settled.
"""

from __future__ import annotations

from pathlib import Path

from enclave.commands import watch
from enclave.gate.spool import Spool
from tests.enclave.scene import NOW, reopen


def main(url: str, home: str, folder: str) -> None:
    scene, spool = reopen(url, Path(home)), Spool(Path(folder))
    while events := spool.events(limit=7):
        watch.take(scene.store, scene.vault, events=events, now=NOW)
        spool.settle([each.id for each in events])
        print(len(events), flush=True)
