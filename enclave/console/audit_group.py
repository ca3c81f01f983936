"""`ansim audit` as this installation has it: the log's own commands, and those that ask its database.

Verifying needs no database of ours, so each is imported when it is used.
"""

from __future__ import annotations

import click

from deid.lazy_group import LazyGroup

COMMANDS = {
    "activity": "enclave.console.log:activity",
    "bundle": "audit.cli:bundle_command",
    "compare": "audit.cli:compare_command",
    "due": "enclave.console.log:due",
    "entry": "enclave.console.log:entry",
    "export": "enclave.console.log:export",
    "print": "audit.cli:print_command",
    "program": "audit.cli:program_command",
    "search": "enclave.console.log:search",
    "status": "audit.cli:status_command",
    "verify": "audit.cli:verify_command",
    "witness": "audit.cli:witness_command",
}


@click.group(cls=LazyGroup, places=COMMANDS)
def audit() -> None:
    """감사 로그를 검증하고 증거 자료를 만듭니다 (the audit log: verify, bundle, print, compare)."""
