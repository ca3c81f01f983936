"""`ansim policy …`: providers' policies as files. Proposing and activating are words of persons, who prove themselves.

Whoever holds the machine sets no rule about data (korea.md R13): those two ask for the person's password and one-time
code, and are recorded as that person's.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from enclave.actor import Actor
from enclave.clock import now
from enclave.commands import credentials
from enclave.commands import provider_policy as commands
from enclave.console.acting import opened, say
from enclave.ids import new_id
from enclave.policy.provider.document import MOST_CHARS, default, parse
from enclave.queries import policy_versions as queries
from enclave.queries.policy_versions import PolicyView, ReplayView
from enclave.settings import Settings
from enclave.states import label
from enclave.store import Store
from enclave.vault import Vault

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def policy() -> None:
    """제공기관의 반출 정책 (providers' policies for the airlock)."""


@policy.command("check")
@click.argument("file", type=FILE)
def check(file: Path) -> None:
    """정책 파일을 읽어 보고 판 번호를 말합니다 (read a policy file and say its version)."""
    click.echo(parse(_text(file)).sha256)


@policy.command("export")
@click.argument("policy_id", required=False)
def export(policy_id: str | None) -> None:
    """정책을 파일로 내보냅니다; 번호가 없으면 기본 정책 (a version, or the policy of the house, as a file)."""
    if policy_id is None:
        click.echo(default().canonical(), nl=False)
        return
    with opened(Settings.load()) as store:
        click.echo(queries.policy(store, Actor.console(), policy_id).text, nl=False)


@policy.command("show")
@click.argument("provider")
@click.pass_context
def show(ctx: click.Context, provider: str) -> None:
    """적용 중인 정책과 모든 판 (what counts for a provider, and every version)."""
    language = 0 if ctx.obj == "ko" else 1
    with opened(Settings.load()) as store:
        found = queries.of_provider(store, Actor.console(), provider)
    click.echo(f"{found.number}\t{found.document.sha256}\t{provider}")
    for each in found.policies:
        click.echo(_line(each, language))
        for change in each.changes:
            click.echo(f"\t{(change.ko, change.en)[language]}")


@policy.command("replay")
@click.argument("policy_id")
def replay(policy_id: str) -> None:
    """재판정이 어디까지 왔고 무엇이 달라지는지 (how far a replay is, and which decisions would flip)."""
    with opened(Settings.load()) as store:
        found = queries.policy(store, Actor.console(), policy_id)
    say(
        f"지난 결정 {found.rounds}건 중 {found.rounds - found.missing}건 재판정, {found.flips}건이 달라집니다.",
        f"{found.rounds - found.missing} of {found.rounds} past decisions replayed, {found.flips} would flip.",
    )
    for each in found.replays:
        if each.flips or each.outcome["unknown"]:
            click.echo(_flip(each))


@policy.command("propose")
@click.argument("file", type=FILE)
@click.option("--provider", required=True, help="제공기관 (providing organisation)")
@click.option("--reason", required=True, help="사유 (reason)")
@click.option("--as", "login", required=True, help="제안하는 데이터 관리자의 로그인 (the proposing steward)")
def propose(file: Path, provider: str, reason: str, login: str) -> None:
    """데이터 관리자가 정책을 제안합니다 (a data steward proposes a policy)."""
    with _signed_in(login) as (store, actor):
        made = commands.propose(store, actor, provider=provider, text=_text(file), reason=reason, now=now())
    say(
        f"{provider} 정책 {made.number}판({made.id})을 제안했습니다. 포털이 지난 결정을 다시 판정합니다.",
        f"Proposed version {made.number} ({made.id}) of {provider}'s policy. The portal replays past decisions.",
    )


@policy.command("activate")
@click.argument("policy_id")
@click.argument("sha256")
@click.option("--as", "login", required=True, help="적용하는 사람의 로그인 (who puts it into force)")
def activate(policy_id: str, sha256: str, login: str) -> None:
    """제안하지 않은 두 번째 사람이 정책을 적용합니다 (a second person puts it into force)."""
    with _signed_in(login) as (store, actor):
        made = commands.activate(store, actor, policy_id=policy_id, sha256=sha256, now=now())
    say(
        f"{made.provider} 정책 {made.number}판을 적용했습니다.",
        f"Version {made.number} of {made.provider}'s policy is in force.",
    )


@contextmanager
def _signed_in(login: str) -> Iterator[tuple[Store, Actor]]:
    """Give the store and the person, who is asked for password and one-time code, and signed out again."""
    password = click.prompt("비밀번호 (password)", hide_input=True, err=True)
    code = click.prompt("일회용 비밀번호 (one-time code)", err=True)
    settings = Settings.load()
    with opened(settings) as store:
        proof = {"login": login, "password": password, "code": code, "ip": "127.0.0.1"}
        vault = Vault.load(settings.vault_key)
        actor = credentials.log_in(store, vault, **proof, session_id=new_id("console"), now=now())
        try:
            yield store, actor
        finally:
            credentials.log_out(store, actor, now=now())


def _text(file: Path) -> str:
    with file.open(encoding="utf-8") as opened_file:
        return opened_file.read(MOST_CHARS + 1)


def _line(each: PolicyView, language: int) -> str:
    return "\t".join((each.id, str(each.number), label(each.state)[language], each.proposed_by, each.sha256))


def _flip(each: ReplayView) -> str:
    told = each.outcome
    verdicts = f"{told['old_verdict']} -> {told['new_verdict']}"
    reviewers = f"{told['old_reviewers']} -> {told['new_reviewers']}"
    what = ",".join(told["flips"]) or "unknown"
    return "\t".join((each.request_id, str(each.round), told["decision"], verdicts, reviewers, what))
