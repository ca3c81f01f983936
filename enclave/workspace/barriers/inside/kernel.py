"""Attacks on the kernel from inside: name spaces, mounts, other processes, calls that open containers.

Numbers are those of x86_64 (syscalls(2)); each call is made so that it would do something if it were allowed.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

from enclave.workspace.barriers.inside.kit import Verdict, all_refused, broken, held, in_child, probe

LIBC = ctypes.CDLL(None, use_errno=True)
SIGCHLD = 17
USER, NET, PID, MOUNT = 0x10000000, 0x40000000, 0x20000000, 0x00020000
AT_FDCWD = -100
PAGE = ctypes.create_string_buffer(4096)


def _call(number: int, *arguments: object) -> Callable[[], object]:
    def attempt() -> None:
        # A call that succeeds must not change this process: name spaces would be entered for good.
        if (code := in_child(lambda: _errno(number, *arguments))) != 0:
            raise OSError(code, "refused")

    return attempt


def _errno(number: int, *arguments: object) -> int:
    failed = LIBC.syscall(number, *arguments) == -1
    os._exit(ctypes.get_errno() if failed else 0)


@probe("kernel.userns-unshare")
def userns_unshare(_: dict[str, Any]) -> Verdict:
    """A user name space, in which one is root, by unshare."""
    return all_refused({"user": _call(272, USER), "user and net": _call(272, USER | NET)}, "EPERM")


@probe("kernel.userns-clone")
def userns_clone(_: dict[str, Any]) -> Verdict:
    """The same by clone."""
    calls = {
        "user": _call(56, USER | SIGCHLD, 0, 0, 0, 0),
        "user and mount": _call(56, USER | MOUNT | SIGCHLD, 0, 0, 0, 0),
    }
    return all_refused(calls, "EPERM")


@probe("kernel.userns-clone3")
def userns_clone3(_: dict[str, Any]) -> Verdict:
    """The same by clone3, whose flags a filter cannot see."""
    arguments = (ctypes.c_uint64 * 11)(USER, 0, 0, 0, SIGCHLD, 0, 0, 0, 0, 0, 0)
    return all_refused({"user": _call(435, ctypes.byref(arguments), 88)}, "ENOSYS", "EPERM")


@probe("kernel.namespaces")
def namespaces(_: dict[str, Any]) -> Verdict:
    """Other name spaces: made, or entered through /proc."""
    flags = {"net": NET, "pid": PID, "mount": MOUNT, "ipc": 0x08000000, "uts": 0x04000000, "cgroup": 0x02000000}
    calls = {f"unshare {name}": _call(272, flag) for name, flag in flags.items()}
    calls |= {f"clone {name}": _call(56, flag | SIGCHLD, 0, 0, 0, 0) for name, flag in flags.items()}
    own = os.open("/proc/self/ns/net", os.O_RDONLY)
    return all_refused(calls | {"setns": _call(308, own, NET)}, "EPERM")


@probe("kernel.mount")
def mount(_: dict[str, Any]) -> Verdict:
    """Mounting, unmounting and changing the root, by the old calls and the new."""
    calls = {
        "mount": _call(165, b"none", b"/tmp", b"tmpfs", 0, 0),
        "remount": _call(165, b"none", b"/", None, 0x20, 0),
        "bind": _call(165, b"/etc", b"/tmp", None, 0x1000, 0),
        "umount2": _call(166, b"/data", 0),
        "open_tree": _call(428, AT_FDCWD, b"/", 1),
        "move_mount": _call(429, 0, b"", AT_FDCWD, b"/tmp", 4),
        "fsopen": _call(430, b"tmpfs", 0),
        "mount_setattr": _call(442, AT_FDCWD, b"/", 0, PAGE, 32),
        "pivot_root": _call(155, b"/tmp", b"/tmp"),
        "chroot": _call(161, b"/tmp"),
    }
    return all_refused(calls, "EPERM", "ENOSYS")


@probe("kernel.other-processes")
def other_processes(_: dict[str, Any]) -> Verdict:
    """Reading, writing and tracing other processes."""
    server = os.getppid()
    calls = {
        "ptrace": _call(101, 16, server, 0, 0),
        "process_vm_readv": _call(310, server, 0, 0, 0, 0, 0),
        "process_vm_writev": _call(311, server, 0, 0, 0, 0, 0),
        "kcmp": _call(312, server, server, 0, 0, 0),
        "pidfd_getfd": _call(438, 0, 0, 0),
    }
    return all_refused(calls, "EPERM", "ENOSYS")


@probe("kernel.server-memory")
def server_memory(_: dict[str, Any]) -> Verdict:
    """The notebook server, which runs under the same user: its memory, its environment, its open files."""
    server = f"/proc/{os.getppid()}"
    attempts: dict[str, Callable[[], object]] = {
        "mem": lambda: os.close(os.open(f"{server}/mem", os.O_RDWR)),
        "environ": lambda: Path(f"{server}/environ").read_bytes(),
        "maps": lambda: Path(f"{server}/maps").read_bytes(),
        "fd": lambda: os.listdir(f"{server}/fd"),
    }
    return all_refused(attempts, "EACCES", "EPERM")


@probe("kernel.io-uring")
def io_uring(_: dict[str, Any]) -> Verdict:
    """Io_uring, which does other calls' work past the filter."""
    return all_refused({"setup": _call(425, 8, PAGE), "register": _call(427, 0, 0, 0, 0)}, "EPERM", "ENOSYS")


@probe("kernel.bpf")
def bpf(_: dict[str, Any]) -> Verdict:
    """Programs in the kernel, and its performance counters."""
    return all_refused({"bpf": _call(321, 0, PAGE, 72), "perf": _call(298, PAGE, 0, -1, -1, 0)}, "EPERM")


@probe("kernel.userfaultfd")
def userfaultfd(_: dict[str, Any]) -> Verdict:
    """Page faults handled in user space, with which races in the kernel are won."""
    return all_refused({"userfaultfd": _call(323, 0), "user mode only": _call(323, 1)}, "EPERM")


@probe("kernel.keyring")
def keyring(_: dict[str, Any]) -> Verdict:
    """The kernel's keys, which know no containers."""
    calls = {
        "add_key": _call(248, b"user", b"x", b"y", 1, -3),
        "request_key": _call(249, b"user", b"x", 0, -3),
        "keyctl": _call(250, 0, -3, 1),
    }
    return all_refused(calls, "EPERM")


@probe("kernel.file-handles")
def file_handles(_: dict[str, Any]) -> Verdict:
    """Opening files of the host by their number."""
    calls = {
        "open_by_handle_at": _call(304, AT_FDCWD, PAGE, 0),
        "name_to_handle_at": _call(303, AT_FDCWD, b"/", PAGE, PAGE, 0),
    }
    return all_refused(calls, "EPERM")


@probe("kernel.administration")
def administration(_: dict[str, Any]) -> Verdict:
    """Modules, another kernel, swap, the clock, the host's name, accounting."""
    calls = {
        "init_module": _call(175, PAGE, 8, b""),
        "finit_module": _call(313, 0, b"", 0),
        "kexec_load": _call(246, 0, 0, 0, 0),
        "swapon": _call(167, b"/tmp/x", 0),
        "acct": _call(163, b"/tmp/x"),
        "sethostname": _call(170, b"mine", 4),
        # Only the error estimate: where it is allowed, the clock must not stand wrong afterwards.
        "adjtimex": _call(159, struct.pack("=I4xqqqqi", 4, 0, 0, 16_000_000, 0, 0).ljust(208, b"\0")),
        "syslog": _call(103, 3, PAGE, 4096),
        "iopl": _call(172, 3),
        "quotactl": _call(179, 0, 0, 0, 0),
    }
    return all_refused(calls, "EPERM", "ENOSYS")


@probe("kernel.capabilities")
def capabilities(_: dict[str, Any]) -> Verdict:
    """What this process may do, and whether it could gain more."""
    lines = (line.partition(":\t") for line in Path("/proc/self/status").read_text().splitlines())
    status = {name: value for name, _, value in lines}
    sets = {name: status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")}
    rest = {name: status[name] for name in ("NoNewPrivs", "Seccomp")}
    if any(int(value, 16) for value in sets.values()) or rest != {"NoNewPrivs": "1", "Seccomp": "2"}:
        return broken(f"{sets} {rest}")
    return held("five empty sets of capabilities, NoNewPrivs 1, Seccomp 2")


@probe("kernel.become-root")
def become_root(_: dict[str, Any]) -> Verdict:
    """Becoming somebody else, or root."""
    calls: dict[str, Callable[[], object]] = {
        "setuid": lambda: os.setuid(0),
        "setgid": lambda: os.setgid(0),
        "setgroups": lambda: os.setgroups([0]),
        "setresuid": lambda: os.setresuid(0, 0, 0),
        "setuid of a neighbour": lambda: os.setuid(10002),
    }
    if os.getuid() == 0:
        return broken("this process is root")
    return all_refused(calls, "EPERM")


@probe("kernel.signals")
def signals(_: dict[str, Any]) -> Verdict:
    """Whom one can see and signal: only processes of this workspace."""
    seen = sorted(int(name) for name in os.listdir("/proc") if name.isdigit())
    names = {Path(f"/proc/{pid}/comm").read_text().strip() for pid in seen if Path(f"/proc/{pid}/comm").exists()}
    foreign = names & {"dockerd", "containerd", "systemd", "sshd", "kthreadd", "postgres"}
    if foreign or len(seen) > 200:  # noqa: PLR2004
        return broken(f"{len(seen)} processes are seen, {sorted(foreign)}")
    return held(f"{len(seen)} processes are seen: {', '.join(sorted(names))}")
