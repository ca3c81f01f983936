"""Attacks on what the kernel counts by user id and not by container: whoever shares the id shares the limit.

Each takes all there is and holds it for a moment; the neighbour's work meanwhile shows whether it was its share too.
Source: inotify(7), epoll(7), mq_overview(7), sigqueue(3), getrlimit(2). Facts: `neighbour.uid`.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from enclave.workspace.barriers.inside.kit import Verdict, broken, held, in_child, name_of, probe

LIBC = ctypes.CDLL(None, use_errno=True)
HOLD_S = 1.5
WATCHES = 300_000


def checked(result: int) -> int:
    """Return the result of a C call, or raise what it set as errno."""
    if result == -1:
        raise OSError(ctypes.get_errno(), "refused")
    return result


@contextmanager
def all_of(make: Callable[[int], int], most: int) -> Iterator[tuple[int, str]]:
    """Take until it is refused; gives how many there were and why there were no more. Closes them at the end."""
    made: list[int] = []
    said = "no refusal"
    try:
        while len(made) < most:
            made.append(make(len(made)))
    except OSError as error:
        said = name_of(error.errno)
    try:
        yield len(made), said
    finally:
        for one in made:
            os.close(one)


def _own(facts: dict[str, Any], what: str) -> Verdict:
    time.sleep(HOLD_S)
    mine, other = os.getuid(), facts["neighbour"]["uid"]
    return (held if mine != other else broken)(f"{what}; user id {mine}, the neighbour's {other}")


@probe("res.inotify-instances")
def inotify_instances(facts: dict[str, Any]) -> Verdict:
    """Inotify instances, 128 for each user of the host by default."""
    with all_of(lambda _: checked(LIBC.inotify_init1(0)), 3000) as (count, said):
        return _own(facts, f"{said} after {count} instances")


@probe("res.inotify-watches")
def inotify_watches(facts: dict[str, Any]) -> Verdict:
    """Inotify watches, also counted by user."""
    folder, files = Path("/tmp/drill-watched"), 4000
    folder.mkdir()
    try:
        names = [str(folder / str(number)).encode() for number in range(files)]
        for name in names:
            os.close(os.open(name, os.O_CREAT | os.O_WRONLY))
        with all_of(lambda _: checked(LIBC.inotify_init1(0)), 100) as (count, _said):
            watches, why = _watch(count, names)
            return _own(facts, f"{why} after {watches} watches in {count} instances")
    finally:
        for left in os.listdir(folder):
            os.unlink(folder / left)
        folder.rmdir()


def _watch(_count: int, names: list[bytes]) -> tuple[int, str]:
    descriptors = [int(d) for d in os.listdir("/proc/self/fd") if _is_inotify(d)]
    watches = 0
    for descriptor in descriptors:
        for name in names:
            if LIBC.inotify_add_watch(descriptor, name, 2) == -1:
                return watches, name_of(ctypes.get_errno())
            watches += 1
            if watches >= WATCHES:
                return watches, "no refusal"
    return watches, "no refusal"


def _is_inotify(descriptor: str) -> bool:
    try:
        return os.readlink(f"/proc/self/fd/{descriptor}") == "anon_inode:inotify"
    except OSError:
        return False


@probe("res.message-queues")
def message_queues(facts: dict[str, Any]) -> Verdict:
    """POSIX message queues, whose bytes are counted by user."""
    attributes = (ctypes.c_long * 8)(0, 10, 8192, 0)

    def make(number: int) -> int:
        name = f"/drill-{os.getpid()}-{number}".encode()
        made = checked(LIBC.mq_open(name, os.O_CREAT | os.O_RDWR, 0o600, ctypes.byref(attributes)))
        LIBC.mq_unlink(name)
        return made

    with all_of(make, 1000) as (count, said):
        return _own(facts, f"{said} after {count} queues")


@probe("res.pending-signals")
def pending_signals(facts: dict[str, Any]) -> Verdict:
    """Signals that wait to be taken, counted by user: with none left, timers fail for everybody of that id."""
    reading, writing = os.pipe()

    def queue() -> int:
        # In a process of one thread: another thread that does not block the signal would die of it.
        number, sent, said = signal.SIGRTMIN + 3, 0, "no refusal"
        signal.pthread_sigmask(signal.SIG_BLOCK, {number})
        try:
            while sent < 1 << 20:
                checked(LIBC.sigqueue(os.getpid(), number, ctypes.c_void_p(0)))
                sent += 1
        except OSError as error:
            said = name_of(error.errno)
        os.write(writing, f"{said} after {sent} signals".encode())
        time.sleep(HOLD_S)
        return 0

    in_child(queue)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        said = pipe.read()
    return (
        _own(facts, f"{said} (limit {resource.getrlimit(resource.RLIMIT_SIGPENDING)[0]})")
        if said
        else broken("nothing")
    )


@probe("res.processes-of-user")
def processes_of_user(facts: dict[str, Any]) -> Verdict:
    """The limit of processes that is counted by user over the whole host, if there is one."""
    limit = resource.getrlimit(resource.RLIMIT_NPROC)
    return _own(facts, f"limit of processes by user: {limit}")


@probe("res.epoll-watches")
def epoll_watches(facts: dict[str, Any]) -> Verdict:
    """Descriptors that are waited for, without which no server accepts anybody; counted by user."""
    most = int(Path("/proc/sys/fs/epoll/max_user_watches").read_text())
    reads = [os.open("/proc/self/mounts", os.O_RDONLY) for _ in range(300)]
    waits: list[int] = []
    count, said = 0, "no refusal"
    try:
        while count < min(most + 1, WATCHES):
            one = checked(LIBC.epoll_create1(0))
            waits.append(one)
            for each in reads:
                event = (ctypes.c_uint32 * 3)(1, 0, 0)
                checked(LIBC.epoll_ctl(one, 1, each, ctypes.byref(event)))
                count += 1
    except OSError as error:
        said = name_of(error.errno)
    try:
        return _own(facts, f"{said} after {count} of {most}")
    finally:
        for each in (*reads, *waits):
            os.close(each)
