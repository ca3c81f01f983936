"""One line a step: what happened, how long it took, where to look. Plain text: rich is not installed yet."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

PROGRESS_AFTER_S = 3.0
REPEAT_S = 15.0


class StepFailedError(Exception):
    """A step could not be done: `what` happened and what to do `now`."""

    def __init__(self, what: str, now: str) -> None:
        super().__init__(f"{what} → {now}")
        self.what = what
        self.now = now


@dataclass(frozen=True)
class Done:
    """What a step did, and where a person can look at it."""

    said: str
    look: str = ""


def step(number: str, title: str, work: Callable[[], Done]) -> None:
    """Run `work`, show that it goes on after three seconds, print its line. Raises: StepFailedError again."""
    started = time.monotonic()
    try:
        with _progress(f"{number} {title}"):
            done = work()
    except StepFailedError as failure:
        say(f"✘ {number} {title}  {failure.what}\n     지금 할 일: {failure.now}")
        raise
    say(f"✔ {number} {title}  {done.said}  {time.monotonic() - started:.1f} s")
    if done.look:
        say(f"     보기: {done.look}")


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


@contextmanager
def _progress(text: str) -> Iterator[None]:
    over = threading.Event()
    thread = threading.Thread(target=_tick, args=(text, over), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _tick(text: str, over: threading.Event) -> None:
    started, terminal = time.monotonic(), sys.stdout.isatty()
    if over.wait(PROGRESS_AFTER_S):
        return
    while True:
        seconds = time.monotonic() - started
        sys.stdout.write(f"\r  … {text} {seconds:.0f} s" if terminal else f"  … {text} {seconds:.0f} s\n")
        sys.stdout.flush()
        if over.wait(0.5 if terminal else REPEAT_S):
            break
    if terminal:
        sys.stdout.write("\r\x1b[K")
