"""A sequencer with a purge to carry out, to be killed.

Prints `begun` before its step and `purged` after it.
"""

from __future__ import annotations

from pathlib import Path

from audit.sequencer import Sequencer
from audit.serve import open_engine
from tests.audit.logs import SIGNER


def main(url: str, folder: str) -> None:
    sequencer = Sequencer(open_engine(url), Path(folder), SIGNER, SIGNER.name)
    print("begun", "it", flush=True)
    sequencer.step()
    print("purged", "it", flush=True)
