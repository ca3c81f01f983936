"""Much asked for at once: requests or files in a day, bytes in a month. A resubmitted request counts once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta

from enclave.actions import Action
from enclave.policy.logreview.hit import Hit, Rule, hit
from enclave.policy.logreview.limits import Limits
from enclave.policy.logreview.line import Line
from enclave.policy.logreview.rolling import runs
from enclave.policy.logreview.window import Window

DAY, MONTH = timedelta(days=1), timedelta(days=30)
MIB = 1 << 20


def find(window: Window) -> Iterator[Hit]:
    """Yield runs of egress requests of one person in one project that exceed the project's limits."""
    groups: dict[tuple[str, str], list[Line]] = {}
    for line in window.all({Action.EGRESS_SUBMIT.value}):
        if line.is_done:
            groups.setdefault((line.actor, line.project), []).append(line)
    for (_, project), lines in groups.items():
        limits = window.limits_of(project)
        for run in runs(lines, DAY, lambda some, limits=limits: _too_many(some, limits)):  # type: ignore[misc]
            if run[-1].index >= window.start:
                files = _latest(run, "files")
                yield hit(Rule.EXPORT_BURST, "day", run, requests=len(files), files=sum(files.values()))
        for run in runs(lines, MONTH, lambda some, most=limits.mib_per_month: _bytes(some) > most * MIB):  # type: ignore[misc]
            if run[-1].index >= window.start:
                yield hit(Rule.EXPORT_BURST, "bytes", run, mib=_bytes(run) // MIB, limit=limits.mib_per_month)


def _too_many(lines: Sequence[Line], limits: Limits) -> bool:
    files = _latest(lines, "files")
    return len(files) > limits.requests_per_day or sum(files.values()) > limits.files_per_day


def _bytes(lines: Sequence[Line]) -> int:
    return sum(_latest(lines, "bytes").values())


def _latest(lines: Sequence[Line], name: str) -> Counter[str]:
    """Return the number of each request, by its newest round: a return asks for the same again."""
    return Counter({line.object_id: line.number(name) for line in lines})
