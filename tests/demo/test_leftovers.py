"""What workspaces leave on the machine is removed; what belongs to another enclave stays."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo import leftovers
from enclave.settings import Settings
from enclave.workspace.engine import LABEL_WORKSPACE

pytestmark = pytest.mark.docker


@pytest.fixture
def homes(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """Two enclaves, each with a mounted volume."""
    both = (tmp_path / "ours", tmp_path / "other")
    for home in both:
        volume, place = home / "volumes/w1/home.img", home / "volumes/w1/home"
        place.mkdir(parents=True)
        subprocess.run(["truncate", "--size=4M", volume], check=True)
        subprocess.run(["mkfs.ext4", "-q", "-O", "^has_journal", volume], check=True)
        subprocess.run(["mount", "-o", "loop", volume, place], check=True)
    yield both
    for home in both:
        leftovers.remove(Settings(home=home))


def container_using(folder: Path) -> str:
    """A container of a workspace that mounts something of this enclave."""
    command = ["docker", "create", f"--label={LABEL_WORKSPACE}=w1", f"--volume={folder}/volumes:/data:ro"]
    made = subprocess.run([*command, "ansim-workspace:latest"], check=True, capture_output=True, text=True)
    return made.stdout.strip()


def test_only_containers_mounts_and_loop_devices_of_this_enclave_go(homes: tuple[Path, Path]) -> None:
    ours, other = homes
    kept = ours / "volumes/w1/home/thesis.txt"
    kept.write_text("years of work")
    mine, theirs = container_using(ours), container_using(other)
    leftovers.remove(Settings(home=ours))
    assert (leftovers.containers(Settings(home=ours)), leftovers.mounts(ours), leftovers.loop_devices(ours)) == (
        [],
        [],
        [],
    )
    assert leftovers.containers(Settings(home=other)) == [theirs]
    assert len(leftovers.mounts(other)) == len(leftovers.loop_devices(other)) == 1
    assert mine != theirs
    subprocess.run(["mount", "-o", "loop", ours / "volumes/w1/home.img", ours / "volumes/w1/home"], check=True)
    assert kept.read_text() == "years of work"


def test_removing_twice_is_fine(homes: tuple[Path, Path]) -> None:
    leftovers.remove(Settings(home=homes[0]))
    assert leftovers.remove(Settings(home=homes[0])) == []
