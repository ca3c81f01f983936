"""What people search: one row per published entry, derived from its bytes and refillable at any time."""

from __future__ import annotations

import json
from collections.abc import Mapping

from sqlalchemy import Connection, Engine, delete, func, insert, select

from audit import leaves
from audit.errors import LogConflictError, Text
from audit.tables import audit_index, audit_leaf

_BATCH = 5_000
# The action shown for bytes that someone put into the table past the outbox and that are no entry.
UNREADABLE = "log.unreadable"


def length(connection: Connection) -> int:
    """Return how many leaves the index covers."""
    last = connection.scalar(select(func.max(audit_index.c.leaf_index)))
    return 0 if last is None else last + 1


def catch_up(engine: Engine, size: int) -> None:
    """Fill the index up to `size` leaves, in short transactions; raise `LogConflictError` at a missing leaf."""
    while True:
        # Reading and writing apart: SQLite refuses at once to turn an old reading transaction into a writing one.
        with engine.connect() as connection:
            start = length(connection)
            if start >= size:
                return
            rows = _rows(connection, start, min(start + _BATCH, size))
            connection.rollback()
        with engine.begin() as connection:
            connection.execute(insert(audit_index), rows)


def rebuild(engine: Engine, size: int) -> None:
    """Throw the index away and derive it again for the first `size` leaves."""
    with engine.begin() as connection:
        connection.execute(delete(audit_index))
    catch_up(engine, size)


def _rows(connection: Connection, start: int, end: int) -> list[dict[str, object]]:
    """Derive the rows of leaves [start, end); raise `LogConflictError` (`audit.leaf-missing`) at a gap."""
    data = leaves.entries(connection, start, end)
    if not data:
        raise LogConflictError("audit.leaf-missing", _missing(start))
    query = select(audit_leaf.c.leaf_index, audit_leaf.c.entry_id)
    query = query.where(audit_leaf.c.leaf_index >= start, audit_leaf.c.leaf_index < end)
    ids: dict[int, str] = {row.leaf_index: row.entry_id for row in connection.execute(query)}
    return [_row(index, ids[index], entry) for index, entry in enumerate(data, start)]


def _row(index: int, entry_id: str, data: bytes) -> dict[str, object]:
    record = _record(data)
    actor, origin, thing, reason, subjects = (_group(record, name) for name in _GROUPS)
    row: dict[str, object] = {"leaf_index": index, "entry_id": entry_id}
    row |= {name: _text(record, name) for name in ("at", "action", "outcome", "project", "observer")}
    row |= {"actor": _text(actor, "id"), "actor_role": _text(actor, "role")}
    row |= {"object_kind": _text(thing, "kind"), "object_id": _text(thing, "id")}
    row |= {"from_ip": _text(origin, "ip"), "session": _text(origin, "session")}
    row |= {"reason_code": _text(reason, "code"), "reason_text": _text(reason, "text")}
    count = subjects.get("count")
    row |= {"subjects_count": count if isinstance(count, int) else 0, "subjects_kind": _text(subjects, "kind")}
    row["words"] = _words(row, record)
    return row


def _record(data: bytes) -> dict[str, object]:
    # Not `canonical.decode`: what is merely not canonical is searchable all the same, and this is twice as fast.
    try:
        record = json.loads(data)
    except (ValueError, RecursionError):
        record = None
    return record if isinstance(record, dict) else {"action": UNREADABLE}


_GROUPS = ("actor", "from", "object", "reason", "subjects")
_SEARCHED = ("entry_id", "actor", "action", "project", "object_id", "from_ip", "reason_code", "reason_text")


def _words(row: Mapping[str, object], record: Mapping[str, object]) -> str:
    words = [str(row[name]) for name in _SEARCHED] + [_text(record, "rule")]
    words += [str(value) for value in _group(record, "details").values()]
    return "\n".join(word for word in words if word).lower()


def _group(record: Mapping[str, object], name: str) -> Mapping[str, object]:
    value = record.get(name)
    return value if isinstance(value, dict) else {}


def _text(record: Mapping[str, object], name: str) -> str:
    value = record.get(name)
    return value if isinstance(value, str) else ""


def _missing(index: int) -> Text:
    return Text(
        f"데이터베이스에 {index}번 기록이 없습니다.",
        f"The database has no leaf {index}.",
        "로그 폴더와 데이터베이스를 그대로 보존하고 감사 담당자에게 알리세요.",
        "Keep log folder and database as they are and tell the auditor.",
    )
