"""A workspace's two folders: sized, kept, harmless, and gone when they are destroyed."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from enclave.errors import Conflict, Unavailable
from enclave.gate.volumes import Volumes

MIB = 1 << 20


@pytest.fixture
def volumes(tmp_path: Path) -> Iterator[Volumes]:
    yield Volumes(tmp_path)
    for place in tmp_path.glob("*/*"):
        if place.is_mount():
            subprocess.run(["umount", str(place)], check=True)


def options(place: Path) -> set[str]:
    lines = Path("/proc/self/mounts").read_text().splitlines()
    return set(next(line.split()[3] for line in lines if line.split()[1] == str(place)).split(","))


def test_volumes_are_made_mounted_harmless_and_owned_by_the_scientist(volumes: Volumes, tmp_path: Path) -> None:
    volumes.ensure("w1", home_bytes=16 * MIB, outbox_bytes=16 * MIB)
    for name in ("home", "outbox"):
        place = tmp_path / "w1" / name
        assert {"nosuid", "nodev", "noexec"} <= options(place)
        assert (place.stat().st_uid, place.stat().st_gid) == (10001, 10001)
        assert list(place.iterdir()) == []


def test_a_full_volume_stops_at_its_size(volumes: Volumes) -> None:
    volumes.ensure("w1", home_bytes=16 * MIB, outbox_bytes=16 * MIB)
    taken = 0
    with (volumes.outbox("w1") / "fill").open("wb", buffering=0) as file, suppress(OSError):
        while taken < 64 * MIB:
            taken += file.write(bytes(MIB))
    assert 8 * MIB < taken < 16 * MIB


def test_what_was_written_is_there_again_and_the_size_stays(volumes: Volumes, tmp_path: Path) -> None:
    volumes.ensure("w1", home_bytes=16 * MIB, outbox_bytes=16 * MIB)
    (volumes.outbox("w1") / "kept").write_text("x")
    volumes.unmount("w1")
    assert not volumes.outbox("w1").is_mount()
    volumes.ensure("w1", home_bytes=32 * MIB, outbox_bytes=32 * MIB)
    volumes.ensure("w1", home_bytes=32 * MIB, outbox_bytes=32 * MIB)
    assert (volumes.outbox("w1") / "kept").read_text() == "x"
    assert (tmp_path / "w1" / "outbox.img").stat().st_size == 16 * MIB


def test_an_image_that_a_crash_left_half_made_is_made_anew(volumes: Volumes, tmp_path: Path) -> None:
    (tmp_path / "w1").mkdir()
    (tmp_path / "w1" / "home.new").write_bytes(b"half")
    volumes.ensure("w1", home_bytes=16 * MIB, outbox_bytes=16 * MIB)
    assert (tmp_path / "w1" / "home").is_mount()
    assert not (tmp_path / "w1" / "home.new").exists()


def test_volumes_in_use_are_not_destroyed(volumes: Volumes) -> None:
    volumes.ensure("w1", home_bytes=16 * MIB, outbox_bytes=16 * MIB)
    with (volumes.outbox("w1") / "open").open("w"), pytest.raises(Conflict) as refused:
        volumes.remove("w1")
    assert refused.value.code == "gate.volume-busy"
    assert (volumes.outbox("w1") / "open").exists()


def test_destroyed_volumes_leave_nothing_and_may_be_destroyed_twice(volumes: Volumes, tmp_path: Path) -> None:
    volumes.ensure("w1", home_bytes=16 * MIB, outbox_bytes=16 * MIB)
    volumes.remove("w1")
    volumes.remove("w1")
    assert list(tmp_path.iterdir()) == []


def test_a_disk_without_room_says_so_and_leaves_no_image(volumes: Volumes, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="free") as refused:
        volumes.ensure("w1", home_bytes=1 << 50, outbox_bytes=16 * MIB)
    assert refused.value.code == "gate.volume"
    assert not list(tmp_path.rglob("*.img"))


def test_a_size_that_no_file_system_fits_in_says_what_the_tool_said(volumes: Volumes, tmp_path: Path) -> None:
    with pytest.raises(Unavailable) as refused:
        volumes.ensure("w1", home_bytes=1024, outbox_bytes=16 * MIB)
    assert "mkfs" in refused.value.en or "small" in refused.value.en
    assert not list(tmp_path.rglob("*.img"))
