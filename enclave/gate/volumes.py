"""A workspace's own two folders, each on an ext4 image of fixed size and under a key of its own.

Loop images and not project quotas, because they need nothing of the host's file system; nosuid, nodev and noexec
because what lies there is written by a stranger. The folder in the image is encrypted by the kernel (`fscrypt`) with
a key that the portal keeps: here it is in the kernel's memory while the volume is mounted, and nowhere on disk. The
mount lives on the host; the container binds it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from enclave.errors import Conflict, Denied, EnclaveError, Invalid, Unavailable
from enclave.gate import fscrypt
from enclave.volume_keys import KEY_BYTES, identifier
from enclave.whole import sync_folder
from enclave.workspace.user import uid_of

OPTIONS = "loop,nosuid,nodev,noexec,noatime"
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
NAMES = ("home", "outbox")
# The encrypted folder in an image. The image's own root belongs to root and is never bound.
DATA = "data"

Keys = Mapping[str, bytes]


class Volumes:
    """Home and outbox of every workspace, as `<root>/<workspace>/{home,outbox}` with their images beside them."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def place(self, workspace_id: str, name: str) -> Path:
        """Return the folder on the host where a volume is mounted."""
        return self._root / workspace_id / name

    def outbox(self, workspace_id: str) -> Path:
        """Return the folder on the host from which files are collected."""
        return self.place(workspace_id, "outbox")

    def mounted(self) -> list[str]:
        """Return the ids of the workspaces of which a volume is mounted."""
        return sorted({path.parent.name for name in NAMES for path in self._root.glob(f"*/{name}") if path.is_mount()})

    def ensure(self, workspace_id: str, *, home_bytes: int, outbox_bytes: int, keys: Keys) -> None:
        """Make and mount what is not there yet; an image keeps the size and the key it was made with.

        Raises `Invalid` (`gate.volume-no-key`), `Denied` (`gate.volume-key`: not the key it was made with),
        `Conflict` (`gate.volume-plain`: made before volumes had keys), `Unavailable` (`gate.volume`: the disk is
        full or a tool refuses); no half-made image is left. What is mounted already needs no keys again.
        """
        if not keys and all(self.place(workspace_id, name).is_mount() for name in NAMES):
            return
        check_keys(keys)
        for name, size in zip(NAMES, (home_bytes, outbox_bytes), strict=True):
            place = self.place(workspace_id, name)
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
            with _told(name):
                if not _image(place).exists():
                    _make(_image(place), size, keys[name], uid_of(workspace_id))
                _mount(place, keys[name])

    @contextmanager
    def reading(self, workspace_id: str, keys: Keys | None) -> Iterator[None]:
        """Have both volumes mounted for the length of the block; those that were not are unmounted at its end.

        Without keys they must be mounted already. Raises what `ensure` raises, and `Conflict` (`gate.no-volumes`).
        """
        places = [self.place(workspace_id, name) for name in NAMES]
        with ExitStack() as opened:
            for place in places:
                if place.is_mount():
                    continue
                if keys is None or not _image(place).exists():
                    raise _no_volumes(workspace_id)
                check_keys(keys)
                opened.callback(_unmount, place)
                with _told(place.name):
                    _mount(place, keys[place.name])
            yield

    def unmount(self, workspace_id: str) -> None:
        """Detach both; what is written stays, and with the file system the kernel forgets its key.

        Raises `Conflict` (`gate.volume-busy`) while something still uses them.
        """
        for name in NAMES:
            _unmount(self.place(workspace_id, name))

    def remove(self, workspace_id: str) -> None:
        """Destroy both with everything the gate knows of the workspace; fine if there is nothing."""
        for name in NAMES:
            _forget(self.place(workspace_id, name))
        self.unmount(workspace_id)
        folder = self._root / workspace_id
        if folder.exists():
            # Not ignoring errors: whoever hears that this is done may certify it.
            shutil.rmtree(folder)
            sync_folder(self._root)


def check_keys(keys: Keys) -> None:
    """Raise `Invalid` (`gate.volume-no-key`) unless there is a whole key for each volume."""
    missing = [name for name in NAMES if len(keys.get(name, b"")) != KEY_BYTES]
    if missing:
        raise Invalid(
            "gate.volume-no-key",
            ko=f"볼륨의 키가 없습니다: {', '.join(missing)}",
            en=f"There is no key for the volume: {', '.join(missing)}",
            remedy_ko="파기된 작업공간은 다시 열 수 없습니다. 그렇지 않다면 운영자에게 알려 주십시오.",
            remedy_en="A destroyed workspace cannot be opened again. If it was not destroyed, tell the operator.",
        )


def _image(place: Path) -> Path:
    return place.with_name(f"{place.name}.img")


def _make(image: Path, size: int, key: bytes, uid: int) -> None:
    """Make a sparse ext4 image with an encrypted folder in it; it has its name only once it is whole."""
    room = shutil.disk_usage(image.parent).free
    if room < size:
        raise OSError(28, f"{size} bytes wanted, {room} free")
    fresh = image.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with fresh.open("wb") as file:
        file.truncate(size)
    fresh.chmod(0o600)
    _run("mkfs.ext4", "-q", "-F", "-m", "0", "-O", "encrypt", "-E", "nodiscard", fresh)
    with _disk(fresh) as disk:
        data = disk / DATA
        data.mkdir(mode=0o700)
        # Only who holds the key can make an encrypted folder: the kernel wants proof.
        fscrypt.add_key(disk, key)
        fscrypt.set_policy(data, identifier(key))
        os.chown(data, uid, uid)
    fresh.replace(image)


def _mount(place: Path, key: bytes) -> None:
    """Mount the encrypted folder of an image, if it is not there yet, and give the kernel its key."""
    if place.is_mount():
        _let_go(_disk_of(place))  # of a gate that was killed between binding the folder and leaving the disk
    else:
        with _disk(_image(place)) as disk:
            _check_policy(disk / DATA, place, key)
            _run("mount", "--bind", disk / DATA, place)
    _check_policy(place, place, key)
    fscrypt.add_key(place, key)


def _unmount(place: Path) -> None:
    try:
        _let_go(_disk_of(place))  # a second mount would keep the file system, and with it the key
        if place.is_mount():
            _run("umount", place)
    except subprocess.CalledProcessError as error:
        raise _busy(place.parent.name) from error


def _forget(place: Path) -> None:
    """Take the key of a mounted volume from the kernel: it goes even if another mount of the file system lives on."""
    if place.is_mount() and (name := fscrypt.policy_of(place)):
        fscrypt.remove_key(place, name)


@contextmanager
def _disk(image: Path) -> Iterator[Path]:
    """Mount a whole image for a moment; what is bound out of it stays."""
    disk = _disk_of(image)
    _let_go(disk)
    disk.mkdir(mode=0o700)
    _run("mount", "-t", "ext4", "-o", OPTIONS, image, disk)
    try:
        yield disk
    finally:
        _let_go(disk)


def _disk_of(place: Path) -> Path:
    return place.with_suffix(".disk")


def _let_go(disk: Path) -> None:
    """Unmount a whole image, also one that a gate killed with -9 left mounted, once or twice over."""
    while disk.is_mount():
        _run("umount", disk)
    with suppress(FileNotFoundError):
        disk.rmdir()


def _check_policy(folder: Path, place: Path, key: bytes) -> None:
    name = fscrypt.policy_of(folder) if folder.is_dir() else None
    if name is None:
        raise Conflict(
            "gate.volume-plain",
            ko=f"볼륨 {place.name}은(는) 암호화되지 않은 옛 방식으로 만들어져 있어 열지 않습니다.",
            en=f"The volume {place.name} was made before volumes were encrypted, and is not opened.",
            remedy_ko="운영자가 필요한 파일을 옮기고 이 볼륨을 지우면, 다음 시작 때 암호화된 볼륨이 생깁니다.",
            remedy_en="Once the operator has moved what is needed and removed this volume, the next start encrypts.",
        )
    if name != identifier(key):
        raise Denied(
            "gate.volume-key",
            ko=f"볼륨 {place.name}의 키가 맞지 않습니다.",
            en=f"This is not the key of the volume {place.name}.",
            remedy_ko="운영자에게 알려 주십시오. 데이터베이스와 볼륨이 같은 백업에서 왔는지 확인해야 합니다.",
            remedy_en="Tell the operator: database and volumes must come from the same backup.",
        )


def _run(*command: str | Path) -> None:
    subprocess.run(list(map(str, command)), check=True, capture_output=True, env={"PATH": PATH, "LC_ALL": "C"})


@contextmanager
def _told(name: str) -> Iterator[None]:
    try:
        yield
    except EnclaveError:
        raise
    except (OSError, subprocess.CalledProcessError) as error:
        raise _failed(name, error) from error


def _failed(name: str, error: Exception) -> Unavailable:
    said = error.stderr.decode(errors="replace") if isinstance(error, subprocess.CalledProcessError) else str(error)
    return Unavailable(
        "gate.volume",
        ko=f"작업공간 볼륨 {name}을(를) 준비하지 못했습니다: {said.strip()}",
        en=f"The workspace's volume {name} could not be prepared: {said.strip()}",
        remedy_ko="운영자가 디스크 여유 공간을 확인한 뒤 다시 시작하십시오.",
        remedy_en="Start again once the operator has made room on the disk.",
    )


def _no_volumes(workspace_id: str) -> Conflict:
    return Conflict(
        "gate.no-volumes",
        ko=f"작업공간 {workspace_id}의 볼륨이 연결되어 있지 않습니다.",
        en=f"The volumes of workspace {workspace_id} are not mounted.",
        remedy_ko="작업공간을 시작한 뒤 다시 시도하십시오.",
        remedy_en="Start the workspace, then try again.",
    )


def _busy(workspace_id: str) -> Conflict:
    return Conflict(
        "gate.volume-busy",
        ko=f"작업공간 {workspace_id}의 볼륨이 아직 사용 중입니다.",
        en=f"The volumes of workspace {workspace_id} are still in use.",
        remedy_ko="먼저 작업공간을 멈춘 뒤 다시 시도하십시오.",
        remedy_en="Stop the workspace first, then try again.",
    )
