"""The only door to the enclave's database: reading sessions, and write transactions that cannot forget their entry.

SQLite (WAL, synchronous FULL) by default, PostgreSQL by address. A write begins with the event it stands for; when
the block ends the entry is appended and both become durable together. When a rule refuses, everything is rolled back
and the refusal is recorded by itself. Only `enclave/commands` may call `write`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, NoReturn

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolSpent
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from audit import guard, outbox
from audit.event import Event, Outcome
from audit.patience import Patience, is_silence, patient_engine
from audit.silence import Silence
from enclave.errors import Conflict, Denied, EnclaveError, Invalid, Unavailable

WAIT_S = 5
# How long one statement of a page or a command may take. The longest sort a large log.
ANSWER_S = 25
_MODE = "ansim_mode"

# SQLite's primary result codes (https://sqlite.org/rescode.html) and PostgreSQL's SQLSTATEs (its appendix A) that mean
# "not now" rather than "you did something wrong".
_LOCKED = {"SQLITE_BUSY", "SQLITE_LOCKED", "55P03", "40P01", "40001"}
_SLOW = {"57014"}
_FULL = {"SQLITE_FULL", "53100", "53200", "53300", "53000"}
_GONE = {
    "SQLITE_IOERR",
    "SQLITE_CANTOPEN",
    "SQLITE_READONLY",
    "SQLITE_NOTADB",
    "SQLITE_CORRUPT",
    "SQLITE_PROTOCOL",
    # A server that takes no writes: a standby, or an operator's order.
    "25006",
}


class _Kept(Exception):  # noqa: N818 - control flow: a refusal that leaves its trace in the data
    def __init__(self, error: EnclaveError) -> None:
        super().__init__(error.code)
        self.error = error


class Tx:
    """One write transaction and the event it will be recorded as."""

    def __init__(self, session: Session, event: Event, observer: str) -> None:
        self.session = session
        self._event = event
        self._observer = observer
        self._further: list[Event] = []
        self._named: list[Callable[[str], None]] = []

    def record(self, **changes: Any) -> None:
        """Say more about the act: any field of `Event`; `details` are added to those already there."""
        details = {**self._event.details, **changes.pop("details", {})}
        self._event = replace(self._event, **changes, details=details)

    def also(self, event: Event) -> None:
        """Have a further entry follow this one in the same transaction: what the act sets off."""
        self._further.append(event)

    def with_entry(self, act: Callable[[str], None]) -> None:
        """Have `act` done with the id of this act's entry, in the same transaction, once it is appended."""
        self._named.append(act)

    def refuse(self, error: EnclaveError) -> NoReturn:
        """Keep what was changed so far (a counter of failures), record the refusal, and raise `error`."""
        raise _Kept(error)

    def finish(self, error: EnclaveError | None = None) -> None:
        """Append what is to be recorded; the store calls this once, as the last thing before the commit."""
        self.session.flush()
        events = [self._event, *self._further] if error is None else [refused(self._event, error)]
        ids = [outbox.append(self.session.connection(), each, observer=self._observer) for each in events]
        for act in self._named if error is None else ():
            act(ids[0])

    @property
    def event(self) -> Event:
        """The event as it would be recorded now."""
        return self._event


class Store:
    """The database at `url`; `observer` names this process in every entry.

    `wait_s`: how many seconds a lock or a new connection is waited for; `answer_s`: how many one statement may take
    (PostgreSQL). Threads may share a store; each read and each write has its own connection. While a server says
    nothing at all, one thread at a time waits for it and the others are refused at once.
    """

    def __init__(self, url: str, *, observer: str = "portal", wait_s: int = WAIT_S, answer_s: float = ANSWER_S) -> None:
        self.engine = open_engine(url, wait_s=wait_s, answer_s=answer_s)
        guard.install(self.engine)
        self._observer = observer
        self._writer = writable(self.engine)
        self._silence = Silence(wait_s)
        event.listen(self.engine, "begin", lambda _connection: self._silence.ended())
        # Done before every write: what must be recorded before anything else is. It may write itself.
        self.first: Callable[[], object] = _nothing

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Give a session that can only read; raises `Unavailable` when the database is not there."""
        with self._asking(), Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self, event: Event) -> Iterator[Tx]:
        """Give one write transaction that ends with the entry `event` (as `Tx.record` completed it).

        An `EnclaveError` rolls everything back and is recorded as `denied` (or `failed`, unless it is a `Denied`),
        then raised again. Raises `Unavailable` when database or disk cannot take it: nothing was done, unless it says
        `store.unknown` (no answer to the commit itself), and `Conflict` when somebody else changed the same row first.
        """
        self.first()
        session = Session(self._writer, expire_on_commit=False)
        tx = Tx(session, event, self._observer)
        try:
            # SQLite takes its write lock here, so that what the block reads is what it decides on.
            with self._asking():
                session.connection()
                yield tx
                tx.finish()
                self._commit(session)
        except _Kept as kept:
            with self._asking():
                tx.finish(kept.error)
                self._commit(session)
            raise kept.error from None
        except EnclaveError as error:
            session.rollback()
            self._record_refusal(tx.event, error)
            raise
        finally:
            session.close()

    @contextmanager
    def prepare(self, event: Event) -> Iterator[None]:
        """Guard the slow part of a command that comes before its transaction: a refusal in it is recorded too."""
        try:
            yield
        except EnclaveError as error:
            self._record_refusal(event, error)
            raise

    def close(self) -> None:
        """Give all connections back to the system."""
        self.engine.dispose()

    def _record_refusal(self, event: Event, error: EnclaveError) -> None:
        if error.code.startswith("store."):
            # The database itself said no: there is nowhere to write, and nothing was done.
            return
        with self._asking(), Session(self._writer) as session, session.begin():
            outbox.append(session.connection(), refused(event, error), observer=self._observer)

    @contextmanager
    def _asking(self) -> Iterator[None]:
        if not self._silence.may_ask():
            raise _gone()
        with _translated():
            try:
                yield
            except DBAPIError as error:
                self._note(error)
                raise

    def _commit(self, session: Session) -> None:
        try:
            session.commit()
        except DBAPIError as error:
            if not error.connection_invalidated or _code(error):
                raise
            # No answer is not a no: the server may have done it, or do it once it goes on.
            self._note(error)
            raise _unknown() from error

    def _note(self, error: DBAPIError) -> None:
        if is_silence(error.orig):
            self._silence.began()


def _nothing() -> None:
    """Have nothing to do first."""


def refused(event: Event, error: EnclaveError) -> Event:
    """Return the event of an act that was refused: its code, never its text (texts may quote what was sent)."""
    outcome: Outcome = "denied" if isinstance(error, Denied) else "failed"
    return replace(event, outcome=outcome, reason_code=error.code, reason_text=None, object_sha256=None)


def open_engine(url: str, *, wait_s: int = WAIT_S, answer_s: float | None = None) -> Engine:
    """Return an engine with our settings of durability and waiting; without the log's guard (migrations need none).

    `answer_s`: how many seconds one statement at PostgreSQL may take, at most; None (migrations): any number.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        arguments = {"timeout": wait_s, "isolation_level": None}
        engine = create_engine(parsed, pool_timeout=_pool_s(wait_s), connect_args=arguments)
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    engine = patient_engine(parsed, Patience(wait_s, answer_s), pool_timeout=_pool_s(wait_s))
    event.listen(engine, "begin", lambda connection: _begin_postgresql(connection, wait_s))
    return engine


def _pool_s(wait_s: int) -> int:
    # Whoever holds a connection may be waiting for a lock, or for a server that says nothing, for that long twice.
    return 2 * wait_s


def writable(engine: Engine) -> Engine:
    """Return the same engine for transactions that write (SQLite then takes its write lock when one begins)."""
    return engine.execution_options(**{_MODE: "write"})


def _set_up_sqlite(connection: Any, _record: object) -> None:
    # secure_delete: a destroyed volume key does not stay in a free page.
    # FULL: a power cut loses nothing that was acknowledged (NORMAL may lose the last commits in WAL mode).
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "secure_delete = ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_MODE) == "write"
    connection.exec_driver_sql(f"PRAGMA query_only = {'OFF' if writes else 'ON'}")
    # IMMEDIATE: a transaction that begins by reading and then writes could fail after it has decided.
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _begin_postgresql(connection: Connection, wait_s: int) -> None:
    if connection.get_execution_options().get(_MODE) == "write":
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{wait_s}s'")
    else:
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (IntegrityError, StaleDataError) as error:
        # Two hands at once: the same new name, the same row. What the rules did not see, the database did.
        raise Conflict(
            "row.changed",
            ko="그 사이 다른 사람이 먼저 바꾸었습니다.",
            en="Somebody else changed it first.",
            remedy_ko="화면을 새로 고쳐 현재 상태를 확인하세요.",
            remedy_en="Reload the page to see where it stands.",
        ) from error
    except (DataError, UnicodeEncodeError) as error:
        raise Invalid(
            "input.text",
            ko="저장할 수 없는 문자가 들어 있습니다.",
            en="The text holds characters that cannot be stored.",
            remedy_ko="제어 문자와 깨진 글자를 지운 뒤 다시 보내세요.",
            remedy_en="Remove control characters and broken letters, then send it again.",
        ) from error
    except PoolSpent as error:
        what = ("데이터베이스 연결이 모두 쓰이고 있습니다.", "All connections to the database are in use.")
        raise _error("store.busy", what) from error
    except DBAPIError as error:
        refusal = _unavailable(error)
        if refusal is None:
            raise
        raise refusal from error


def _unavailable(error: DBAPIError) -> Unavailable | None:
    code = _code(error)
    if code in _LOCKED:
        return _error("store.locked", ("데이터베이스가 다른 작업으로 잠겨 있습니다.", "The database is locked."))
    if code in _FULL:
        return _error("store.full", ("디스크가 가득 찼습니다.", "The disk is full."))
    if code in _GONE or code.startswith(("08", "57P")) or error.connection_invalidated or not code:
        return _gone()
    if code in _SLOW:
        what = ("데이터베이스 작업이 너무 오래 걸려 멈추었습니다.", "The database took too long and was stopped.")
        return _error("store.slow", what)
    return None


def _gone() -> Unavailable:
    return _error("store.gone", ("데이터베이스에 연결할 수 없습니다.", "The database cannot be reached."))


def _unknown() -> Unavailable:
    return Unavailable(
        "store.unknown",
        ko="데이터베이스가 마지막에 답하지 않아, 처리되었는지 알 수 없습니다.",
        en="The database did not answer at the very end; whether it was done is not known.",
        remedy_ko="데이터베이스가 다시 답하면 현재 상태를 먼저 확인하세요. 처리되었다면 기록도 남아 있습니다.",
        remedy_en="Once the database answers again, look at where it stands first. If it was done, its entry is there.",
    )


def _code(error: DBAPIError) -> str:
    sqlite = getattr(error.orig, "sqlite_errorname", None)
    if sqlite:
        # Extended codes (SQLITE_IOERR_WRITE) begin with the primary one.
        return "_".join(str(sqlite).split("_")[:2])
    return str(getattr(error.orig, "sqlstate", None) or "")


def _error(code: str, what: tuple[str, str]) -> Unavailable:
    return Unavailable(
        code,
        ko=f"{what[0]} 아무것도 바뀌지 않았습니다.",
        en=f"{what[1]} Nothing was changed.",
        remedy_ko="잠시 뒤 다시 시도하고, 계속되면 운영자에게 알려 주세요.",
        remedy_en="Try again in a moment; tell an operator if it goes on.",
    )
