"""`ansim deid twin`: take the synthetic twin out of a snapshot, where anybody may have it."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import click

from deid import keys as key_files
from deid.errors import DeidError
from deid.refusal import errors_to_exit_codes
from deid.snapshot import verify
from deid.twin.pack import NAME


@click.command("twin")
@click.argument("snapshot", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("out", type=click.Path(path_type=Path))
@click.option(
    "--key",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    help="공개키, PEM (public key)",
)
def twin(snapshot: Path, out: Path, key: Path) -> None:
    """SNAPSHOT의 합성 쌍둥이를 OUT 폴더에 풉니다 (unpack the synthetic twin: same files and types, no real row)."""
    with errors_to_exit_codes():
        manifest = verify(snapshot.resolve(), key_files.load_public(key))
        if NAME not in manifest.files:
            raise _no_twin(manifest.id)
        with zipfile.ZipFile(io.BytesIO((snapshot / NAME).read_bytes())) as archive:
            archive.extractall(out)  # its names were signed with the snapshot
            click.echo("\n".join(str(out / name) for name in archive.namelist()))


def _no_twin(snapshot: str) -> DeidError:
    return DeidError(
        "deid.no-twin",
        f"스냅샷 {snapshot[:12]}에는 합성 쌍둥이가 없습니다.",
        f"Snapshot {snapshot[:12]} has no synthetic twin.",
        remedy_ko="이 버전 이전에 만든 스냅샷입니다. 계획을 다시 수행하면 함께 만들어집니다.",
        remedy_en="It was made by an earlier version. Run the recipe again: the twin is made with it.",
    )
