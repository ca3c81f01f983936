"""How a search reads the index: by the condition that leaves least, newest leaf first, and never all of it.

Every field that people look for has an index of (field, leaf), so one condition alone costs a page. Of several the
one with the fewest entries leads and the others are looked at on the way; words are first looked for by block. The
databases' planners decide this worse: SQLite knows no values without ANALYZE, PostgreSQL reads backwards from the
newest entry for what ended years ago.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select, union_all

from audit import blocks
from audit.tables import LOOKED_FOR, SEARCHED, audit_index
from audit.wording import Term, stored_words, words_of

# Entries counted to find the condition that leaves least: few first, more when that does not tell.
_COUNTED = (2_000, 50_000)
# Ranges of leaves, and leaves in them, that one statement reads together.
_RANGES, _LEAVES = 32, 10_000
_LEAF = audit_index.c.leaf_index
_LAST = _LEAF.desc()
_COLUMNS = audit_index.c


@dataclass(frozen=True, slots=True)
class Asked:
    """What is looked for between two leaves (`first` included, `end` excluded): all of these conditions.

    `any_of`: for each of the columns of `LOOKED_FOR` that count, the values of which one must be there.
    """

    first: int
    end: int
    any_of: Mapping[str, Sequence[str]]
    others: Sequence[ColumnElement[bool]]
    terms: Sequence[Term]


def read(connection: Connection, asked: Asked, columns: Sequence[Any], limit: int) -> list[Sequence[Any]]:
    """Return up to `limit` rows with these columns, newest first."""
    if asked.first >= asked.end or not all(asked.any_of.values()):
        return []
    asked = _narrowed(connection, asked)
    leader, few = _leader(connection, asked)
    if asked.terms and not few:
        return _by_words(connection, asked, columns, limit)
    return _by_field(connection, asked, leader, columns, limit)


def _narrowed(connection: Connection, asked: Asked) -> Asked:
    """Return the same between the first and the last leaf of each condition: what ended long ago is found there."""
    if len(asked.any_of) + len(asked.terms) < 2:  # noqa: PLR2004 - one alone is in an index of its own
        return asked
    first, end = asked.first, asked.end
    for name, values in asked.any_of.items():
        ends = [connection.scalar(_end_of(name, value, first, end, way)) for value in values for way in (_LEAF, _LAST)]
        there = [leaf for leaf in ends if leaf is not None]
        if not there:
            return replace(asked, end=first)
        first, end = min(there), max(there) + 1
    return replace(asked, first=first, end=end)


def _end_of(name: str, value: str, first: int, end: int, way: ColumnElement[Any]) -> Select[Any]:
    query = select(_LEAF).where(_of(name, [value]), _between(first, end)).order_by(way).limit(1)
    return _indexed(query, name)


def _leader(connection: Connection, asked: Asked) -> tuple[str | None, bool]:
    """Return the column to read by, if there is one, and whether it leaves so few that words need no index."""
    names = [name for name in LOOKED_FOR if name in asked.any_of]
    if len(names) <= 1 and not asked.terms:
        return next(iter(names), None), False
    for most in _COUNTED:
        found = {name: _count(connection, asked, name, most) for name in names}
        leader = min(found, key=lambda name: found[name], default=None)
        if leader is None or found[leader] < most:
            return leader, leader is not None
    return leader, False


def _count(connection: Connection, asked: Asked, name: str, most: int) -> int:
    matching = _of(name, asked.any_of[name])
    query = select(_LEAF).where(matching, _between(asked.first, asked.end)).limit(most)
    inner = _indexed(query, name).subquery()
    return connection.scalar(select(func.count()).select_from(inner)) or 0


def _by_field(
    connection: Connection, asked: Asked, leader: str | None, columns: Sequence[Any], limit: int
) -> list[Sequence[Any]]:
    conditions = [*_conditions(asked, but=leader), _between(asked.first, asked.end)]
    if leader is None:
        return list(connection.execute(_newest(columns, conditions, limit)))
    queries = [
        _indexed(_newest(columns, [_of(leader, [value]), *conditions], limit), leader) for value in asked.any_of[leader]
    ]
    if len(queries) == 1:
        return list(connection.execute(queries[0]))
    # One of many values is no range of an index in leaf order: a page of each, and the newest of those.
    parts = union_all(*(select(query.subquery()) for query in queries)).subquery()
    return list(connection.execute(select(parts).order_by(parts.c.leaf_index.desc()).limit(limit)))


def _by_words(connection: Connection, asked: Asked, columns: Sequence[Any], limit: int) -> list[Sequence[Any]]:
    found: list[Sequence[Any]] = []
    conditions = _conditions(asked)
    terms = [*asked.terms, *(_of_block(values[0]) for name, values in asked.any_of.items() if _is_word(name, values))]
    for ranges in _portions(connection, blocks.containing(connection, terms, asked.first, asked.end)):
        inside = or_(*(_between(first, end) for first, end in ranges))
        query = _newest(columns, [inside, *conditions], limit - len(found))
        found += connection.execute(query.with_hint(audit_index, "NOT INDEXED", "sqlite"))
        if len(found) >= limit:
            break
    return found


def _portions(connection: Connection, ranges: Sequence[tuple[int, int]]) -> Iterator[Sequence[tuple[int, int]]]:
    """Yield the ranges that one statement asks for: on PostgreSQL some short ones together, a long one by itself.

    SQLite has no way to wait for; asked for several at once, it reads everything between them.
    """
    most = 1 if connection.dialect.name == "sqlite" else _RANGES
    portion: list[tuple[int, int]] = []
    for first, end in ranges:
        if portion and (len(portion) == most or sum(stop - start for start, stop in portion) + end - first > _LEAVES):
            yield portion
            portion = []
        portion.append((first, end))
    if portion:
        yield portion


def _is_word(name: str, values: Sequence[str]) -> bool:
    return len(values) == 1 and name in SEARCHED


def _of_block(value: str) -> Term:
    """Return what a block has that holds an entry with this value in a searched field."""
    return Term("", frozenset(words_of(stored_words(value))), None)


def _newest(columns: Sequence[Any], conditions: Sequence[ColumnElement[bool]], limit: int) -> Select[Any]:
    return select(*columns).where(*conditions).order_by(_LEAF.desc()).limit(limit)


def _indexed(query: Select[Any], name: str) -> Select[Any]:
    return query.with_hint(audit_index, f"INDEXED BY audit_index_{name}", "sqlite")


def _conditions(asked: Asked, *, but: str | None = None) -> list[ColumnElement[bool]]:
    fields = [_COLUMNS[name].in_(values) for name, values in asked.any_of.items() if name != but]
    words = [_COLUMNS.words.contains(term.stored, autoescape=True) for term in asked.terms]
    return [*fields, *asked.others, *words]


def _of(name: str, values: Sequence[str]) -> ColumnElement[bool]:
    # The second half is what a partial index promises of its rows.
    return and_(_COLUMNS[name].in_(values) if len(values) > 1 else _COLUMNS[name] == values[0], _COLUMNS[name] != "")


def _between(first: int, end: int) -> ColumnElement[bool]:
    return and_(first <= _LEAF, end > _LEAF)
