"""The log's own health: silences longer than its heartbeat, entries nobody can read, clock, canary, anchors (R86)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from enclave.actions import Action
from enclave.clock import KST
from enclave.policy.logreview.hit import Hit, Rule, hit
from enclave.policy.logreview.line import OF_LOG, UNREADABLE, Line
from enclave.policy.logreview.window import Window

OFFSET = "offset_ms"
FAILED = frozenset({"failed", "unknown"})


def find(window: Window) -> Iterator[Hit]:
    """Yield gaps, and one finding for each kind of trouble and day. Never quiet; an operator answers."""
    limits = window.limits_of("")
    longest = timedelta(minutes=limits.gap_minutes)
    before: Line | None = None
    groups: dict[tuple[str, str, str], list[Line]] = {}
    for line in window.lines:
        if line.action == UNREADABLE:
            groups.setdefault(("unreadable", "", ""), []).append(line)
            continue
        # Entries are ordered by commit, not by time: only a silence towards the future is one.
        if before is not None and line.index >= window.start and line.at - before.at > longest:
            minutes = int((line.at - before.at).total_seconds() // 60)
            yield hit(Rule.LOG_HEALTH, "silent", [before, line], actor="", minutes=minutes)
        before = line if before is None or line.at > before.at else before
        if line.index >= window.start and (why := _why(line, limits.clock_ms)):
            groups.setdefault((why, line.action, line.at.astimezone(KST).date().isoformat()), []).append(line)
    for (why, action, day), lines in groups.items():
        if lines[-1].index >= window.start:
            yield hit(Rule.LOG_HEALTH, why, lines, actor="", action=action, day=day)


def _why(line: Line, clock_ms: int) -> str:
    if line.action == Action.DISPLAY_UNSEARCHED.value:
        return "unsearched"
    # Somebody who may not read the log, or set its policy, is a refusal and no trouble of the log's.
    if not line.action.startswith(OF_LOG) or line.is_person:
        return ""
    if abs(line.number(OFFSET)) > clock_ms:
        return "clock"
    return "failed" if line.outcome in FAILED else ""
