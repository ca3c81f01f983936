"""Who may open, revise, report and end an incident, and by when it must be reported (PIPA §34③, decree §40). Pure.

Anybody who works here may say that something happened, and nobody can take it back: that it was none takes a second
person. The authority is told within 72 hours of the discovery, with the items of §34①.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from enclave.actor import Actor
from enclave.errors import Conflict, Denied, Invalid
from enclave.policy.people import check_is
from enclave.roles import Role
from enclave.states import INCIDENT, IncidentState, check_transition

REPORT_WITHIN = timedelta(hours=72)
SEES = (Role.OPERATOR, Role.DATA_STEWARD, Role.REVIEWER, Role.AUDITOR)
HANDLES = (Role.OPERATOR, Role.DATA_STEWARD)
ENDS = (Role.OPERATOR, Role.DATA_STEWARD, Role.REVIEWER)
# The items that §34① names, as (field, Korean, English).
ITEMS = (
    ("items", "유출등이 된 개인정보의 항목", "items concerned"),
    ("circumstances", "유출등의 시점과 경위", "when and how it happened"),
    ("advice", "정보주체가 할 수 있는 피해 최소화 방법", "what the people concerned can do"),
    ("response", "대응조치와 피해 구제절차", "measures taken and remedies"),
    ("contact", "담당부서와 연락처", "whom to contact"),
)


@dataclass(frozen=True)
class IncidentFacts:
    """One incident. `opened_by`, `filed_by`: whose act it was, "" for nobody; `missing`: fields of `ITEMS`."""

    id: str
    state: IncidentState
    opened_by: str
    filed_by: str
    missing: tuple[str, ...]


def due_at(discovered_at: datetime) -> datetime:
    """Return by when the authority must have been told."""
    return discovered_at + REPORT_WITHIN


def check_may_open(actor: Actor) -> None:
    """Raise `Denied` unless the actor works here in any role."""
    check_is(actor, *Role)


def check_discovered(discovered_at: datetime, now: datetime) -> None:
    """Raise `Invalid` (`incident.future`) for a discovery that has not happened yet."""
    if discovered_at > now + timedelta(minutes=5):
        raise Invalid(
            "incident.future",
            ko="알게 된 시각이 지금보다 뒤입니다.",
            en="The time of discovery is in the future.",
            remedy_ko="처음 알게 된 시각을 한국 시각으로 적으세요.",
            remedy_en="Give the Korean time at which it was first known.",
        )


def check_may_see(actor: Actor, about: IncidentFacts) -> None:
    """Raise `Denied` unless the actor handles or oversees incidents, or opened this one."""
    if actor.account_id == about.opened_by:
        return
    check_is(actor, *SEES)


def check_may_revise(actor: Actor, about: IncidentFacts) -> None:
    """Raise unless somebody who handles incidents adds to one that is not over (`Denied`, `Conflict`)."""
    check_is(actor, *HANDLES)
    if about.state in {IncidentState.CLOSED, IncidentState.DISMISSED}:
        raise Conflict(
            "incident.over",
            ko=f"사고 {about.id}은(는) 끝났습니다.",
            en=f"The incident {about.id} is over.",
            remedy_ko="사고가 아니라고 한 것은 재조사로 다시 열 수 있습니다.",
            remedy_en="One that was dismissed can be reopened.",
        )


def check_may_file(actor: Actor, about: IncidentFacts) -> None:
    """Raise unless an open incident with all items of §34① is reported (`Denied`, `Conflict`)."""
    check_is(actor, *HANDLES)
    check_transition(INCIDENT, about.state, IncidentState.FILED, _name(about))
    if about.missing:
        ko = ", ".join(ko for field, ko, _ in ITEMS if field in about.missing)
        en = ", ".join(en for field, _, en in ITEMS if field in about.missing)
        raise Conflict(
            "incident.incomplete",
            ko=f"신고에 필요한 항목이 비어 있습니다: {ko}.",
            en=f"The report lacks: {en}.",
            remedy_ko="내용 보완에서 채우세요. 아직 모르는 것은 ‘확인 중’이라고 적고 나중에 보완합니다.",
            remedy_en="Fill it in; what is not known yet is said to be under inquiry, and added later.",
        )


def check_may_close(actor: Actor, about: IncidentFacts) -> None:
    """Raise unless another person than who reported it ends a reported incident (`Denied`, `Conflict`)."""
    check_is(actor, *ENDS)
    check_transition(INCIDENT, about.state, IncidentState.CLOSED, _name(about))
    _check_other(actor, about.filed_by)


def check_may_dismiss(actor: Actor, about: IncidentFacts) -> None:
    """Raise unless another person than who opened it says that it was none (`Denied`, `Conflict`)."""
    check_is(actor, *ENDS)
    check_transition(INCIDENT, about.state, IncidentState.DISMISSED, _name(about))
    _check_other(actor, about.opened_by)


def check_may_reopen(actor: Actor, about: IncidentFacts) -> None:
    """Raise unless a dismissed incident is taken up again (`Denied`, `Conflict`)."""
    check_is(actor, *ENDS)
    check_transition(INCIDENT, about.state, IncidentState.OPEN, _name(about))


def _check_other(actor: Actor, first: str) -> None:
    if actor.account_id == first:
        raise Denied(
            "incident.two-person",
            ko="혼자서 끝낼 수 없는 일입니다.",
            en="One person alone cannot end this.",
            remedy_ko="다른 담당자나 점검자에게 맡기세요.",
            remedy_en="Leave it to somebody else who handles or reviews.",
        )


def _name(about: IncidentFacts) -> str:
    return f"사고 {about.id}"
