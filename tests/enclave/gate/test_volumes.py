"""A workspace's two folders: sized, kept, harmless, unreadable without their key, and gone when they are destroyed."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from enclave.errors import Conflict, Denied, Invalid, Unavailable
from enclave.gate import fscrypt
from enclave.gate.volumes import Volumes
from enclave.volume_keys import identifier
from enclave.workspace.user import uid_of

MIB = 1 << 20
MARK = b"KNOWN-PLAINTEXT-OF-THE-TEST "
NAME = "a-file-name-that-tells"
KEYS = {"home": bytes(range(64)), "outbox": bytes(range(64, 128))}
SIZES = {"home_bytes": 16 * MIB, "outbox_bytes": 16 * MIB}


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
    volumes.ensure("w1", **SIZES, keys=KEYS)
    for name in ("home", "outbox"):
        place = tmp_path / "w1" / name
        assert {"nosuid", "nodev", "noexec"} <= options(place)
        assert (place.stat().st_uid, place.stat().st_gid) == (uid_of("w1"), uid_of("w1"))
        assert list(place.iterdir()) == []
    assert volumes.mounted() == ["w1"]


def test_a_full_volume_stops_at_its_size(volumes: Volumes) -> None:
    volumes.ensure("w1", **SIZES, keys=KEYS)
    taken = 0
    with (volumes.outbox("w1") / "fill").open("wb", buffering=0) as file, suppress(OSError):
        while taken < 64 * MIB:
            taken += file.write(bytes(MIB))
    assert 8 * MIB < taken < 16 * MIB


def test_what_was_written_is_there_again_and_the_size_stays(volumes: Volumes, tmp_path: Path) -> None:
    volumes.ensure("w1", **SIZES, keys=KEYS)
    (volumes.outbox("w1") / "kept").write_text("x")
    volumes.unmount("w1")
    assert not volumes.outbox("w1").is_mount()
    volumes.ensure("w1", home_bytes=32 * MIB, outbox_bytes=32 * MIB, keys=KEYS)
    volumes.ensure("w1", home_bytes=32 * MIB, outbox_bytes=32 * MIB, keys=KEYS)
    assert (volumes.outbox("w1") / "kept").read_text() == "x"
    assert (tmp_path / "w1" / "outbox.img").stat().st_size == 16 * MIB


def filled(volumes: Volumes, folder: Path) -> bytes:
    """Write a known text under a telling name into the home, and return the image's bytes afterwards."""
    (folder / NAME).write_bytes(MARK * 4000)
    os.sync()
    volumes.unmount("w1")
    return (folder.parent / "home.img").read_bytes()


def test_the_image_holds_neither_the_text_nor_its_name_and_never_the_key(volumes: Volumes, tmp_path: Path) -> None:
    volumes.ensure("w1", **SIZES, keys=KEYS)
    image = filled(volumes, tmp_path / "w1" / "home")
    assert MARK not in image
    assert NAME.encode() not in image
    # Kept under its public name; of the key itself not even a part is anywhere beside it.
    assert identifier(KEYS["home"]) in image
    everything = b"".join(path.read_bytes() for path in (tmp_path / "w1").rglob("*") if path.is_file())
    assert KEYS["home"][:16] not in everything


def test_the_same_search_finds_text_and_name_where_nothing_is_encrypted(
    volumes: Volumes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fscrypt, "set_policy", lambda *_: None)
    monkeypatch.setattr("enclave.gate.volumes._check_policy", lambda *_: None)
    volumes.ensure("w1", **SIZES, keys=KEYS)
    image = filled(volumes, tmp_path / "w1" / "home")
    assert MARK in image
    assert NAME.encode() in image


def test_without_its_key_a_volume_is_not_mounted_again_by_any_way(volumes: Volumes, tmp_path: Path) -> None:
    volumes.ensure("w1", **SIZES, keys=KEYS)
    filled(volumes, tmp_path / "w1" / "home")
    for keys in ({}, {"outbox": KEYS["outbox"]}, {**KEYS, "home": b"short"}):
        with pytest.raises(Invalid) as refused:
            volumes.ensure("w1", **SIZES, keys=keys)
        assert refused.value.code == "gate.volume-no-key"
    with pytest.raises(Denied) as denied:
        volumes.ensure("w1", **SIZES, keys={**KEYS, "home": bytes(64)})
    assert denied.value.code == "gate.volume-key"
    # Root, without the gate: the file system comes up, but neither names nor contents do.
    disk = tmp_path / "w1" / "home.disk"
    disk.mkdir(exist_ok=True)
    subprocess.run(["mount", "-o", "loop", tmp_path / "w1" / "home.img", disk], check=True)
    (found,) = (disk / "data").iterdir()
    assert found.name != NAME
    with pytest.raises(OSError, match="Required key"):
        found.read_bytes()


def test_a_key_taken_from_the_kernel_closes_a_mounted_volume(volumes: Volumes, tmp_path: Path) -> None:
    volumes.ensure("w1", **SIZES, keys=KEYS)
    place = tmp_path / "w1" / "home"
    (place / NAME).write_bytes(MARK)
    fscrypt.remove_key(place, identifier(KEYS["home"]))
    # Still mounted: what is gone is the key.
    with pytest.raises(OSError, match=r"No such file|Required key"):
        (place / NAME).read_bytes()
    volumes.ensure("w1", **SIZES, keys=KEYS)
    assert (place / NAME).read_bytes() == MARK


def test_a_volume_from_before_there_were_keys_is_refused_in_words(volumes: Volumes, tmp_path: Path) -> None:
    (tmp_path / "w1").mkdir()
    image = tmp_path / "w1" / "home.img"
    image.write_bytes(b"")
    os.truncate(image, 16 * MIB)
    subprocess.run(["mkfs.ext4", "-q", "-F", image], check=True)
    with pytest.raises(Conflict) as refused:
        volumes.ensure("w1", **SIZES, keys=KEYS)
    assert refused.value.code == "gate.volume-plain"
    assert image.exists()
    assert volumes.mounted() == []


def test_what_is_mounted_needs_no_keys_again(volumes: Volumes) -> None:
    volumes.ensure("w1", **SIZES, keys=KEYS)
    volumes.ensure("w1", **SIZES, keys={})
    volumes.unmount("w1")
    with pytest.raises(Invalid):
        volumes.ensure("w1", **SIZES, keys={})


def test_reading_mounts_for_a_moment_and_only_with_keys(volumes: Volumes, tmp_path: Path) -> None:
    volumes.ensure("w1", **SIZES, keys=KEYS)
    filled(volumes, tmp_path / "w1" / "home")
    with pytest.raises(Conflict) as refused, volumes.reading("w1", None):
        pass
    assert refused.value.code == "gate.no-volumes"
    with volumes.reading("w1", KEYS):
        assert (tmp_path / "w1" / "home" / NAME).read_bytes().startswith(MARK)
    assert volumes.mounted() == []


def test_an_image_that_a_crash_left_half_made_is_made_anew(volumes: Volumes, tmp_path: Path) -> None:
    (tmp_path / "w1").mkdir()
    (tmp_path / "w1" / "home.new").write_bytes(b"half")
    volumes.ensure("w1", **SIZES, keys=KEYS)
    assert (tmp_path / "w1" / "home").is_mount()
    assert not (tmp_path / "w1" / "home.new").exists()


@pytest.mark.parametrize("times", [1, 2])
def test_a_disk_that_a_killed_gate_left_mounted_stands_in_nobodys_way(
    volumes: Volumes, tmp_path: Path, times: int
) -> None:
    """The kill came after the folder was bound and before the whole disk was let go."""
    volumes.ensure("w1", **SIZES, keys=KEYS)
    disk = tmp_path / "w1" / "outbox.disk"
    for again in (volumes.remove, lambda each: volumes.ensure(each, **SIZES, keys=KEYS)):
        disk.mkdir()
        subprocess.run(["mount", "-o", "loop", str(tmp_path / "w1" / "outbox.img"), str(disk)], check=True)
        for _ in range(times - 1):
            subprocess.run(["mount", "--bind", str(disk), str(disk)], check=True)
        again("w1")
        assert not disk.exists()
        volumes.ensure("w1", **SIZES, keys=KEYS)


def test_volumes_in_use_are_not_destroyed(volumes: Volumes) -> None:
    volumes.ensure("w1", **SIZES, keys=KEYS)
    with (volumes.outbox("w1") / "open").open("w"), pytest.raises(Conflict) as refused:
        volumes.remove("w1")
    assert refused.value.code == "gate.volume-busy"
    volumes.ensure("w1", **SIZES, keys=KEYS)
    assert (volumes.outbox("w1") / "open").exists()


def test_destroyed_volumes_leave_nothing_and_may_be_destroyed_twice(volumes: Volumes, tmp_path: Path) -> None:
    volumes.ensure("w1", **SIZES, keys=KEYS)
    volumes.remove("w1")
    volumes.remove("w1")
    assert list(tmp_path.iterdir()) == []


def test_a_disk_without_room_says_so_and_leaves_no_image(volumes: Volumes, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="free") as refused:
        volumes.ensure("w1", home_bytes=1 << 50, outbox_bytes=16 * MIB, keys=KEYS)
    assert refused.value.code == "gate.volume"
    assert not list(tmp_path.rglob("*.img"))


def test_a_size_that_no_file_system_fits_in_says_what_the_tool_said(volumes: Volumes, tmp_path: Path) -> None:
    with pytest.raises(Unavailable) as refused:
        volumes.ensure("w1", home_bytes=1024, outbox_bytes=16 * MIB, keys=KEYS)
    assert "mkfs" in refused.value.en or "small" in refused.value.en
    assert not list(tmp_path.rglob("*.img"))
