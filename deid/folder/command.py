"""`ansim deid folder`: a folder of images and signals, de-identified by a recipe into another folder."""

from __future__ import annotations

import json
import secrets
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn

from deid.errors import OutputError
from deid.folder import index
from deid.folder import run as folder
from deid.folder.leaving import left_of
from deid.folder.locks import alone_in
from deid.folder.one import Work
from deid.folder.people import People
from deid.folder.recipe import load
from deid.folder.registry import SECTIONS
from deid.folder.zips import opened
from deid.keys import MASTER_BYTES, WorkerKeys, find_generation, key_id, read_master
from deid.refusal import errors_to_exit_codes

NOT_DONE = 5  # as a gate that failed: something is left or failed, and is not in the output
SOURCE = click.Path(exists=True, path_type=Path)
PATH = click.Path(path_type=Path)


@click.command("folder")
@click.argument("source", type=SOURCE)
@click.argument("out", type=PATH)
@click.option("--recipe", "recipe_file", type=PATH, required=True, help="가명처리 계획 (recipe, kind: folder)")
@click.option("--report", "report_file", type=PATH, help="보고서를 쓸 곳, 병원 안에만 둠 (report, JSON; stays inside)")
@click.option("--keys", "key_folder", type=PATH, help="master.key 폴더, 없으면 이번만의 키 (keys; else of this run)")
@click.option("--project", default="", help="이 과제만의 가명 (pseudonyms of this project alone)")
@click.option("--generation", type=int, help="키 세대, 없으면 최신 (key generation; the newest if left out)")
@click.option("--jobs", type=click.IntRange(1, 256), help="프로세스 수 (processes) [CPU 수]")
def folder_command(  # noqa: PLR0913 - one parameter for each option
    source: Path,
    out: Path,
    recipe_file: Path,
    report_file: Path | None,
    key_folder: Path | None,
    *,
    project: str,
    generation: int | None,
    jobs: int | None,
) -> None:
    """SOURCE(폴더나 ZIP)의 영상과 생체신호를 가명처리해 OUT에 씁니다 (de-identify a folder or ZIP)."""
    with errors_to_exit_codes():
        recipe = load(recipe_file, SECTIONS)
        _check_out(source.resolve(), out.resolve(), fresh=key_folder is None)
        keys, told = _keys(key_folder, project, generation)
        with (
            alone_in(out.resolve()),
            opened(source.resolve()) as (read, refused),
            progress_bar() as bar,
        ):
            # The command line is a door: here the clock is read.
            left = left_of(recipe, read, datetime.now(UTC))  # noqa: TID251 - see the line above
            people = People(keys, recipe.dataset, recipe.domain, recipe.max_days, left.leaving)
            work = Work(people, recipe, read, out.resolve() / folder.STAGING, left.besides)
            task = bar.add_task("", total=None)
            tally = folder.run(
                work,
                out.resolve(),
                jobs=jobs,
                progress=lambda done, total: bar.update(task, completed=done, total=total),
            )
            tally.refused += refused
            index.write(out.resolve(), tally)
        found = folder.report(work, tally, keys=told)
        tell(found, report_file)
    sys.exit(0 if folder.is_done(tally) else NOT_DONE)


def _keys(key_folder: Path | None, project: str, generation: int | None) -> tuple[WorkerKeys, str]:
    """Give the run's keys and how the report names them. Without a folder they are of this run and gone after it."""
    if key_folder is None:
        return WorkerKeys(secrets.token_bytes(MASTER_BYTES), project), "of this run alone"
    master = read_master(find_generation(key_folder, generation)[1])
    return WorkerKeys(master, project), key_id(master)


def check_apart(source: Path, out: Path) -> None:
    """Raise `OutputError` (`deid.folder-out`) when a run would read what it writes."""
    if out == source or source in out.parents or out in source.parents:
        _refuse_out(
            "원본 폴더와 결과 폴더는 서로 밖에 있어야 합니다.",
            "Source and output must lie outside each other.",
            remedy=("서로 밖에 있는 폴더를 주세요.", "Name folders that lie outside each other."),
        )


def _check_out(source: Path, out: Path, *, fresh: bool) -> None:
    check_apart(source, out)
    if fresh and out.exists() and any(out.iterdir()):
        ko = "키 없이는 빈 폴더에만 쓰고, 끊긴 수행을 이을 수 없습니다. 가명이 섞입니다."
        en = "Without keys only an empty folder is written to, and no run goes on: pseudonyms would not agree."
        _refuse_out(ko, en, remedy=("다른 폴더를 주거나 --keys를 쓰세요.", "Name another folder, or give --keys."))


def _refuse_out(ko: str, en: str, *, remedy: tuple[str, str]) -> NoReturn:
    raise OutputError("deid.folder-out", ko, en, remedy_ko=remedy[0], remedy_en=remedy[1])


def progress_bar() -> Progress:
    """Make the bar of a run over files, drawn on a terminal alone."""
    console = Console(stderr=True)
    return Progress(
        BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=console, disable=not console.is_terminal
    )


def tell(found: Mapping[str, Any], report_file: Path | None) -> None:
    """Say what became of the files, and write the report where one was asked for."""
    if report_file:
        text = json.dumps(found, ensure_ascii=False, indent=1) + "\n"
        report_file.write_text(text, encoding="utf-8", errors="backslashreplace")
    refused = found["refused"]
    click.echo(
        f"쓴 파일(written): {found['written']} · 거절(refused): {len(refused)} · 중복(twice): {found['duplicates']}"
    )
    for each in refused:
        name = each["file"].encode("utf-8", "backslashreplace").decode("utf-8")
        click.echo(f"  [{each['code']}] {name}: {each['ko']} ({each['en']})", err=True)
