"""Commands are imported when they are used, and the list of them is right without importing any."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping

import click
import pytest
from click.testing import CliRunner

from audit.cli import audit
from deid import cli as deid_cli
from deid.lazy_group import LazyGroup
from enclave import cli as ansim_cli
from enclave.console import audit_group

GROUPS = pytest.mark.parametrize(
    ("group", "places"),
    [
        (deid_cli.deid, deid_cli.COMMANDS),
        (ansim_cli.ansim, ansim_cli.GROUPS),
        (audit_group.audit, audit_group.COMMANDS),
    ],
    ids=["deid", "ansim", "audit"],
)
HEAVY = ("jupyterhub", "opendp", "polars", "presidio_analyzer", "spacy", "sqlalchemy")
LOADED = "import sys; from {module} import {name}; print(*sorted(set(sys.argv[1:]) & set(sys.modules)))"
LISTED = """
import sys, click
from {module} import {name} as group
group(["--help"], standalone_mode=False)
assert len(group.shell_complete(click.Context(group), "")) == len(group.places)
print(*sorted(set(sys.argv[1:]) & set(sys.modules)), file=sys.stderr)
"""


@GROUPS
def test_the_list_says_of_each_command_what_it_says_of_itself(group: click.Group, places: Mapping[str, str]) -> None:
    told = CliRunner().invoke(group, ["--help"], terminal_width=400).stdout
    for name in places:
        command = group.get_command(click.Context(group), name)
        assert command is not None
        assert command.help, name
        assert f"  {name} " in told, name
        assert command.get_short_help_str(400 - 6 - max(map(len, places))) in told, name
    assert group.get_command(click.Context(group), "nothing") is None


@GROUPS
def test_a_shell_completes_what_it_would_if_all_were_imported(group: click.Group, places: Mapping[str, str]) -> None:
    context = click.Context(group)
    for begun in ("", *{name[0] for name in places}, "-", "nothing"):
        found, wanted = group.shell_complete(context, begun), click.Group.shell_complete(group, context, begun)
        assert [(each.value, each.help) for each in found] == [(each.value, each.help) for each in wanted], begun


@pytest.mark.parametrize("words", [["deid", "rum"], ["deit", "run"], ["audit", "verfy"]], ids=" ".join)
def test_who_mistypes_a_command_is_told_which_are_like_it(words: list[str]) -> None:
    done = CliRunner().invoke(ansim_cli.ansim, words)
    assert done.exit_code == 2
    assert "Did you mean" in done.stderr


def test_a_place_where_no_command_is_is_said() -> None:
    group = LazyGroup("made", places={"json": "json:loads"})
    with pytest.raises(TypeError, match="json:loads is not a command"):
        group.get_command(click.Context(group), "json")


@pytest.mark.parametrize(
    ("place", "needed"),
    [
        ("enclave.cli:ansim", ""),
        ("deid.cli:deid", ""),
        (deid_cli.COMMANDS["folder"], "polars"),
        (deid_cli.COMMANDS["verify"], "polars"),
        (deid_cli.COMMANDS["keys"], ""),
    ],
)
def test_a_command_does_not_wait_for_what_only_others_need(place: str, needed: str) -> None:
    module, _, name = place.partition(":")
    program = LOADED.format(module=module, name=name)
    done = subprocess.run([sys.executable, "-c", program, *HEAVY], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == needed


@pytest.mark.parametrize("place", ["enclave.cli:ansim", "deid.cli:deid", "enclave.console.audit_group:audit"])
def test_the_list_of_commands_waits_for_none_of_them(place: str) -> None:
    module, _, name = place.partition(":")
    program = LISTED.format(module=module, name=name)
    done = subprocess.run([sys.executable, "-c", program, *HEAVY], check=True, capture_output=True, text=True)
    assert done.stderr.strip() == ""


def test_ansim_audit_has_all_of_the_logs_own_commands_and_says_the_same_of_itself() -> None:
    own = {name: place for name, place in audit_group.COMMANDS.items() if place.startswith("audit.cli:")}
    context = click.Context(audit_group.audit)
    assert {name: audit_group.audit.get_command(context, name) for name in own} == audit.commands
    assert audit_group.audit.help == audit.help
