"""`ansim anchor`: what carries the log's checkpoints outside: witnesses by a folder."""

from __future__ import annotations

from pathlib import Path

import click

from audit.standing import standing
from enclave.actor import Actor
from enclave.clock import now
from enclave.commands import anchoring
from enclave.console.acting import opened, say
from enclave.settings import Settings

_DROP = click.argument("folder", required=False, type=click.Path(file_okay=False, path_type=Path))


@click.group()
def anchor() -> None:
    """로그의 확인점을 밖에 남깁니다: 증인 (the log's checkpoints, seen outside)."""


@anchor.command("ask")
@_DROP
def ask(folder: Path | None) -> None:
    """증인에게 가져갈 파일을 FOLDER에 씁니다; 기본은 home의 witness (write what a witness needs)."""
    settings = Settings.load()
    drop = folder or settings.witness
    with opened(settings) as store:
        size = anchoring.ask_witness(store, settings, Actor.console(), drop=drop, now=now())
    say(
        f"기록 {size:,}건의 확인점을 {drop}에 썼습니다. 폴더째 증인의 컴퓨터로 옮기세요.",
        f"Wrote the checkpoint of {size:,} entries to {drop}. Take the whole folder to the witness's machine.",
    )


@anchor.command("take")
@_DROP
def take(folder: Path | None) -> None:
    """증인에게서 돌아온 FOLDER의 서명을 받아들입니다 (take in what came back from a witness)."""
    settings = Settings.load()
    with opened(settings) as store:
        taken = anchoring.take_cosignatures(
            store, settings, Actor.console(), drop=folder or settings.witness, now=now()
        )
    for each in taken:
        names = ", ".join(each.names)
        reached = ("정족수에 이름", "quorum reached") if each.quorum else ("정족수에 모자람", "short of the quorum")
        say(f"{each.size:,}건: {names} · {reached[0]}", f"{each.size:,} entries: {names} · {reached[1]}")
    if not taken:
        say("새로운 서명이 없습니다.", "No new cosignature.")


@anchor.command("policy")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def policy(file: Path) -> None:
    """누구의 서명이 세어지는지 정합니다: C2SP tlog-policy 파일 (appoint witnesses)."""
    settings = Settings.load()
    text = file.read_text(encoding="utf-8")
    with opened(settings) as store:
        found = anchoring.set_witness_policy(store, settings, Actor.console(), text=text, now=now())
    say(
        f"증인 {len(found.witnesses)}명, 정족수 {found.quorum}. 이 파일을 로그 키와 함께 게시하세요.",
        f"{len(found.witnesses)} witnesses, quorum {found.quorum}. Publish this file together with the log's key.",
    )


@anchor.command("status")
def status() -> None:
    """증인이 어디까지 확인했는지 보여 줍니다 (how far witnesses have seen the log)."""
    settings = Settings.load()
    found = standing(settings.log, settings.anchors, anchoring.log_key(settings))
    mark = {"ok": "✓", "warn": "△", "stop": "✗"}[found.look]
    say(f"{mark} {found.ko}", f"{mark} {found.en}")
    if found.look == "stop":
        click.get_current_context().exit(1)
