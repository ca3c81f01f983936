"""`ansim deid forget`: destroys the private folder of a run, when nobody needs the originals of its texts any more."""

from __future__ import annotations

from pathlib import Path

import click

from deid.frame_cases import FILE as FRAMES
from deid.frame_cases import forget_frames
from deid.refusal import errors_to_exit_codes
from deid.texts import FILE, forget


@click.command("forget")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def forget_command(folder: Path) -> None:
    """수행이 --private 폴더 FOLDER에 남긴 원문이나 장면의 출처를 지웁니다 (destroy what a run left in private).

    표본 검토가 있는 계획이면 `ansim snapshot receive`가 접수한 뒤 스스로 지우므로 필요 없습니다.
    """
    with errors_to_exit_codes():
        for name, destroy in ((FILE, forget), (FRAMES, forget_frames)):
            if destroy(folder):
                click.echo(f"{folder / name}: 지웠습니다 (destroyed)")
                return
        click.echo(f"{folder}: 지울 것이 없습니다 (nothing there)")
