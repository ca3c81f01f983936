"""Who may look after data sets and snapshots. Pure."""

from __future__ import annotations

from enclave.actor import Actor
from enclave.errors import Denied
from enclave.policy.people import check_is
from enclave.roles import Role

OVERSEES = (Role.AUDITOR, Role.REVIEWER)


def check_may_govern(actor: Actor, provider_id: str) -> None:
    """Raise `Denied` unless the actor is a data steward of the providing organisation, or the machine's console."""
    if actor.is_console:
        return
    check_is(actor, Role.DATA_STEWARD)
    if actor.organisation_id != provider_id:
        raise Denied(
            "dataset.other-provider",
            ko=f"제공기관 ‘{provider_id}’의 데이터 관리자만 할 수 있습니다.",
            en=f"Only a data steward of the provider ‘{provider_id}’ may do this.",
            remedy_ko="해당 기관의 데이터 관리자에게 요청하세요.",
            remedy_en="Ask a data steward of that organisation.",
        )


def check_may_trace(actor: Actor, provider_id: str) -> None:
    """Raise `Denied` unless the actor oversees the log, or looks after the provider's data (korea.md R72)."""
    if actor.is_console or not actor.roles.isdisjoint(OVERSEES):
        return
    check_is(actor, Role.DATA_STEWARD, Role.ASSET_OWNER, *OVERSEES)
    if actor.organisation_id != provider_id:
        raise Denied(
            "dataset.other-provider",
            ko=f"제공기관 ‘{provider_id}’의 담당자와 감사자만 볼 수 있습니다.",
            en=f"Only those who look after the data of ‘{provider_id}’, and auditors, may see this.",
            remedy_ko="해당 기관의 데이터 관리자에게 요청하세요.",
            remedy_en="Ask a data steward of that organisation.",
        )
