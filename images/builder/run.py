"""Running other programs: their output is shown only when they fail."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from images.builder.errors import BuildError

TAIL_LINES = 15


def run(command: Sequence[str | Path], now: str, *, env: Mapping[str, str] | None = None) -> str:
    """Run `command` and return what it printed.

    Raises: BuildError with the last lines of its output and `now` (what to do) when it fails or is not there.
    """
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True, env=env, umask=0o022)
    except FileNotFoundError as missing:
        raise BuildError(f"{command[0]} is not installed", "run `make setup`") from missing
    if done.returncode:
        tail = "\n".join((done.stdout + done.stderr).splitlines()[-TAIL_LINES:])
        raise BuildError(f"{Path(command[0]).name} ended with code {done.returncode}:\n{tail}", now)
    return done.stdout
