"""The barriers around a process that reads hostile bytes, in two steps.

First `enter_cell`, once, in the fork server: an empty network namespace, no identity, no capabilities. Then `lock`, in
each forked child: limits, Landlock, seccomp. Each returns the names of the barriers that hold; the ones in `REQUIRED`
must, or the child ends before it reads a byte. The others add depth where the kernel grants them.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
import sysconfig
from contextlib import suppress
from pathlib import Path

from enclave.airlock.sealing import kernel, landlock, seccomp

NOBODY = 65534
REQUIRED = frozenset({"no-new-privileges", "limits", "seccomp"})
OPEN_FILES = 64
PAGE = resource.getpagesize()


def enter_cell() -> tuple[str, ...]:
    """Leave the network and the host's names; call it before anything starts a thread.

    Root makes the namespaces directly; others need unprivileged user namespaces, which some kernels refuse.
    """
    spaces = kernel.CLONE_NEWNET | kernel.CLONE_NEWIPC | kernel.CLONE_NEWUTS
    user = 0 if os.geteuid() == 0 else kernel.CLONE_NEWUSER
    try:
        kernel.unshare(spaces | user)
    except OSError:
        return ()
    return ("no-network",)


def drop_identity() -> tuple[str, ...]:
    """Become nobody when root, lose every capability, and never gain a privilege again."""
    held = []
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
        held.append("nobody")
    kernel.drop_capabilities()
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
    return (*held, "no-capabilities", "no-new-privileges")


def lock(*, memory_bytes: int, cpu_s: int) -> tuple[str, ...]:
    """Close this forked child for good. Raises `OSError` when a required barrier cannot be put up."""
    os.setsid()
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
    _limit(memory_bytes, cpu_s)
    held = ["limits"]
    with suppress(OSError):  # an older kernel: seccomp then refuses to open files at all
        landlock.restrict(code_folders())
        held.append("landlock")
    seccomp.install(files="landlock" in held)
    return (*held, "seccomp")


def code_folders() -> tuple[Path, ...]:
    """Where our own code and libraries lie: all that a sealed child may read, for imports that come late."""
    names = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    ours = {module.__path__[0] for name in ("enclave", "deid") if (module := sys.modules.get(name)) is not None}
    return tuple(Path(name) for name in sorted(names | ours))


def _limit(memory_bytes: int, cpu_s: int) -> None:
    used = int(Path("/proc/self/statm").read_text().split()[0]) * PAGE
    limits = {
        resource.RLIMIT_AS: used + memory_bytes,
        resource.RLIMIT_CPU: cpu_s,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_NOFILE: OPEN_FILES,
        resource.RLIMIT_NPROC: 0,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_MEMLOCK: 0,
        resource.RLIMIT_MSGQUEUE: 0,
    }
    for name, value in limits.items():
        resource.setrlimit(name, (value, value))
