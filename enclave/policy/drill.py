"""Who may ask for a drill, run it, and see what it found. Pure."""

from __future__ import annotations

from enclave.actor import Actor
from enclave.errors import Denied
from enclave.policy.people import check_is
from enclave.roles import Role

SEES_DRILLS = frozenset({Role.OPERATOR, Role.REVIEWER, Role.AUDITOR})


def check_may_request_drill(actor: Actor) -> None:
    """Raise `Denied` unless the actor is an auditor, or whoever holds the machine."""
    if not actor.is_console:
        check_is(actor, Role.AUDITOR)


def check_may_see_drills(actor: Actor) -> None:
    """Raise `Denied` unless the actor operates, reviews or audits."""
    check_is(actor, *SEES_DRILLS)


def check_may_run_drill(actor: Actor) -> None:
    """Raise `Denied` unless it is the service itself or the console: nobody reports what they did not try."""
    if not (actor.is_system or actor.is_console):
        raise Denied(
            "drill.system-only",
            ko="모의침투의 결과는 시스템만 기록합니다.",
            en="Only the system records what a drill found.",
            remedy_ko="모의침투 화면에서 요청하세요.",
            remedy_en="Ask for a drill on its page.",
        )
