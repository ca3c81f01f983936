"""Somebody keeps running into rules: many refusals within ten minutes (R82: attempts at what is switched off)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from enclave.policy.logreview.hit import Hit, Rule, hit
from enclave.policy.logreview.line import Line
from enclave.policy.logreview.rolling import runs
from enclave.policy.logreview.window import Window

MINUTES = timedelta(minutes=10)


def find(window: Window) -> Iterator[Hit]:
    """Yield runs with at least `denials` refusals in ten minutes, by actor; a flood in one entry counts in full."""
    groups: dict[str, list[Line]] = {}
    for line in window.lines:
        if line.outcome == "denied":
            groups.setdefault(line.actor, []).append(line)
    for lines in groups.values():
        # The project in which it began says what counts: one who tries doors goes through many.
        most = window.limits_of(lines[0].project).denials
        for run in runs(lines, MINUTES, lambda some, most=most: _count(some) >= most):  # type: ignore[misc]
            if run[-1].index >= window.start:
                yield hit(Rule.DENIED_RUN, "denied", run, denials=_count(run), action=run[-1].action)


def _count(lines: Sequence[Line]) -> int:
    return sum(max(line.number("more", 1), 1) for line in lines)
