"""What people search: one row per published entry, derived from its bytes and refillable at any time.

With each batch of rows go the blocks that became full (`audit.blocks`) and the counts by hour (`audit.hours`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, Engine, delete, func, insert, select

from audit import blocks, hours, leaves
from audit.canonical import MAX_INTEGER
from audit.errors import LogConflictError, Text
from audit.tables import LOOKED_FOR, SEARCHED, audit_index, audit_leaf, audit_purge
from audit.wording import stored_words

_BATCH = 5_000
# The action shown for bytes that someone put into the table past the outbox and that are no entry.
UNREADABLE = "log.unreadable"
_TIME = re.compile(r"2\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
# Five of these, of four bytes a character, are less than the 2,704 bytes of a key in PostgreSQL's indexes.
_LONGEST_KEY = 130
_KEYS = frozenset({*LOOKED_FOR, "actor_role", "object_kind", "subjects_kind", "observer"})


def length(connection: Connection) -> int:
    """Return how many leaves the index covers."""
    last = connection.scalar(select(func.max(audit_index.c.leaf_index)))
    # Of entries that gave up their bytes nothing can be derived again.
    return (connection.scalar(select(func.max(audit_purge.c.end_leaf))) or 0) if last is None else last + 1


def catch_up(engine: Engine, size: int, *, most: int | None = None) -> bool:
    """Fill the index up to `size` leaves, in short transactions; raise `LogConflictError` at a missing leaf.

    With `most` it stops after so many leaves, and goes on when it is called again. Return whether some are left.
    """
    added = 0
    while most is None or added < most:
        # Reading and writing apart: SQLite refuses at once to turn an old reading transaction into a writing one.
        with engine.connect() as connection:
            start = length(connection)
            if start >= size:
                return False
            rows = _rows(connection, start, min(start + min(_BATCH, most or _BATCH), size))
            connection.rollback()
        with engine.begin() as connection:
            _add(connection, rows, start)
        added += len(rows)
    return start + len(rows) < size


def _add(connection: Connection, rows: Sequence[Mapping[str, object]], start: int) -> None:
    connection.execute(insert(audit_index), rows)
    hours.add(connection, rows)
    blocks.catch_up(connection, start + len(rows))


def rebuild(engine: Engine, size: int) -> None:
    """Throw the index away and derive it again for the first `size` leaves."""
    with engine.begin() as connection:
        connection.execute(delete(audit_index))
        hours.empty(connection)
        blocks.empty(connection)
    catch_up(engine, size)


def forget(connection: Connection, end: int) -> None:
    """Remove what is derived of the leaves below `end`, a multiple of 256, in the caller's transaction.

    The newest leaf must remain: it says how far the index reaches.
    """
    if end % blocks.BLOCK or end >= length(connection):
        raise LogConflictError("audit.forget", _cannot_forget(end))
    column = audit_index.c
    first = connection.scalar(select(func.min(column.leaf_index))) or 0
    blocks.forget(connection, end // blocks.BLOCK)
    for start in range(first, end, _BATCH):
        chosen = column.leaf_index.between(start, min(start + _BATCH, end) - 1)
        query = select(column.at, column.project, column.actor, column.action, column.outcome).where(chosen)
        hours.add(connection, [dict(row) for row in connection.execute(query).mappings()], sign=-1)
        connection.execute(delete(audit_index).where(chosen))


def _rows(connection: Connection, start: int, end: int) -> list[dict[str, object]]:
    """Derive the rows of leaves [start, end); raise `LogConflictError` (`audit.leaf-missing`) at a gap."""
    data = leaves.entries(connection, start, end)
    if not data:
        raise LogConflictError("audit.leaf-missing", _missing(start))
    query = select(audit_leaf.c.leaf_index, audit_leaf.c.entry_id)
    query = query.where(audit_leaf.c.leaf_index >= start, audit_leaf.c.leaf_index < end)
    ids: dict[int, str] = {row.leaf_index: row.entry_id for row in connection.execute(query)}
    return [row(index, ids[index], entry) for index, entry in enumerate(data, start)]


def row(index: int, entry_id: str, data: bytes) -> dict[str, object]:
    """Return the row of one entry, by column."""
    record = _record(data)
    actor, origin, thing, reason, subjects = (_group(record, name) for name in _GROUPS)
    made: dict[str, object] = {"leaf_index": index, "entry_id": entry_id}
    made |= {name: _text(record, name) for name in ("action", "outcome", "project", "observer")}
    made["at"] = _time(_text(record, "at"))
    made |= {"actor": _text(actor, "id"), "actor_role": _text(actor, "role")}
    made |= {"object_kind": _text(thing, "kind"), "object_id": _text(thing, "id")}
    made |= {"from_ip": _text(origin, "ip"), "session": _text(origin, "session")}
    made |= {"reason_code": _text(reason, "code"), "reason_text": _text(reason, "text")}
    count = subjects.get("count")
    known = type(count) is int and 0 <= count <= MAX_INTEGER
    made |= {"subjects_count": count if known else 0, "subjects_kind": _text(subjects, "kind")}
    made["words"] = _words(made, record)
    # Whoever may insert can write what no index takes; one such row would keep all later ones out of it.
    return made | {name: str(value)[:_LONGEST_KEY] for name, value in made.items() if name in _KEYS}


def _record(data: bytes) -> dict[str, object]:
    # Not `canonical.decode`: what is merely not canonical is searchable all the same, and this is twice as fast.
    try:
        record = json.loads(data)
    except (ValueError, RecursionError):
        record = None
    return record if isinstance(record, dict) else {"action": UNREADABLE}


_GROUPS = ("actor", "from", "object", "reason", "subjects")


def _words(row: Mapping[str, object], record: Mapping[str, object]) -> str:
    words = [str(row[name]) for name in (*SEARCHED, "reason_text")] + [
        _text(record, "rule"),
        _text(_group(record, "object"), "sha256"),
    ]
    # Numbers say nothing to who searches for words; an entry is found by its id itself.
    words += [value for value in _group(record, "details").values() if isinstance(value, str)]
    return stored_words(_storable("\n".join(word for word in words if word)))


def _group(record: Mapping[str, object], name: str) -> Mapping[str, object]:
    value = record.get(name)
    return value if isinstance(value, dict) else {}


def _text(record: Mapping[str, object], name: str) -> str:
    value = record.get(name)
    return _storable(value) if isinstance(value, str) else ""


def _time(text: str) -> str:
    """Return a time in the one form that entries write, of this millennium; empty for what pages cannot show."""
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return ""
    return text if _TIME.fullmatch(text) else ""


def _storable(text: str) -> str:
    """Return a text that both databases take: JSON can spell a zero character and halves of characters."""
    return text if text.isascii() and "\0" not in text else _UNSTORABLE.sub("\ufffd", text)


def _missing(index: int) -> Text:
    return Text(
        f"데이터베이스에 {index}번 기록이 없습니다.",
        f"The database has no leaf {index}.",
        "로그 폴더와 데이터베이스를 그대로 보존하고 감사 담당자에게 알리세요.",
        "Keep log folder and database as they are and tell the auditor.",
    )


def _cannot_forget(end: int) -> Text:
    return Text(
        f"색인에서 {end}번 앞까지 지울 수 없습니다.",
        f"The index cannot forget what is before leaf {end}.",
        "256의 배수이면서 마지막 순번보다 작은 수를 주세요.",
        "Give a multiple of 256 that is below the newest leaf.",
    )
