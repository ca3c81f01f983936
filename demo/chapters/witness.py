"""Chapter 8, last step: another office's machine becomes a witness of the log, by a folder and one file of Python."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from demo.show import Step, StepFailedError
from demo.world import SEE_LOGS
from enclave.settings import Settings

NAME = "audit.example.kr/w1"


def witness(settings: Settings, line: Step) -> None:
    """Appoint a witness (once), carry a checkpoint to it and its cosignatures back; say how the log stands then."""
    office = settings.home / "demo" / "office"
    program, home = office / "witness.py", office / "witness"
    key = settings.keys / "log.pub"
    if not home.exists():
        office.mkdir(mode=0o700, parents=True, exist_ok=True)
        _ansim(settings, "audit", "program", "witness", program)
        made = _alone(program, "init", home, "--name", NAME, "--log", key)
        lines = [each for each in made.splitlines() if not each.startswith("#")]
        policy = office / "policy"
        policy.write_text("\n".join([f"log {key.read_text().strip()}", *lines, ""]))
        policy.chmod(0o644)
        _ansim(settings, "anchor", "policy", policy)
    _ansim(settings, "anchor", "ask")
    line.detail(_alone(program, "sign", home, settings.witness).strip())
    line.detail(_ansim(settings, "anchor", "take").strip())
    line.said = _ansim(settings, "anchor", "status").strip()
    line.look = f"ansim audit verify {settings.log} --policy {settings.anchors}/policy --anchors {settings.anchors}"


def _ansim(settings: Settings, *words: object) -> str:
    return _said([sys.executable, "-m", "enclave.cli", *words], {**os.environ, "ANSIM_HOME": str(settings.home)})


def _alone(program: Path, *words: object) -> str:
    """Run the witness's one file as its office would: isolated from this checkout."""
    return _said([sys.executable, "-I", program, *words], dict(os.environ))


def _said(command: list[object], environment: dict[str, str]) -> str:
    done = subprocess.run(list(map(str, command)), check=False, capture_output=True, text=True, env=environment)
    if done.returncode:
        raise StepFailedError((done.stderr or done.stdout).strip()[-600:], SEE_LOGS)
    return done.stdout
