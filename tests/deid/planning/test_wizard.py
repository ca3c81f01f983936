"""The wizard: one question for each doubtful column, the proposal as default, a person's answer stands."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from deid.planning.peek import peek
from deid.planning.role import Role
from deid.planning.tables import plan_tables
from deid.planning.wizard import ask_about, on_terminal
from tests.deid.factory import Hospital

DATA = "pt_no,zz,sex\n" + "".join(f"{n},{'abcdefghij'[n % 10]}{n}x,{'MF'[n % 2]}\n" for n in range(400))


class Person:
    """Somebody who answers; remembers what was asked."""

    def __init__(self, wanted: str) -> None:
        self.wanted = wanted
        self.asked: list[str] = []

    def __call__(self, title: str, choices: list[str], default: int) -> int:
        self.asked.append(title.split(":", maxsplit=1)[0])
        assert len(set(choices)) == len(choices)
        return next((at for at, words in enumerate(choices) if self.wanted in words), default)


@pytest.mark.parametrize(
    ("everything", "wanted", "asked", "role", "treatment"),
    [
        (False, "no such answer", ["a.zz"], Role.DIRECT, "drop"),
        (False, "free text", ["a.zz"], Role.TEXT, "free_text"),
        (True, "no such answer", ["a.zz", "a.sex"], Role.DIRECT, "drop"),
    ],
)
def test_only_doubtful_columns_are_asked_about_and_the_answer_stands(
    clinic: Hospital, everything: bool, wanted: str, asked: list[str], role: Role, treatment: str
) -> None:
    plan = plan_tables(peek(clinic.write("a.csv", DATA)))[0]
    person = Person(wanted)
    column = ask_about(plan, person, everything=everything).column("zz")
    assert person.asked == asked
    assert (column.role, column.fields["treatment"], column.doubtful) == (role, treatment, False)


@pytest.mark.parametrize(("typed", "chosen"), [("\n", "1"), ("1\n", "0"), ("9\n2\n", "1")])
def test_the_terminal_takes_a_number_or_the_default_and_asks_again_for_nonsense(typed: str, chosen: str) -> None:
    @click.command()
    def asking() -> None:
        click.echo(f"answer {on_terminal('What?', ['one', 'two'], 1)}")

    result = CliRunner().invoke(asking, input=typed)
    assert result.output.splitlines()[-1] == f"answer {chosen}"
