"""`ansim audit` as this installation has it: the log's own commands, and those that ask its database.

Verifying needs no database of ours, so the others are imported when they are used.
"""

from __future__ import annotations

from importlib import import_module

import click

from audit.cli import audit as own

ASKING = ("activity", "due", "entry", "export", "search")


class AuditGroup(click.Group):
    """The commands of `audit.cli`, and those of `enclave.console.log`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return all names."""
        return sorted([*own.list_commands(ctx), *ASKING])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return one command; None for a name that is not ours."""
        if cmd_name not in ASKING:
            return own.get_command(ctx, cmd_name)
        found = getattr(import_module("enclave.console.log"), cmd_name)
        return found if isinstance(found, click.Command) else None


audit = AuditGroup("audit", help=own.help)
