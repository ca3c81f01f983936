"""`ansim anchor`: the log's checkpoints outside: witnesses by a folder, time stamps, the copy nobody can delete."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import click

from audit import rotation
from audit.anchors import Anchors
from audit.rotation import Handover
from audit.standing import standing
from enclave import tsa
from enclave.actor import Actor
from enclave.clock import now
from enclave.commands import anchoring, copying, log_key, stamping
from enclave.console.acting import opened, say
from enclave.console.borrowed import as_owner_of, as_root
from enclave.settings import Settings
from enclave.store import Store

_DROP = click.argument("folder", required=False, type=click.Path(file_okay=False, path_type=Path))


@click.group()
def anchor() -> None:
    """로그의 확인점을 밖에 남깁니다: 증인, 시점확인, 지울 수 없는 사본 (the log's checkpoints, seen outside)."""


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


@anchor.command("stamp")
@click.argument("answer", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def stamp(answer: Path | None) -> None:
    """지금 확인점의 시점확인을 받습니다. ANSWER(.tsr)를 주면 옮겨 온 답을 받아들입니다 (a time stamp, RFC 3161)."""
    settings = Settings.load()
    with opened(settings) as store:
        if answer is not None:
            token = answer.read_bytes()
            found = stamping.take_stamp(store, settings, Actor.console(), token=token, now=now())
        else:
            fetch = partial(tsa.fetch, settings.tsa_url, wait_s=settings.tsa_wait_s)
            found = stamping.stamp_newest(store, settings, Actor.console(), fetch=fetch, now=now())
    at = f"{found.stamp.at:%Y-%m-%d %H:%M:%S}Z"
    say(f"{found.size:,}건의 확인점: {at} ({found.stamp.checked_by})", f"Checkpoint of {found.size:,} entries: {at}")


@anchor.command("stamp-ask")
@click.argument("query", type=click.Path(dir_okay=False, path_type=Path))
def stamp_ask(query: Path) -> None:
    """시점확인 요청서(.tsq)를 QUERY에 씁니다; 망이 끊긴 곳에서 옮겨 갑니다 (write a request to carry)."""
    settings = Settings.load()
    with opened(settings) as store:
        size, data = stamping.ask_stamp(store, settings, Actor.console(), now=now())
    with anchoring.as_refusal():
        query.write_bytes(data)
    say(
        f"{size:,}건의 확인점의 요청서를 {query}에 썼습니다. 답(.tsr)은 ansim anchor stamp 로 받아들입니다.",
        f"Wrote the request for the checkpoint of {size:,} entries to {query}; take the answer in with `stamp`.",
    )


@anchor.command("copy")
def copy() -> None:
    """새로 생긴 기록을 지울 수 없는 저장소에 복사합니다 (copy what is new into the locked store)."""
    settings = Settings.load()
    with opened(settings) as store:
        done = copying.copy_log(store, settings, Actor.console(), now=now())
    say(
        f"{done.size:,}건까지, 파일 {done.files:,}개를 새로 복사했습니다. {done.until:%Y-%m-%d}까지 지울 수 없습니다.",
        f"Up to {done.size:,} entries, {done.files:,} new files; nobody can delete them before {done.until:%Y-%m-%d}.",
    )
    if done.hidden:
        say(
            f"✗ 저장소에서 파일 {done.hidden:,}개가 가려져 있습니다. 감사자에게 알리세요.",
            f"✗ {done.hidden:,} files were hidden in the store. Tell the auditor.",
        )
        click.get_current_context().exit(1)


@anchor.command("fetch")
@click.argument("folder", type=click.Path(exists=False, path_type=Path))
@click.option("--as-of", type=click.DateTime(), help="이 시각(UTC)의 모습으로 / as it was at this time, UTC")
def fetch(folder: Path, as_of: datetime | None) -> None:
    """사본을 새 FOLDER로 가져옵니다. ansim audit verify 로 확인하세요 (bring the copy back, to be verified)."""
    moment = as_of.replace(tzinfo=UTC) if as_of else None
    with anchoring.as_refusal():
        count = copying.bucket_of(Settings.load()).fetch(folder, as_of=moment)
    say(f"파일 {count:,}개를 {folder}로 가져왔습니다.", f"Brought {count:,} files to {folder}.")


@anchor.command("rotate")
def rotate() -> None:
    """로그의 서명 키를 새 키로 바꿉니다; 순번기를 먼저 멈추고 root로 실행합니다 (hand the log's key over)."""
    settings = Settings.load()
    key, anchors = settings.keys / "log.key", Anchors(settings.anchors)

    def act() -> Handover:
        with as_root():
            return rotation.hand_over(settings.log, key, anchors)

    with as_owner_of(settings.db):
        store = Store(settings.url, observer="console", wait_s=settings.database_wait_s)
        try:
            done = log_key.hand_over_key(store, settings, Actor.console(), rotate=act, now=now())
        finally:
            store.close()
    say(
        f"{done.size:,}건에서 새 키로 바꿨습니다. 다음 줄을 게시하고 증인에게 알리세요(witness trust):\n{done.new}",
        f"Handed over at {done.size:,} entries. Publish this line and tell the witnesses (witness trust):\n{done.new}",
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
