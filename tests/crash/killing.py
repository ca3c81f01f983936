"""A program of ours that tells what it has done, killed with -9 in the middle of it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]


def told_until_killed(child: str, *arguments: str, after_s: float) -> list[tuple[str, str]]:
    """Run `tests.crash.<child>`, kill it so long after its first line; returns its whole lines of two words."""
    command = [sys.executable, "-m", f"tests.crash.{child}", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as running:
        assert running.stdout is not None
        first = running.stdout.readline()
        time.sleep(after_s)
        running.send_signal(signal.SIGKILL)
        said = (first + running.stdout.read()).splitlines()
    return [tuple(line.split()) for line in said if line.count(" ") == 1]  # type: ignore[misc]
