"""`ansim deid`: run a recipe, read a snapshot's report, verify a snapshot, find identifiers in texts.

Exit codes: 0 done · 2 wrong use of the command · 3 recipe · 4 source file · 5 a gate failed · 6 snapshot damaged ·
7 key file · 8 output folder · 9 keys destroyed · 10 privacy budget · 11 workers of a cluster · 1 anything else. The
first line on standard error carries the stable code in brackets.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from deid import keys as key_files
from deid import recipe as recipes
from deid.aggregates.command import aggregate, budget
from deid.detect.command import detect
from deid.engine import Step, run
from deid.folder.command import folder_command
from deid.folder.recipe import is_of_folder
from deid.folder.run_command import load_signed, publish_folder
from deid.forget_command import forget_command
from deid.keys_command import keys_group
from deid.manifest import Manifest
from deid.many.options import Means, means_options, told_redone
from deid.planning.command import plan
from deid.planning.profile_command import profile_command
from deid.refusal import errors_to_exit_codes
from deid.snapshot import read_manifest, verify
from deid.twin.command import twin
from deid.versions.commands import diff, shred_command, withdraw
from deid.versions.held import read_through
from deid.versions.keystore import open_store
from deid.versions.options import Versions, version_options
from deid.versions.tables import authenticate

EXISTING = click.Path(exists=True, path_type=Path)
EXISTING_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
EXISTING_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
ANY_PATH = click.Path(path_type=Path)


@click.group()
def deid() -> None:
    """가명처리: 계획대로 처리해 서명된 스냅샷을 만들고 검증합니다 (de-identify, report, verify)."""


deid.add_command(detect)
deid.add_command(withdraw)
deid.add_command(shred_command)
deid.add_command(diff)
deid.add_command(plan)
deid.add_command(profile_command)
deid.add_command(keys_group)
deid.add_command(twin)
deid.add_command(forget_command)
deid.add_command(folder_command)
deid.add_command(aggregate)
deid.add_command(budget)


@deid.command("run")
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
            _show(made.manifest)
            click.echo(f"{made.snapshot}")
            return
        if not source.is_dir():
            raise click.BadParameter(
                "표의 원본은 폴더여야 합니다 (tables are read from a folder).", param_hint="--source"
            )
        plan = recipes.load(recipe)
        before = versions.before(out, plan.dataset, keys)
        with _bar() as told:
            # The command line is a door: here, and only here in this room, the clock is read.
            now = datetime.now(UTC)  # noqa: TID251 - see the line above
            result = run(plan, source, out, keys, now=now, progress=told, private=private, before=before, means=means)
        _show(result.manifest)
        for line in told_redone(result.redone):
            click.echo(line, err=True)
        click.echo(f"{result.snapshot}")


@deid.command("report")
@click.argument("snapshot", type=EXISTING_FOLDER)
@click.option("--key", type=EXISTING_FILE, required=True, help="공개키, PEM (public key)")
@click.option("--json", "as_json", is_flag=True, help="risk.json을 그대로 출력 (print risk.json)")
def report_command(snapshot: Path, key: Path, *, as_json: bool) -> None:
    """SNAPSHOT의 위험 요약을 보여 주고 report.html의 위치를 알려 줍니다 (show the report)."""
    with errors_to_exit_codes():
        manifest = verify(snapshot.resolve(), key_files.load_public(key))
        if as_json:
            click.echo(json.dumps(json.loads((snapshot / "risk.json").read_bytes()), ensure_ascii=False, indent=1))
            return
        _show(manifest)
        click.echo(f"{(snapshot / 'report.html').resolve()}")


@deid.command("verify")
@click.argument("snapshot", type=EXISTING_FOLDER)
@click.option("--key", type=EXISTING_FILE, required=True, help="공개키, PEM (public key)")
@click.option("--signature-only", is_flag=True, help="자료 파일은 읽지 않음 (do not read the data files)")
@click.option("--snapshot-keys", "store", type=EXISTING_FOLDER, help="있으면 암호까지 풀어 확인 (decrypt as well)")
@click.option("--seal-key", "seal", type=EXISTING_FILE, help="보관소 키 (the store's key)")
def verify_command(snapshot: Path, key: Path, store: Path | None, seal: Path | None, *, signature_only: bool) -> None:
    """SNAPSHOT의 서명과 모든 파일의 해시를 확인합니다 (check signature and every file)."""
    with errors_to_exit_codes():
        check = read_manifest if signature_only else verify
        manifest = check(snapshot.resolve(), key_files.load_public(key))
        gone: tuple[str, ...] = ()
        if store and seal and not signature_only:
            keys = open_store(store, seal).of(manifest)
            gone = authenticate(snapshot.resolve(), manifest, keys)
            read_through(snapshot.resolve(), manifest, keys)
        click.echo(f"ok {manifest.id} {manifest.dataset} {manifest.created_at} ({len(manifest.files)} files)")
        for name in gone:
            click.echo(f"shredded {name}")


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


def _show(manifest: Manifest) -> None:
    table = Table(title=f"{manifest.title_ko} · {manifest.dataset} v{manifest.recipe_version} · {manifest.provider}")
    for heading in ("표 (table)", "행 (rows)", "환자 (patients)", "k 전→후", "혼자 (unique)", "최대 위험 (max risk)"):
        table.add_column(heading)
    for name, risk in manifest.risk.items():
        rows = f"{risk['rows_before']:,} → {risk['rows_after']:,}"
        subjects = f"{risk['subjects_before']:,} → {risk['subjects_after']:,}"
        classes = ("–", "–", "–")
        if "k_published" in risk:
            k = f"{risk['k_source']} → {risk['k_published']}"
            classes = (
                k,
                f"{risk['unique_source']:.1%} → {risk['unique_published']:.1%}",
                f"{risk['prosecutor_max']:.1%}",
            )
        table.add_row(name, rows, subjects, *classes)
    Console(stderr=True).print(table)
