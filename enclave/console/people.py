"""`ansim organisation …` and `ansim account …`: setting up the first people, from the machine itself."""

from __future__ import annotations

import sys

import click
import segno

from enclave.actor import Actor
from enclave.clock import korean_date, now
from enclave.commands import credentials, people
from enclave.console.acting import opened, say
from enclave.model.people import OrganisationKind
from enclave.queries import people as queries
from enclave.roles import LABELS, Role
from enclave.settings import Settings
from enclave.vault import Vault

ROLE = click.Choice([role.value for role in Role])
REASON = click.option("--reason", required=True, help="사유 (reason)")


@click.group()
def organisation() -> None:
    """기관을 등록합니다 (organisations)."""


@organisation.command("create")
@click.argument("organisation_id")
@click.option("--name", required=True, help="기관명 (name)")
@click.option("--kind", type=click.Choice([kind.value for kind in OrganisationKind]), required=True, help="종류 (kind)")
def create_organisation(organisation_id: str, name: str, kind: str) -> None:
    """기관을 등록합니다 (register an organisation)."""
    with opened(Settings.load()) as store:
        people.create_organisation(
            store,
            Actor.console(),
            organisation_id=organisation_id,
            name=name,
            kind=OrganisationKind(kind),
            now=now(),
        )
    say(f"기관 {organisation_id}을(를) 등록했습니다.", f"Registered the organisation {organisation_id}.")


@click.group()
def account() -> None:
    """계정과 권한을 관리합니다 (accounts and roles)."""


@account.command("create")
@click.argument("login")
@click.option("--name", required=True, help="이름 (name)")
@click.option("--organisation", "organisation_id", required=True, help="소속 기관 (organisation)")
@click.option("--role", "roles", type=ROLE, multiple=True, help="권한, 여러 번 (role, repeatable)")
@click.option(
    "--password-stdin", "from_stdin", is_flag=True, help="비밀번호를 표준입력에서 읽기 (read the password from stdin)"
)
def create_account(login: str, name: str, organisation_id: str, roles: tuple[str, ...], *, from_stdin: bool) -> None:
    """계정을 만들고 권한을 줍니다 (open an account, grant roles)."""
    password = sys.stdin.readline().rstrip("\n") if from_stdin else _asked()
    with opened(Settings.load()) as store:
        people.create_account(
            store,
            Actor.console(),
            login=login,
            name=name,
            organisation_id=organisation_id,
            password=password,
            now=now(),
        )
        for role in roles:
            people.grant_role(
                store, Actor.console(), login=login, role=Role(role), reason="계정 개설 (account opened)", now=now()
            )
    say(
        f"계정 {login}을(를) 만들었습니다. 다음: ansim account enrol {login}",
        f"Opened the account {login}. Next: ansim account enrol {login}",
    )


@account.command("enrol")
@click.argument("login")
@click.option("--plain", is_flag=True, help="비밀값만 출력 (print the secret only)")
def enrol(login: str, *, plain: bool) -> None:
    """2차 인증을 등록하고 QR을 보여 줍니다 (enrol a second factor, show its QR code once)."""
    settings = Settings.load()
    with opened(settings) as store:
        vault = Vault.load(settings.vault_key)
        made = credentials.enrol_totp(store, vault, Actor.console(), login=login, now=now())
    if plain:
        click.echo(made.secret)
        return
    say("인증 앱으로 읽으세요. 다시 보여 주지 않습니다.", "Scan this with an authenticator. It is shown once.")
    segno.make(made.uri).terminal(compact=True)
    click.echo(made.uri)


@account.command("grant")
@click.argument("login")
@click.argument("role", type=ROLE)
@REASON
def grant(login: str, role: str, reason: str) -> None:
    """권한을 부여합니다 (grant a role)."""
    with opened(Settings.load()) as store:
        people.grant_role(store, Actor.console(), login=login, role=Role(role), reason=reason, now=now())
    say(f"{login}: {LABELS[Role(role)][0]} 권한을 부여했습니다.", f"{login}: granted {role}.")


@account.command("revoke")
@click.argument("login")
@click.argument("role", type=ROLE)
@REASON
def revoke(login: str, role: str, reason: str) -> None:
    """권한을 회수합니다 (revoke a role)."""
    with opened(Settings.load()) as store:
        people.revoke_role(store, Actor.console(), login=login, role=Role(role), reason=reason, now=now())
    say(f"{login}: {LABELS[Role(role)][0]} 권한을 회수했습니다.", f"{login}: revoked {role}.")


@account.command("unlock")
@click.argument("login")
@REASON
def unlock(login: str, reason: str) -> None:
    """잠긴 계정을 풉니다 (unlock an account)."""
    with opened(Settings.load()) as store:
        people.unlock_account(store, Actor.console(), login=login, reason=reason, now=now())
    say(f"{login}: 잠금을 풀었습니다.", f"{login}: unlocked.")


@account.command("end")
@click.argument("login")
@REASON
def end(login: str, reason: str) -> None:
    """계정을 종료하고 권한을 모두 회수합니다 (end an account, revoke its roles)."""
    with opened(Settings.load()) as store:
        people.end_account(store, Actor.console(), login=login, reason=reason, now=now())
    say(f"{login}: 계정을 종료했습니다.", f"{login}: ended.")


@account.command("list")
def list_accounts() -> None:
    """계정을 나열합니다: 아이디, 기관, 상태, 권한 (list accounts, tab-separated)."""
    with opened(Settings.load()) as store:
        for each in queries.accounts(store, Actor.console(), now=now()):
            over = each.ended or (each.ends_on is not None and korean_date(now()) > each.ends_on)
            state = "ended" if over else "locked" if each.locked else "open" if each.enrolled else "not enrolled"
            click.echo("\t".join((each.login, each.organisation_id, state, ",".join(each.roles))))


def _asked() -> str:
    return str(click.prompt("비밀번호 (password)", hide_input=True, confirmation_prompt=True))
