"""The files of a folder over several processes: results in the order of the files, whatever becomes of a process.

Not `ProcessPoolExecutor`: there one worker that the kernel ends (memory) ends the run, and the run after it meets the
same file; and workers outlive a parent that was killed, writing into the folders of the run that goes on. Here a file
whose process died is tried once more in a fresh one, and then refused.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, Pipe, wait
from time import sleep

from deid.errors import OutputError
from deid.folder.one import FAILED, Result, Work
from deid.folder.worker import READY, Task

ROUND = 0.01  # seconds between two looks at the workers: being woken for every small file costs one of ten
IN_HAND, MOST_IN_HAND = 3, 32  # files in a worker's hands: the next are there when one is done
AHEAD = 64  # files for each worker that may be done before their turn
TRIES = 2
# A process is one of many: NumPy's own threads, one for each core, would spin against the others' work. Whoever has
# set another number is not overruled.
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1"}


@dataclass
class _Worker:
    process: subprocess.Popen[bytes]
    connection: Connection
    given: deque[Task] = field(default_factory=deque)
    ready: bool = False
    in_hand: int = IN_HAND


def results(work: Work, names: Sequence[str], jobs: int) -> Iterator[Result]:
    """Yield what became of every file, in order. Raises `OutputError` where no process starts.

    A result's files are to be moved before the next is asked for: their place in the staging folder is given away.
    """
    crew = _Crew(work, names, jobs)
    try:
        yield from crew.results()
    finally:
        crew.end()


class _Crew:
    """The processes of one run, and which file is whose."""

    def __init__(self, work: Work, names: Sequence[str], jobs: int) -> None:
        self._work, self._count, self._ahead = work, len(names), AHEAD * jobs
        self._waiting: deque[Task] = deque(enumerate(names))
        self._done: dict[int, Result] = {}
        self._tries: Counter[int] = Counter()
        self._stillborn = 0
        self._workers = [_started(work) for _ in range(min(jobs, len(names)))]

    def results(self) -> Iterator[Result]:
        """Give out files and yield results until all are through."""
        for turn in range(self._count):
            while turn not in self._done:
                self._give(turn + self._ahead)
                sleep(ROUND)
                self._take()
            yield self._done.pop(turn)

    def end(self) -> None:
        """End every process: each goes when its connection closes."""
        for each in self._workers:
            each.connection.close()
        for each in self._workers:
            each.process.wait()

    def _give(self, before: int) -> None:
        given: list[list[Task]] = [[] for _ in self._workers]
        for many in range(1, MOST_IN_HAND + 1):
            for each, new in zip(self._workers, given, strict=True):
                if len(each.given) < min(many, each.in_hand) and self._waiting and self._waiting[0][0] < before:
                    number, name = self._waiting.popleft()
                    each.given.append((number, name))
                    # Of so many files in a row only one is under way: the one before it was moved.
                    new.append((number % self._ahead, name))
        for each, new in zip(self._workers, given, strict=True):
            if new:
                with suppress(OSError):  # one that is gone is heard of when it is listened to
                    each.connection.send(new)

    def _take(self) -> None:
        """Wait until a worker says something, and hear all that each has to say."""
        heard, said = wait([each.connection for each in self._workers]), Counter[int]()
        while heard:
            for place, each in enumerate(self._workers):
                if each.connection in heard:
                    said[place] += 1
                    self._hear(place, each)
            heard = wait([each.connection for each in self._workers], 0)
        for place, each in enumerate(self._workers):
            # What it did in one round, and half as much again: it should not run out before the next.
            each.in_hand = min(max(IN_HAND, 1 + said[place] * 3 // 2), MOST_IN_HAND)

    def _hear(self, place: int, worker: _Worker) -> None:
        try:
            said = worker.connection.recv()
        except (EOFError, OSError):
            self._bury(worker)
            self._workers[place] = _started(self._work)
            return
        if said == READY:
            worker.ready = True
        else:
            self._done[worker.given.popleft()[0]] = said

    def _bury(self, worker: _Worker) -> None:
        """Take back what a dead worker had in its hands; the first of it is what it died of."""
        worker.connection.close()
        worker.process.wait()
        if not worker.ready:
            self._stillborn += 1
            if self._stillborn > len(self._workers):
                raise _nobody()
        elif worker.given:
            number, name = worker.given[0]
            self._tries[number] += 1
            if self._tries[number] >= TRIES:
                worker.given.popleft()
                words = ("처리하던 프로세스가 두 번 죽었습니다.", "ended the process that worked on it, twice.")
                self._done[number] = Result(name, "", None, None, FAILED, "folder.died", *words)
        self._waiting.extendleft(reversed(worker.given))


def _started(work: Work) -> _Worker:
    ours, theirs = Pipe()
    with theirs:
        # -P: nothing of the folder somebody happens to stand in is imported.
        command = [sys.executable, "-P", "-m", "deid.folder.worker", str(theirs.fileno())]
        environment = ONE_THREAD | os.environ
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()], env=environment)
    with suppress(OSError):
        ours.send(work)
    return _Worker(process, ours)


def _nobody() -> OutputError:
    ko, en = "처리 프로세스를 띄울 수 없습니다.", "No worker process starts."
    return OutputError(
        "deid.folder-workers", ko, en, remedy_ko="메모리를 확인하거나 --jobs 1로 하세요.",
        remedy_en="See to the memory, or give --jobs 1.",
    )  # fmt: skip
