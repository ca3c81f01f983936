"""Whatever leaves has a reason, and a large download has one that somebody confirmed (고시 §8②; korea.md R83)."""

from __future__ import annotations

from collections.abc import Iterator

from enclave.actions import Action
from enclave.clock import KST
from enclave.policy.logreview.hit import Hit, Rule, hit
from enclave.policy.logreview.line import Line
from enclave.policy.logreview.window import Window

LEAVES = frozenset({Action.EGRESS_SUBMIT.value, Action.RELEASE_HAND_OVER.value})
MISSING, LARGE = "missing", "large"


def find(window: Window) -> Iterator[Hit]:
    """Yield what was asked for or downloaded without a reason code (by person, project, day), and large downloads."""
    groups: dict[tuple[str, str, str], list[Line]] = {}
    for line in window.now(LEAVES):
        if not line.is_done:
            continue
        if not line.reason:
            day = line.at.astimezone(KST).date().isoformat()
            groups.setdefault((line.actor, line.project, day), []).append(line)
        elif line.action == Action.RELEASE_HAND_OVER.value:
            files, most = line.number("files"), window.limits_of(line.project).verify_files
            if files >= most:
                yield hit(Rule.DOWNLOAD_REASON, LARGE, [line], files=files, limit=most, request=line.object_id)
    for (_, _, day), lines in groups.items():
        yield hit(Rule.DOWNLOAD_REASON, MISSING, lines, day=day)
