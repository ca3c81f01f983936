"""`ansim report …`: access rights on a day, and a year of operations (korea.md R122), each in one command."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import click

from enclave.actor import Actor
from enclave.clock import korean_date, now
from enclave.commands import reporting
from enclave.commands.reporting import Handed
from enclave.console.acting import opened, say
from enclave.console.borrowed import as_owner_of
from enclave.console.writing import replace
from enclave.settings import Settings

OUT = click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="쓸 파일 / file to write"
)
KIND = click.option(
    "--kind", type=click.Choice([*reporting.KINDS]), help="형식(파일 이름에서 앎) / form (from the name)"
)


@click.group()
def report() -> None:
    """보고서를 만듭니다 (reports)."""


@report.command("rights")
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="기준일(없으면 어제) / as of (yesterday without)")
@OUT
@KIND
def rights(day: datetime | None, out: Path, kind: str | None) -> None:
    """그날 끝에 누가 어떤 권한을 가졌는지 (who held which right at the end of that day)."""
    settings = Settings.load()
    wanted_kind = kind or _kind(out.name)
    with as_owner_of(settings.db), opened(settings) as store:
        moment = now()
        wanted = day.date() if day else korean_date(moment) - timedelta(days=1)
        made = reporting.of_rights(store, settings, Actor.console(), day=wanted, kind=wanted_kind, now=moment)
    _keep(out, made)


@report.command("annual")
@click.option("--year", type=int, required=True, help="해 / year")
@OUT
@KIND
def annual(year: int, out: Path, kind: str | None) -> None:
    """한 해의 운영 (the operations of a year)."""
    settings = Settings.load()
    wanted_kind = kind or _kind(out.name)
    with as_owner_of(settings.db), opened(settings) as store:
        made = reporting.of_year(store, settings, Actor.console(), year=year, kind=wanted_kind, now=now())
    _keep(out, made)


def _kind(name: str) -> str:
    return name.rpartition(".")[2].lower()


def _keep(out: Path, made: Handed) -> None:
    replace(out, made.data)
    say(f"만들었습니다. 데이터의 SHA-256 {made.source}", f"Made. SHA-256 of its data {made.source}")
