"""How long each entry is kept, and when a stretch of the log may be purged. Pure.

Access two years, grants of rights three, what concerns pseudonymised data until three years after it was destroyed
(개인정보의 안전성 확보조치 기준 §8; PIPA §28-4③; korea.md R14, R77, R90). Settings may say longer, never shorter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from enclave.actions import ABOUT, Action, Retention
from enclave.actor import Actor
from enclave.errors import Conflict, Denied
from enclave.policy.logreview.line import Line
from enclave.policy.people import check_is, check_second_factor_fresh
from enclave.roles import Role

LEAST = {Retention.ACCESS: 2, Retention.RIGHTS: 3, Retention.DATA: 3}
CLASSES: Mapping[Retention, tuple[str, str]] = {
    Retention.ACCESS: ("접속기록, 2년 이상 보관", "access, kept two years or more"),
    Retention.RIGHTS: ("권한 기록, 3년 이상 보관", "rights, kept three years or more"),
    Retention.DATA: (
        "가명정보 기록, 자료 파기 뒤 3년 이상 보관",
        "pseudonymised data, three years after its destruction",
    ),
}
_ACTIONS = {action.value: ABOUT[action].retention for action in Action}


@dataclass(frozen=True)
class Keeping:
    """Years by class as configured; a shorter time than the law's counts as the law's."""

    years: Mapping[Retention, int] = field(default_factory=lambda: LEAST)

    def of(self, retention: Retention) -> int:
        """Return how many years an entry of this class is kept, at least what the law asks."""
        return max(LEAST[retention], self.years.get(retention, 0))


@dataclass(frozen=True)
class Holding:
    """Pseudonymised data in the enclave, a project's or a snapshot's: since when, and until when if it is gone."""

    begun: datetime
    destroyed: datetime | None


@dataclass(frozen=True)
class Data:
    """What became of the data: by project, and all of it for entries that name no project."""

    projects: Mapping[str, datetime | None]
    holdings: tuple[Holding, ...]

    def counts_from(self, line: Line) -> datetime | None:
        """Return from when the three years of a data entry count; None while its data is not destroyed."""
        if line.project in self.projects:
            ended = [self.projects[line.project]]
        else:
            ended = [each.destroyed for each in self.holdings if each.begun <= line.at]
        dates = [at for at in ended if at is not None]
        return max([line.at, *dates]) if len(dates) == len(ended) else None


def class_of(line: Line) -> Retention:
    """Return an entry's class; what is not of our vocabulary (the log's own, unreadable) is kept as long as rights."""
    return _ACTIONS.get(line.action, Retention.RIGHTS)


def kept_until(line: Line, keeping: Keeping, data: Data) -> datetime | None:
    """Return until when an entry is kept; None: until something that has not happened yet."""
    retention = class_of(line)
    start = data.counts_from(line) if retention is Retention.DATA else line.at
    return None if start is None else years_after(start, keeping.of(retention))


def years_after(at: datetime, years: int) -> datetime:
    """Return the same day and hour some years later; of February 29, the first of March."""
    try:
        return at.replace(year=at.year + years)
    except ValueError:
        return at.replace(year=at.year + years, month=3, day=1)


def check_over(lines: Iterable[Line], keeping: Keeping, data: Data, now: datetime) -> int:
    """Return how many entries there are if all their times are over; else raise `Conflict` (`log.purge-young`)."""
    count = 0
    for count, line in enumerate(lines, 1):  # noqa: B007 - counted while it is checked
        until = kept_until(line, keeping, data)
        if until is None or until > now:
            raise _young(line, class_of(line), until)
    return count


def check_may_propose(actor: Actor, *, sealed: bool, earlier: int) -> None:
    """Raise unless a reviewer proposes a period that is signed, as all before it are (`Denied`, `Conflict`)."""
    check_is(actor, Role.REVIEWER)
    _check_sealed(sealed=sealed, earlier=earlier)


def check_may_approve(actor: Actor, *, proposed_by: str, decided: bool, now: datetime) -> None:
    """Raise unless another reviewer than who proposed it, with a fresh second factor (`Denied`, `Conflict`)."""
    check_is(actor, Role.REVIEWER)
    if actor.account_id == proposed_by:
        raise Denied(
            "log.purge-two-person",
            ko="파기를 제안한 사람은 승인할 수 없습니다.",
            en="Whoever proposed a purge cannot approve it.",
            remedy_ko="다른 접속기록 점검자에게 승인을 요청하세요.",
            remedy_en="Ask another reviewer to approve it.",
        )
    if decided:
        raise _not_waiting()
    check_second_factor_fresh(actor, now)


def check_may_order(actor: Actor, *, approved: bool, ordered: bool) -> None:
    """Raise unless whoever holds the machine orders what two reviewers decided (`Denied`, `Conflict`)."""
    if not actor.is_console:
        raise Denied(
            "log.purge-console",
            ko="기록의 파기는 서버에서만 지시합니다.",
            en="A purge of the log is ordered at the machine only.",
            remedy_ko="운영자에게 서버에서 ansim retention order 를 실행해 달라고 하세요.",
            remedy_en="Ask an operator to run `ansim retention order` on the machine.",
        )
    if not approved or ordered:
        raise _not_waiting()


def _check_sealed(*, sealed: bool, earlier: int) -> None:
    if not sealed or earlier:
        raise Conflict(
            "log.purge-unsealed",
            ko="점검이 끝나 두 사람이 서명한 기간만 파기할 수 있습니다.",
            en="Only periods whose review two people signed can be purged.",
            remedy_ko="이 기간과 그 앞의 기간을 먼저 점검하고 승인하세요.",
            remedy_en="Review and approve this period and those before it first.",
        )


def _young(line: Line, retention: Retention, until: datetime | None) -> Conflict:
    when = f"{until:%Y-%m-%d}" if until else ""
    return Conflict(
        "log.purge-young",
        ko=f"{line.index}번 기록({CLASSES[retention][0]})은 "
        + (f"{when}까지 보관해야 합니다." if when else "아직 자료가 파기되지 않았습니다."),
        en=f"Entry {line.index} ({CLASSES[retention][1]}) "
        + (f"is kept until {when}." if when else "is about data that still exists."),
        remedy_ko="더 이른 기간만 파기하거나 그날까지 기다리세요. 설정으로 줄일 수 없습니다.",
        remedy_en="Purge an earlier period, or wait. No setting makes it shorter.",
    )


def _not_waiting() -> Conflict:
    return Conflict(
        "log.purge-not-waiting",
        ko="이 파기는 지금 결정할 차례가 아닙니다.",
        en="This purge does not wait for that.",
        remedy_ko="파기 목록에서 어디까지 왔는지 확인하세요.",
        remedy_en="See in the list of purges where it stands.",
    )
