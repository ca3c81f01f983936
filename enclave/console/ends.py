"""`ansim project …` and `ansim certificate …`: stopping a project from the machine itself, reading certificates."""

from __future__ import annotations

from pathlib import Path

import click

from enclave import certificate as certificates
from enclave.actor import Actor
from enclave.certificate_page import lines
from enclave.clock import now
from enclave.commands import freeze as commands
from enclave.console.acting import opened, say
from enclave.keys import load_public_key
from enclave.queries import certificates as queries
from enclave.settings import Settings


@click.group()
def project() -> None:
    """과제를 멈춥니다 (projects)."""


@project.command("freeze")
@click.argument("project_id")
@click.option("--reason", required=True, help="사유 (reason)")
def freeze(project_id: str, reason: str) -> None:
    """과제의 모든 작업공간을 동결합니다; 1분 안에 멈춥니다 (freeze all workspaces of a project)."""
    with opened(Settings.load()) as store:
        commands.freeze_project(store, Actor.console(), project_id=project_id, reason=reason, now=now())
    say(
        f"과제 {project_id}을(를) 동결했습니다. 제공기관의 데이터 관리자만 풀 수 있습니다.",
        f"Froze the project {project_id}. Only a steward of the provider can lift it.",
    )


@click.group()
def certificate() -> None:
    """파기확인서와 이용확인서 (certificates)."""


@certificate.command("list")
def show_all() -> None:
    """파기확인서 목록 (certificates of destruction)."""
    with opened(Settings.load()) as store:
        for each in queries.destructions(store, Actor.console(), now=now()):
            at = f"{each.issued_at:%Y-%m-%d %H:%M}Z"
            click.echo(f"{each.id}  {at}  {each.project_id}  {each.workspace_id}  {each.sha256}")


@certificate.command("verify")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--key", required=True, type=click.Path(exists=True, path_type=Path), help="공개키 certificate.pub (public key)"
)
@click.pass_context
def verify(ctx: click.Context, file: Path, key: Path) -> None:
    """서명을 확인하고 내용을 보여 줍니다; 인터넷도 데이터베이스도 필요 없습니다 (verify a certificate offline)."""
    found = certificates.read(file.read_bytes())
    certificates.verify(found, load_public_key(key))
    for line in lines(found, ctx.find_root().obj):
        click.echo(line)
    click.echo(f"SHA-256: {found.sha256}")
    say("서명이 맞습니다.", "The signature is good.")
