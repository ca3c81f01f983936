"""A workspace's own two folders, each on an ext4 image of fixed size: nobody can fill the host's disk.

Loop images and not project quotas, because they need nothing of the host's file system; nosuid, nodev and noexec
because what lies there is written by a stranger. The mount lives on the host; the container binds it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from enclave.errors import Conflict, Unavailable

OPTIONS = "loop,nosuid,nodev,noexec,noatime"
OWNER = "10001:10001"
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
NAMES = ("home", "outbox")


class Volumes:
    """Home and outbox of every workspace, as `<root>/<workspace>/{home,outbox}` with their images beside them."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def outbox(self, workspace_id: str) -> Path:
        """Return the folder on the host from which files are collected."""
        return self._root / workspace_id / "outbox"

    def ensure(self, workspace_id: str, *, home_bytes: int, outbox_bytes: int) -> None:
        """Make and mount what is not there yet; an image keeps the size it was made with.

        Raises `Unavailable` (`gate.volume`) when the disk is full or a tool refuses; no half-made image is left.
        """
        for name, size in zip(NAMES, (home_bytes, outbox_bytes), strict=True):
            image, place = self._image(workspace_id, name), self._root / workspace_id / name
            try:
                place.mkdir(mode=0o700, parents=True, exist_ok=True)
                if not image.exists():
                    _make(image, size)
                if not os.path.ismount(place):
                    _run("mount", "-t", "ext4", "-o", OPTIONS, image, place)
                    # mkfs leaves lost+found, which the owner cannot read and every listing would show.
                    shutil.rmtree(place / "lost+found", ignore_errors=True)
            except (OSError, subprocess.CalledProcessError) as error:
                raise _failed(image, error) from error

    def unmount(self, workspace_id: str) -> None:
        """Detach both; what is written stays. Raises `Conflict` while a container still uses them."""
        for name in NAMES:
            place = self._root / workspace_id / name
            if os.path.ismount(place):
                try:
                    _run("umount", place)
                except subprocess.CalledProcessError as error:
                    raise _busy(workspace_id) from error

    def remove(self, workspace_id: str) -> None:
        """Destroy both with everything the gate knows of the workspace; fine if there is nothing."""
        self.unmount(workspace_id)
        shutil.rmtree(self._root / workspace_id, ignore_errors=True)

    def _image(self, workspace_id: str, name: str) -> Path:
        return self._root / workspace_id / f"{name}.img"


def _make(image: Path, size: int) -> None:
    """Make a sparse ext4 image; it has its name only once it is whole."""
    room = shutil.disk_usage(image.parent).free
    if room < size:
        raise OSError(28, f"{size} bytes wanted, {room} free")
    fresh = image.with_suffix(".new")
    with fresh.open("wb") as file:
        file.truncate(size)
    fresh.chmod(0o600)
    _run("mkfs.ext4", "-q", "-F", "-m", "0", "-E", f"root_owner={OWNER},nodiscard", fresh)
    fresh.replace(image)


def _run(*command: str | Path) -> None:
    subprocess.run(list(map(str, command)), check=True, capture_output=True, env={"PATH": PATH, "LC_ALL": "C"})


def _failed(image: Path, error: Exception) -> Unavailable:
    said = error.stderr.decode(errors="replace") if isinstance(error, subprocess.CalledProcessError) else str(error)
    return Unavailable(
        "gate.volume",
        ko=f"작업공간 볼륨 {image.name}을(를) 준비하지 못했습니다: {said.strip()}",
        en=f"The workspace's volume {image.name} could not be prepared: {said.strip()}",
        remedy_ko="운영자가 디스크 여유 공간을 확인한 뒤 다시 시작하십시오.",
        remedy_en="Start again once the operator has made room on the disk.",
    )


def _busy(workspace_id: str) -> Conflict:
    return Conflict(
        "gate.volume-busy",
        ko=f"작업공간 {workspace_id}의 볼륨이 아직 사용 중입니다.",
        en=f"The volumes of workspace {workspace_id} are still in use.",
        remedy_ko="먼저 작업공간을 멈춘 뒤 다시 시도하십시오.",
        remedy_en="Stop the workspace first, then try again.",
    )
