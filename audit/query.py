"""What people ask the log: search with filters and stable pages, one entry, a proof, the state of the log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import ColumnElement, Connection, func, select

from audit import blocks, hours, index, leaves, lookup
from audit.canonical import decode
from audit.errors import EntryError, NotInLogError, Text
from audit.lookup import Asked
from audit.proof import Proof
from audit.reader import LogReader
from audit.tables import audit_entry, audit_index, audit_leaf
from audit.tiles import CHECKPOINT
from audit.wording import terms

MAX_PAGE = 1_000
# Entries in a period up to which all projects and actors together are counted.
MAX_COUNTED = 2_000_000


@dataclass(frozen=True, slots=True)
class LogFilter:
    """Conditions that all must hold; None means any. `since` (included) and `until` (excluded) are aware times.

    `action` ending in `.` means every action that begins so; of `actions` and of `object_ids` one must be there, if
    any is given. `text`: words, all of which the entry's searched fields contain (actor, action, project, object and
    its SHA-256, address, reason, rule, texts among the details), whatever the case; what begins with a letter or
    digit must begin a word (`audit.wording`).
    """

    action: str | None = None
    actor: str | None = None
    project: str | None = None
    outcome: str | None = None
    object_kind: str | None = None
    object_id: str | None = None
    from_ip: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    text: str | None = None
    reason_code: str | None = None
    session: str | None = None
    actions: tuple[str, ...] = ()
    object_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """One row of the log as a list shows it."""

    leaf_index: int
    entry_id: str
    at: str
    actor: str
    actor_role: str
    action: str
    outcome: str
    project: str
    object_kind: str
    object_id: str
    from_ip: str
    session: str
    reason_code: str
    reason_text: str
    subjects_count: int
    subjects_kind: str
    observer: str


@dataclass(frozen=True, slots=True)
class Page:
    """Rows, newest first, and the `after` that gives the next older page (None on the last)."""

    rows: tuple[Found, ...]
    next: int | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: its exact bytes, its values (empty when unreadable), its leaf index (None until numbered)."""

    entry_id: str
    leaf_index: int | None
    data: bytes
    record: dict[str, object]


@dataclass(frozen=True, slots=True)
class Status:
    """The published log: name, size, 32-byte root, when its checkpoint was written.

    With a database also how many entries wait to be published, and how many published ones can be searched by now.
    """

    origin: str
    size: int
    root: bytes
    published_at: datetime
    waiting: int | None
    indexed: int | None


_COLUMNS = [audit_index.c[name] for name in Found.__dataclass_fields__]
_EQUAL = ("actor", "project", "outcome", "object_id", "from_ip", "reason_code", "session")


def search(connection: Connection, *, filters: LogFilter, after: int | None = None, limit: int = 50) -> Page:
    """Return up to `limit` (at most 1,000) published entries older than leaf `after`, newest first.

    Pages are stable: leaf indexes never change, so a page once seen stays the same. Raises `EntryError`
    (`audit.search-text`) for a text that cannot be searched.
    """
    limit = max(1, min(limit, MAX_PAGE))
    found = lookup.read(connection, _asked(connection, filters, after), _COLUMNS, limit + 1)
    rows = tuple(Found(*row) for row in found)
    return Page(rows[:limit], rows[limit - 1].leaf_index if len(rows) > limit else None)


def count(connection: Connection, filters: LogFilter) -> int | None:
    """Return how many entries a filter finds; None when only reading them would tell.

    Counts are there for actor, project, action, outcome and a period of whole hours; of a project, of an actor, of a
    period with at most two million entries, or of everything.
    """
    if filters == LogFilter():
        column = audit_index.c.leaf_index
        first, last = (connection.scalar(select(end(column))) for end in (func.min, func.max))
        return 0 if last is None else last - first + 1
    counted = LogFilter(
        action=filters.action,
        actions=filters.actions,
        actor=filters.actor,
        project=filters.project,
        outcome=filters.outcome,
        since=filters.since,
        until=filters.until,
    )
    if filters != counted or not (hours.is_whole(filters.since) and hours.is_whole(filters.until)):
        return None
    if filters.actor is None and filters.project is None and _is_long(connection, filters):
        return None
    actions = _actions(connection, filters)
    if actions is not None and not actions:
        return 0
    conditions = hours.where(
        actors=_given(filters.actor),
        projects=_given(filters.project),
        actions=actions or (),
        outcomes=_given(filters.outcome),
        since=filters.since,
        until=filters.until,
    )
    return hours.count(connection, conditions)


def _is_long(connection: Connection, filters: LogFilter) -> bool:
    since, until = (None if time is None else _stamp(time) for time in (filters.since, filters.until))
    first, end = blocks.bounds(connection, since=since, until=until)
    return min(index.length(connection) if end is None else end, index.length(connection)) - first > MAX_COUNTED


def _asked(connection: Connection, filters: LogFilter, after: int | None) -> Asked:
    since, until = (None if time is None else _stamp(time) for time in (filters.since, filters.until))
    first, end = blocks.bounds(connection, since=since, until=until)
    equal = {name: value for name in _EQUAL if (value := getattr(filters, name)) is not None}
    any_of: dict[str, tuple[str, ...]] = {name: (value,) for name, value in equal.items() if value}
    for name, values in (("action", _actions(connection, filters)), ("object_id", filters.object_ids or None)):
        if values is not None:
            any_of[name] = tuple(values) if name not in any_of else tuple(set(values) & set(any_of[name]))
    # What is asked to be absent is in no index; nobody asks it of many.
    others: list[ColumnElement[bool]] = [audit_index.c[name] == "" for name, value in equal.items() if not value]
    if since is not None:
        others.append(audit_index.c.at >= since)
    if until is not None:
        others.append(audit_index.c.at < until)
    if filters.object_kind is not None:
        others.append(audit_index.c.object_kind == filters.object_kind)
    known = [each for each in (after, end, index.length(connection)) if each is not None]
    return Asked(first, min(known), any_of, others, terms(filters.text or ""))


def _actions(connection: Connection, filters: LogFilter) -> tuple[str, ...] | None:
    """Return the actions of which one must be there; None for any."""
    if filters.action is None:
        return filters.actions or None
    found = _beginning(connection, filters.action) if filters.action.endswith(".") else [filters.action]
    return tuple(each for each in found if not filters.actions or each in filters.actions)


def _beginning(connection: Connection, prefix: str) -> list[str]:
    """Return the actions in the log that begin so: one step in the index for each, however many entries it has."""
    found: list[str] = []
    action, last = audit_index.c.action, prefix
    while (following := connection.scalar(select(func.min(action)).where(action > last))) is not None:
        if not following.startswith(prefix):
            break
        found.append(following)
        last = following
    return found


def _given(value: str | None) -> tuple[str, ...]:
    return () if value is None else (value,)


def _stamp(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def entry(connection: Connection, entry_id: str) -> Entry:
    """Return one entry, published or not; raise `NotInLogError` (`audit.no-entry`)."""
    query = (
        select(audit_entry.c.id, audit_leaf.c.leaf_index, audit_entry.c.bytes)
        .outerjoin(audit_leaf, audit_leaf.c.entry_id == audit_entry.c.id)
        .where(audit_entry.c.id == entry_id)
    )
    found = connection.execute(query).one_or_none()
    if found is None:
        raise NotInLogError(
            "audit.no-entry",
            Text(
                f"{entry_id} 기록이 없습니다.",
                f"There is no entry {entry_id}.",
                "26자 id를 그대로 붙여 넣으세요.",
                "Paste the id's 26 characters as they are.",
            ),
        )
    try:
        record = decode(found.bytes)
    except EntryError:
        record = {}
    return Entry(entry_id, found.leaf_index, found.bytes, record)


def row(connection: Connection, leaf_index: int) -> Found | None:
    """Return the row of a leaf; None for one that is not indexed yet, or was purged."""
    found = connection.execute(select(*_COLUMNS).where(audit_index.c.leaf_index == leaf_index)).one_or_none()
    return None if found is None else Found(*found)


def around(connection: Connection, *, session: str, leaf_index: int, each_way: int) -> tuple[Found, ...]:
    """Return the entries of a session nearest to one of its leaves, up to `each_way` on each side, newest first."""
    column = audit_index.c
    own = select(*_COLUMNS).where(column.session == session, column.session != "").limit(each_way)
    before = own.where(column.leaf_index < leaf_index).order_by(column.leaf_index.desc())
    later = own.where(column.leaf_index > leaf_index).order_by(column.leaf_index)
    here = select(*_COLUMNS).where(column.leaf_index == leaf_index)
    rows = [*reversed(connection.execute(later).all()), *connection.execute(here), *connection.execute(before)]
    return tuple(Found(*row) for row in rows)


def indexed(connection: Connection) -> int:
    """Return how many entries can be searched by now."""
    return index.length(connection)


def proof(log_folder: Path, leaf_index: int) -> Proof:
    """Return the proof that a published entry is in the log; raise `NotInLogError` when it is not yet."""
    return LogReader(log_folder).proof(leaf_index)


def status(log_folder: Path, connection: Connection | None = None) -> Status:
    """Return the state of the published log; with a connection also how many entries wait to be published."""
    reader = LogReader(log_folder)
    published_at = datetime.fromtimestamp((log_folder / CHECKPOINT).stat().st_mtime, UTC)
    waiting = None if connection is None else leaves.count(connection) + leaves.waiting(connection) - reader.size
    indexed = None if connection is None else index.length(connection)
    return Status(reader.checkpoint.origin, reader.size, reader.checkpoint.root, published_at, waiting, indexed)
