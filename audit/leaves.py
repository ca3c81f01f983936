"""The database's side of the sequencer: number what is committed, read what is numbered. Set-based SQL only."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, Engine, Insert, and_, exists, func, insert, literal, select, text

from audit.tables import audit_entry, audit_leaf

# A transaction that commits while more than this many later entries are numbered waits for the full search.
SLACK = 2_000
# One number for "the sequencer of this database" among PostgreSQL's advisory locks: "ansim-lg" in ASCII.
_LOCK = 0x616E73696D2D6C67


def number(engine: Engine, *, everywhere: bool, limit: int) -> int:
    """Give committed entries without a place the next leaf indexes, at most `limit`; return how many.

    Late commits with a low position are found because the search begins `SLACK` rows before the newest numbered
    entry; with `everywhere` it begins at the first.
    """
    with engine.connect() as connection:
        floor = _first_waiting(connection, 0 if everywhere else _floor(connection))
        connection.rollback()
    if floor is None:
        return 0
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        return connection.execute(_numbering(floor, limit), execution_options={"preserve_rowcount": True}).rowcount


def count(connection: Connection) -> int:
    """Return how many entries have a place in the tree."""
    last = connection.scalar(select(func.max(audit_leaf.c.leaf_index)))
    return 0 if last is None else last + 1


def waiting(connection: Connection) -> int:
    """Return how many committed entries have no place yet (among the newest; see `SLACK`)."""
    query = select(func.count()).select_from(audit_entry).where(_unplaced(_floor(connection)))
    return connection.scalar(query) or 0


def first_waiting(connection: Connection) -> str | None:
    """Return the id of the first entry without a place (among the newest; see `SLACK`)."""
    query = select(audit_entry.c.id).where(_unplaced(_floor(connection))).order_by(audit_entry.c.position).limit(1)
    found: str | None = connection.scalar(query)
    return found


def entries(connection: Connection, start: int, end: int) -> list[bytes]:
    """Return the bytes of leaves [start, end) in order; fewer when the database has a gap or ends earlier."""
    query = (
        select(audit_leaf.c.leaf_index, audit_entry.c.bytes)
        .join(audit_entry, audit_entry.c.id == audit_leaf.c.entry_id)
        .where(audit_leaf.c.leaf_index >= start, audit_leaf.c.leaf_index < end)
        .order_by(audit_leaf.c.leaf_index)
    )
    rows = connection.execute(query).all()
    return [data for at, (index, data) in enumerate(rows, start) if at == index]


def entry_id(connection: Connection, leaf_index: int) -> str | None:
    """Return the id of the entry with this place; None where there is none."""
    found: str | None = connection.scalar(select(audit_leaf.c.entry_id).where(audit_leaf.c.leaf_index == leaf_index))
    return found


def _floor(connection: Connection) -> int:
    query = (
        select(audit_entry.c.position)
        .join(audit_leaf, audit_leaf.c.entry_id == audit_entry.c.id)
        .order_by(audit_leaf.c.leaf_index.desc())
        .limit(1)
    )
    return (connection.scalar(query) or 0) - SLACK


def _unplaced(floor: int) -> ColumnElement[bool]:
    placed = exists().where(audit_leaf.c.entry_id == audit_entry.c.id)
    return and_(audit_entry.c.position >= floor, ~placed)


def _first_waiting(connection: Connection, floor: int) -> int | None:
    first: int | None = connection.scalar(select(func.min(audit_entry.c.position)).where(_unplaced(floor)))
    return first


def _numbering(floor: int, limit: int) -> Insert:
    chosen = (
        select(audit_entry.c.position, audit_entry.c.id)
        .where(_unplaced(floor))
        .order_by(audit_entry.c.position)
        .limit(limit)
        .subquery()
    )
    last = select(func.coalesce(func.max(audit_leaf.c.leaf_index), literal(-1))).scalar_subquery()
    place = last + func.row_number().over(order_by=chosen.c.position)
    return insert(audit_leaf).from_select(["leaf_index", "entry_id"], select(place, chosen.c.id))
