"""Processes of tests, forked from one that has everything imported: whoever is killed is back at once."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["audit.serve", "enclave.store", "tests.crash.audit_writer", "tests.crash.lossy_disk"])


def start(work: Callable[..., object], *arguments: object) -> BaseProcess:
    """Have a function run in a process of its own."""
    process = _FORKS.Process(target=work, args=arguments, daemon=True)
    process.start()
    return process


def line() -> tuple[Connection, Connection]:
    """Return the two ends of a line between processes."""
    return multiprocessing.Pipe()  # type: ignore[return-value]
