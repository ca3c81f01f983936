"""Blocks of 256 leaves: when their entries were made and which words are in them. Derived, like the index.

A question about a period or a word is first one about blocks, of which there are 39 thousand in ten million entries.
An index of words by entry would on PostgreSQL read every entry with a common word before it could sort them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import Connection, String, bindparam, cast, delete, func, insert, select, text
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.sql.expression import column, table

from audit.tables import audit_block, audit_index, audit_purge
from audit.wording import Term, words_of

BLOCK = 256
# PostgreSQL takes a megabyte of words; a block with more stands for "look into it" whatever is searched.
_MOST_WORDS = 800_000
_FTS5 = table("audit_block_words", column("rowid"), column("words"))


def length(connection: Connection) -> int:
    """Return how many blocks are written."""
    last = connection.scalar(select(func.max(audit_block.c.block)))
    return (connection.scalar(select(func.max(audit_purge.c.end_leaf))) or 0) // BLOCK if last is None else last + 1


def catch_up(connection: Connection, indexed: int) -> None:
    """Write the blocks that became full, given how many leaves are indexed."""
    start = length(connection)
    if start < indexed // BLOCK:
        _write(connection, list(_made(connection, range(start, indexed // BLOCK))))


def forget(connection: Connection, end: int) -> None:
    """Remove the blocks below block `end`, as long as the index still has the rows of their leaves."""
    if connection.dialect.name == "sqlite":
        first = connection.scalar(select(func.min(audit_block.c.block)).where(audit_block.c.block < end))
        for block, (_, _, words) in _made(connection, range(end if first is None else first, end)):
            removed = {"block": block, "words": " ".join(words)}
            connection.execute(text(_FTS5_DELETE), removed)
    connection.execute(delete(audit_block).where(audit_block.c.block < end))


def empty(connection: Connection) -> None:
    """Remove all blocks."""
    connection.execute(delete(audit_block))
    if connection.dialect.name == "sqlite":
        connection.execute(text("INSERT INTO audit_block_words (audit_block_words) VALUES ('delete-all')"))


def bounds(connection: Connection, *, since: str | None, until: str | None) -> tuple[int, int | None]:
    """Return (first, end) leaves between which all entries of a period lie; an end of None is that of the log.

    The times as entries write them, `since` included, `until` excluded. Entries between may be outside the period.
    """
    first, end = 0, None
    if since is not None:
        found = connection.scalar(select(func.min(audit_block.c.block)).where(audit_block.c.last_at >= since))
        first = (length(connection) if found is None else found) * BLOCK
    if until is not None and not _tail_is_before(connection, until):
        found = connection.scalar(select(func.max(audit_block.c.block)).where(audit_block.c.first_at < until))
        end = 0 if found is None else (found + 1) * BLOCK
    return first, end


def _tail_is_before(connection: Connection, until: str) -> bool:
    """Whether any of the newest leaves, which are in no block yet, was made before a time."""
    tail = audit_index.c.leaf_index >= length(connection) * BLOCK
    oldest = connection.scalar(select(func.min(audit_index.c.at)).where(tail))
    return oldest is not None and oldest < until


def containing(connection: Connection, terms: Sequence[Term], first: int, end: int) -> list[tuple[int, int]]:
    """Return the ranges of leaves [from, to) between `first` and `end` that may hold entries with all terms.

    Newest first, neighbours joined. Leaves that are in no block yet are the first range.
    """
    done = length(connection) * BLOCK
    ranges = [(max(done, first), end)] if max(done, first) < end else []
    for block in _blocks_with(connection, terms, first // BLOCK, (min(end, done) + BLOCK - 1) // BLOCK):
        start, stop = max(block * BLOCK, first), min((block + 1) * BLOCK, end)
        if ranges and ranges[-1][0] == stop:
            ranges[-1] = (start, ranges[-1][1])
        else:
            ranges.append((start, stop))
    return ranges


def _blocks_with(connection: Connection, terms: Sequence[Term], first: int, end: int) -> Iterable[int]:
    """Return the blocks from `first` to before `end` that have all words of the terms, newest first."""
    whole = sorted({word for term in terms for word in term.words})
    begins = sorted({term.begins for term in terms if term.begins})
    if connection.dialect.name == "sqlite":
        asked = " AND ".join([f'"{word}"' for word in whole] + [f'"{word}"*' for word in begins])
        number, found = _FTS5.c.rowid, text("audit_block_words MATCH :asked").bindparams(asked=asked)
        return connection.scalars(select(number).where(found, number >= first, number < end).order_by(number.desc()))
    asked = " & ".join([f"'{word}'" for word in whole] + [f"'{word}':*" for word in begins])
    number, words = audit_block.c.block, audit_block.c.words
    inside = select(number).where(number >= first, number < end)
    with _by_its_index(connection):
        listed = connection.scalars(
            inside.where(words.op("@@")(cast(bindparam("asked", asked, String), TSQUERY)))
        ).all()
    return sorted([*listed, *connection.scalars(inside.where(words.is_(None)))], reverse=True)


@contextmanager
def _by_its_index(connection: Connection) -> Iterator[None]:
    """Have PostgreSQL look into the index of words: it does not know what it costs to fetch a block's words instead."""
    ways = ("enable_seqscan", "enable_indexscan")
    for way in ways:
        connection.execute(select(func.set_config(way, "off", True)))  # noqa: FBT003 - until the transaction ends
    try:
        yield
    finally:
        for way in ways:
            connection.execute(select(func.set_config(way, "on", True)))  # noqa: FBT003 - as above


def _made(connection: Connection, blocks: range) -> Iterable[tuple[int, tuple[str, str, list[str]]]]:
    """Yield (block, (first time, last time, words)) from the index, which has all their leaves."""
    for block in blocks:
        inside = audit_index.c.leaf_index.between(block * BLOCK, (block + 1) * BLOCK - 1)
        rows = connection.execute(select(audit_index.c.at, audit_index.c.words).where(inside)).all()
        # Most lines of a block are the same: actors, actions, projects.
        words = {word for line in {line for row in rows for line in row.words.split("\n")} for word in words_of(line)}
        times = [row.at for row in rows] or [""]
        yield block, (min(times), max(times), sorted(words))


def _write(connection: Connection, made: Sequence[tuple[int, tuple[str, str, list[str]]]]) -> None:
    on_sqlite = connection.dialect.name == "sqlite"
    rows: list[dict[str, object]] = []
    for block, (first_at, last_at, words) in made:
        stored: str | None = "" if on_sqlite else " ".join(f"'{word}'" for word in words)
        if stored is not None and len(stored.encode()) > _MOST_WORDS:
            stored = None
        rows.append({"block": block, "first_at": first_at, "last_at": last_at, "words": stored})
    connection.execute(insert(audit_block), rows)
    if on_sqlite:
        connection.execute(
            text("INSERT INTO audit_block_words (rowid, words) VALUES (:block, :words)"),
            [{"block": block, "words": " ".join(words)} for block, (_, _, words) in made],
        )


_FTS5_DELETE = "INSERT INTO audit_block_words (audit_block_words, rowid, words) VALUES ('delete', :block, :words)"
