"""`ansim incident …`: incidents from the machine itself, when nobody can sign in."""

from __future__ import annotations

from datetime import datetime

import click

from enclave.actor import Actor
from enclave.clock import KST, now
from enclave.commands import freeze
from enclave.commands import incident as commands
from enclave.commands.incident import Known
from enclave.console.acting import opened, say
from enclave.model.incident import IncidentKind
from enclave.queries import incident as queries
from enclave.reports import incident as reports
from enclave.settings import Settings

_MOMENT = click.DateTime(["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"])


@click.group()
def incident() -> None:
    """사고를 접수하고 72시간 안에 신고합니다 (incidents)."""


@incident.command("open")
@click.option("--kind", type=click.Choice([kind.value for kind in IncidentKind]), required=True, help="종류 (kind)")
@click.option("--what", required=True, help="시점과 경위 (when and how it happened)")
@click.option("--found", type=_MOMENT, help="알게 된 시각, 한국 시각; 없으면 지금 (when it was found)")
@click.option("--project", help="관련 과제 (project)")
@click.option("--freeze", "freezes", is_flag=True, help="과제를 먼저 동결 (freeze the project first)")
def open_(kind: str, what: str, found: datetime | None, project: str | None, *, freezes: bool) -> None:
    """사고를 접수합니다; 알게 된 시각부터 72시간을 셉니다 (open an incident)."""
    console, at = Actor.console(), now()
    with opened(Settings.load()) as store:
        if freezes and project:
            freeze.freeze_project(store, console, project_id=project, reason=what, now=at)
        made = commands.open_incident(
            store,
            console,
            kind=IncidentKind(kind),
            discovered_at=found.replace(tzinfo=KST) if found else at,
            project_id=project,
            known=Known(circumstances=what),
            now=at,
        )
    due = f"{made.due_at.astimezone(KST):%Y-%m-%d %H:%M}"
    say(f"사고 {made.id} 접수. 신고 기한 {due} (KST)", f"Incident {made.id}. To be reported by {due} (KST)")


@incident.command("list")
def list_() -> None:
    """사고와 신고까지 남은 시간을 보여 줍니다 (incidents and the hours left)."""
    with opened(Settings.load()) as store:
        for each in queries.incidents(store, Actor.console(), now=now()):
            left = "-" if each.hours_left is None else f"{each.hours_left}h"
            click.echo(f"{each.id}\t{each.kind}\t{each.state}\t{left}\t{each.project_id or '-'}")


@incident.command("report")
@click.argument("incident_id")
def report(incident_id: str) -> None:
    """신고서 내용을 보여 줍니다 (the text of the report)."""
    with opened(Settings.load()) as store:
        click.echo(reports.text(queries.facts_of_report(store, Actor.console(), incident_id)), nl=False)


@incident.command("file")
@click.argument("incident_id")
@click.option("--receipt", required=True, help="기관이 준 접수번호 (receipt number)")
def file_(incident_id: str, receipt: str) -> None:
    """신고했음을 기록합니다 (record that the authority was told)."""
    with opened(Settings.load()) as store:
        commands.file_report(store, Actor.console(), incident_id=incident_id, receipt=receipt, now=now())
    say(f"사고 {incident_id}의 신고를 기록했습니다.", f"Recorded that the incident {incident_id} was reported.")
