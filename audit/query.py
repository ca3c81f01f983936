"""What people ask the log: search with filters and stable pages, one entry, a proof, the state of the log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import ColumnElement, Connection, select

from audit import leaves
from audit.canonical import decode
from audit.errors import EntryError, NotInLogError, Text
from audit.proof import Proof
from audit.reader import LogReader
from audit.tables import audit_entry, audit_index, audit_leaf
from audit.tiles import CHECKPOINT

MAX_PAGE = 1_000


@dataclass(frozen=True, slots=True)
class LogFilter:
    """Conditions that all must hold; None means any. `since` (included) and `until` (excluded) are aware times.

    `text` finds entries whose searched fields (ids, actor, action, project, object, address, reason, rule, details)
    contain it, whatever the case; `action` ending in `.` means every action that begins so.
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
    """The published log: name, size, 32-byte root, when its checkpoint was written; and how many entries wait."""

    origin: str
    size: int
    root: bytes
    published_at: datetime
    waiting: int | None


_COLUMNS = [audit_index.c[name] for name in Found.__dataclass_fields__]
_EQUAL = ("actor", "project", "outcome", "object_kind", "object_id", "from_ip")


def search(connection: Connection, *, filters: LogFilter, after: int | None = None, limit: int = 50) -> Page:
    """Return up to `limit` (at most 1,000) published entries older than leaf `after`, newest first.

    Pages are stable: leaf indexes never change, so a page once seen stays the same.
    """
    limit = max(1, min(limit, MAX_PAGE))
    query = select(*_COLUMNS).where(*_conditions(filters)).order_by(audit_index.c.leaf_index.desc()).limit(limit + 1)
    if after is not None:
        query = query.where(audit_index.c.leaf_index < after)
    rows = tuple(Found(*row) for row in connection.execute(query))
    return Page(rows[:limit], rows[limit - 1].leaf_index if len(rows) > limit else None)


def _conditions(filters: LogFilter) -> list[ColumnElement[bool]]:
    column = audit_index.c
    found = [column[name] == value for name in _EQUAL if (value := getattr(filters, name)) is not None]
    if filters.action is not None:
        prefix = filters.action.endswith(".")
        found.append(
            column.action.startswith(filters.action, autoescape=True) if prefix else column.action == filters.action
        )
    if filters.since is not None:
        found.append(column.at >= _stamp(filters.since))
    if filters.until is not None:
        found.append(column.at < _stamp(filters.until))
    if filters.text:
        found.append(column.words.contains(filters.text.lower(), autoescape=True))
    return found


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


def proof(log_folder: Path, leaf_index: int) -> Proof:
    """Return the proof that a published entry is in the log; raise `NotInLogError` when it is not yet."""
    return LogReader(log_folder).proof(leaf_index)


def status(log_folder: Path, connection: Connection | None = None) -> Status:
    """Return the state of the published log; with a connection also how many entries wait to be published."""
    reader = LogReader(log_folder)
    published_at = datetime.fromtimestamp((log_folder / CHECKPOINT).stat().st_mtime, UTC)
    waiting = None if connection is None else leaves.count(connection) + leaves.waiting(connection) - reader.size
    return Status(reader.checkpoint.origin, reader.size, reader.checkpoint.root, published_at, waiting)
