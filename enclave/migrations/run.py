"""Bringing a database to the tables this version of the code expects (`ansim db upgrade`).

Runs without the log's guard: a migration is an act of whoever holds the machine, not of a command. The log's own
tables are made by `audit.tables`, which also puts the triggers on them that keep them append-only.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from audit import tables as audit_tables
from enclave.errors import Unavailable
from enclave.store import open_engine, writable


def is_ours(_object: object, name: str | None, kind: str, *_: object) -> bool:
    """Return whether a migration speaks of this table: ours, not the log's."""
    return kind != "table" or name not in audit_tables.ALL_TABLES


def upgrade(url: str) -> str:
    """Bring the database to the newest version and return it; doing it twice changes nothing.

    Raises `Unavailable` (`db.upgrade`) when the database cannot be reached or changed; then nothing was changed.
    """
    engine = open_engine(url)
    try:
        with writable(engine).begin() as connection:
            _make_log_tables(connection)
            command.upgrade(config(connection), "head")
            return current(connection) or ""
    except DBAPIError as error:
        raise Unavailable(
            "db.upgrade",
            ko=f"데이터베이스를 준비하지 못했습니다: {type(error.orig).__name__}",
            en=f"The database could not be prepared: {type(error.orig).__name__}",
            remedy_ko="주소와 권한, 남은 디스크를 확인한 뒤 다시 실행하세요. 바뀐 것은 없습니다.",
            remedy_en="Check its address, rights and free disk, then run it again. Nothing was changed.",
        ) from error
    finally:
        engine.dispose()


def config(connection: Connection) -> Config:
    """Return Alembic's settings: the scripts beside this file, on this connection."""
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent))
    made.attributes["connection"] = connection
    return made


def current(connection: Connection) -> str | None:
    """Return the version the database is at; None for an empty one."""
    return MigrationContext.configure(connection).get_current_revision()


def newest() -> str:
    """Return the version this code expects."""
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent))
    return ScriptDirectory.from_config(made).get_current_head() or ""


def _make_log_tables(connection: Connection) -> None:
    audit_tables.metadata.create_all(connection)
