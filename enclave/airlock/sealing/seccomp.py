"""The list of system calls a sealed checker may make; every other one fails with EPERM (seccomp(2)).

An allow-list: no socket, no exec, no fork or thread, no ptrace, no signal to anybody, no ioctl, no new mapping of
namespaces. Without Landlock even opening files is off the list. Only x86_64 has a table; elsewhere `install` raises,
and the checker refuses to run.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import struct

from enclave.airlock.sealing.kernel import system_call

MACHINE, AUDIT_ARCH = "x86_64", 0xC000003E
SECCOMP, SET_MODE_FILTER = 317, 1
X32_BIT = 0x40000000
# linux/bpf_common.h and linux/seccomp.h
LOAD_WORD, JUMP_EQUAL, JUMP_AT_LEAST, RETURN = 0x20, 0x15, 0x35, 0x06
KILL_PROCESS, REFUSE, ALLOW = 0x80000000, 0x00050000 | errno.EPERM, 0x7FFF0000
NUMBER_AT, ARCH_AT = 0, 4

# fmt: off
CALLS = {
    "read": 0, "write": 1, "close": 3, "fstat": 5, "poll": 7, "lseek": 8, "mmap": 9, "mprotect": 10, "munmap": 11,
    "brk": 12, "rt_sigaction": 13, "rt_sigprocmask": 14, "rt_sigreturn": 15, "pread64": 17, "readv": 19,
    "writev": 20, "sched_yield": 24, "mremap": 25, "madvise": 28, "nanosleep": 35, "getpid": 39, "exit": 60,
    "uname": 63, "fcntl": 72, "gettimeofday": 96, "getrusage": 98, "sysinfo": 99, "getuid": 102, "getgid": 104,
    "geteuid": 107, "getegid": 108, "sigaltstack": 131, "gettid": 186, "time": 201, "futex": 202,
    "sched_getaffinity": 204, "restart_syscall": 219, "clock_gettime": 228, "clock_getres": 229,
    "clock_nanosleep": 230, "exit_group": 231, "set_robust_list": 273, "getrandom": 318, "membarrier": 324,
    "rseq": 334,
}
# Late imports of our own libraries; Landlock decides which files these may see.
FILE_CALLS = {
    "stat": 4, "lstat": 6, "access": 21, "getcwd": 79, "readlink": 89, "getdents64": 217, "openat": 257,
    "newfstatat": 262, "readlinkat": 267, "faccessat": 269, "statx": 332, "faccessat2": 439,
}
# fmt: on


def install(*, files: bool) -> None:
    """Put the filter on this process for good; ``files``: may open files (only when Landlock holds).

    Needs no_new_privs. Raises `OSError` when the kernel has no seccomp or this machine has no table.
    """
    if platform.machine() != MACHINE:
        raise OSError(errno.ENOSYS, f"no list of system calls for {platform.machine()}")
    numbers = sorted({**CALLS, **(FILE_CALLS if files else {})}.values())
    code = _program(numbers)
    kept = ctypes.create_string_buffer(code, len(code))
    # struct sock_fprog: a length and, aligned to eight bytes, a pointer
    program = struct.pack("HxxxxxxQ", len(code) // 8, ctypes.addressof(kept))
    system_call(SECCOMP, SET_MODE_FILTER, 0, ctypes.c_char_p(program))


def _program(numbers: list[int]) -> bytes:
    count = len(numbers)  # a jump counts the instructions it passes over; at most 255
    lines = [
        (LOAD_WORD, 0, 0, ARCH_AT),
        (JUMP_EQUAL, 1, 0, AUDIT_ARCH),
        (RETURN, 0, 0, KILL_PROCESS),
        (LOAD_WORD, 0, 0, NUMBER_AT),
        (JUMP_AT_LEAST, 0, 1, X32_BIT),  # the second table of the same machine
        (RETURN, 0, 0, KILL_PROCESS),
        *((JUMP_EQUAL, count - index, 0, number) for index, number in enumerate(numbers)),
        (RETURN, 0, 0, REFUSE),
        (RETURN, 0, 0, ALLOW),
    ]
    return b"".join(struct.pack("HBBI", *line) for line in lines)
