"""Somebody tries which small cell gets through: several different outputs of one project stopped within a day (R82).

The log does not hold filters. What it holds is that the checker or a reviewer stopped output after output of the same
person and project, each of other bytes; the same bytes sent again are one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from enclave.actions import Action
from enclave.policy.logreview.hit import Hit, Rule, hit
from enclave.policy.logreview.line import Line
from enclave.policy.logreview.rolling import runs
from enclave.policy.logreview.window import Window

DAY = timedelta(days=1)
CHECKED = frozenset({Action.EGRESS_PREFLIGHT.value, Action.EGRESS_SUBMIT.value})
STOPPED = frozenset({Action.EGRESS_REJECT.value, Action.EGRESS_RETURN.value})


def find(window: Window) -> Iterator[Hit]:
    """Yield runs of at least `blocked_per_day` different outputs that were stopped within 24 hours."""
    authors = dict(window.facts.authors)
    groups: dict[tuple[str, str], list[Line]] = {}
    for line in window.all(CHECKED | STOPPED):
        if line.action == Action.EGRESS_SUBMIT.value and line.is_done:
            authors[line.object_id] = line.actor
        if line.is_done and (line.action in STOPPED or line.details.get("verdict") == "BLOCK"):
            who = authors.get(line.object_id, "") if line.action in STOPPED else line.actor
            groups.setdefault((who, line.project), []).append(line)
    for (who, project), lines in groups.items():
        most = window.limits_of(project).blocked_per_day
        for run in runs(lines, DAY, lambda some, most=most: _different(some) >= most):  # type: ignore[misc]
            if run[-1].index >= window.start:
                yield hit(Rule.PROBING, "stopped", run, actor=who, outputs=_different(run))


def _different(lines: Sequence[Line]) -> int:
    return len({str(line.details.get("content_sha256") or line.object_id or line.index) for line in lines})
