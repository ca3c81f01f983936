"""The barriers around a process that reads hostile bytes, in two steps.

First `never_again`, once, in the fork server, within the container that `cell` made. Then `lock`, in each forked child:
no capabilities, limits, Landlock, seccomp. Each returns the names of the barriers that hold; the ones in `REQUIRED`
must, or the child ends before it reads a byte. The others add depth where the kernel grants them.
"""

from __future__ import annotations

import importlib.util
import os
import resource
import signal
import sysconfig
from contextlib import suppress
from pathlib import Path

from enclave.airlock.sealing import kernel, landlock, seccomp

REQUIRED = frozenset({"no-new-privileges", "no-capabilities", "limits", "seccomp"})
# Letters as the recogniser of letters knows them, and as the drawers of pages draw them.
DATA = (Path("/usr/share/tesseract-ocr"), Path("/usr/share/fonts"))
OPEN_FILES = 64


def never_again() -> tuple[str, ...]:
    """Lay down what the server has no use for: gaining privileges by a program, being looked into by others."""
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
    return ("no-new-privileges",)


def lock(*, memory_bytes: int, cpu_s: int) -> tuple[str, ...]:
    """Close this forked child for good; ``memory_bytes`` counts all its address space.

    Raises `OSError` when a required barrier cannot be put up.
    """
    os.setsid()
    kernel.drop_capabilities()
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
    _limit(memory_bytes, cpu_s)
    held = ["no-capabilities", "limits"]
    with suppress(OSError):  # an older kernel: seccomp then refuses to open files at all
        landlock.restrict(folders())
        held.append("landlock")
    seccomp.install(files="landlock" in held)
    return (*held, "seccomp")


def folders() -> tuple[Path, ...]:
    """Where our own code, its libraries and their data lie: all that a sealed child may read, for what comes late."""
    names = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    found = [importlib.util.find_spec(name) for name in ("enclave", "deid")]
    ours = {place for spec in found if spec is not None for place in spec.submodule_search_locations or ()}
    return (*(Path(name) for name in sorted(names | ours)), *DATA)


def _limit(memory_bytes: int, cpu_s: int) -> None:
    limits = {
        resource.RLIMIT_AS: memory_bytes,
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
