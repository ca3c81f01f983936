"""Asking a person about what neither name nor content settles: one question a column, the proposal as default."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import click

from deid.planning import options
from deid.planning.role import LABELS, Option, Proposal, Role, TablePlan, Words

Ask = Callable[[str, list[str], int], int]

# What a person may say a column is, whatever was proposed: the role, its treatments from fine to coarse.
ANSWERS: tuple[tuple[Role, tuple[Option, ...]], ...] = (
    (Role.DIRECT, (options.DROP,)),
    (Role.QUASI, (options.KEEP_TEXT, options.DROP)),
    (Role.SENSITIVE, (options.KEEP_TEXT, options.DROP)),
    (Role.TEXT, (options.FREE_TEXT, options.DROP)),
    (Role.OTHER, (options.KEEP_TEXT, options.DROP)),
)
BY_PERSON: Words = ("담당자가 정했습니다.", "Decided by a person.")


def ask_about(table: TablePlan, ask: Ask, *, everything: bool) -> TablePlan:
    """Ask about each doubtful column (or every one but the patient's) and return the table as answered."""
    columns = []
    for each in table.columns:
        wanted = (each.doubtful or everything) and each.source != table.subject
        columns.append(_answered(table, each, ask) if wanted else each)
    return replace(table, columns=tuple(columns))


def _answered(table: TablePlan, each: Proposal, ask: Ask) -> Proposal:
    choices = _choices(each)
    words = [
        f"{LABELS[role][0]} → {option.words[0]} ({LABELS[role][1]}: {option.words[1]})" for role, option, _ in choices
    ]
    title = f"{table.name}.{each.source}: {each.reason[0]} ({each.reason[1]})"
    role, option, ladder = choices[ask(title, words, 0)]
    if (role, option) == (each.role, each.option):
        return replace(each, doubtful=False)
    at = ladder.index(option)
    return replace(each, role=role, options=ladder, chosen=at, reason=BY_PERSON, doubtful=False)


def _choices(each: Proposal) -> list[tuple[Role, Option, tuple[Option, ...]]]:
    """List what may be answered; the proposal comes first."""
    found = [(each.role, option, each.options) for option in (each.option, *each.options)]
    found += [(role, ladder[0], ladder) for role, ladder in ANSWERS]
    return [one for at, one in enumerate(found) if one[:2] not in [other[:2] for other in found[:at]]]


def on_terminal(title: str, choices: list[str], default: int) -> int:
    """Ask on the terminal: numbers from 1, Enter takes the proposal. Returns the index from 0."""
    click.echo("")
    click.echo(title)
    for number, words in enumerate(choices, 1):
        click.echo(f"  {number}) {words}")
    return int(click.prompt("선택 (choice)", type=click.IntRange(1, len(choices)), default=default + 1)) - 1
