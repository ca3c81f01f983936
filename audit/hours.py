"""How much was done in each hour: counts by project, actor, action and outcome. Derived, like the index.

What plots are drawn from, and how many entries a filter finds, without reading the entries. Counts of all projects
and actors together are kept beside the others, under a name that neither can have.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Literal

from sqlalchemy import ColumnElement, Connection, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from audit.tables import audit_hour

Key = tuple[str, str, str, str, str]
ALL = "*"
_KEYS = ("hour", "project", "actor", "action", "outcome")
_HOUR = len("2026-11-29T01")


@dataclass(frozen=True, slots=True)
class Done:
    """`entries` entries of one action and outcome in the hour that begins at `hour` (aware, UTC)."""

    hour: datetime
    action: str
    outcome: str
    entries: int


def add(connection: Connection, rows: Iterable[Mapping[str, object]], *, sign: int = 1) -> None:
    """Count rows of the index in; with a `sign` of -1 count them out again."""
    counted = Counter(key for row in rows for key in _keys(row))
    values = [{**dict(zip(_KEYS, key, strict=True)), "entries": sign * count} for key, count in counted.items()]
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(audit_hour)
    statement = statement.on_conflict_do_update(
        index_elements=list(_KEYS), set_={"entries": audit_hour.c.entries + statement.excluded.entries}
    )
    if values:
        connection.execute(statement, values)
    if sign < 0:
        connection.execute(delete(audit_hour).where(audit_hour.c.entries == 0))


def empty(connection: Connection) -> None:
    """Remove all counts."""
    connection.execute(delete(audit_hour))


def activity(
    connection: Connection,
    *,
    project: str | None = None,
    actor: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[Done]:
    """Return what was done, by hour, action and outcome, oldest first; of one project or actor or of all.

    `since` and `until` count from the beginning of their hours.
    """
    conditions = where(actors=_one(actor), projects=_one(project), since=since, until=until)
    column = audit_hour.c
    query = select(column.hour, column.action, column.outcome, func.sum(column.entries))
    query = query.where(*conditions, column.hour != "").group_by(column.hour, column.action, column.outcome)
    rows = connection.execute(query.order_by(column.hour, column.action, column.outcome))
    return [Done(_time(hour), action, outcome, int(count)) for hour, action, outcome, count in rows]


def shares(
    connection: Connection, by: Literal["actor", "project"], conditions: Sequence[ColumnElement[bool]], *, limit: int
) -> list[tuple[str, int]]:
    """Return who, or which projects, had most entries under conditions that `where` made: (id, entries).

    Among all of both this reads a row for each of them and each hour: not for years.
    """
    column, entries = audit_hour.c[by], func.sum(audit_hour.c.entries)
    query = select(column, entries).where(*conditions, column.not_in(["", ALL])).group_by(column)
    rows = connection.execute(query.order_by(entries.desc(), column).limit(limit))
    return [(value, int(count)) for value, count in rows]


def count(connection: Connection, conditions: Sequence[ColumnElement[bool]]) -> int:
    """Return how many indexed entries meet conditions that `where` made."""
    return int(connection.scalar(select(func.sum(audit_hour.c.entries)).where(*conditions)) or 0)


def where(  # noqa: PLR0913 - one argument for each condition
    *,
    actors: Sequence[str] = (),
    projects: Sequence[str] = (),
    actions: Sequence[str] = (),
    outcomes: Sequence[str] = (),
    since: datetime | None = None,
    until: datetime | None = None,
    apart: bool = False,
) -> list[ColumnElement[bool]]:
    """Return conditions on the counts; an empty list means any. Times count from the beginning of their hours.

    `apart`: count each project and actor by itself even where neither is asked for.
    """
    column = audit_hour.c
    asked = {"actor": actors, "project": projects, "action": actions, "outcome": outcomes}
    found: list[ColumnElement[bool]] = [column[name].in_(values) for name, values in asked.items() if values]
    if not (actors or projects or apart):
        found.append(column.project == ALL)
    if since is not None:
        found.append(column.hour >= _stamp(since))
    if until is not None:
        found.append(column.hour < _stamp(until))
    return found


def is_whole(time: datetime | None) -> bool:
    """Return whether a time is the beginning of an hour, so that counts by hour are exact for it."""
    return time is None or (time.minute, time.second, time.microsecond) == (0, 0, 0)


def _keys(row: Mapping[str, object]) -> tuple[Key, Key]:
    at, project, actor, action, outcome = (str(row[name]) for name in ("at", *_KEYS[1:]))
    hour = at[:_HOUR] if _is_hour(at[:_HOUR]) else ""
    return (hour, project, actor, action, outcome), (hour, ALL, ALL, action, outcome)


@lru_cache(1_000)
def _is_hour(hour: str) -> bool:
    # Bytes that are no entry may say anything where the time belongs.
    try:
        return _stamp(_time(hour)) == hour
    except ValueError:
        return False


def _one(value: str | None) -> tuple[str, ...]:
    return () if value is None else (value,)


def _stamp(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H")


@lru_cache(20_000)
def _time(hour: str) -> datetime:
    return datetime.strptime(hour, "%Y-%m-%dT%H").replace(tzinfo=UTC)
