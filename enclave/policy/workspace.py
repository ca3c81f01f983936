"""Whether a workspace may open now; each refusal has its own code and tells what is missing. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from enclave.actor import Actor
from enclave.clock import korean_date
from enclave.errors import Denied
from enclave.policy.project import ProjectFacts, check_is_member, check_not_frozen, check_period
from enclave.states import ProjectState

# Columns by (snapshot id, table).
Columns = Mapping[tuple[str, str], Sequence[str]]


@dataclass(frozen=True)
class StartFacts:
    """What decides over one start."""

    project: ProjectFacts
    state: ProjectState
    pledged: bool
    approved: Columns
    withdrawn_snapshots: tuple[str, ...] = ()
    # Of those, the ones that end only at the next start.
    running_stay: frozenset[str] = frozenset()
    # Last day of the consent by snapshot, where that is the legal basis.
    consent_until: Mapping[str, date] = field(default_factory=dict)
    offered_until: date | None = None
    frozen: bool = False
    project_frozen: bool = False


def check_may_start(actor: Actor, facts: StartFacts, now: datetime) -> None:
    """Raise `Denied` unless this person may open a workspace in this project now.

    In this order: member, project active, in its period, pledge signed, columns approved, snapshots in force, consent.
    """
    check_is_member(actor, facts.project)
    if facts.state is ProjectState.ACTIVE:
        check_period(facts.project, now)
    check_active(facts.state)
    if not facts.pledged:
        raise Denied(
            "workspace.no-pledge",
            ko="이 과제의 서약서에 아직 서명하지 않았습니다.",
            en="You have not signed this project's pledge.",
            remedy_ko="포털의 과제 화면에서 서약서를 읽고 서명하세요.",
            remedy_en="Read and sign the pledge on the project's page in the portal.",
        )
    if not facts.approved:
        raise Denied(
            "workspace.no-columns",
            ko="승인된 데이터 항목이 없습니다.",
            en="No column is approved for this project.",
            remedy_ko="제공기관의 심의 결과를 과제 화면에서 확인하세요.",
            remedy_en="See the provider's decision on the project's page.",
        )
    if facts.withdrawn_snapshots:
        raise Denied(
            "workspace.snapshot-withdrawn",
            ko=f"제공기관이 철회한 스냅샷입니다: {', '.join(one[:12] for one in facts.withdrawn_snapshots)}",
            en=f"The provider has withdrawn a snapshot: {', '.join(one[:12] for one in facts.withdrawn_snapshots)}",
            remedy_ko="데이터 관리자에게 새 버전으로 다시 신청하는 방법을 문의하세요.",
            remedy_en="Ask the data steward about applying for a newer version.",
        )
    check_consent(facts.consent_until, now)
    check_offered(facts.offered_until, now)
    check_not_frozen(frozen=facts.project_frozen)
    if facts.frozen:
        raise Denied(
            "workspace.frozen",
            ko="동결된 작업공간입니다.",
            en="This workspace is frozen.",
            remedy_ko="데이터 관리자에게 동결 사유를 문의하세요.",
            remedy_en="Ask the data steward why.",
        )


def check_may_run_on(actor: Actor, facts: StartFacts, now: datetime) -> None:
    """Raise `Denied` unless what runs may go on: as for a start, but for snapshots that end at the next start."""
    at_once = tuple(one for one in facts.withdrawn_snapshots if one not in facts.running_stay)
    check_may_start(actor, replace(facts, withdrawn_snapshots=at_once), now)


def check_consent(until: Mapping[str, date], now: datetime) -> None:
    """Raise `Denied` (`workspace.consent-expired`) after the last day on which people's consent holds (Seoul)."""
    today = korean_date(now)
    over = sorted((snapshot, day) for snapshot, day in until.items() if today > day)
    if over:
        names = ", ".join(f"{snapshot[:12]}({day.isoformat()})" for snapshot, day in over)
        raise Denied(
            "workspace.consent-expired",
            ko=f"정보주체의 동의 기한이 지난 스냅샷입니다: {names}",
            en=f"People's consent to this snapshot has expired: {names}",
            remedy_ko="데이터 관리자에게 동의를 새로 받은 버전이 있는지 문의하세요.",
            remedy_en="Ask the data steward for a version with consent given anew.",
        )


def check_offered(until: date | None, now: datetime) -> None:
    """Raise `Denied` (`workspace.snapshot-period`) after the last day on which a snapshot is offered."""
    if until is not None and korean_date(now) > until:
        raise Denied(
            "workspace.snapshot-period",
            ko=f"제공기관이 정한 제공 기간이 {until}에 끝난 스냅샷입니다.",
            en=f"The provider offered this snapshot until {until}.",
            remedy_ko="데이터 관리자에게 새 의결로 제공되는 판이 있는지 문의하세요.",
            remedy_en="Ask the data steward whether a version is offered under a newer decision.",
        )


def check_active(state: ProjectState) -> None:
    """Raise `Denied` (`project.not-active`) unless the project is active."""
    if state is not ProjectState.ACTIVE:
        raise Denied(
            "project.not-active",
            ko="수행 중인 과제가 아닙니다.",
            en="The project is not active.",
            remedy_ko="승인과 개시가 끝났는지 과제 화면에서 확인하세요.",
            remedy_en="See on the project's page whether it was approved and opened.",
        )
