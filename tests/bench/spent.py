"""What a measured process prints of its work: seconds of wall clock and of CPU, imports aside."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def told() -> Iterator[None]:
    """Print `WALL CPU` when the work is done."""
    wall, cpu = time.monotonic(), time.process_time()
    yield
    print(time.monotonic() - wall, time.process_time() - cpu)
