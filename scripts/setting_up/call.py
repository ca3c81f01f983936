"""Running other programs: output goes to one log file and is shown when they fail."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from scripts.setting_up.terminal import StepFailedError

LOG = Path("/var/log/ansim-setup.log")
TAIL_LINES = 12


def call(command: Sequence[str | Path], now: str, *, env: Mapping[str, str] | None = None) -> str:
    """Run `command`, keep what it printed in the log, return its standard output.

    Raises: StepFailedError with its last lines and `now` (what to do) if it fails or is not installed.
    """
    words = [str(word) for word in command]
    try:
        done = subprocess.run(words, check=False, capture_output=True, text=True, env=env)
    except FileNotFoundError as missing:
        raise StepFailedError(f"{words[0]} 이(가) 없습니다", now) from missing
    with LOG.open("a", encoding="utf-8") as log:
        log.write(f"$ {' '.join(words)}\n{done.stdout}{done.stderr}")
    if done.returncode:
        tail = "\n     ".join((done.stdout + done.stderr).splitlines()[-TAIL_LINES:])
        raise StepFailedError(
            f"{Path(words[0]).name}: 종료 코드 {done.returncode}\n     {tail}", f"{now} (기록: {LOG})"
        )
    return done.stdout
