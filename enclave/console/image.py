"""`ansim image …`: what the workspace image holds, asked of the image itself in a container without network."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import click

from enclave.clock import now
from enclave.console.acting import say
from enclave.errors import Unavailable
from enclave.packages.sbom import bill
from enclave.settings import Settings


@click.group()
def image() -> None:
    """작업공간 이미지를 살펴봅니다 (workspace image)."""


@image.command("sbom")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="쓸 파일 (file to write)")
def sbom(out: Path) -> None:
    """이미지의 구성 목록을 CycloneDX JSON으로 씁니다 (bill of materials)."""
    image_id = Settings.load().image
    listed = _ask(image_id, "dpkg-query", "-W", "-f", "${Package} ${Version}\\n")
    described = json.loads(_ask(image_id, "/opt/venv/bin/python", "-m", "pip", "inspect", "--local"))["installed"]
    debian = [(name, version) for name, _, version in (line.partition(" ") for line in listed.splitlines())]
    out.write_text(bill(image_id, debian, described, now()))
    say(
        f"{out}: Debian {len(debian)}개, Python {len(described)}개",
        f"{out}: {len(debian)} Debian, {len(described)} Python",
    )


def _ask(image_id: str, *words: str) -> str:
    engine = [
        "docker",
        "run",
        "--rm",
        "--network=none",
        "--read-only",
        "--cap-drop=ALL",
        "--user=65534",
        "--entrypoint",
    ]
    command = [*engine, words[0], image_id, *words[1:]]
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        said = (getattr(error, "stderr", "") or str(error)).strip()[-300:]
        raise Unavailable(
            "image.not-asked",
            ko=f"이미지를 살펴보지 못했습니다: {said}",
            en=f"The image could not be asked: {said}",
            remedy_ko="컨테이너 엔진이 도는지, 이미지가 있는지 확인하세요.",
            remedy_en="See that the engine runs and has the image.",
        ) from error
