"""Processes of tests, forked from one that has everything imported: whoever is killed is back at once."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import TextIO

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(
    [
        "audit.serve",
        "enclave.store",
        "tests.crash.audit_writer",
        "tests.crash.destruction_child",
        "tests.crash.gpu_child",
        "tests.crash.intake_child",
        "tests.crash.lossy_disk",
        "tests.crash.purge_child",
        "tests.crash.release_child",
    ]
)


def start(work: Callable[..., object], *arguments: object) -> BaseProcess:
    """Have a function run in a process of its own."""
    process = _FORKS.Process(target=work, args=arguments, daemon=True)
    process.start()
    return process


def telling(work: Callable[..., object], *arguments: object) -> tuple[BaseProcess, TextIO]:
    """Have a function run in a process of its own; what it prints can be read until it ends."""
    mine, its = multiprocessing.Pipe(duplex=False)
    process = start(_print_into, its, work, *arguments)
    its.close()
    said = os.fdopen(os.dup(mine.fileno()), encoding="utf-8")
    mine.close()
    return process, said


def _print_into(line: Connection, work: Callable[..., object], *arguments: object) -> None:
    os.dup2(line.fileno(), 1)
    work(*arguments)


def line() -> tuple[Connection, Connection]:
    """Return the two ends of a line between processes."""
    return multiprocessing.Pipe()  # type: ignore[return-value]
