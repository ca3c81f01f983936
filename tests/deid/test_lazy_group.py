"""Commands are imported when they are used, and the list of them is right without importing any."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping

import click
import pytest
from click.testing import CliRunner

from deid import cli as deid_cli
from deid.lazy_group import LazyGroup
from enclave import cli as ansim_cli

HEAVY = ("jupyterhub", "opendp", "polars", "presidio_analyzer", "spacy", "sqlalchemy")
LOADED = "import sys; from {module} import {name}; print(*sorted(set(sys.argv[1:]) & set(sys.modules)))"


@pytest.mark.parametrize(
    ("group", "places"),
    [(deid_cli.deid, deid_cli.COMMANDS), (ansim_cli.ansim, ansim_cli.GROUPS)],
    ids=["deid", "ansim"],
)
def test_the_list_says_of_each_command_what_it_says_of_itself(group: click.Group, places: Mapping[str, str]) -> None:
    told = CliRunner().invoke(group, ["--help"], terminal_width=400).stdout
    for name in places:
        command = group.get_command(click.Context(group), name)
        assert command is not None
        assert command.help, name
        assert f"  {name} " in told, name
        assert command.get_short_help_str(400 - 6 - max(map(len, places))) in told, name
    assert group.get_command(click.Context(group), "nothing") is None


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
