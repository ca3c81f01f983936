"""Asking the log and keeping what one asks: each of them an entry of its own (korea.md R85).

The log names a question by its hash; the question itself stays in the database, since anything can be typed there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select
from sqlalchemy.dialects import postgresql, sqlite

from audit import hours, leaves, purge, query
from audit.errors import AuditError, EntryError
from audit.hours import Done
from audit.query import Found, LogFilter, Page
from enclave.actions import ABOUT, Action, Severity
from enclave.actor import Actor
from enclave.commands.acting import intent, is_id, present, require, text_sha256
from enclave.errors import Conflict, Invalid, NotFound
from enclave.ids import new_id
from enclave.logbook.question import Question
from enclave.model.logbook import LogFilterKept, LogQuestion
from enclave.policy.people import check_may_read_log
from enclave.queries import logbook as queries
from enclave.queries.logbook import FilterView
from enclave.store import Store, Tx

MAX_KEPT, MAX_NAME = 50, 60
ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
SHARES, NOTABLE = 12, 20
SEASON = timedelta(days=93)
ALERTS = tuple(action.value for action in Action if ABOUT[action].severity is Severity.ALERT)
# Entries of the same session shown before and after one.
NEAR = 5


@dataclass(frozen=True)
class Answer:
    """A page of entries, and how many there are in all where counts tell (`audit.query.count`)."""

    page: Page
    count: int | None


@dataclass(frozen=True)
class Activity:
    """What was done in a period: by hour; by whom or in which projects, most first; the newest alerts among it."""

    done: tuple[Done, ...]
    shares: tuple[tuple[str, int], ...]
    notable: tuple[Found, ...]


@dataclass(frozen=True)
class Seen:
    """One entry, its row in the index once it is there, and the entries of its session around it, newest first.

    `purged`: its time is over and its bytes are gone, or about to be.
    """

    entry: query.Entry
    row: Found | None
    session: tuple[Found, ...]
    purged: bool


def ask(  # noqa: PLR0913 - keyword-only fields of one question
    store: Store, actor: Actor, *, question: Question, after: int | None, limit: int, now: datetime
) -> Answer:
    """Return one page of the entries that a question finds, newest first. What is not recorded is not shown.

    Raises `Denied`, `Invalid` (`log.question`, `audit.search-text`).
    """
    event = intent(Action.LOG_VIEW, actor, ("log", "entries"))
    with store.prepare(event), store.read() as session:
        check_may_read_log(present(session, actor, now))
        filters = queries.meaning(session, question, now)
        connection = session.connection()
        try:
            page = query.search(connection, filters=filters, after=after, limit=limit)
        except EntryError as error:
            raise _unsearchable(error) from error
        count = query.count(connection, filters)
    with store.write(event) as tx:
        name_question(tx, question)
        tx.record(details={"question_sha256": question.sha256, "after": after or 0, "rows": len(page.rows)})
    return Answer(page, count)


def view_entry(store: Store, actor: Actor, *, entry: str, now: datetime) -> Seen:
    """Return one entry by its number or its id. Raises `Denied`, `NotFound` (`log.no-entry`)."""
    event = intent(Action.LOG_VIEW, actor, ("log", _id(entry)))
    with store.prepare(event), store.read() as session:
        check_may_read_log(present(session, actor, now))
        connection = session.connection()
        entry_id = leaves.entry_id(connection, int(entry)) if _is_number(entry) else entry.upper()
        try:
            found = query.entry(connection, entry_id or entry)
        except AuditError as error:
            raise _no_entry(entry) from error
        seen = _with_neighbours(connection, found)
    with store.write(event) as tx:
        tx.record(object_kind="entry", object_id=found.entry_id, details={"rows": max(1, len(seen.session))})
    return seen


def _with_neighbours(connection: Connection, entry: query.Entry) -> Seen:
    row = None if entry.leaf_index is None else query.row(connection, entry.leaf_index)
    purged = entry.leaf_index is not None and entry.leaf_index < purge.ordered(connection)
    if row is None or not row.session:
        return Seen(entry, row, (), purged)
    near = query.around(connection, session=row.session, leaf_index=row.leaf_index, each_way=NEAR)
    return Seen(entry, row, near, purged)


def view_activity(  # noqa: PLR0913 - keyword-only fields of one plot
    store: Store,
    actor: Actor,
    *,
    project: str | None,
    account: str | None,
    since: datetime,
    until: datetime,
    now: datetime,
) -> Activity:
    """Return what was done in a project, by a person or by all, by hour. Raises `Denied`."""
    kind, thing = ("project", project) if project else ("account", account) if account else ("log", "activity")
    event = intent(Action.LOG_VIEW, actor, (kind, _id(thing or "")))
    filters = LogFilter(actor=account, project=project, since=since, until=until, actions=ALERTS)
    with store.prepare(event), store.read() as session:
        check_may_read_log(present(session, actor, now))
        connection = session.connection()
        done = hours.activity(connection, project=project, actor=account, since=since, until=until)
        shares = _shares(connection, project, account, since, until)
        notable = query.search(connection, filters=filters, limit=NOTABLE).rows
    with store.write(event) as tx:
        tx.record(details={"plot": "activity", "rows": sum(each.entries for each in done)})
    return Activity(tuple(done), tuple(shares), notable)


def _shares(
    connection: Connection, project: str | None, account: str | None, since: datetime, until: datetime
) -> list[tuple[str, int]]:
    """Return the people of a project, or the projects of a person; of all, only for a season."""
    if not (project or account) and until - since > SEASON:
        return []
    own = {"projects": (project,) if project else (), "actors": (account,) if account else ()}
    conditions = hours.where(**own, since=since, until=until, apart=True)
    return hours.shares(connection, "project" if account else "actor", conditions, limit=SHARES)


def keep_filter(store: Store, actor: Actor, *, name: str, question: Question, now: datetime) -> FilterView:
    """Keep a question under a name; under one's own name of before it replaces the old one.

    Raises `Denied`, `Invalid`, `Conflict` (`log.filters-full`) after fifty.
    """
    with store.write(intent(Action.LOG_FILTER_KEEP, actor, ("log_filter", "new"))) as tx:
        check_may_read_log(present(tx.session, actor, now))
        require(("조건 이름", "name", name))
        queries.meaning(tx.session, question, now)
        name, own = name.strip()[:MAX_NAME], {"account_id": actor.account_id}
        row = tx.session.scalar(select(LogFilterKept).filter_by(**own, name=name))
        if row is None:
            if (tx.session.scalar(select(func.count()).select_from(LogFilterKept).filter_by(**own)) or 0) >= MAX_KEPT:
                raise _full()
            row = LogFilterKept(id=new_id("q"), name=name, **own)
            tx.session.add(row)
        row.asked, row.kept_at = question.given(), now
        name_question(tx, question)
        tx.record(object_id=row.id, details={"question_sha256": question.sha256, "name_sha256": text_sha256(name)})
        return FilterView(row.id, row.name, question)


def drop_filter(store: Store, actor: Actor, *, filter_id: str, now: datetime) -> None:
    """Drop a filter of one's own. Raises `Denied`, `NotFound` (`log.no-filter`)."""
    with store.write(intent(Action.LOG_FILTER_DROP, actor, ("log_filter", filter_id))) as tx:
        check_may_read_log(present(tx.session, actor, now))
        row = tx.session.scalar(select(LogFilterKept).filter_by(id=filter_id, account_id=actor.account_id))
        if row is None:
            raise _no_filter(filter_id)
        tx.session.delete(row)


def name_question(tx: Tx, question: Question) -> None:
    """Keep the text of a question under the hash by which the entry names it."""
    bind = tx.session.connection().dialect.name
    insert = postgresql.insert(LogQuestion) if bind == "postgresql" else sqlite.insert(LogQuestion)
    tx.session.execute(insert.values(sha256=question.sha256, asked=question.given()).on_conflict_do_nothing())


def _id(typed: str) -> str:
    """Return what was typed as an id if it can be one: a name that someone types there stays out of the log."""
    return typed if is_id(typed) else "?"


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 16  # noqa: PLR2004 - below 2^53


def _unsearchable(error: EntryError) -> Invalid:
    return Invalid(error.code, ko=error.ko, en=error.en, remedy_ko=error.remedy_ko, remedy_en=error.remedy_en)


def _no_entry(entry: str) -> NotFound:
    return NotFound(
        "log.no-entry",
        ko=f"기록 {entry[:40]}이(가) 없습니다.",
        en=f"There is no entry {entry[:40]}.",
        remedy_ko="번호나 26자 기록 id를 그대로 붙여 넣으세요. 방금 쓴 기록은 몇 초 뒤에 번호를 받습니다.",
        remedy_en="Paste its number or the 26 characters of its id. A new entry gets its number within seconds.",
    )


def _no_filter(filter_id: str) -> NotFound:
    return NotFound(
        "log.no-filter",
        ko=f"보관한 조건 {filter_id[:40]}이(가) 없습니다.",
        en=f"You keep no filter {filter_id[:40]}.",
        remedy_ko="접속기록 화면의 목록에서 고르세요.",
        remedy_en="Choose one from the list on the log's page.",
    )


def _full() -> Conflict:
    return Conflict(
        "log.filters-full",
        ko=f"조건은 {MAX_KEPT}개까지 보관합니다.",
        en=f"At most {MAX_KEPT} filters are kept.",
        remedy_ko="쓰지 않는 조건을 지우고 다시 보관하세요.",
        remedy_en="Drop one that you no longer use.",
    )
