"""What a measured process prints of its work: seconds of wall clock and of CPU (imports aside), peak memory."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def told() -> Iterator[None]:
    """Print `WALL CPU PEAK` (s, s, MB) when the work is done."""
    wall, cpu = time.monotonic(), time.process_time()
    yield
    print(time.monotonic() - wall, time.process_time() - cpu, peak_mb())


def peak_mb() -> float:
    """Tell the largest resident size of this process, which `ru_maxrss` mixes with that of whoever started it."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024
