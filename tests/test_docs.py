"""The pages that people are handed say what the code has: no action and no requirement is missing, none is invented."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from audit.sequencer import HEARTBEAT, UNPROTECTED
from enclave.actions import ABOUT, Action
from enclave.cli import ansim

ROOT = Path(__file__).parent.parent
AUDITOR = ROOT / "docs/handbook/auditor.md"
REQUIREMENTS = ROOT / "docs/reference/korea.md"
PAGES = sorted([*(ROOT / "docs/handbook").glob("*.md"), ROOT / "README.md", ROOT / "README.ko.md"])
ROOMS = ("audit", "deid", "enclave", "hub_config", "demo")
NUMBER = re.compile(r"\bR(\d{1,3})\b(?:–R?(\d{1,3})\b)?")
BARRIERS = ROOT / "docs/reference/log-barriers.md"
# A line of a code block with its continuations, or a piece of code in a sentence.
COMMAND = re.compile(r"^ *ansim (?:.*\\\n)*.*|(?<=`)ansim [^`\n]+", re.MULTILINE)


def test_the_auditors_page_names_every_action_and_no_other_with_its_korean_label() -> None:
    table = [line for line in AUDITOR.read_text().splitlines() if line.startswith("| ") and "`" in line]
    named = re.findall(r"`([a-z]+\.[a-z-]+)` ([^,|(]+)", "\n".join(table))
    assert {name: label.strip() for name, label in named if name not in {HEARTBEAT, UNPROTECTED}} == {
        action.value: ABOUT[action].ko for action in Action
    }
    assert {HEARTBEAT, UNPROTECTED} <= {name for name, _ in named}


def test_every_requirement_that_the_code_cites_is_explained() -> None:
    explained = set(map(int, re.findall(r"^- \*\*R(\d+)\*\*", REQUIREMENTS.read_text(), re.MULTILINE)))
    cited = _numbers("\n".join(_citing()))
    assert len(cited) > 20
    assert cited - explained == set()
    assert explained - cited == set()


def _citing() -> list[str]:
    code = [path for room in ROOMS for path in (ROOT / room).rglob("*.py")]
    # Only texts that cite the page: elsewhere R and a number may be anything.
    texts = [path.read_text() for path in code if "airlock" in path.parts or "korea.md" in path.read_text()]
    return [*texts, (ROOT / "docs/reference/airlock.md").read_text()]


def _numbers(text: str) -> set[int]:
    return {each for first, last in NUMBER.findall(text) for each in range(int(first), int(last or first) + 1)}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_ansim_command_in_a_page_exists_with_its_options(page: Path) -> None:
    for line in COMMAND.findall(page.read_text()):
        _check(shlex.split(line.replace("\\\n", " "), comments=True)[1:])


def _check(words: list[str]) -> None:
    command: click.Command = ansim
    while isinstance(command, click.Group):
        name = words.pop(0)
        found = command.get_command(click.Context(command), name)
        assert found, f"there is no `ansim … {name}`"
        command = found
    known = {option for each in command.params for option in each.opts}
    assert {word for word in words if word.startswith("--")} <= known


def test_every_test_that_fails_without_a_barrier_of_the_log_is_there() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", BARRIERS.read_text())
    rows = [line for line in BARRIERS.read_text().splitlines() if line.startswith("| ") and "| test that" not in line]
    assert len(rows) == len(named) > 40
    assert [pair for pair in named if f"def {pair[1]}(" not in (ROOT / pair[0]).read_text()] == []
