"""Rights that grew, and attempts at it. Never quiet: every grant is looked at by somebody else afterwards."""

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


def find(window: Window) -> Iterator[Hit]:
    """Yield role grants, attempts at one's own rights and administrators in workspaces; by kind, actor and day."""
    groups: dict[tuple[str, str, str], list[Line]] = {}
    for line in window.now({Action.ROLE_GRANT.value, Action.ROLE_REVOKE.value, Action.HUB_EVENT.value}):
        if why := _why(line):
            day = line.at.astimezone(KST).date().isoformat()
            groups.setdefault((line.actor, why, day), []).append(line)
    for (_, why, day), lines in groups.items():
        yield hit(Rule.PRIVILEGE, why, lines, day=day)


def _why(line: Line) -> str:
    if line.action == Action.HUB_EVENT.value:
        return "entered" if str(line.details.get("kind", "")).startswith(ADMIN) else ""
    if line.reason == OWN:
        return "own"
    return "granted" if line.action == Action.ROLE_GRANT.value and line.is_done else ""
