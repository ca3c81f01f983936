"""A process that treats texts: one JSON object a line on standard input, one answer a line on standard output.

`python -m deid.detect.worker` reads the setup of the column, then batches of tasks, until its input ends. A plain
child process is used rather than `multiprocessing`, which would import the caller's main module again and hand secrets
through pickles; keys and known values go through the pipe and appear on no command line and in no environment. Batches
are handed to whoever is free, so that a few long notes do not keep the others waiting.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import traceback
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import IO, Any

from deid.detect.known.profile import Profile
from deid.detect.model.voice import OFFLINE
from deid.detect.style import Style
from deid.detect.treat import Person, Setup, Task, Treated, Treater
from deid.texts import TextSpan

_ROOT = Path(__file__).parent.parent.parent
# Enough work that the pipe's round trip does not matter, little enough that the last batches end together.
_BATCH_CHARACTERS = 20_000


def treat_in_processes(tasks: Sequence[Task], setup: Setup, processes: int) -> list[list[Treated]]:
    """Treat `tasks` by so many child processes, in order; raises `CalledProcessError` if one fails."""
    batches = _Batches(tasks)
    with ThreadPoolExecutor(processes) as pool:
        # Threads only wait for pipes here; the work is in the children.
        shares = list(pool.map(lambda _: _serve(batches, setup), range(processes)))
    answers = dict(pair for share in shares for pair in share)
    return [answer for number in sorted(answers) for answer in answers[number]]


class _Batches:
    """Numbered batches of tasks, handed out one at a time."""

    def __init__(self, tasks: Sequence[Task]) -> None:
        self._cut = enumerate(_cut(tasks))
        self._lock = Lock()

    def __iter__(self) -> Iterator[tuple[int, list[Task]]]:
        return self

    def __next__(self) -> tuple[int, list[Task]]:
        with self._lock:
            return next(self._cut)


def _cut(tasks: Sequence[Task]) -> Iterator[list[Task]]:
    batch: list[Task] = []
    size = 0
    for task in tasks:
        batch.append(task)
        size += len(task.text) * len(task.people)
        if size >= _BATCH_CHARACTERS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _serve(batches: _Batches, setup: Setup) -> list[tuple[int, list[list[Treated]]]]:
    path = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))
    command = [sys.executable, "-m", "deid.detect.worker"]
    environment = {**os.environ, **OFFLINE, "PYTHONPATH": path}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as child:
        asking, answering = child.stdin, child.stdout
        if asking is None or answering is None:
            raise RuntimeError("pipes were asked for")
        try:
            _say(asking, _plain_setup(setup))
            answers = []
            for number, batch in batches:
                _say(asking, [_plain_task(task) for task in batch])
                answers.append((number, _answers(answering.readline())))
        except (BrokenPipeError, json.JSONDecodeError):
            raise subprocess.CalledProcessError(child.wait() or 1, command) from None
        asking.close()
        if child.wait():
            raise subprocess.CalledProcessError(child.returncode, command)
    return answers


def _say(pipe: IO[bytes], value: object) -> None:
    pipe.write(json.dumps(value).encode() + b"\n")
    pipe.flush()


def _answers(line: bytes) -> list[list[Treated]]:
    return [[_treated(*one) for one in task] for task in json.loads(line)]


def _treated(text: str, spans: list[list[Any]], stand_ins: list[list[int]]) -> Treated:
    return Treated(text, tuple(TextSpan(*span) for span in spans), tuple((start, end) for start, end in stand_ins))


def _plain_setup(setup: Setup) -> dict[str, Any]:
    style = {**asdict(setup.style), "keys": {kind: key.hex() for kind, key in setup.style.keys.items()}}
    return {
        "style": style,
        "staff": setup.staff,
        "profile": asdict(setup.profile),
        "model": setup.model,
        "marks": setup.marks,
    }


def _plain_task(task: Task) -> list[Any]:
    return [task.text, [[person.values, person.key.hex(), person.days] for person in task.people]]


def _setup(body: dict[str, Any]) -> Setup:
    style = body["style"]
    keys = {kind: bytes.fromhex(key) for kind, key in style.pop("keys").items()}
    profile = Profile(**{name: tuple(values) for name, values in body["profile"].items()})
    return Setup(Style(**style, keys=keys), _values(body["staff"]), profile, body["model"], _values(body["marks"]))


def _values(pairs: list[list[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((kind, value) for kind, value in pairs)


def _task(text: str, people: list[list[Any]]) -> Task:
    return Task(text, tuple(Person(_values(values), bytes.fromhex(key), days) for values, key, days in people))


def main() -> None:
    """Read the setup, then answer batches until the input ends; a failure is told without any value (see below)."""
    sys.excepthook = _tell_place
    treater = Treater(_setup(json.loads(sys.stdin.buffer.readline())))
    for line in sys.stdin.buffer:
        treated = [treater.treat(_task(*task)) for task in json.loads(line)]
        answer = [
            [(one.text, [list(vars_of(span)) for span in one.spans], one.stand_ins) for one in task] for task in treated
        ]
        _say(sys.stdout.buffer, answer)


def _tell_place(kind: type[BaseException], _: BaseException, trace: TracebackType | None) -> None:
    # A message may quote the text at hand; the kind of error and where it arose are enough to find it.
    frames = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in traceback.extract_tb(trace)]
    sys.stderr.write(f"deid.detect.worker: {kind.__name__} at {' < '.join(reversed(frames))}\n")


def vars_of(span: TextSpan) -> tuple[Any, ...]:
    """Fields of a span, in order."""
    return span.start, span.end, span.type, span.score, span.by, span.doubt


if __name__ == "__main__":
    main()
