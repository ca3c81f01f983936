"""An attacker inside the container of a checker's child, with seccomp, Landlock and limits all taken away.

Run as a program: it enters the container as the fork server does, forks children as it does, and prints as JSON what
each attack gave: the error of the kernel, or what was won. A child here even keeps the rights it has in its own user
namespace, which a real one has dropped.
"""

from __future__ import annotations

import ctypes
import json
import os
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

from enclave.airlock.sealing import cell, kernel, seal

LIBC = ctypes.CDLL(None, use_errno=True)
IPC_CREAT, SHARED_KEY = 0o1000, 4321
SECRET = b"what another child holds in memory"


def number_of(result: int) -> int:
    if result == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def names_of_the_root() -> object:
    return sorted(path.name for path in Path("/").iterdir())


def read(path: str) -> Callable[[], object]:
    return lambda: Path(path).read_bytes()[:10]


def other_processes() -> object:
    # In a world of its own it is the first process, has no parent, and nobody answers.
    alive = []
    for pid in range(2, 400):
        try:
            os.kill(pid, 0)
            alive.append(pid)
        except ProcessLookupError:
            continue
    return {"me": os.getpid(), "parent": os.getppid(), "others": alive}


def trace(pid: int) -> object:
    return number_of(LIBC.ptrace(16, pid, None, None))  # PTRACE_ATTACH


def reach(address: str) -> Callable[[], object]:
    return lambda: socket.create_connection((address, 80), timeout=2)


def write_at_the_root() -> object:
    return Path("/ansim-was-here").write_text("x")


def write_into_our_code() -> object:
    return (Path(cell.__file__).parent / "x.py").write_text("x")


def make_the_root_writable() -> object:
    kernel.mount("none", "/", flags=0x20 | kernel.MS_BIND)  # MS_REMOUNT without MS_RDONLY
    return write_at_the_root()


def uncover_what_lies_beneath() -> object:
    kernel.change_root("/")
    return names_of_the_root()


def make_a_device() -> object:
    kernel.mount("none", "/usr", "tmpfs")
    os.mknod("/usr/memory", 0o20666, os.makedev(1, 1))
    return os.open("/usr/memory", os.O_RDONLY)


def take_the_shared_memory_of_another() -> object:
    return number_of(LIBC.shmget(SHARED_KEY, 4096, 0o600))


def become_root_of_the_machine() -> object:
    os.setuid(0)
    return os.getuid()


ATTACKS: dict[str, Callable[[], object]] = {
    "read /etc/passwd": read("/etc/passwd"),
    "read the enclave's database": read("/var/lib/ansim/ansim.db"),
    "read the first process": read("/proc/1/environ"),
    "read itself in /proc": read("/proc/self/status"),
    "read a temporary file of the machine": read(sys.argv[1]),
    "look into another process": lambda: trace(2),
    "reach the machine": reach("127.0.0.1"),
    "reach the network": reach("192.0.2.1"),
    "write at the root": write_at_the_root,
    "write into our code": write_into_our_code,
    "make the root writable": make_the_root_writable,
    "make a device": make_a_device,
    "take the shared memory of another": take_the_shared_memory_of_another,
    "become root of the machine": become_root_of_the_machine,
    "names of the root": names_of_the_root,
    "other processes": other_processes,
    "uncover what lies beneath": uncover_what_lies_beneath,
}


def attempt(name: str) -> dict[str, object]:
    try:
        return {"won": repr(ATTACKS[name]()) if not name.startswith(("names", "other", "uncover")) else ATTACKS[name]()}
    except OSError as refused:
        return {"refused": refused.errno}


def in_a_child(container: cell.Cell, do: Callable[[], object]) -> tuple[int, int]:
    """Fork as the server does; returns the pid and the reading end of what the child writes."""
    ours, theirs = os.pipe()
    with container.next_process():
        pid = os.fork()
        if pid == 0:
            os.close(ours)
            container.leave_server()
            os.write(theirs, json.dumps(do()).encode())
            os._exit(0)
    os.close(theirs)
    return pid, ours


def holding() -> object:
    """A neighbour with something in memory, shared memory and a process, as long as the attacks last."""
    number_of(LIBC.shmget(SHARED_KEY, 4096, IPC_CREAT | 0o600))
    kept = bytearray(SECRET)
    time.sleep(60)
    return len(kept)


def leave_somebody_behind() -> object:
    """Fork a grandchild that would go on for an hour with the pipe open."""
    if os.fork() == 0:
        time.sleep(3600)
        os._exit(0)
    return os.getpid()


def main() -> None:
    container = cell.enter((*seal.folders(), *cell.linked_folders()))
    seal.never_again()
    neighbour, _ = in_a_child(container, holding)
    time.sleep(0.5)
    said: dict[str, object] = {"held": container.held}
    for name in ATTACKS:
        pid, ours = in_a_child(container, lambda name=name: attempt(name))
        said[name] = json.loads(os.read(ours, 1 << 16))
        os.waitpid(pid, 0)
    pid, ours = in_a_child(container, leave_somebody_behind)
    os.waitpid(pid, 0)
    os.read(ours, 100)
    said["survivor's pipe is shut"] = os.read(ours, 1) == b""
    os.kill(neighbour, 9)
    os.waitpid(neighbour, 0)
    print(json.dumps(said), flush=True)


main()
