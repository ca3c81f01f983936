"""`ansim deid run`: a recipe of tables or of a folder over a hospital's files, published as a signed snapshot."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from deid import keys as key_files
from deid import recipe as recipes
from deid.engine import Step, run
from deid.folder.recipe import is_of_folder
from deid.folder.run_command import load_signed, publish_folder
from deid.many.options import Means, means_options, told_redone
from deid.refusal import errors_to_exit_codes
from deid.snapshot_commands import show
from deid.versions.options import Versions, version_options

EXISTING = click.Path(exists=True, path_type=Path)
ANY_PATH = click.Path(path_type=Path)


@click.command("run")
@click.argument("recipe", type=ANY_PATH)
@click.option(
    "--source", type=EXISTING, required=True, help="병원 파일의 폴더, 영상은 ZIP도 (folder; of images also a ZIP)"
)
@click.option("--out", type=ANY_PATH, required=True, help="스냅샷을 둘 폴더 (folder for snapshots)")
@click.option(
    "--keys", "key_folder", type=ANY_PATH, required=True, help="master.key가 있는 폴더 (folder of master.key)"
)
@click.option("--signing-key", type=ANY_PATH, required=True, help="Ed25519 서명 키, PEM (signing key)")
@click.option("--project", default="", help="이 과제만의 가명 (pseudonyms of this project alone)")
@click.option("--generation", type=int, help="키 세대, 없으면 최신 (key generation; the newest if left out)")
@click.option(
    "--private",
    type=ANY_PATH,
    help="표본 검토용 비공개 폴더: 원문, 장면의 출처 (private folder for reviews)",
)
@click.option("--report", "report_file", type=ANY_PATH, help="폴더 계획의 보고서, 병원 안에만 둠 (report of a folder)")
@version_options
@means_options
def run_command(  # noqa: PLR0913 - click hands over each option by its name
    recipe: Path,
    source: Path,
    out: Path,
    key_folder: Path,
    signing_key: Path,
    *,
    project: str,
    generation: int | None,
    private: Path | None,
    report_file: Path | None,
    versions: Versions,
    means: Means,
) -> None:
    """계획 RECIPE로 SOURCE의 파일을 처리해 OUT에 스냅샷을 공개합니다 (run a recipe and publish)."""
    with errors_to_exit_codes():
        keys = key_files.load(key_folder, signing_key, generation)
        keys = versions.with_store(keys.for_project(project) if project else keys, key_folder)
        if is_of_folder(recipe):
            made = publish_folder(
                load_signed(recipe), source, out, keys, versions=versions, private=private, report_file=report_file
            )
            show(made.manifest)
            click.echo(f"{made.snapshot}")
            return
        if not source.is_dir():
            raise click.BadParameter(
                "표의 원본은 폴더여야 합니다 (tables are read from a folder).", param_hint="--source"
            )
        plan = recipes.load(recipe)
        before = versions.before(out, plan.dataset, keys)
        with _bar() as told:
            # The command line is a door: here the clock is read.
            now = datetime.now(UTC)  # noqa: TID251 - see the line above
            result = run(plan, source, out, keys, now=now, progress=told, private=private, before=before, means=means)
        show(result.manifest)
        for line in told_redone(result.redone):
            click.echo(line, err=True)
        click.echo(f"{result.snapshot}")


@contextmanager
def _bar() -> Iterator[Callable[[Step], None]]:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("…", total=None)

        def told(step: Step) -> None:
            name = f" {step.table}" if step.table else ""
            bar.update(task, description=f"{step.ko} ({step.en}){name}", completed=step.done, total=step.total)

        yield told
