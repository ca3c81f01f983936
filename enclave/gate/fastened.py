"""Views, imports and packages fastened where only root writes: what the engine mounts cannot be exchanged.

The portal's user writes the views folder, and the engine follows symbolic links in a bind's source. So the gate
opens a view by descriptor with no link allowed on the way (openat2(2)), binds that very folder read-only to a place of
its own (mount(2) follows `/proc/self/fd/N` to the open folder, not to its name), and the plan names that place.
Imports and packages are named by their content, which is computed again here, from the open folder, before the mount.
"""

from __future__ import annotations

import ctypes
import os
import struct
from contextlib import suppress
from pathlib import Path

from enclave.errors import Denied
from enclave.workspace.mounts import Roots
from enclave.workspace.plan import FASTENED, Mount, MountKind, WorkspacePlan
from enclave.workspace.tree import NotATree, leaves_of, tree_sha256

LIBC = ctypes.CDLL(None, use_errno=True)
SYS_OPENAT2 = 437  # of every architecture (unistd.h, generic numbering since Linux 5)
OPEN_HOW = struct.Struct("=QQQ")  # flags, mode, resolve
NO_MAGICLINKS, NO_SYMLINKS, BENEATH = 2, 4, 8
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT, MS_BIND = 1, 2, 4, 8, 32, 4096
HARDENED = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC  # statvfs(3) has the same bits
# Approved packages may hold machine code, which the loader maps to run it.
FLAGS = {MountKind.PACKAGES: HARDENED & ~MS_NOEXEC}
MNT_DETACH, UMOUNT_NOFOLLOW = 2, 8


class Fastened:
    """What every workspace mounts of others' making, as read-only mounts `<root>/<workspace>/<sha256>`."""

    def __init__(self, roots: Roots) -> None:
        self._roots = roots

    def ensure(self, plan: WorkspacePlan) -> None:
        """Fasten exactly what this plan names; what an older plan named is let go.

        Raises `Denied`: `gate.mount-missing` when a folder is not there, is a link, or is another user's,
        `gate.import-damaged` when its content is not what its name says.
        """
        self.release(plan.workspace_id)
        for mount in {mount.source: mount for mount in plan.mounts if mount.kind in FASTENED}.values():
            self._fasten(mount)

    def release(self, workspace_id: str) -> None:
        """Let go of what a workspace mounted; a running container keeps its own mounts of them."""
        folder = self._roots.mounted / workspace_id
        if not folder.is_dir():
            return
        for place in folder.iterdir():
            with suppress(OSError):  # EINVAL: no (further) mount there
                while True:
                    _call(LIBC.umount2, os.fsencode(place), MNT_DETACH | UMOUNT_NOFOLLOW)
            # Never a recursive removal: what is below might be the view itself.
            place.rmdir()
        folder.rmdir()

    def _fasten(self, mount: Mount) -> None:
        place = Path(mount.source)
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        view = self._open(mount)
        try:
            _check_content(mount, view)
            source = f"/proc/self/fd/{view}".encode()
            _call(LIBC.mount, source, os.fsencode(place), None, MS_BIND, None)
            flags = MS_BIND | MS_REMOUNT | FLAGS.get(mount.kind, HARDENED)
            _call(LIBC.mount, None, os.fsencode(place), None, flags, None)
        finally:
            os.close(view)

    def _open(self, mount: Mount) -> int:
        """Return a descriptor of the folder; only the owner of the folder above may have made it."""
        try:
            root = os.open(self._roots.of(mount.kind), os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError as error:
            raise _missing(mount) from error
        try:
            view = _open_beneath(root, mount.sha256)
            if os.fstat(view).st_uid == os.fstat(root).st_uid:
                return view
            os.close(view)
        except OSError as error:
            raise _missing(mount) from error
        finally:
            os.close(root)
        raise _missing(mount)


def is_fastened(mount: Mount) -> bool:
    """Say whether the place is our read-only mount now (a reboot takes them away)."""
    # Not os.path.ismount: it does not see a bind within one file system.
    place = Path(mount.source)
    flags = FLAGS.get(mount.kind, HARDENED)
    return place.is_dir() and os.statvfs(place).f_flag & flags == flags


def _check_content(mount: Mount, folder: int) -> None:
    if mount.kind is MountKind.VIEW:  # named by where it comes from; its hashes lie beside it
        return
    try:
        found = tree_sha256(leaves_of(folder))
    except (NotATree, OSError) as error:
        raise _damaged(mount) from error
    if found != mount.sha256:
        raise _damaged(mount)


def _open_beneath(root: int, name: str) -> int:
    flags = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    how = OPEN_HOW.pack(flags, 0, NO_MAGICLINKS | NO_SYMLINKS | BENEATH)
    return _call(LIBC.syscall, SYS_OPENAT2, root, name.encode(), how, OPEN_HOW.size)


def _call(function: ctypes._NamedFuncPointer, *arguments: int | bytes | None) -> int:
    given = [ctypes.c_long(value) if isinstance(value, int) else value for value in arguments]
    result = int(function(*given))
    if result == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def _damaged(mount: Mount) -> Denied:
    return Denied(
        "gate.import-damaged",
        ko=f"{mount.target}의 내용이 승인된 것과 다르므로 연결하지 않았습니다: {mount.sha256}",
        en=f"The content for {mount.target} is not what was approved, so it is not mounted: {mount.sha256}",
        remedy_ko="운영자에게 알리세요. 저장 장치를 점검하고 반입물을 다시 펼쳐야 합니다.",
        remedy_en="Tell the operator: check the disk and lay the import out again.",
    )


def _missing(mount: Mount) -> Denied:
    return Denied(
        "gate.mount-missing",
        ko=f"게이트가 연결할 수 있는 승인된 폴더가 아닙니다: {mount.sha256}",
        en=f"This is no approved folder that the gate may mount: {mount.sha256}",
        remedy_ko="작업공간을 다시 시작하면 새로 만들어집니다. 계속되면 운영자에게 알려 주십시오.",
        remedy_en="Starting the workspace again makes it anew. If it persists tell the operator.",
    )
