"""A group of commands that are imported when they are used: what one of them needs, the others do not wait for.

The list of the commands with what each is for, in `--help` and behind the shell's Tab, comes from their docstrings,
read from the source without running it: importing all of them only to say what there is would take seconds.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

COMPLETED = 45  # letters of what a shell shows beside a name: click's own measure


class LazyGroup(click.Group):
    """A group whose commands are named by their place, `package.module:function`; `places` has them by their names."""

    def __init__(self, *args: Any, places: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.places = places

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return all names."""
        return sorted(self.places)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Import and return one command; None for a name that is not ours. Raises `TypeError` where none is."""
        if cmd_name not in self.places:
            return None
        module, _, name = self.places[cmd_name].partition(":")
        found = getattr(import_module(module), name)
        if not isinstance(found, click.Command):
            raise TypeError(f"{self.places[cmd_name]} is not a command")
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """See `click.Group`; who mistypes a name is told which are like it."""
        try:
            return super().resolve_command(ctx, args)
        except click.NoSuchCommand as error:
            # click looks among the commands that were added, which are none here.
            raise click.NoSuchCommand(error.command_name, possibilities=self.places, ctx=ctx) from None

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the names that begin so, and the group's own options."""
        names = [name for name in self.list_commands(ctx) if name.startswith(incomplete)]
        found = [CompletionItem(name, help=self._short(ctx, name, COMPLETED)) for name in names]
        # Not the group's own, which would import every command.
        return [*found, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of the commands."""
        names = self.list_commands(ctx)
        limit = formatter.width - 6 - max(map(len, names))
        rows = [(name, self._short(ctx, name, limit)) for name in names]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def _short(self, ctx: click.Context, name: str, limit: int) -> str:
        """Say what a command is for, in one line of at most `limit` letters."""
        told = _docstring(self.places[name])
        command = click.Command(name, help=told) if told else self.get_command(ctx, name)
        return command.get_short_help_str(limit) if command else ""


def _docstring(place: str) -> str | None:
    """Read what a function says it is for; None where the module has it from elsewhere."""
    module, _, name = place.partition(":")
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        return None
    functions = (node for node in ast.parse(Path(spec.origin).read_bytes()).body if isinstance(node, ast.FunctionDef))
    return next((ast.get_docstring(each) for each in functions if each.name == name), None)
