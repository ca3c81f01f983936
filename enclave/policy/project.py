"""Who may apply, decide on columns, open and stop a project. Pure."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, datetime

from enclave.actor import Actor
from enclave.clock import korean_date
from enclave.errors import Denied
from enclave.policy.people import check_is
from enclave.roles import Role

SEES_PROJECTS = frozenset({Role.OPERATOR, Role.REVIEWER, Role.AUDITOR, Role.OUTPUT_CHECKER})


@dataclass(frozen=True)
class ProjectFacts:
    """What policies ask about a project. `providers`: organisations whose columns it asks for."""

    lead_id: str
    organisation_id: str
    member_ids: frozenset[str]
    providers: frozenset[str]
    starts_on: date | None
    ends_on: date | None


def check_may_apply(actor: Actor) -> None:
    """Raise `Denied` unless the actor is a project lead."""
    check_is(actor, Role.PROJECT_LEAD)


def check_is_lead(actor: Actor, project: ProjectFacts) -> None:
    """Raise `Denied` (`project.not-lead`) unless the actor leads this project, still as a project lead."""
    check_is(actor, Role.PROJECT_LEAD)
    if actor.account_id != project.lead_id:
        raise _not_lead()


def check_is_member(actor: Actor, project: ProjectFacts) -> None:
    """Raise `Denied` (`project.not-member`) unless the actor is one of the project's people, entitled to use data."""
    if actor.account_id not in project.member_ids:
        raise Denied(
            "project.not-member",
            ko="이 과제의 참여자가 아닙니다.",
            en="You are not a member of this project.",
            remedy_ko="과제 책임자에게 참여자 변경 신청을 요청하세요.",
            remedy_en="Ask the project lead to apply for a change of people.",
        )
    check_is(actor, Role.SCIENTIST, Role.PROJECT_LEAD)


def check_not_frozen(*, frozen: bool) -> None:
    """Raise `Denied` (`project.frozen`) while the whole project is frozen for an incident."""
    if frozen:
        raise Denied(
            "project.frozen",
            ko="동결된 과제입니다.",
            en="This project is frozen.",
            remedy_ko="과제 화면에서 사유를 확인하고, 제공기관의 데이터 관리자에게 문의하세요.",
            remedy_en="See the reason on the project's page, and ask a steward of the provider.",
        )


def check_may_see(actor: Actor, project: ProjectFacts) -> None:
    """Raise `Denied` unless the actor is a member, a steward of a provider, or oversees projects."""
    steward = Role.DATA_STEWARD in actor.roles and actor.organisation_id in project.providers
    if actor.account_id in project.member_ids | {project.lead_id} or steward:
        return
    check_is(actor, *SEES_PROJECTS)


def check_may_decide_columns(actor: Actor, project: ProjectFacts, provider_id: str) -> None:
    """Raise `Denied` unless the actor is a steward of the provider, outside the project and its organisation.

    Korea.md R13: nobody of the applicant's own organisation, and no named analyst, acts on the case.
    """
    check_is(actor, Role.DATA_STEWARD)
    if actor.organisation_id != provider_id:
        raise Denied(
            "project.other-provider",
            ko="자기 기관이 제공한 데이터의 항목만 심의할 수 있습니다.",
            en="A steward decides only on columns of their own organisation's data.",
            remedy_ko="해당 제공기관의 데이터 관리자가 심의해야 합니다.",
            remedy_en="A data steward of the providing organisation has to decide.",
        )
    if actor.organisation_id == project.organisation_id or actor.account_id in project.member_ids:
        raise Denied(
            "project.own-case",
            ko="신청 기관 소속이거나 참여자인 사람은 심의할 수 없습니다.",
            en="Nobody of the applicant's organisation, and no member, may decide on the application.",
            remedy_ko="회피하고 다른 데이터 관리자에게 넘기세요.",
            remedy_en="Abstain and leave it to another data steward.",
        )


def check_may_activate(actor: Actor, project: ProjectFacts) -> None:
    """Raise `Denied` unless the actor leads the project or is an operator (conditions are checked separately)."""
    if Role.OPERATOR not in actor.roles:
        check_is_lead(actor, project)


def check_may_end(actor: Actor, project: ProjectFacts) -> None:
    """Raise `Denied` unless the actor leads the project, stewards its data, or is an operator."""
    steward = Role.DATA_STEWARD in actor.roles and actor.organisation_id in project.providers
    if steward or Role.OPERATOR in actor.roles:
        return
    check_is_lead(actor, project)


def check_period(project: ProjectFacts, now: datetime) -> None:
    """Raise `Denied` (`project.not-begun`, `project.expired`) outside the project's period, in Korean days."""
    today = korean_date(now)
    if project.ends_on is None or today > project.ends_on:
        raise Denied(
            "project.expired",
            ko=f"과제 기간이 끝났습니다(종료일 {project.ends_on}).",
            en=f"The project's period is over (last day {project.ends_on}).",
            remedy_ko="기간이 더 필요하면 과제 책임자가 새로 신청하세요.",
            remedy_en="The project lead has to apply again for more time.",
        )
    if project.starts_on is not None and today < project.starts_on:
        raise Denied(
            "project.not-begun",
            ko=f"과제 기간이 아직 시작되지 않았습니다(시작일 {project.starts_on}).",
            en=f"The project's period has not begun (first day {project.starts_on}).",
            remedy_ko="시작일 이후에 다시 시도하세요.",
            remedy_en="Try again from its first day.",
        )


def check_one_provider(providers: AbstractSet[str], *, combined: bool) -> None:
    """Raise `Denied` (`project.cross-provider`) for data of two providers without an approved combination.

    PIPA §28-3: combining data of different controllers is a designated body's act (korea.md R94).
    """
    if len(providers) > 1 and not combined:
        raise Denied(
            "project.cross-provider",
            ko=f"서로 다른 제공기관({', '.join(sorted(providers))})의 데이터를 한 과제에서 함께 쓸 수 없습니다.",
            en=f"Data of different providers ({', '.join(sorted(providers))}) may not meet in one project.",
            remedy_ko="기관별로 따로 신청하거나, 결합전문기관의 결합정보라면 승인번호를 적으세요(법 제28조의3).",
            remedy_en="Apply separately for each, or give the approval number of a combination (PIPA §28-3).",
        )


def _not_lead() -> Denied:
    return Denied(
        "project.not-lead",
        ko="이 과제의 책임자가 아닙니다.",
        en="You do not lead this project.",
        remedy_ko="과제 책임자에게 요청하세요.",
        remedy_en="Ask the project lead.",
    )
