"""Rights that grew, and attempts at it; what changes the log, its keys, its limits, or takes it elsewhere.

Never quiet: each of these is looked at by somebody else afterwards, whoever was allowed to do it.
"""

from __future__ import annotations

from collections.abc import Iterator

from enclave.actions import Action
from enclave.clock import KST
from enclave.policy.logreview.hit import Hit, Rule, hit
from enclave.policy.logreview.line import Line
from enclave.policy.logreview.window import Window

OWN = "role.own"
# What the hub tells of its administrators entering somebody's server.
ADMIN = "admin"
PURGES = frozenset({Action.LOG_PURGE_PROPOSE.value, Action.LOG_PURGE_APPROVE.value, Action.LOG_PURGE_REQUESTED.value})
# What was done counts. An export counts when it begins: one that breaks off has handed over its first rows.
DONE = {
    Action.ROLE_GRANT.value: "granted",
    Action.LOG_PURGE_APPROVE.value: "purged",
    Action.LOG_PURGE_REQUESTED.value: "purged",
    Action.LOG_KEY_REQUESTED.value: "keys",
    Action.LOG_KEY_DONE.value: "keys",
    Action.LOG_POLICY.value: "keys",
    Action.REVIEW_PLAN.value: "limits",
    Action.REVIEW_LIMITS.value: "limits",
    Action.DISPLAY_POLICY.value: "limits",
    Action.POLICY_ACTIVATE.value: "limits",
    Action.LOG_EXPORT_REQUESTED.value: "exported",
}
WATCHED = frozenset(DONE) | PURGES | {Action.ROLE_REVOKE.value, Action.HUB_EVENT.value, Action.EMERGENCY_ACT.value}


def find(window: Window) -> Iterator[Hit]:
    """Yield what a reviewer wants to see whoever did it; by kind, actor and day."""
    groups: dict[tuple[str, str, str], list[Line]] = {}
    for line in window.now(WATCHED):
        if why := _why(line):
            day = line.at.astimezone(KST).date().isoformat()
            groups.setdefault((line.actor, why, day), []).append(line)
    for (_, why, day), lines in groups.items():
        yield hit(Rule.PRIVILEGE, why, lines, day=day)


def _why(line: Line) -> str:
    if line.action == Action.HUB_EVENT.value:
        return "entered" if str(line.details.get("kind", "")).startswith(ADMIN) else ""
    if line.action == Action.EMERGENCY_ACT.value:
        return "emergency"
    if line.reason == OWN:
        return "own"
    if line.is_done:
        return DONE.get(line.action, "")
    return "purge-refused" if line.action in PURGES else ""
