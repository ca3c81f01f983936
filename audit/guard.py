"""No audit entry, no commit: a transaction that changed data without an entry is rolled back and refused.

Auditing by ORM hook misses bulk and raw SQL, so the transaction is guarded, not the object. What changed is asked
of the database itself at commit: SQLite counts changed rows per connection, PostgreSQL shows the locks a write
leaves until its end. Rows of the log's own tables do not count, nor does creating tables.

Not seen: a DBAPI connection that someone takes out of the pool and commits by hand.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, event

from audit.errors import Text, UnauditedError
from audit.outbox import APPENDED
from audit.tables import ALL_TABLES, FTS5_TABLES

_BASELINE = "audit.changes-at-begin"
_EMPTIES = "audit.empties"
_KEEPS = "audit.keeps"
_BEFORE = "audit.changes-before-statement"


class _Kind(NamedTuple):
    """What a statement's text says; only what the database itself will not tell at commit is read from it."""

    # Rows of the log's own tables.
    own: bool
    # Changes that no row counter sees.
    empties: bool
    creates: bool
    # A commit of its own, past the one that is guarded.
    commits: bool
    # On SQLite: must not, or need not, start a transaction of ours.
    outside: bool


def _pattern(words: str) -> re.Pattern[str]:
    comment = r"(?:\s|--[^\n]*\n|/\*.*?\*/)*"
    return re.compile(words.replace("~", comment), re.IGNORECASE | re.DOTALL)


# SQLite counts rows of the tables that FTS5 makes for itself, with those of the table it stands for.
_NAMES = "|".join((*ALL_TABLES, FTS5_TABLES[0]))
_OWN = _pattern(rf"~(?:INSERT\s+INTO|DELETE\s+FROM|UPDATE|CREATE\s+VIRTUAL\s+TABLE)\s+\"?(?:{_NAMES})\"?\b")
_EMPTYING = _pattern(r"(?:^|;)~(?:DROP|ALTER|TRUNCATE)\b")
_CREATING = _pattern(r"~CREATE\b")
_COMMITTING = _pattern(r"(?:^|;)~(?:COMMIT\b|PREPARE\s+TRANSACTION\b|END\s*(?:TRANSACTION\b|WORK\b|;|$))")
# The bodies of functions and triggers hold `; END` of their own.
_WITH_BODY = _pattern(r"~(?:CREATE|DO)\b")
_OUTSIDE = _pattern(r"~(?:SELECT|VALUES|BEGIN|ROLLBACK|PRAGMA|VACUUM|ATTACH|DETACH|EXPLAIN)\b")


@lru_cache(2_000)
def _kind(statement: str) -> _Kind:
    return _Kind(
        own=bool(_OWN.match(statement)),
        empties=bool(_EMPTYING.search(statement)),
        creates=bool(_CREATING.match(statement)),
        commits=bool(_COMMITTING.search(statement)) and not _WITH_BODY.match(statement),
        outside=bool(_OUTSIDE.match(statement)),
    )


# Tables, not created in this transaction, on which it holds the lock of a row change or of TRUNCATE, ALTER, DROP
# (what was dropped is no longer in pg_class).
_POSTGRESQL_CHANGED = """
SELECT DISTINCT coalesce(c.relname, '(dropped)') FROM pg_locks l LEFT JOIN pg_class c ON c.oid = l.relation
WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation' AND l.granted
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND l.mode IN ('RowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
  AND pg_current_xact_id_if_assigned() IS NOT NULL
  AND (c.oid IS NULL OR (c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
    AND c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
    AND NOT c.relname = ANY (%s)
    AND NOT EXISTS (SELECT 1 FROM pg_type t
                    WHERE t.oid = c.reltype AND t.xmin = pg_current_xact_id_if_assigned()::xid)))
ORDER BY 1
"""


# By whether the database is SQLite: each driver has its own placeholder.
_IS_THERE = {True: "SELECT 1 FROM audit_entry WHERE id = ?", False: "SELECT 1 FROM audit_entry WHERE id = %s"}


def install(engine: Engine) -> None:
    """Refuse, from now on, every commit on `engine` that changed data without `outbox.append` in it.

    The refused transaction is rolled back before `UnauditedError` (`audit.unaudited`) is raised. Autocommit and
    two-phase connections and a COMMIT in SQL are refused as well (`audit.no-transaction`): no guard stands there.
    """
    event.listen(engine, "begin", _begin)
    event.listen(engine, "begin_twophase", _refuse_two_phase)
    event.listen(engine, "before_cursor_execute", _before_statement)
    event.listen(engine, "after_cursor_execute", _after_statement)
    event.listen(engine, "commit", _refuse_unaudited)


def _begin(connection: Connection) -> None:
    info = connection.info
    info[APPENDED] = []
    info[_EMPTIES] = info[_KEEPS] = False
    if _is_sqlite(connection):
        info[_BASELINE] = _driver(connection).total_changes
    if connection.get_execution_options().get("isolation_level") == "AUTOCOMMIT" or _is_autocommit(connection):
        raise UnauditedError("audit.no-transaction", _NO_TRANSACTION)


def _refuse_two_phase(*_given: object) -> None:
    raise UnauditedError("audit.no-transaction", _NO_TRANSACTION)


def _is_autocommit(connection: Connection) -> bool:
    return getattr(_driver(connection), "autocommit", False) is True


def _before_statement(connection: Connection, _cursor: object, statement: str, *_rest: object) -> None:
    kind = _kind(statement)
    if kind.commits:
        _driver(connection).rollback()
        raise UnauditedError("audit.no-transaction", _NO_TRANSACTION)
    if kind.empties:
        connection.info[_EMPTIES] = True
    if not _is_sqlite(connection):
        return
    driver = _driver(connection)
    # Python's sqlite3 opens a transaction only before a statement that begins with INSERT, UPDATE, DELETE or
    # REPLACE: `WITH … UPDATE`, DDL and an outermost SAVEPOINT would be durable before any commit could be refused.
    if not kind.outside and not driver.in_transaction:
        driver.execute("BEGIN")
    if kind.own:
        connection.info[_BEFORE] = driver.total_changes
    if kind.own or kind.creates:
        connection.info[_KEEPS] = True


def _after_statement(connection: Connection, _cursor: object, statement: str, *_rest: object) -> None:
    if _kind(statement).own and _is_sqlite(connection):
        info = connection.info
        # Rows of the log's own tables are not the domain's: move the baseline up by them.
        info[_BASELINE] += _driver(connection).total_changes - info[_BEFORE]


def _refuse_unaudited(connection: Connection) -> None:
    try:
        changed = _unaudited_change(connection)
    except BaseException:  # whatever stopped the question, these rows must not stay open in the pool
        _driver(connection).rollback()
        raise
    if changed:
        # Raising alone leaves the DBAPI transaction open in the pool; the next commit on that pooled connection
        # would make these rows durable.
        _driver(connection).rollback()
        raise UnauditedError("audit.unaudited", _unaudited(changed))


def _unaudited_change(connection: Connection) -> str:
    """Say what was changed without an entry; empty when nothing was, or when an entry is there."""
    appended = connection.info.get(APPENDED)
    if appended and _is_present(connection, appended):
        return ""
    if connection.info.get(_EMPTIES):
        return "DROP/ALTER/TRUNCATE"
    if _is_sqlite(connection):
        return _change_on_sqlite(connection)
    cursor = _driver(connection).execute(_POSTGRESQL_CHANGED, (list(ALL_TABLES),))
    return ", ".join(name for (name,) in cursor.fetchall())


def _change_on_sqlite(connection: Connection) -> str:
    driver = _driver(connection)
    rows = driver.total_changes - connection.info.get(_BASELINE, 0)
    if rows:
        return f"{rows} rows"
    if not connection.info.get(_KEEPS):
        # Nothing we know of is worth a commit. What the counter does not show (rows whose RETURNING was not
        # fetched, DDL by a raw cursor) ends here.
        driver.rollback()
    return ""


def _is_present(connection: Connection, appended: list[str]) -> bool:
    # An entry appended in a savepoint that was rolled back is gone, and so is one before a raw ROLLBACK.
    # Asked of the driver: compiling a statement here would cost every audited commit a quarter of a millisecond.
    question = _IS_THERE[_is_sqlite(connection)]
    driver = _driver(connection)
    return any(driver.execute(question, (entry_id,)).fetchone() for entry_id in appended)


def _is_sqlite(connection: Connection) -> bool:
    return connection.dialect.name == "sqlite"


def _driver(connection: Connection) -> Any:
    return connection.connection.dbapi_connection


def _unaudited(changed: str) -> Text:
    return Text(
        f"기록 없이 데이터를 바꾸려 했습니다({changed}). 변경은 모두 취소되었습니다.",
        f"Data was changed without an audit entry ({changed}). Everything was rolled back.",
        "같은 트랜잭션에서 audit.outbox.append 를 부르세요.",
        "Call audit.outbox.append in the same transaction.",
    )


_NO_TRANSACTION = Text(
    "감사 대상 데이터베이스에서는 자동 커밋, 2단계 커밋, SQL로 쓴 COMMIT을 쓸 수 없습니다.",
    "A guarded database takes no autocommit, no two-phase connections and no COMMIT in SQL.",
    "보통의 트랜잭션과 connection.commit() 을 쓰세요.",
    "Use an ordinary transaction and connection.commit().",
)
