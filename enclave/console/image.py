"""`ansim image …`: what the workspace image holds, as a bill of materials."""

from __future__ import annotations

from pathlib import Path

import click

from enclave.clock import now
from enclave.console.acting import say
from enclave.console.in_image import debian_packages, python_packages
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
    debian, described = debian_packages(image_id), python_packages(image_id)
    out.write_text(bill(image_id, debian, described, now()))
    say(
        f"{out}: Debian {len(debian)}개, Python {len(described)}개",
        f"{out}: {len(debian)} Debian, {len(described)} Python",
    )
