"""`ansim anchor` as a person at the machine types it: real processes, files that belong to the services' users."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from audit import keys
from demo.chapters.witness import witness
from demo.show import Step
from enclave.settings import Settings
from tests.audit.logs import entries, publish

PROGRAM = Path(sys.executable).with_name("ansim")
# Stand for the portal's and the sequencer's users.
APP, LOG = "www-data", "games"


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A home as an installed machine has it: a log of 300 entries, a database, owners apart."""
    folder = Path(tempfile.mkdtemp(prefix="ansim-home-", dir="/tmp"))
    folder.chmod(0o755)
    for name, owner in (("db", APP), ("anchors", APP), ("witness", APP), ("keys", "root"), ("log", LOG)):
        (folder / name).mkdir()
        shutil.chown(folder / name, owner)
    signer = keys.create(folder / "keys/log.key", name="ansim.localhost/log")
    publish(folder / "log", entries(300), signer=signer)
    for path in (folder / "keys/log.key", *(folder / "log").rglob("*")):
        shutil.chown(path, LOG)
    done = ansim(folder, "db", "upgrade")
    assert done.returncode == 0, done.stderr
    yield folder
    shutil.rmtree(folder)


def ansim(home: Path, *words: object) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "ANSIM_HOME": str(home), "LANG": "C.UTF-8"}
    command = [PROGRAM, *map(str, words)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd="/")


def test_the_story_appoints_a_witness_and_then_the_key_is_handed_over(home) -> None:
    line = Step()
    witness(Settings.load(home), line)
    assert line.said.startswith("✓ 증인(witness-1, witness-2)이")
    assert (home / "demo/office").stat().st_mode & 0o777 == 0o700

    done = ansim(home, "--lang", "en", "anchor", "rotate")
    assert done.returncode == 0, done.stderr
    assert "Handed over at 300 entries" in done.stdout
    assert (home / "keys/log.pub").read_text().strip() in done.stdout
    assert (home / "keys/log.key").owner() == LOG
    assert (home / "keys/log.key").stat().st_mode & 0o777 == 0o600
    seen = ansim(home, *line.look.split()[1:])
    assert (seen.returncode, "△" in seen.stdout) == (0, False), seen.stdout
    assert {path.owner() for path in (home / "db").iterdir()} == {APP}


@pytest.mark.parametrize(
    ("words", "code", "status"),
    [
        (("anchor", "ask", "/proc/nowhere"), "log.folder", 6),
        (("anchor", "copy"), "log.no-store", 5),
    ],
)
def test_what_cannot_be_done_is_said_with_its_code(home, words, code, status) -> None:
    done = ansim(home, *words)
    assert done.returncode == status, done.stderr
    assert f"[{code}]" in done.stderr
