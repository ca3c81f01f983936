"""`ansim deid`: run a recipe, read a snapshot's report, verify a snapshot, find identifiers in texts.

Exit codes: 0 done · 2 wrong use of the command · 3 recipe · 4 source file · 5 a gate failed · 6 snapshot damaged ·
7 key file · 8 output folder · 9 keys destroyed · 10 privacy budget · 11 workers of a cluster · 1 anything else. The
first line on standard error carries the stable code in brackets.
"""

from __future__ import annotations

import click

from deid.lazy_group import LazyGroup

COMMANDS = {
    "aggregate": "deid.aggregates.command:aggregate",
    "budget": "deid.aggregates.command:budget",
    "detect": "deid.detect.command:detect",
    "diff": "deid.versions.commands:diff",
    "folder": "deid.folder.command:folder_command",
    "forget": "deid.forget_command:forget_command",
    "keys": "deid.keys_command:keys_group",
    "plan": "deid.planning.command:plan",
    "profile": "deid.planning.profile_command:profile_command",
    "report": "deid.snapshot_commands:report_command",
    "run": "deid.run_command:run_command",
    "shred": "deid.versions.commands:shred_command",
    "twin": "deid.twin.command:twin",
    "verify": "deid.snapshot_commands:verify_command",
    "withdraw": "deid.versions.commands:withdraw",
}


@click.group(cls=LazyGroup, places=COMMANDS)
def deid() -> None:
    """가명처리: 계획대로 처리해 서명된 스냅샷을 만들고 검증합니다 (de-identify, report, verify)."""
