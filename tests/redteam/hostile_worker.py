"""What an attacker does who has taken over the parser: runs inside the real sealing, in place of our worker."""

from __future__ import annotations

import ctypes
import json
import mmap
import os
import signal
import socket
import threading
from collections.abc import Callable
from pathlib import Path

OURS = Path(__file__)


SERVER: list[int] = []


def warm() -> None:
    """Runs in the server: remember whom to attack."""
    SERVER.append(os.getpid())


def run(job: dict[str, str], descriptor: int) -> bytes:
    """Try one attack; answer with what the kernel said, or with what was won."""
    try:
        won = ATTACKS[job["attack"]](descriptor)
    except OSError as refused:
        return json.dumps({"refused": refused.errno}).encode()
    except (RuntimeError, MemoryError) as refused:
        return json.dumps({"refused": type(refused).__name__}).encode()
    return json.dumps({"won": repr(won)[:200]}).encode()


def raw(number: int, *arguments: int) -> int:
    """A system call past Python and the C library's wrappers."""
    libc = ctypes.CDLL(None, use_errno=True)
    result = libc.syscall(ctypes.c_long(number), *(ctypes.c_long(value) for value in arguments))
    if result == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def write_a_file(folder: str) -> Callable[[int], object]:
    return lambda _: Path(folder, "ansim-was-here").write_text("x")


def write_through_the_input(descriptor: int) -> object:
    return os.write(descriptor, b"changed")


def reopen_the_input_for_writing(descriptor: int) -> object:
    return os.open(f"/proc/self/fd/{descriptor}", os.O_RDWR)


def eat_memory(_: int) -> object:
    return len(bytearray(8 << 30))


def start_a_thread(_: int) -> object:
    threading.Thread(target=print).start()
    return "a thread"


def fork_bomb(_: int) -> object:
    return [os.fork() for _ in range(100)]


def use_up_the_processor(_: int) -> object:
    while True:
        pass


def answer_without_end(_: int) -> object:
    while True:
        os.write(4, b"x" * 65536)


def crash(_: int) -> object:
    return ctypes.string_at(0)


def list_open_descriptors(_: int) -> object:
    held = []
    for number in range(64):
        try:
            os.fstat(number)
            held.append(number)
        except OSError:
            continue
    raise RuntimeError(f"open: {held}") if held != [3, 4] else OSError(0, "only input and output")


ATTACKS: dict[str, Callable[[int], object]] = {
    "open a TCP socket": lambda _: socket.create_connection(("127.0.0.1", 8085), timeout=1),
    "open a UDP socket": lambda _: socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
    "open a unix socket": lambda _: socket.socket(socket.AF_UNIX),
    "open a vsock": lambda _: socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM),
    "make a socket pair": lambda _: socket.socketpair(),
    "start an io_uring": lambda _: raw(425, 8, 0),
    "read /etc/passwd": lambda _: Path("/etc/passwd").read_text(),
    "read the server's environment": lambda _: Path(f"/proc/{SERVER[0]}/environ").read_bytes(),
    "read its own memory map": lambda _: Path("/proc/self/maps").read_text(),
    "list the root folder": lambda _: [*Path("/").iterdir()],
    "list our own tests": lambda _: OURS.read_text(),
    "write to /tmp": write_a_file("/tmp"),
    "write to /dev/shm": write_a_file("/dev/shm"),
    "write into our code": lambda _: (Path(os.__file__).parent / "x.py").write_text("x"),
    "make an anonymous file": lambda _: os.memfd_create("x"),
    "write through the input": write_through_the_input,
    "open the input again for writing": reopen_the_input_for_writing,
    "execute a program": lambda _: os.execv("/bin/sh", ["sh", "-c", "id"]),
    "execute by descriptor": lambda _: raw(322, 3, 0, 0, 0, 0x1000),
    "fork": lambda _: os.fork(),
    "fork bomb": fork_bomb,
    "clone with a new user namespace": lambda _: raw(56, 0x10000000 | 17, 0, 0, 0, 0),
    "clone3": lambda _: raw(435, 0, 0),
    "start a thread": start_a_thread,
    "unshare": lambda _: raw(272, 0x10000000),
    "trace the server": lambda _: raw(101, 16, SERVER[0], 0, 0),
    "read the server's memory": lambda _: raw(310, SERVER[0], 0, 0, 0, 0, 0),
    "kill the server": lambda _: os.kill(SERVER[0], signal.SIGKILL),
    "kill everybody": lambda _: os.kill(-1, signal.SIGKILL),
    "become root": lambda _: os.setuid(0),
    "raise its limits": lambda _: raw(302, 0, 0, 0, 0),
    "gain a capability": lambda _: raw(126, 0, 0),
    "load an eBPF program": lambda _: raw(321, 0, 0, 0),
    "mount": lambda _: raw(165, 0, 0, 0, 0, 0),
    "change the root": lambda _: os.chroot("/"),
    "add a key": lambda _: raw(248, 0, 0, 0, 0, 0),
    "push a key to a terminal": lambda _: raw(16, 0, 0x5412, 0),
    "lift the seccomp filter": lambda _: raw(317, 0, 0, 0),
    "lift no_new_privs": lambda _: raw(157, 38, 0, 0, 0, 0),
    "share memory": lambda _: raw(29, 1234, 4096, 0o1666),
    "open a message queue": lambda _: raw(240, 0, 0o102, 0o666, 0),
    "use a 32-bit call table": lambda _: raw(0x40000000 | 41, 2, 1, 0),
    "look for other descriptors": list_open_descriptors,
    "eat memory": eat_memory,
    "map memory": lambda _: mmap.mmap(-1, 8 << 30),
    "use up the processor": use_up_the_processor,
    "answer without end": answer_without_end,
    "crash": crash,
}
