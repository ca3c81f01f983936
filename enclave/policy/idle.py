"""When a workspace that nobody uses is closed: no hand at the screen, nothing that works, for some hours. Pure.

What a notebook server says of itself is not asked: a kernel can post activity an hour ahead. The hand is the gate's
own word (its lock counts it), processor time the kernel's (cgroup), a GPU the gate's. A workspace with a GPU counts as
working as long as it holds one; the lease has an end of its own. Its longest visit ends a workspace in any case.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

# An idle notebook server with idle kernels uses about one hundredth of a processor.
BUSY_SHARE = 0.05


@dataclass(frozen=True)
class Activity:
    """One look at a workspace: processor time used so far (all its processes), the last hand, whether it has a GPU."""

    at: datetime
    cpu_ns: int
    last_hand: datetime | None = None
    has_gpu: bool = False


@dataclass(frozen=True)
class Watched:
    """The last look, and since when nothing was seen to happen."""

    last: Activity
    idle_since: datetime


def watched(before: Watched | None, now: Activity) -> Watched:
    """Return what is known after one more look. The first look counts as use: what was before it nobody knows."""
    if before is None or is_busy(before.last, now):
        return Watched(now, now.at)
    hand = now.last_hand if now.last_hand is not None else before.idle_since
    # A hand in the future (a clock set back) is no reason never to close.
    return Watched(now, min(max(before.idle_since, hand), now.at))


def is_busy(before: Activity, after: Activity) -> bool:
    """Say whether something worked between two looks."""
    elapsed_ns = (after.at - before.at) / timedelta(microseconds=1) * 1000
    used = after.cpu_ns - before.cpu_ns
    # Less than before: another container of the same workspace.
    return after.has_gpu or used < 0 or elapsed_ns <= 0 or used >= BUSY_SHARE * elapsed_ns


def is_idle(known: Watched, hours: int) -> bool:
    """Say whether it may be closed: nothing happened for so many hours. Never, if that is zero."""
    return hours > 0 and known.last.at - known.idle_since >= timedelta(hours=hours)
