"""`ansim deid profile`: what missed marks propose for the provider's profile, for a person to accept."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from deid.errors import OutputError
from deid.marks import read_marks
from deid.planning.missed_profile import Change, accept, changes, read_profile
from deid.refusal import errors_to_exit_codes


@click.command("profile")
@click.argument("missed", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--profile", "target", type=click.Path(dir_okay=False, path_type=Path), required=True, help="기관 프로필 (its file)"
)
@click.option("--accept", "numbers", default="", help="받아들일 번호, 쉼표로 (numbers to accept: 1,3)")
def profile_command(missed: Path, target: Path, numbers: str) -> None:
    """놓친 표시 MISSED(missed.csv)에서 기관 프로필에 더할 것을 제안합니다 (propose changes of a profile).

    제안마다 까닭을 보이고, 사람이 받아들인 것만 씁니다: 물음에 답하거나 --accept로 번호를 줍니다.
    """
    with errors_to_exit_codes():
        proposed = changes(read_marks(missed), read_profile(target))
        for number, change in enumerate(proposed, start=1):
            _show(number, change)
        if not proposed:
            click.echo("프로필에 더할 것이 없습니다 (nothing to add to the profile).")
            return
        accepted = _chosen(numbers, proposed) if numbers else _asked(proposed)
        if not accepted:
            click.echo(f"{target}: 바꾼 것 없음 (unchanged)")
            return
        accept(target, accepted)
    click.echo(
        f"{target}: {len(accepted)}개를 더했습니다. 계획에 profile: {target.name} 이 있는지 보고 다시 수행하세요 "
        f"({len(accepted)} added; name it in the recipe and run again)."
    )


def _show(number: int, change: Change) -> None:
    click.echo(f"{number}. {change.field}: {change.entry}")
    click.echo(f"   {change.reason[0]} ({change.reason[1]}).")
    if change.doubt[0]:
        click.echo(f"   주의: {change.doubt[0]} (mind: {change.doubt[1]}).")


def _asked(proposed: Sequence[Change]) -> list[Change]:
    """Ask on a terminal; where there is none, nobody accepts."""
    if not sys.stdin.isatty():
        return []
    return [each for each in proposed if click.confirm(f"{each.field}: {each.entry}", default=False)]


def _chosen(numbers: str, proposed: Sequence[Change]) -> list[Change]:
    words = [word.strip() for word in numbers.split(",") if word.strip()]
    if not all(word.isascii() and word.isdigit() and 1 <= int(word) <= len(proposed) for word in words):
        raise OutputError(
            "deid.profile-number",
            f"--accept {numbers}: 제안의 번호가 아닙니다.",
            f"--accept {numbers}: these are no numbers of proposals.",
            remedy_ko=f"1부터 {len(proposed)}까지 쉼표로 이어 적으세요.",
            remedy_en=f"Give numbers from 1 to {len(proposed)}, with commas.",
        )
    return [proposed[int(word) - 1] for word in dict.fromkeys(words)]
