"""`ansim deid report` and `verify`: what a snapshot that is there says of itself, and whether it is what was signed."""

from __future__ import annotations

import json
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from deid import keys as key_files
from deid.manifest import Manifest
from deid.refusal import errors_to_exit_codes
from deid.snapshot import read_manifest, verify
from deid.versions.held import read_through
from deid.versions.keystore import open_store
from deid.versions.tables import authenticate

EXISTING_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
EXISTING_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("report")
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
        show(manifest)
        click.echo(f"{(snapshot / 'report.html').resolve()}")


@click.command("verify")
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


def show(manifest: Manifest) -> None:
    """Print what was published, a line for each table, and its risk before and after."""
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
