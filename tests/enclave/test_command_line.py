"""The exit code of `ansim` is what scripts rely on; it runs here as a program, as they run it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from audit import keys


def ansim(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "enclave.cli", *map(str, arguments)]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def test_a_log_that_is_not_there_is_no_success(tmp_path: Path) -> None:
    signer = keys.create(tmp_path / "log.key", name="test.example/log")
    (tmp_path / "log").mkdir()
    done = ansim("audit", "verify", tmp_path / "log", "--key", str(signer.vkey))
    assert done.returncode == 1, done.stdout + done.stderr


def test_a_wrong_use_is_exit_code_two() -> None:
    assert ansim("audit", "verify", "/no/such/folder").returncode == 2


def test_help_is_a_success() -> None:
    done = ansim("--help")
    assert done.returncode == 0
    assert "audit" in done.stdout
