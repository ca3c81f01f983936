"""Entries whose time of keeping is over give up their bytes: whole bundles, from the first on, by a recorded order.

The order is an entry of the log (`ORDER`) and a row of `audit_purge` in one transaction, by whoever keeps the machine.
The sequencer carries it out once that entry is published: the rows keep their ids and places and lose their bytes,
what was derived of them goes, then their bundles. Hash tiles stay, so root, checkpoints and every other proof stay
what they were. Each step can be killed and done again. Nothing here reads the clock; the age is asked by `check_age`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, func, insert, select, update

from audit import durable, index
from audit.errors import LogConflictError, Text
from audit.folder import first_kept
from audit.outbox import taken_at
from audit.purgecheck import LEAST_YEARS, years_before
from audit.tables import HUSK, audit_entry, audit_index, audit_leaf, audit_purge
from audit.tiles import ENTRIES, WIDTH, Tile

_BATCH = 5_000


def ordered(connection: Connection) -> int:
    """Return below which leaf all entries were ordered to go; 0 where none were."""
    return connection.scalar(select(func.max(audit_purge.c.end_leaf))) or 0


def check_age(connection: Connection, end: int, *, now: datetime) -> None:
    """Raise `LogConflictError` (`audit.purge-young`) if any entry up to leaf `end` is younger than two years.

    By what the entry says and by the moment its id was drawn, whichever is later. `now` is aware. The entry at `end`
    stays; a verifier, who has no others left, reads from it how old those before it were (`audit.purgecheck`).
    """
    limit = years_before(now.astimezone(UTC), LEAST_YEARS)
    start = ordered(connection)
    column = audit_index.c
    said = connection.scalar(select(func.max(column.at)).where(column.leaf_index.between(start, end)))
    place = audit_leaf.c
    drawn = connection.scalar(select(func.max(place.entry_id)).where(place.leaf_index.between(start, end)))
    if said is None or said > limit.strftime("%Y-%m-%dT%H:%M:%S.%fZ") or taken_at(drawn or "") > limit:
        raise LogConflictError("audit.purge-young", _young(end))


def order(connection: Connection, end: int, entry_id: str, *, size: int, now: datetime) -> None:
    """Order, in the caller's transaction, that all entries below leaf `end` give up their bytes.

    `entry_id`: the entry (`ORDER`, `details.end`) of the same transaction; `size`: how many entries are published.
    Raises `LogConflictError`: `audit.purge-range` (not a multiple of 256, not further than before, more than is
    published), `audit.purge-young`.
    """
    if end % WIDTH or not ordered(connection) < end <= size:
        raise LogConflictError("audit.purge-range", _range(end, size))
    check_age(connection, end, now=now)
    connection.execute(insert(audit_purge), {"end_leaf": end, "entry_id": entry_id})


def carry_out(engine: Engine, folder: Path, size: int) -> int:
    """Do what was ordered and is not done yet, as the owner of the log folder; return how many bundles went.

    Waits (0) for the ordering entry to be among the `size` published ones: until then the folder would look damaged.
    """
    with engine.connect() as connection:
        end, published = _order(connection, size)
        connection.rollback()
    if not published:
        return 0
    kept = first_kept(folder, size)
    if kept * WIDTH >= end or not _empty_rows(engine, kept * WIDTH, end):
        return 0
    # In this order: whatever is left at any moment is a suffix of the log.
    gone = list(_bundles(folder, kept, end // WIDTH))
    durable.remove(folder, gone)
    return len(gone)


def _order(connection: Connection, size: int) -> tuple[int, bool]:
    query = (
        select(audit_purge.c.end_leaf, audit_leaf.c.leaf_index)
        .outerjoin(audit_leaf, audit_leaf.c.entry_id == audit_purge.c.entry_id)
        .order_by(audit_purge.c.end_leaf.desc())
        .limit(1)
    )
    found = connection.execute(query).first()
    return (0, False) if found is None else (found[0], found[1] is not None and found[1] < size)


def _empty_rows(engine: Engine, start: int, end: int) -> bool:
    """Take the bytes of leaves [start, end) and what is derived of them; False while the index is being made anew."""
    with engine.connect() as connection:
        reached = index.length(connection)
        first = connection.scalar(select(func.min(audit_index.c.leaf_index)))
        connection.rollback()
    if first is not None and reached <= end:
        return False
    for at in range(start, end, _BATCH):
        chosen = audit_leaf.c.leaf_index.between(at, min(at + _BATCH, end) - 1)
        ids = select(audit_leaf.c.entry_id).where(chosen)
        full = audit_entry.c.bytes != HUSK
        with engine.begin() as connection:
            connection.execute(update(audit_entry).where(audit_entry.c.id.in_(ids), full).values(bytes=HUSK))
    if first is not None and first < end:
        with engine.begin() as connection:
            index.forget(connection, end)
    return True


def _bundles(folder: Path, first: int, end: int) -> Iterator[Path]:
    for number in range(first, end):
        path = folder / Tile(ENTRIES, number, WIDTH).path
        partial = path.with_name(path.name + ".p")
        if partial.is_dir():
            yield from sorted(partial.iterdir())
        if path.exists():
            yield path


def _young(end: int) -> Text:
    return Text(
        f"{end}번보다 앞선 기록 가운데 {LEAST_YEARS}년이 지나지 않은 것이 있습니다. 아무것도 지우지 않았습니다.",
        f"Among the entries before leaf {end} are some younger than {LEAST_YEARS} years. Nothing was removed.",
        "설정과 관계없이 2년은 보관해야 합니다. 더 이른 기간까지만 파기하세요.",
        "They are kept two years whatever is configured. Purge up to an earlier period.",
    )


def _range(end: int, size: int) -> Text:
    return Text(
        f"기록 {size:,}건인 로그에서 {end}번 앞까지 파기할 수 없습니다.",
        f"A log of {size:,} entries cannot be purged up to leaf {end}.",
        "앞선 파기보다 뒤이고 게시된 기록을 넘지 않는 256의 배수를 주세요.",
        "Give a multiple of 256 beyond the last purge, of what is published.",
    )
