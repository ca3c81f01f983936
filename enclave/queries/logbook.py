"""What a question to the log means now, and what people kept of their questions: filters and exports."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from ipaddress import ip_address

from sqlalchemy import select
from sqlalchemy.orm import Session

from audit.event import OUTCOMES
from audit.query import LogFilter
from enclave.actions import Task
from enclave.actor import Actor
from enclave.clock import KST
from enclave.errors import Invalid, NotFound
from enclave.logbook.question import RECENT, Question, actions_of
from enclave.model.data import Snapshot
from enclave.model.logbook import LogExport, LogFilterKept, LogQuestion
from enclave.model.people import Account
from enclave.model.project import Project
from enclave.policy.people import check_may_read_log
from enclave.policy.project import SEES_PROJECTS
from enclave.store import Store

EXPORTS = 100
# As many as a browser lists at once without the page growing heavy.
SUGGESTED = 500
# Before Korean days were counted, and after every clock here: both ends that a database can compare.
FIRST, LAST = date(2000, 1, 1), date(9998, 12, 31)


@dataclass(frozen=True)
class FilterView:
    """A question that its owner keeps."""

    id: str
    name: str
    question: Question


@dataclass(frozen=True)
class ExportView:
    """One export; `sha256` and `rows` once it is complete. `login` is empty for whoever holds the machine."""

    id: str
    login: str
    form: str
    question: Question
    reason_code: str
    reason: str
    checkpoint: str
    size: int
    asked_at: datetime
    ended_at: datetime | None
    rows: int | None
    sha256: str | None


@dataclass(frozen=True)
class Suggestions:
    """Logins by name; projects, the newest first, as (id, title or "")."""

    actors: tuple[str, ...]
    projects: tuple[tuple[str, str], ...]


def meaning(session: Session, question: Question, now: datetime) -> LogFilter:
    """Return the conditions that a question stands for at this moment.

    Raises `Invalid` (`log.question`) naming the field that means nothing, with an example.
    """
    since, until = _period(question, now)
    outcome = question.outcome or None
    if outcome is not None and outcome not in OUTCOMES:
        raise _no_meaning("결과", "Outcome", question.outcome, ", ".join(OUTCOMES))
    return LogFilter(
        action=question.action or None,
        actions=_task(question.task),
        actor=_account(session, question.actor),
        project=question.project or None,
        outcome=outcome,
        object_id=question.thing or None,
        object_ids=_dataset(session, question.dataset),
        from_ip=_place(question.place),
        reason_code=question.reason or None,
        session=question.session or None,
        since=since,
        until=until,
        text=question.text or None,
    )


def filters(store: Store, actor: Actor) -> tuple[FilterView, ...]:
    """Return the filters that the actor keeps, by name."""
    query = select(LogFilterKept).filter_by(account_id=actor.account_id).order_by(LogFilterKept.name)
    with store.read() as session:
        return tuple(FilterView(row.id, row.name, Question.of(row.asked)) for row in session.scalars(query))


def exports(store: Store, actor: Actor) -> tuple[ExportView, ...]:
    """Return the newest hundred exports, whoever took them. Raises `Denied` for who may not read the log."""
    check_may_read_log(actor)
    query = select(LogExport).order_by(LogExport.asked_at.desc(), LogExport.id).limit(EXPORTS)
    with store.read() as session:
        return tuple(export_view(row) for row in session.scalars(query))


def export(store: Store, actor: Actor, export_id: str) -> ExportView:
    """Return one export. Raises `Denied`, `NotFound`."""
    check_may_read_log(actor)
    with store.read() as session:
        return export_view(load_export(session, export_id))


def question_of(store: Store, actor: Actor, sha256: str) -> Question | None:
    """Return the question that an entry names by its hash, if it is kept. Raises `Denied`."""
    check_may_read_log(actor)
    with store.read() as session:
        found = session.get(LogQuestion, sha256)
        return Question.of(found.asked) if found else None


def load_export(session: Session, export_id: str) -> LogExport:
    """Return the row of an export. Raises `NotFound`."""
    found = session.get(LogExport, export_id)
    if found is None:
        raise NotFound(
            "log.no-export",
            ko=f"내려받기 {export_id[:40]}이(가) 없습니다.",
            en=f"There is no export {export_id[:40]}.",
            remedy_ko="내려받기 목록에서 고르세요.",
            remedy_en="Choose one from the list of exports.",
        )
    return found


def export_view(row: LogExport) -> ExportView:
    """Return an export as it is shown."""
    return ExportView(
        id=row.id,
        login=row.account.login if row.account else "",
        form=row.form,
        question=Question.of(row.asked),
        reason_code=row.reason_code,
        reason=row.reason,
        checkpoint=row.checkpoint,
        size=row.size,
        asked_at=row.asked_at,
        ended_at=row.ended_at,
        rows=row.rows,
        sha256=row.sha256,
    )


def logins(session: Session) -> dict[str, str]:
    """Return `{account id: login}`: what entries call people, and what people call them."""
    return {row.id: row.login for row in session.execute(select(Account.id, Account.login))}


def suggestions(store: Store, actor: Actor) -> Suggestions:
    """Return what a reader of the log can name in a question. Raises `Denied` for who may not read the log.

    Logins are on every page of the log; a project's title comes only where the actor may see the project.
    """
    check_may_read_log(actor)
    titled = bool(actor.roles & set(SEES_PROJECTS))
    people = select(Account.login).order_by(Account.login).limit(SUGGESTED)
    projects = select(Project.id, Project.title).order_by(Project.created_at.desc(), Project.id).limit(SUGGESTED)
    with store.read() as session:
        listed = tuple((row.id, row.title if titled else "") for row in session.execute(projects))
        return Suggestions(tuple(session.scalars(people)), listed)


def _period(question: Question, now: datetime) -> tuple[datetime | None, datetime | None]:
    if question.recent:
        days = int(question.recent) if question.recent.isascii() and question.recent.isdigit() else 0
        if days not in RECENT:
            raise _no_meaning("최근", "Recent", question.recent, ", ".join(map(str, RECENT)))
        # From the beginning of a day, so that counts by hour hold and a day's pages stay the same.
        return _begins(now.astimezone(KST).date() - timedelta(days=days - 1)), None
    begin, end = _moment(question.begin, "시작", "Begin"), _moment(question.end, "끝", "End", after=True)
    return begin, end


def _moment(text: str, ko: str, en: str, *, after: bool = False) -> datetime | None:
    if not text:
        return None
    try:
        if len(text) > len("2026-11-24"):
            found = datetime.fromisoformat(text)
            return found if found.tzinfo else found.replace(tzinfo=KST)
        day = date.fromisoformat(text)
    except ValueError:
        raise _no_meaning(ko, en, text, "2026-11-24") from None
    if not FIRST <= day <= LAST:
        raise _no_meaning(ko, en, text, "2026-11-24")
    return _begins(day + timedelta(days=1) if after else day)


def _begins(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=KST)


def _account(session: Session, typed: str) -> str | None:
    if not typed:
        return None
    return session.scalar(select(Account.id).filter_by(login=typed)) or typed


def _dataset(session: Session, dataset_id: str) -> tuple[str, ...]:
    if not dataset_id:
        return ()
    return (dataset_id, *session.scalars(select(Snapshot.id).filter_by(dataset_id=dataset_id)))


def _task(name: str) -> tuple[str, ...]:
    if not name:
        return ()
    task = next((each for each in Task if each.value == name), None)
    if task is None:
        raise _no_meaning("수행업무", "Task", name, ", ".join(each.value for each in Task))
    return actions_of(task)


def _place(typed: str) -> str | None:
    if not typed:
        return None
    try:
        return str(ip_address(typed))
    except ValueError:
        raise _no_meaning("접속지", "Address", typed, "10.20.3.41") from None


def _no_meaning(ko: str, en: str, typed: str, example: str) -> Invalid:
    return Invalid(
        "log.question",
        ko=f"{ko}: ‘{typed[:40]}’은(는) 찾을 수 있는 값이 아닙니다.",
        en=f"{en}: ‘{typed[:40]}’ cannot be searched for.",
        remedy_ko=f"이렇게 적으세요: {example}",
        remedy_en=f"Write it like this: {example}",
    )
