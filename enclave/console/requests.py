"""`ansim request …`: what waits at the airlock, and what the machine's holder may do when an author is gone."""

from __future__ import annotations

import click

from enclave.actor import Actor
from enclave.clock import KST, now
from enclave.commands import egress as commands
from enclave.console.acting import opened, say
from enclave.queries import egress as queries
from enclave.queries.airlock_views import RequestRow
from enclave.settings import Settings
from enclave.states import label


@click.group()
def request() -> None:
    """반출입 신청을 봅니다 (requests at the airlock)."""


@request.command("list")
@click.option("--stuck", is_flag=True, help="멈춰 있는 것만 (only what does not move)")
@click.pass_context
def show_all(ctx: click.Context, *, stuck: bool) -> None:
    """끝나지 않은 신청 목록: 무엇이 누구를 기다리는지 (requests that are not over).

    번호, 방향, 상태, 과제, 신청자, 회차, 대기 순서, 처리 기한, 판정, 여기서 할 수 있는 일
    (id, direction, state, project, requester, round, place in the queue, due, verdict, what can be done here)
    """
    with opened(Settings.load()) as store:
        found = queries.stuck if stuck else queries.unfinished
        for each in found(store, Actor.console(), now=now()):
            click.echo(_line(each, 0 if ctx.obj == "ko" else 1))


@request.command("withdraw")
@click.argument("request_id")
def withdraw(request_id: str) -> None:
    """신청자가 없는 신청을 철회합니다 (withdraw a request whose author is gone)."""
    with opened(Settings.load()) as store:
        commands.withdraw(store, Actor.console(), request_id=request_id, now=now())
    say(f"신청 {request_id}을(를) 철회했습니다.", f"Withdrew the request {request_id}.")


@request.command("reassign")
@click.argument("request_id")
@click.argument("login")
@click.option("--reason", required=True, help="사유 (reason)")
def reassign(request_id: str, login: str, reason: str) -> None:
    """신청자가 없는 신청을 다른 참여자에게 넘깁니다 (hand it to another member of its project)."""
    with opened(Settings.load()) as store:
        commands.reassign(store, Actor.console(), request_id=request_id, login=login, reason=reason, now=now())
    say(f"신청 {request_id}의 신청자는 이제 {login}입니다.", f"{login} is now the author of the request {request_id}.")


def _line(each: RequestRow, language: int) -> str:
    words = label(each.direction)[language], label(each.state)[language]
    due = f"{each.due_at.astimezone(KST):%Y-%m-%d %H:%M}" if each.due_at else "-"
    place = f"{each.queue_position}" if each.queue_position else "-"
    may = ",".join(sorted(each.may)) or "-"
    row = (each.id, *words, each.project_id, each.requester_login, f"{each.round}", place, due, each.verdict, may)
    return "\t".join((*row, _printable(each.purpose)) if each.purpose else row)


def _printable(text: str) -> str:
    return "".join(mark if mark.isprintable() else " " for mark in text)[:80]
