"""What the demo prints: one line a step with what happened, how long it took and where to look.

Progress is shown on anything longer than three seconds; a step that fails says what and what now, and ends the
program with exit code 1.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.panel import Panel

PROGRESS_AFTER_S = 3.0
console = Console(highlight=False)


class StepFailedError(Exception):
    """A step of the story did not do what it should; `what` and `now` are shown to the person."""

    def __init__(self, what: str, now: str) -> None:
        super().__init__(f"{what} → {now}")
        self.what = what
        self.now = now


@dataclass
class Step:
    """The line being made while a step runs; set `said` and `look` before it ends."""

    said: str = ""
    look: str = ""
    details: list[str] = field(default_factory=list)

    def detail(self, text: str) -> None:
        """Add one indented line below the step's own."""
        self.details.append(text)


@contextmanager
def step(number: str, title: str) -> Iterator[Step]:
    """Run one step: time it, show progress after three seconds, print its line at the end.

    Raises: StepFailedError again after printing it; any other error is printed with its type as the reason.
    """
    line, started = Step(), time.monotonic()
    with _progress(f"{number} {title}"):
        try:
            yield line
        except StepFailedError as failure:
            _print_failure(number, title, failure.what, failure.now)
            raise
        except Exception as error:  # whatever broke, the person is told which step and what to do
            _print_failure(
                number,
                title,
                f"{type(error).__name__}: {error}",
                "기록은 process/ 폴더에 있습니다. `make down` 뒤 `make demo`",
            )
            raise StepFailedError(str(error), "see the process logs") from error
    _print_done(number, title, line, time.monotonic() - started)


@contextmanager
def _progress(text: str) -> Iterator[None]:
    status = console.status(f"[dim]{text} …")
    timer = threading.Timer(PROGRESS_AFTER_S, status.start)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        status.stop()


def _print_done(number: str, title: str, line: Step, seconds: float) -> None:
    console.print(f"[bold green]✔[/] [bold]{number} {title}[/]  {line.said}  [dim]{seconds:.1f} s[/]", soft_wrap=True)
    for text in line.details:
        console.print(f"     {text}", soft_wrap=True)
    if line.look:
        console.print(f"     [dim]보기:[/] {line.look}", soft_wrap=True)


def _print_failure(number: str, title: str, what: str, now: str) -> None:
    console.print(f"[bold red]✘ {number} {title}[/]  {what}", soft_wrap=True, markup=True)
    console.print(f"     지금 할 일: {now}", soft_wrap=True, markup=False)


def box(title: str, lines: list[str]) -> None:
    """Print a framed list: addresses, accounts, commands."""
    console.print(Panel("\n".join(lines), title=title, expand=False))
