"""Work that may be done beside other work: on further threads where there is memory for it, else when asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Protocol, TypeVar

Result = TypeVar("Result")


class Begin(Protocol):
    """Begins some work; what it gives is called for the result, and raises what the work raised."""

    def __call__(self, work: Callable[[], Result], /) -> Callable[[], Result]:
        """Begin `work`."""


@contextmanager
def beside(*, at_once: bool, threads: int = 1) -> Iterator[Begin]:
    """Give a way to begin work, as much at a time as `threads`; whatever was begun has ended when this ends."""
    if not at_once:
        yield _later
        return
    with ThreadPoolExecutor(threads) as pool:

        def begin(work: Callable[[], Result], /) -> Callable[[], Result]:
            return pool.submit(work).result

        yield begin


def _later(work: Callable[[], Result], /) -> Callable[[], Result]:
    return work
