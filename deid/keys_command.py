"""`ansim deid keys`: the generations of the master key in a key folder (추가정보의 관리). No command prints a key."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from deid.errors import KeyFileError
from deid.generations import destroy, generations, rotate
from deid.keys import create_master, create_signing
from deid.refusal import errors_to_exit_codes

FOLDER = click.option(
    "--keys", "folder", type=click.Path(path_type=Path), required=True, help="master.key가 있는 폴더 (key folder)"
)


@click.group("keys")
def keys_group() -> None:
    """가명 키의 세대를 봅니다, 교체합니다, 파기합니다 (generations of the master key)."""


@keys_group.command("create")
@FOLDER
@click.option(
    "--signing-key",
    "signing",
    type=click.Path(dir_okay=False, path_type=Path),
    help="서명 키도 만들 파일, 공개키는 그 옆 .pub (make the signing key, too; its public half is FILE.pub)",
)
def create_command(folder: Path, signing: Path | None) -> None:
    """첫 세대를, 그리고 --signing-key를 주면 서명 키를 만듭니다 (make the first generation, and a signing key)."""
    with errors_to_exit_codes(), _already_there():
        create_master(folder)
        if signing is not None:
            create_signing(signing)
        _show(folder)


@keys_group.command("list")
@FOLDER
def list_command(folder: Path) -> None:
    """세대와 키 번호를 보여 줍니다 (list the generations)."""
    with errors_to_exit_codes():
        _show(folder)


@keys_group.command("rotate")
@FOLDER
@click.option("--destroy-old", is_flag=True, help="옛 세대를 모두 파기 (destroy every older generation)")
def rotate_command(folder: Path, *, destroy_old: bool) -> None:
    """새 세대를 만듭니다: 다음 수행부터 모든 가명이 달라집니다 (new generation: every pseudonym changes)."""
    with errors_to_exit_codes(), _already_there():
        rotate(folder)
        for old in generations(folder):
            if destroy_old and old.id and not old.current:
                destroy(folder, old.number)
        _show(folder)


@keys_group.command("destroy")
@FOLDER
@click.option("--generation", type=int, required=True, help="파기할 세대 (generation to destroy)")
@click.confirmation_option(prompt="되돌릴 수 없습니다. 파기할까요 (this cannot be undone; destroy it)?")
def destroy_command(folder: Path, generation: int) -> None:
    """옛 세대를 파기합니다: 그 스냅샷은 아무도 다시 식별하지 못합니다 (destroy an old generation)."""
    with errors_to_exit_codes():
        destroy(folder, generation)
        _show(folder)


def _show(folder: Path) -> None:
    for each in generations(folder):
        state = "현재 (current)" if each.current else "보관 (kept)" if each.id else "파기 (destroyed)"
        click.echo(f"{each.number}  {each.id or '-' * 16}  {state}")


@contextmanager
def _already_there() -> Iterator[None]:
    try:
        yield
    except FileExistsError as error:
        raise KeyFileError(
            "deid.key-exists",
            f"이미 있습니다: {error.filename}.",
            f"It is there already: {error.filename}.",
            remedy_ko="있는 키는 덮어쓰지 않습니다. ansim deid keys list로 확인하세요.",
            remedy_en="A key that exists is never replaced; see ansim deid keys list.",
        ) from error
