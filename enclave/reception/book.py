"""The book of receptions, kept by a process of its own: the receiver is root's, the log is the service's.

The receiver, which reads what strangers send, has no database; the other process writes entries and takes nothing but
the few words of `ask`. What it does not answer is a no: nothing is taken that is not recorded.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from enclave.commands.reception import Came
from enclave.ids import new_id
from enclave.policy.reception import Caller, Senders

WRITER = "enclave.console.reception_entries"
LIKE_IT_S = 600  # a stranger who goes on asking fills no log: one entry in so many seconds says how often
MOST_STRANGERS = 1024


class NotRecorded(Exception):  # noqa: N818 - what happened, and not whose fault
    """The writer refused (`code`), or did not answer."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass
class Book:
    """The way to the writer, and the receptions that are open, each a file in `open_`: what a crash leaves is seen."""

    process: subprocess.Popen[str]
    open_: Path
    _turn: threading.Lock = field(default_factory=threading.Lock)
    _strangers: dict[tuple[str, Caller], tuple[float, str, int]] = field(default_factory=dict)

    def begin(self, caller: Caller, ip: str) -> str:
        """Record that somebody begins to send; gives the reception's id. Raises `NotRecorded`."""
        with self._turn:
            since, code, unheard = self._strangers.get((ip, caller), (0.0, "", 0))
            if code and time.monotonic() - since < LIKE_IT_S:
                self._strangers[(ip, caller)] = (since, code, unheard + 1)
                raise NotRecorded(code)
            made = new_id("rx")
            (self.open_ / made).touch(0o600)
            try:
                self._ask("begin", id=made, caller=asdict(caller), ip=ip, unheard=unheard)
            except NotRecorded as refused:
                (self.open_ / made).unlink()
                if refused.code.startswith("reception.") and len(self._strangers) < MOST_STRANGERS:
                    self._strangers[(ip, caller)] = (time.monotonic(), refused.code, 0)
                raise
            self._strangers.pop((ip, caller), None)
            return made

    def end(self, reception_id: str, came: Came) -> None:
        """Record what came. Raises `NotRecorded`; then it stays open, and the next receiver says that it does."""
        with self._turn:
            self._ask("end", id=reception_id, came=asdict(came))
            (self.open_ / reception_id).unlink(missing_ok=True)

    def close_lost(self) -> None:
        """Record of every reception that a killed receiver left open that it is over. Raises `NotRecorded`."""
        for left in sorted(self.open_.iterdir()):
            with self._turn:
                self._ask("lost", id=left.name)
                left.unlink()

    def _ask(self, what: str, **about: Any) -> None:
        assert self.process.stdin is not None  # noqa: S101 - both are pipes
        assert self.process.stdout is not None  # noqa: S101
        try:
            self.process.stdin.write(json.dumps({"ask": what, **about}) + "\n")
            self.process.stdin.flush()
            answer = json.loads(self.process.stdout.readline())
        except (OSError, ValueError) as error:
            raise NotRecorded("reception.no-book") from error
        if answer.get("code"):
            raise NotRecorded(str(answer["code"]))


@contextmanager
def kept_book(source: Path, open_: Path, senders: Senders) -> Iterator[Book]:
    """Start the writer, close what an earlier receiver left open, and end the writer at the end.

    Raises `NotRecorded` where nothing can be recorded.
    """
    command = [sys.executable, "-m", WRITER, source.name, json.dumps(asdict(senders))]
    # Not of our session: who interrupts the receiver at its terminal does not interrupt its last entries.
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, start_new_session=True)
    try:
        book = Book(process, open_)
        book.close_lost()
        yield book
    finally:
        # A writer that was killed has no end of the pipe any more.
        with suppress(BrokenPipeError):
            process.communicate()
