"""Bringing a database to the tables this version of the code expects (`ansim db upgrade`).

Runs without the log's guard: a migration is an act of whoever holds the machine, not of a command. The log's own
tables are made by `audit.tables`, which also puts the triggers on them that keep them append-only.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from audit import tables as audit_tables
from enclave.errors import Conflict, Unavailable
from enclave.store import open_engine, writable


def is_ours(_object: object, name: str | None, kind: str, *_: object) -> bool:
    """Return whether a migration speaks of this table: ours, not the log's."""
    return kind != "table" or name not in {*audit_tables.ALL_TABLES, *audit_tables.FTS5_TABLES}


def upgrade(url: str, then: Iterable[str] = ()) -> str:
    """Bring the database to the newest version and return it; doing it twice changes nothing.

    `then`: statements that belong to it, in the same transaction (what the installation's roles may do with it).
    Raises `Unavailable` (`db.upgrade`) when the database cannot be reached or changed, `Conflict` (`db.newer`) when
    a later version of the code has changed it already; then nothing was changed.
    """
    engine = open_engine(url)
    try:
        with writable(engine).begin() as connection:
            _refuse_newer(current(connection))
            _make_log_tables(connection)
            command.upgrade(config(connection), "head")
            for statement in then:
                connection.exec_driver_sql(statement)
            return current(connection) or ""
    except DBAPIError as error:
        said = getattr(getattr(error.orig, "diag", None), "message_primary", None) or type(error.orig).__name__
        raise Unavailable(
            "db.upgrade",
            ko=f"데이터베이스를 준비하지 못했습니다: {said}",
            en=f"The database could not be prepared: {said}",
            remedy_ko="주소와 권한, 남은 디스크를 확인한 뒤 다시 실행하세요. 바뀐 것은 없습니다.",
            remedy_en="Check its address, rights and free disk, then run it again. Nothing was changed.",
        ) from error
    finally:
        engine.dispose()


def config(connection: Connection) -> Config:
    """Return Alembic's settings: the scripts beside this file, on this connection."""
    made = _scripts()
    made.attributes["connection"] = connection
    return made


def current(connection: Connection) -> str | None:
    """Return the version the database is at; None for an empty one."""
    return MigrationContext.configure(connection).get_current_revision()


def newest() -> str:
    """Return the version this code expects."""
    return ScriptDirectory.from_config(_scripts()).get_current_head() or ""


def _scripts() -> Config:
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent))
    return made


def _refuse_newer(found: str | None) -> None:
    if found is None:
        return
    if found not in {script.revision for script in ScriptDirectory.from_config(_scripts()).walk_revisions()}:
        raise Conflict(
            "db.newer",
            ko=f"데이터베이스가 이 프로그램보다 새롭습니다: 데이터베이스 {found}, 프로그램 {newest()}",
            en=f"The database is newer than this program: database {found}, program {newest()}",
            remedy_ko="더 새 판의 Ansim으로 실행하거나, 다른 ANSIM_HOME을 쓰세요. 바뀐 것은 없습니다.",
            remedy_en="Run the later version of Ansim, or use another ANSIM_HOME. Nothing was changed.",
        )


def _make_log_tables(connection: Connection) -> None:
    audit_tables.create(connection)
