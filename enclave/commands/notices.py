"""Telling the world outside the portal that a review is overdue: once a day at most, and nothing else than that."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from enclave.actions import Action
from enclave.actor import Actor
from enclave.clock import korean_date
from enclave.commands.acting import intent, present
from enclave.errors import Conflict, Denied
from enclave.queries import logreview as queries
from enclave.queries.logreview import Overdue
from enclave.store import Store

SUBJECT = "[Ansim] 접속기록 점검 기한 경과 / Review of the access log overdue"


def tell_overdue(store: Store, actor: Actor, *, send: Callable[[str, str], None], now: datetime) -> int:
    """Hand `send` a subject and a text that name the overdue periods and their days; return how many there are.

    The service by itself. A relay that is away is recorded, and the next turn tries again; what was sent is recorded
    afterwards, so that a crash in between may send it twice and never loses it. Raises `Denied`, `Conflict`
    (`period.notice-not-due`: none is overdue, or it was told today), and what `send` raises.
    """
    event = intent(Action.PERIOD_NOTICE, actor, ("period", "overdue"))
    with store.prepare(event):
        _check_service(actor)
        found = queries.overdue(store, now=now)
        if not wanted(found, now):
            raise _not_due()
        send(SUBJECT, text(found))
    with store.write(event) as tx:
        present(tx.session, actor, now)
        for each in found:
            queries.load_period(tx.session, each.id, lock=True).notified_at = now
        tx.record(details={"periods": len(found), "days": max(each.days for each in found)})
    return len(found)


def wanted(found: Sequence[Overdue], now: datetime) -> bool:
    """Say whether anything is overdue and none of it was told on this Korean day."""
    today = korean_date(now)
    return bool(found) and all(each.notified_at is None or korean_date(each.notified_at) < today for each in found)


def text(found: Sequence[Overdue]) -> str:
    """Return what is told: which period, since when. No name, no finding, no number of findings."""
    lines = [
        f"제{each.number}차 점검: 기한 {each.due_on}, {each.days}일 지남 / "
        f"Review no. {each.number}: due {each.due_on}, {each.days} days overdue"
        for each in found
    ]
    return "\n".join(
        [*lines, "", "포털의 ‘접속기록 점검’에서 확인하세요. / See the review of the log in the portal.", ""]
    )


def _check_service(actor: Actor) -> None:
    if not actor.is_system:
        raise Denied(
            "period.notice-system",
            ko="점검 지연 알림은 시스템만 보냅니다.",
            en="Only the service tells of overdue reviews.",
            remedy_ko="ansim audit due로 확인할 수 있습니다.",
            remedy_en="Ask ansim audit due.",
        )


def _not_due() -> Conflict:
    return Conflict(
        "period.notice-not-due",
        ko="기한을 넘긴 점검이 없거나 오늘 이미 알렸습니다.",
        en="No review is overdue, or it was told today.",
        remedy_ko="할 일이 없습니다.",
        remedy_en="There is nothing to do.",
    )
