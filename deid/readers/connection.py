"""A read-only connection to a hospital's database, one transaction for all tables of a run.

The address with its password never stands in a recipe: it names an environment variable or a key file (0600). No error
carries the address, nor what the driver says (which quotes hosts, users and values): only its kind and SQLSTATE.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Self

import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import SQLAlchemyError

from deid.errors import SourceError
from deid.keys import read_private
from deid.readers.refuse import refuse
from deid.recipe_source import Address

# In the order of preference: all see one state of the database from the first statement to the last.
SNAPSHOTS = ("REPEATABLE READ", "SNAPSHOT", "SERIALIZABLE")
DRIVERS = {"postgresql": "postgresql+psycopg"}
ROWS_AT_ONCE = 2000


class Databases:
    """The connections of one run, by address; a context that ends their transactions."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._open: dict[Address, sa.Connection] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def connection(self, place: str, address: Address) -> sa.Connection:
        """Give the connection of an address, opened when first asked for. Raises `SourceError`, `KeyFileError`."""
        if address not in self._open:
            self._open[address] = self._stack.enter_context(connect(place, url_of(place, address)))
        return self._open[address]


def url_of(place: str, address: Address) -> URL:
    """Read the URL that an address of the recipe names. Raises `SourceError` or `KeyFileError`."""
    if address.env:
        text = os.environ.get(address.env, "")
        if not text:
            both = (f"환경 변수 {address.env}이(가) 비어 있습니다.", f"environment variable {address.env} is empty.")
            fix = (
                "데이터베이스 URL을 그 변수에 넣고 다시 실행하세요.",
                "Put the database's URL into it and run again.",
            )
            refuse(place, "database-address", both, fix)
    else:
        # A plain name is looked up where systemd puts a service's credentials.
        folder = Path(os.environ.get("CREDENTIALS_DIRECTORY", "/nonexistent"))
        text = read_private(folder / address.key).decode("utf-8", errors="replace")
    with quiet(place):
        return parse_url(text.strip())


def parse_url(text: str) -> URL:
    """Parse a SQLAlchemy URL: PostgreSQL by psycopg; SQLite files are opened read-only. Raises `ArgumentError`."""
    url = make_url(text)
    if url.get_backend_name() == "sqlite":
        path = Path(url.database or "").resolve()
        return url.set(database=f"file:{path}", query={"mode": "ro", "uri": "true"})
    return url.set(drivername=DRIVERS.get(url.drivername, url.drivername))


@contextmanager
def connect(place: str, url: URL) -> Iterator[sa.Connection]:
    """Open a connection in one read-only transaction that sees one state of the database. Raises `SourceError`."""
    with ExitStack() as stack:
        with quiet(place):
            engine = sa.create_engine(url, poolclass=sa.NullPool, hide_parameters=True)
            stack.callback(engine.dispose)
            connection = stack.enter_context(engine.connect())
            _begin(place, connection)
        stack.callback(_end, connection)
        yield connection


def _begin(place: str, connection: sa.Connection) -> None:
    dialect = connection.dialect.name
    if dialect == "sqlite":
        connection.execution_options(isolation_level="AUTOCOMMIT")
        connection.exec_driver_sql("PRAGMA query_only=ON")
        connection.exec_driver_sql("BEGIN")
        return
    raw = connection.connection.dbapi_connection
    known = connection.dialect.get_isolation_level_values(raw) if raw is not None else ()
    level = next((level for level in SNAPSHOTS if level in known), None)
    if level is None:
        both = (f"{dialect}은(는) 한 시점을 읽을 수 없습니다.", f"{dialect} cannot be read as of one moment.")
        refuse(place, "database", both, ("파일로 내보내 주세요.", "Export the table as a file."))
    options = {"postgresql_readonly": True} if dialect == "postgresql" else {}
    connection.execution_options(isolation_level=level, stream_results=True, yield_per=ROWS_AT_ONCE, **options)


def _end(connection: sa.Connection) -> None:
    if not connection.closed:
        connection.rollback()


def quiet(place: str) -> AbstractContextManager[None]:
    """Turn what a driver raises into `SourceError` without its words."""
    return _Quiet(place)


class _Quiet:
    def __init__(self, place: str) -> None:
        self.place = place

    def __enter__(self) -> None:
        return None

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, __: object) -> None:
        if not isinstance(error, SQLAlchemyError | ImportError | ValueError):
            return
        state = getattr(getattr(error, "orig", None), "sqlstate", None)
        detail = f"{type(error).__name__} {state}" if state else type(error).__name__
        raise SourceError(
            (self.place, 0, -1),
            "database",
            (f"데이터베이스에서 읽을 수 없습니다({detail}).", f"cannot be read from the database ({detail})."),
            remedy=(
                "주소, 권한, table이나 query를 데이터베이스 관리자와 확인하세요.",
                "Check address, rights, and table or query with the database's administrator.",
            ),
        ) from None
