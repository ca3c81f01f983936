"""`ansim drill`: attack every barrier of the running enclave, and say which held."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence

import click

from enclave import clock
from enclave.actor import Actor
from enclave.commands import drill as commands
from enclave.commands.drill import Found
from enclave.console.acting import say
from enclave.drill.ground import in_store
from enclave.drill.recorded import recorded
from enclave.drill.run import AlreadyRunningError, alone, name_of
from enclave.drill.run import drill as attack
from enclave.errors import Denied
from enclave.settings import Settings
from enclave.states import DrillReason
from enclave.workspace.barriers.barrier import Outcome
from enclave.workspace.barriers.catalogue import BY_ID


@click.command()
@click.option("--json", "as_json", is_flag=True, help="결과를 JSON으로만 (the results as JSON, nothing else)")
@click.option(
    "--only", multiple=True, metavar="ID", help="이 방벽만; 기록하지 않음 (only these barriers; not recorded)"
)
@click.pass_context
def drill(context: click.Context, *, as_json: bool, only: tuple[str, ...]) -> None:
    """모든 방벽을 실제로 공격해 봅니다 (attack every barrier); 뚫린 것이 있으면 종료 코드 1.

    전용 작업공간 둘을 띄웠다가 지웁니다. 사람의 작업공간은 건드리지 않습니다. 2분쯤 걸리며 root로 실행합니다.
    """
    if os.geteuid() != 0:
        raise _not_root()
    if unknown := [name for name in only if name not in BY_ID]:
        raise click.BadParameter(f"no such barrier: {', '.join(unknown)}")
    settings, lang = Settings.load(), context.find_root().obj
    if not as_json:
        say(
            "전용 작업공간 둘을 시작해 모든 방벽을 공격한 뒤 지웁니다. 사람의 작업공간은 건드리지 않습니다.",
            "Two workspaces of the drill's own are started, every barrier is attacked, then they are removed. Nobody's "
            "workspace is touched.",
        )
    try:
        with alone(settings):
            found = _tried(settings, only)
    except AlreadyRunningError as error:
        raise click.ClickException(str(error)) from error
    _print(found, lang, as_json=as_json)
    if any(each.outcome is Outcome.BROKEN for each in found):
        context.exit(1)


def _tried(settings: Settings, only: Sequence[str]) -> list[Found]:
    """Run the drill; a whole one is recorded as asked for at the console."""

    def progress(text: str) -> None:
        click.echo(text, err=True)

    if only:
        return attack(settings, progress, only)
    console = Actor.console()
    made = in_store(
        settings,
        lambda store: commands.request_drill(store, console, reason=DrillReason.CONSOLE, now=clock.now()).id,
    )
    return recorded(settings, console, made, progress)


def _print(found: Sequence[Found], lang: str, *, as_json: bool) -> None:
    if as_json:
        results = [{"id": r.barrier_id, "outcome": r.outcome.value, "evidence": r.evidence} for r in found]
        click.echo(json.dumps({"results": results}, ensure_ascii=False))
        return
    for each in found:
        mark = {Outcome.HELD: "✔", Outcome.BROKEN: "✘", Outcome.UNTESTABLE: "–"}[each.outcome]
        click.echo(f"{mark} {each.barrier_id}\t{name_of(each.barrier_id, lang)}\t{each.evidence[:160]}")
    counts = {outcome: sum(each.outcome is outcome for each in found) for outcome in Outcome}
    click.echo(" · ".join(f"{outcome.value} {count}" for outcome, count in counts.items()))


def _not_root() -> Denied:
    return Denied(
        "drill.not-root",
        ko="모의침투는 여러 사용자 역할을 하므로 root로 실행해야 합니다.",
        en="A drill plays several users and has to run as root.",
        remedy_ko="sudo ansim drill 로 실행하거나, 감사자가 포털의 모의침투 화면에서 요청하세요.",
        remedy_en="Run it with sudo, or have an auditor ask for it on the drills' page.",
    )
