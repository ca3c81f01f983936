"""Who may use, give back and manage GPUs. Pure.

Devices are the platform's means and not data, so the operator says which project may ask for what (SATRE: resources).
"""

from __future__ import annotations

from datetime import datetime

from enclave.actor import Actor
from enclave.errors import Denied
from enclave.gpu.devices import GpuProfile
from enclave.policy.people import check_is
from enclave.policy.project import ProjectFacts, check_is_member, check_period
from enclave.policy.workspace import check_active
from enclave.roles import Role
from enclave.states import ProjectState

SEES_GPUS = frozenset({Role.OPERATOR, Role.REVIEWER, Role.AUDITOR})


def check_may_manage(actor: Actor) -> None:
    """Raise `Denied` unless the actor runs the platform."""
    check_is(actor, Role.OPERATOR)


def check_may_see_all(actor: Actor) -> None:
    """Raise `Denied` unless the actor may see everybody's leases and all devices."""
    check_is(actor, *SEES_GPUS)


def check_may_use(actor: Actor, project: ProjectFacts, state: ProjectState, profile: GpuProfile, now: datetime) -> None:
    """Raise `Denied` (`gpu.no-profile`, …) unless this person may use a device in this project now."""
    check_is_member(actor, project)
    check_active(state)
    check_period(project, now)
    if profile is GpuProfile.NONE:
        raise Denied(
            "gpu.no-profile",
            ko="이 과제에는 GPU가 배정되어 있지 않습니다.",
            en="This project has no GPU profile.",
            remedy_ko="과제 책임자를 통해 운영자에게 GPU 사용을 요청하세요.",
            remedy_en="Have the project lead ask an operator for one.",
        )


def check_may_release(actor: Actor, *, account_id: str, lead_id: str) -> None:
    """Raise `Denied` (`gpu.not-yours`) unless it is the actor's own turn, their project or their platform."""
    if actor.account_id in {account_id, lead_id} or Role.OPERATOR in actor.roles:
        return
    raise Denied(
        "gpu.not-yours",
        ko="다른 사람의 GPU 배정은 반납할 수 없습니다.",
        en="You cannot give back somebody else's GPU.",
        remedy_ko="본인, 과제 책임자, 운영자만 반납할 수 있습니다.",
        remedy_en="Only its holder, the project lead or an operator can.",
    )


def check_system(actor: Actor) -> None:
    """Raise `Denied` (`gpu.system-only`) unless it is the service itself that acts."""
    if not actor.is_system:
        raise Denied(
            "gpu.system-only",
            ko="시스템만 기록할 수 있습니다.",
            en="Only the system records this.",
            remedy_ko="GPU 신청과 반납은 포털이나 노트북에서 하세요.",
            remedy_en="Ask for a GPU and give it back in the portal or the notebook.",
        )
