"""The container around the fork server and each of its children, made of namespaces alone: no image, no engine.

The server enters one before it imports a parser: a root folder of its own (`root_folder`), no network, no other process
in sight. Every child then gets a further one for itself (`Cell.next_process`, `Cell.leave_server`), so that files
checked at the same time cannot see each other. Root becomes nobody on the way; others need unprivileged user
namespaces, which some kernels refuse: then there is less of a container, the report says so, and the barriers of `seal`
stand alone.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from enclave.airlock.sealing import kernel, root_folder

NOBODY = 65534
APART = kernel.CLONE_NEWNS | kernel.CLONE_NEWNET | kernel.CLONE_NEWIPC | kernel.CLONE_NEWUTS
OUTSIDE = ("no-network", "own-root")
NUM_THREADS, VSIZE = 20, 23  # fields of /proc/self/stat
MAPS = ("setgroups", "uid_map", "gid_map")


class Cell:
    """What the server holds of its container: the barriers, and whether children can have one of their own."""

    def __init__(self, held: tuple[str, ...], *, has_namespaces: bool) -> None:
        self.held, self.has_namespaces = held, has_namespaces
        self._own = os.pidfd_open(os.getpid())
        # There is no /proc inside: what tells of this process stays open.
        self._told = os.open("/proc/self/stat", os.O_RDONLY | os.O_CLOEXEC)

    def bytes_used(self) -> int:
        """How much address space the server takes, and so each child at its start."""
        return self._field(VSIZE)

    def threads(self) -> int:
        """How many threads the server has; a fork copies one, and the locks that the others held for ever."""
        return self._field(NUM_THREADS)

    def _field(self, number: int) -> int:
        # proc(5): fields are counted from 1; the second is a name in brackets that may hold anything.
        return int(os.pread(self._told, 1024, 0).rpartition(b")")[2].split()[number - 3])

    @contextmanager
    def next_process(self) -> Iterator[tuple[str, ...]]:
        """Whoever is forked inside is the only process of a world of its own; yields the barriers this gives."""
        if not self.has_namespaces:
            yield ()
            return
        kernel.unshare(kernel.CLONE_NEWPID)
        try:
            yield ("own-processes",)
        finally:
            # The server's next fork is not for that world: whoever comes after its first process would share it.
            kernel.setns(self._own, kernel.CLONE_NEWPID)

    def leave_server(self) -> None:
        """In a forked child: namespaces of its own, with no name for its user and no way to change the mounts."""
        if self.has_namespaces:
            kernel.unshare(APART | kernel.CLONE_NEWUSER)


def linked_folders() -> tuple[Path, ...]:
    """Where the shared libraries of this process lie (the C library and all that it came with)."""
    lines = Path("/proc/self/maps").read_text().splitlines()
    names = {line.split(maxsplit=5)[5] for line in lines if ".so" in line}
    return tuple({Path(name).parent for name in names})


def enter(folders: Iterable[Path]) -> Cell:
    """Move this process into a container that holds ``folders``; call it before anything starts a thread.

    It returns in a new process, the first of its container; the one that called waits for its end and ends likewise.
    Where the kernel refuses a part of it, it leaves the network if it can, and becomes nobody if it is root.
    """
    folders = tuple(folders)
    return _enter(folders) if _is_granted(folders) else _make_do()


def _enter(folders: tuple[Path, ...]) -> Cell:
    if os.geteuid() != 0:
        _leave_with_a_user_of_its_own(APART)
        root_folder.build(folders)
        return _go_on_in_a_child(OUTSIDE)
    # The root folder is made with root's rights: a checkout in a folder closed to others can still be read in it.
    kernel.unshare(APART)
    root_folder.build(folders)
    _become_nobody()
    _leave_with_a_user_of_its_own(kernel.CLONE_NEWNS)
    return _go_on_in_a_child((*OUTSIDE, "nobody"))


def _is_granted(folders: tuple[Path, ...]) -> bool:
    # Tried by a process that ends: some systems grant a user namespace and refuse what it is good for.
    pid = os.fork()
    if pid == 0:
        try:
            _enter(folders)
        except OSError:
            os._exit(1)
        os._exit(0)
    return os.waitpid(pid, 0)[1] == 0


def _make_do() -> Cell:
    is_root = os.geteuid() == 0
    held: tuple[str, ...] = ()
    with suppress(OSError):
        kernel.unshare(APART if is_root else APART | kernel.CLONE_NEWUSER)
        held = ("no-network",)
    if is_root:
        _become_nobody()
        held += ("nobody",)
    return Cell(held, has_namespaces=False)


def _become_nobody() -> None:
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    kernel.prctl(kernel.PR_SET_DUMPABLE, 1)  # else its own files in /proc would not be its own until `seal` says so


def _leave_with_a_user_of_its_own(more: int) -> None:
    user, group = os.geteuid(), os.getegid()
    kernel.unshare(more | kernel.CLONE_NEWPID | kernel.CLONE_NEWUSER)
    # Its rights in there are worth nothing outside. Without a name in it, it could make no further ones for children.
    for name, line in zip(MAPS, ("deny", f"0 {user} 1", f"0 {group} 1"), strict=True):
        Path("/proc/self", name).write_text(line)


def _go_on_in_a_child(held: tuple[str, ...]) -> Cell:
    # A new process namespace holds the processes forked after it was made, not the one that made it.
    pid = os.fork()
    if pid != 0:
        os.closerange(3, 1 << 16)
        _, status = os.waitpid(pid, 0)
        os._exit(abs(os.waitstatus_to_exitcode(status)))
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
    cell = Cell(held, has_namespaces=True)
    root_folder.change()
    return cell
