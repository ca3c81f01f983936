"""`ansim retention …`: what was decided about entries whose time of keeping is over, and the order that they go."""

from __future__ import annotations

import click

from enclave.actor import Actor
from enclave.clock import now
from enclave.commands import retention as commands
from enclave.console.acting import opened, opened_as_owner, say
from enclave.queries import retention as queries
from enclave.settings import Settings

STATES = {"proposed": "제안됨", "approved": "승인됨", "ordered": "지시됨", "done": "파기됨"}


@click.group()
def retention() -> None:
    """보존 기간이 지난 기록의 파기 (entries whose time of keeping is over)."""


@retention.command("list")
@click.pass_context
def show_all(context: click.Context) -> None:
    """파기 목록: 제안, 승인, 지시, 완료 (purges and where they stand)."""
    korean = context.find_root().obj == "ko"
    with opened(Settings.load()) as store:
        for each in queries.purges(store, Actor.console()):
            state = STATES[each.state] if korean else each.state
            click.echo(f"{each.id}  {state}  {each.first}-{each.end - 1}  {each.proposed_by}  {each.approved_by}")


@retention.command("order")
@click.argument("purge_id")
def order(purge_id: str) -> None:
    """두 점검자가 정한 파기를 지시합니다; 되돌릴 수 없습니다 (order an approved purge; it cannot be undone)."""
    settings = Settings.load()
    with opened_as_owner(settings) as store:
        found = commands.order(store, settings, Actor.console(), purge_id=purge_id, now=now())
    say(
        f"{found.first}~{found.end - 1}번 기록의 파기를 지시했습니다. 시퀀서가 해시만 남기고 지웁니다.",
        f"Ordered the purge of entries {found.first}-{found.end - 1}. The sequencer leaves their hashes alone.",
    )
