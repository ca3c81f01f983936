"""`ansim audit search|entry|activity|export`: the log asked from the machine itself. Each look is an entry, too."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from audit.reader import LogReader
from enclave.actor import Actor
from enclave.clock import KST, now
from enclave.commands import log_export, notices
from enclave.commands import logbook as commands
from enclave.commands.anchoring import as_refusal, evidence_source
from enclave.console.acting import opened, say
from enclave.console.borrowed import as_owner_of
from enclave.console.writing import new_file
from enclave.logbook.activity import lay_out
from enclave.logbook.export_words import ExportForm, ExportReason
from enclave.logbook.files import manifest
from enclave.logbook.question import Question
from enclave.queries import logbook, logreview
from enclave.settings import Settings

OPTIONS = (
    ("begin", "시작일이나 시각 / from this day or moment"),
    ("end", "종료일까지나 시각 / to this day or moment"),
    ("recent", "최근 며칠: 1, 7, 30, 90, 365 / days up to now"),
    ("actor", "계정 / login or account id"),
    ("project", "과제 / project"),
    ("dataset", "데이터셋과 그 스냅샷 / data set with its snapshots"),
    ("thing", "대상 번호 / id of the object"),
    ("action", "행위, 또는 egress. 처럼 묶음 / action, or a kind such as egress."),
    ("task", "수행업무 / task"),
    ("outcome", "결과 / outcome"),
    ("place", "접속지 / address"),
    ("reason", "사유 코드 / reason code"),
    ("session", "세션 / session"),
    ("text", "낱말 / words"),
)
MANIFEST = ".manifest.json"


def asking(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of a question."""
    for name, told in reversed(OPTIONS):
        command = click.option(f"--{name}", default="", help=told)(command)
    return command


@click.command("search")
@asking
@click.option("--after", type=int, help="이 순번보다 오래된 것 / older than this leaf")
@click.option("--limit", default=50, help="몇 건 / how many")
def search(after: int | None, limit: int, **asked: str) -> None:
    """접속기록을 찾습니다 (search the log): 순번, 시각(KST), 계정, 행위, 결과, 과제, 대상, 접속지, 사유."""
    with opened(Settings.load()) as store:
        question = Question.of(asked)
        answer = commands.ask(store, Actor.console(), question=question, after=after, limit=limit, now=now())
        with store.read() as session:
            names = logbook.logins(session)
    for row in answer.page.rows:
        at = datetime.fromisoformat(row.at).astimezone(KST).strftime("%Y-%m-%d %H:%M:%S")
        cells = (row.leaf_index, at, names.get(row.actor, row.actor), row.action, row.outcome, row.project)
        click.echo("\t".join(map(str, (*cells, row.object_id, row.from_ip, row.reason_code))))
    if answer.page.next is not None:
        say(f"다음: --after {answer.page.next}", f"Next: --after {answer.page.next}")


@click.command("entry")
@click.argument("entry")
def entry(entry: str) -> None:
    """순번이나 id로 기록 하나를 그대로 보여 줍니다 (one entry by its number or id, as recorded)."""
    with opened(Settings.load()) as store:
        seen = commands.view_entry(store, Actor.console(), entry=entry, now=now())
    click.echo(seen.entry.data.decode("utf-8", "backslashreplace"))


@click.command("activity")
@click.option("--begin", required=True, help="시작일 / from this day")
@click.option("--end", required=True, help="종료일 / to this day")
@click.option("--project", default="", help="과제 / project")
@click.option("--actor", default="", help="계정 / login or account id")
def activity(begin: str, end: str, project: str, actor: str) -> None:
    """과제나 사람의 날마다의 건수: 기간, 건수, 거부, 주의 (how much was done in each day, week or month)."""
    with opened(Settings.load()) as store:
        with store.read() as session:
            meant = logbook.meaning(session, Question(begin=begin, end=end, actor=actor), now())
        if meant.since is None or meant.until is None:
            raise click.UsageError("--begin --end")
        found = commands.view_activity(
            store,
            Actor.console(),
            project=project or None,
            account=meant.actor,
            since=meant.since,
            until=meant.until,
            now=now(),
        )
    first, last = meant.since.astimezone(KST).date(), meant.until.astimezone(KST).date()
    for bar in lay_out(found.done, first, last).total:
        if bar.entries:
            click.echo(f"{bar.first}\t{bar.last}\t{bar.entries}\t{bar.refused}\t{bar.alerts}")


@click.command("export")
@click.argument("target", type=click.Path(path_type=Path, dir_okay=False))
@asking
@click.option("--form", type=click.Choice([each.value for each in ExportForm]), default="csv")
@click.option(
    "--reason-code", type=click.Choice([each.value for each in ExportReason]), required=True, help="사유 / reason"
)
@click.option("--why", required=True, help="사유 설명 / reason in words")
def export(target: Path, form: str, reason_code: str, why: str, **asked: str) -> None:
    """찾은 기록을 새 파일로 내려받고, 옆에 명세를 씁니다 (entries into a new file, with a manifest beside it)."""
    settings = Settings.load()
    with new_file(target, "log.file-there") as file, as_owner_of(settings.db), opened(settings) as store:
        with as_refusal():
            source = evidence_source(settings)
            log = LogReader(settings.log, source.vkey)
        begun = log_export.begin(
            store,
            Actor.console(),
            log,
            question=Question.of(asked),
            form=ExportForm(form),
            reason_code=ExportReason(reason_code),
            reason=why,
            now=now(),
            clock=now,
            source=source,
        )
        file.writelines(begun)
    beside = target.with_name(target.name + MANIFEST)
    beside.write_text(json.dumps(manifest(begun.view, "console"), ensure_ascii=False, indent=2) + "\n")
    say(
        f"기록 {begun.view.rows:,}건: {target} (SHA-256 {begun.view.sha256}), 명세 {beside.name}",
        f"{begun.view.rows:,} entries: {target} (SHA-256 {begun.view.sha256}), manifest {beside.name}",
    )


@click.command("due")
def due() -> None:
    """기한을 넘긴 점검이 있으면 보여 주고 1로 끝납니다; 없으면 0 (exit code 1 while a review is overdue)."""
    with opened(Settings.load()) as store:
        found = logreview.overdue(store, now=now())
    if not found:
        say("기한을 넘긴 점검이 없습니다.", "No review is overdue.")
        return
    click.echo(notices.text(found).partition("\n\n")[0])
    click.get_current_context().exit(1)
