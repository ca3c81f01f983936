"""`ansim audit`: verify a log or bundle, write an evidence bundle, show the log's state."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

import click

from audit import bundle as bundles
from audit import paper, papercheck, query, standalone, verify, witnessing
from audit.bundlecheck import MANIFEST
from audit.canonical import decode
from audit.errors import AuditError, EntryError
from audit.keyline import key_from, trusted_from
from audit.reader import LogReader
from audit.stamps import stamping_from
from audit.standing import standing

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_LANG = click.option("--lang", type=click.Choice(["ko", "en"]), default="ko", help="출력 언어 / language")
_KEY_HELP = "게시된 검증 키 한 줄 또는 그 파일 / the published key line, or a file that holds it"


@click.group()
def audit() -> None:
    """감사 로그를 검증하고 증거 자료를 만듭니다 (the audit log: verify, bundle, print, compare)."""


@audit.command("verify")
@click.argument("folder", type=_FOLDER)
@click.option("--key", help=_KEY_HELP)
@click.option("--policy", help="게시된 정책 파일: 로그 키, 증인, 정족수 / the published policy file")
@click.option("--anchors", type=_FOLDER, help="밖에서 본 확인점의 폴더 / folder of the checkpoints seen outside")
@click.option("--tsa", help="시점확인기관의 인증서(PEM) / certificates of time-stamping authorities")
@click.option("--strict", is_flag=True, help="△가 있어도 실패(1)로 / exit with 1 also for what △ marks")
@click.option("--patience", default=3.0, help="쓰는 중인 로그를 기다릴 초 / seconds to wait for a log being written")
@_LANG
@click.pass_context
def verify_command(context: click.Context, /, folder: Path, lang: str, **given: Any) -> None:
    """로그 폴더나 증거 자료 폴더를 검증합니다 (verify a log folder or an evidence bundle)."""
    try:
        trusted, stamping = trusted_from(given["key"], given["policy"]), stamping_from(given["tsa"])
    except AuditError as error:
        raise click.UsageError(_words(error, lang)) from error
    if (folder / MANIFEST).exists():
        report = verify.verify_bundle(folder, trusted, stamping=stamping)
    elif trusted is None:
        raise click.UsageError("로그 폴더에는 --key 나 --policy 가 필요합니다 / a log folder needs --key or --policy")
    else:
        anchors, patience = given["anchors"], given["patience"]
        report = verify.verify_log(folder, trusted, anchors=anchors, stamping=stamping, patience_s=patience)
    click.echo(report.text(lang), nl=False)
    context.exit(0 if report.ok and not (report.amber and given["strict"]) else 1)


@audit.command("bundle")
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--log", "log_folder", type=_FOLDER, required=True, help="로그 폴더 / log folder")
@click.option("--key", required=True, help=_KEY_HELP)
@click.option("--anchors", type=_FOLDER, help="밖에서 본 확인점의 폴더 / folder of the checkpoints seen outside")
@click.option("--tsa", type=click.Path(path_type=Path), help="시점확인기관의 인증서(PEM) / authorities' certificates")
@click.option("--first", type=int, help="첫 순번 / first leaf index")
@click.option("--last", type=int, help="마지막 순번 / last leaf index")
@click.option("--since", type=click.DateTime(), help="이 시각(UTC)부터 / from this time, UTC")
@click.option("--until", type=click.DateTime(), help="이 시각(UTC) 전까지 / before this time, UTC")
@click.option("--actor", help="행위자 id / actor")
@click.option("--action", help="행위 / action")
@click.option("--project", help="과제 / project")
@_LANG
def bundle_command(target: Path, log_folder: Path, key: str, lang: str, **asked: Any) -> None:
    """고른 기록의 증거 자료를 새 폴더에 씁니다 (write an evidence bundle of chosen entries)."""
    try:
        source = bundles.Source(log_folder, key_from(key), asked.pop("anchors"), asked.pop("tsa"))
        indexes = _matching(LogReader(log_folder, source.vkey), asked)
        selection = {name: str(value) for name, value in asked.items() if value is not None}
        count = bundles.write(target, source, indexes=indexes, selection=selection)
    except AuditError as error:
        raise _spoken(error, lang) from error
    texts = {"ko": f"기록 {count:,}건의 증거 자료: {target}", "en": f"Evidence bundle of {count:,} entries: {target}"}
    click.echo(texts[lang])


def _matching(reader: LogReader, asked: dict[str, object]) -> list[int]:
    first, last = asked["first"], asked["last"]
    pairs = reader.entries(first if isinstance(first, int) else reader.kept, last if isinstance(last, int) else None)
    return [index for index, data in pairs if _matches(data, asked)]


def _matches(data: bytes, asked: dict[str, object]) -> bool:
    try:
        record = decode(data)
    except EntryError:
        record = {}  # bytes that are no entry are only in a bundle chosen by index
    actor, at = record.get("actor"), str(record.get("at", ""))
    values = {name: record.get(name) for name in ("action", "project")}
    values["actor"] = actor.get("id") if isinstance(actor, dict) else None
    since, until = _stamp(asked["since"]), _stamp(asked["until"])
    if (since and at < since) or (until and not at < until):
        return False
    return all(asked[name] in {None, value} for name, value in values.items())


def _stamp(time: object) -> str:
    return time.replace(tzinfo=UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ") if isinstance(time, datetime) else ""


@audit.command("status")
@click.argument("log_folder", type=_FOLDER)
@click.option(
    "--anchors", type=_FOLDER, help="밖에서 본 확인점의 폴더; 기본은 로그 옆의 anchors / default: beside the log"
)
@click.option("--json", "as_json", is_flag=True, help="JSON으로 / as JSON")
@_LANG
def status_command(log_folder: Path, anchors: Path | None, *, as_json: bool, lang: str) -> None:
    """게시된 로그의 이름, 크기, 루트, 확인점 시각과 증인이 본 데까지를 보여 줍니다 (the published log's state)."""
    try:
        state = query.status(log_folder)
    except AuditError as error:
        raise _spoken(error, lang) from error
    values = {
        "origin": state.origin,
        "size": state.size,
        "root": state.root.hex(),
        "published_at": state.published_at.isoformat(timespec="seconds"),
    }
    look, told, witnessed = _witnessed(log_folder, anchors, lang)
    if as_json:
        click.echo(json.dumps({**values, "witnessed": witnessed, "look": look}))
        return
    for name, value in values.items():
        click.echo(f"{_LABELS[name][lang == 'en']}: {value}")
    click.echo(f"{_MARKS[look]} {told}")


def _witnessed(log_folder: Path, anchors: Path | None, lang: str) -> tuple[str, str, int]:
    """Return how far witnesses have seen the log: the look, a sentence, the number of entries."""
    try:
        found = standing(log_folder, anchors or log_folder.parent / "anchors")
    except AuditError as error:
        return "warn", _words(error, lang), 0
    return found.look, found.ko if lang == "ko" else found.en, found.witnessed


_MARKS = {"ok": "✓", "warn": "△", "stop": "✗"}


@audit.command("print")
@click.argument("log_folder", type=_FOLDER)
@click.option("--key", required=True, help=_KEY_HELP)
@click.option("--svg", type=click.Path(path_type=Path), help="QR을 이 파일에 / write the QR code to this file")
@_LANG
def print_command(log_folder: Path, key: str, svg: Path | None, lang: str) -> None:
    """지금 확인점을 종이에 옮길 형태로 보여 줍니다: 세 줄, 서명, QR (a checkpoint to print and keep)."""
    try:
        vkey = key_from(key)
        page = paper.sheet(LogReader(log_folder, vkey).note, vkey)
    except AuditError as error:
        raise _spoken(error, lang) from error
    look, told, _ = _witnessed(log_folder, None, lang)
    click.echo(f"{_MARKS[look]} {told}", err=True)
    click.echo(page.text, nl=False)
    if svg is None:
        click.echo(page.blocks())
    else:
        svg.write_text(page.svg(), encoding="utf-8")


@audit.command("compare")
@click.argument("log_folder", type=_FOLDER)
@click.argument("kept", type=click.File(encoding="utf-8"), default="-")
@click.option("--key", required=True, help=_KEY_HELP)
@_LANG
@click.pass_context
def compare_command(context: click.Context, log_folder: Path, kept: TextIO, key: str, lang: str) -> None:
    """종이에서 읽거나 옮겨 적은 확인점(KEPT 파일, 또는 표준 입력)을 지금 로그와 견줍니다 (a kept checkpoint)."""
    try:
        vkey = key_from(key)
    except AuditError as error:
        raise click.UsageError(_words(error, lang)) from error
    report = papercheck.compare(kept.read(), log_folder, vkey)
    click.echo(report.text(lang), nl=False)
    context.exit(0 if report.ok else 1)


@audit.command("program")
@click.argument("what", type=click.Choice(["verify", "witness"]))
@click.argument("target", type=click.Path(path_type=Path))
def program_command(what: str, target: Path) -> None:
    """검증기나 증인 프로그램을 한 파일로 씁니다. Python과 cryptography만 있으면 됩니다 (a one-file program)."""
    target.write_text(standalone.verifier() if what == "verify" else standalone.witness(), encoding="utf-8")


@audit.command("witness", context_settings={"ignore_unknown_options": True}, add_help_option=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def witness_command(context: click.Context, arguments: tuple[str, ...]) -> None:
    """다른 컴퓨터에서 로그의 증인이 됩니다: init, sign, show, trust (be a witness of the log; -h for help)."""
    context.exit(witnessing.main(list(arguments)))


_LABELS = {
    "origin": ("로그", "log"),
    "size": ("기록 수", "entries"),
    "root": ("루트", "root"),
    "published_at": ("확인점 시각", "checkpoint written"),
}


def _spoken(error: AuditError, lang: str) -> click.ClickException:
    return click.ClickException(_words(error, lang))


def _words(error: AuditError, lang: str) -> str:
    return str(error) if lang == "ko" else f"{error.en} {error.remedy_en}"
