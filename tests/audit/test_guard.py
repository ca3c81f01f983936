"""The commit guard under attack: bulk SQL, raw SQL, savepoints, raw cursors, and the pooled-connection trap."""

from __future__ import annotations

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, Text, create_engine, event, insert, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from audit import guard, tables
from audit.errors import UnauditedError
from audit.event import Event
from audit.outbox import append

EVENT = Event("thing.add", "done", "u-1")


class Base(DeclarativeBase):
    pass


class Thing(Base):
    __tablename__ = "thing"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


def recipe_begin_immediate(engine) -> None:
    """SQLAlchemy's documented way to take transactions on SQLite into one's own hands."""
    event.listen(engine, "connect", lambda connection, _: setattr(connection, "isolation_level", None))
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))


@pytest.fixture(params=["sqlite", "sqlite, BEGIN IMMEDIATE", "postgresql"])
def guarded(request):
    url = request.getfixturevalue("postgres_url" if request.param == "postgresql" else "sqlite_url")
    # One connection: what a refused transaction leaves open would meet the next one at once.
    engine = create_engine(url, pool_size=1, max_overflow=0)
    if request.param == "sqlite, BEGIN IMMEDIATE":
        recipe_begin_immediate(engine)
    guard.install(engine)
    tables.metadata.create_all(engine)
    Base.metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(insert(Thing).values(id=1, name="first"))
        append(connection, EVENT, observer="test")
    yield engine
    engine.dispose()


def names(engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.scalars(text("SELECT name FROM thing ORDER BY id")))


def raw_cursor(connection, statement):
    cursor = connection.connection.cursor()
    cursor.execute(statement)
    cursor.close()


def orm_write(connection) -> None:
    with Session(connection, join_transaction_mode="rollback_only") as session:
        session.add(Thing(id=7, name="bad"))
        session.commit()  # flushes; the transaction stays the caller's


def copy_in(connection) -> None:
    with connection.connection.cursor() as cursor, cursor.copy("COPY thing FROM STDIN") as copy:
        copy.write("7\tbad\n")


WRITES = {
    "core insert": lambda c: c.execute(insert(Thing).values(id=7, name="bad")),
    "core insert of many": lambda c: c.execute(insert(Thing), [{"id": n, "name": "bad"} for n in (7, 8)]),
    "core insert returning": lambda c: c.execute(insert(Thing).values(id=7, name="bad").returning(Thing.id)).all(),
    "core bulk update": lambda c: c.execute(update(Thing).values(name="bad")),
    "text update": lambda c: c.execute(text("UPDATE thing SET name = 'bad'")),
    "text delete": lambda c: c.execute(text("DELETE FROM thing")),
    "text with comment": lambda c: c.execute(text("/* x */ -- y\n DELETE FROM thing")),
    "text in lower case": lambda c: c.execute(text("  update thing set name = 'audit_entry'")),
    "driver sql": lambda c: c.exec_driver_sql("INSERT INTO thing VALUES (7, 'bad')"),
    "raw cursor": lambda c: raw_cursor(c, "UPDATE thing SET name = 'bad'"),
    "drop": lambda c: c.exec_driver_sql("DROP TABLE thing"),
    "alter": lambda c: c.exec_driver_sql("ALTER TABLE thing ADD COLUMN more TEXT"),
    "write, then a savepoint rolled back": lambda c: (
        c.exec_driver_sql("UPDATE thing SET name = 'bad'"),
        c.begin_nested().rollback(),
    ),
    "orm": orm_write,
}


COMMITS = [
    "COMMIT",
    " commit ",
    "END",
    "END TRANSACTION",
    "/* x */ COMMIT",
]


@pytest.mark.parametrize("statement", COMMITS)
def test_a_commit_in_sql_is_refused_and_undoes_what_was_written(guarded, statement) -> None:
    with guarded.connect() as connection:
        connection.execute(text("UPDATE thing SET name = 'bad'"))
        with pytest.raises(UnauditedError) as caught:
            connection.execute(text(statement))
    assert caught.value.code == "audit.no-transaction"
    assert names(guarded) == ["first"]


@pytest.mark.parametrize("end", ["COMMIT", "END", "END;", "PREPARE TRANSACTION 'x'"])
@pytest.mark.parametrize("guarded", ["postgresql"], indirect=True)
def test_a_commit_behind_another_statement_is_refused(guarded, end) -> None:
    with guarded.connect() as connection, pytest.raises(UnauditedError):
        connection.exec_driver_sql(f"UPDATE thing SET name = 'bad'; {end}")
    assert names(guarded) == ["first"]


def test_a_savepoint_as_the_first_statement_does_not_commit_by_itself(guarded) -> None:
    with guarded.connect() as connection:
        with connection.begin_nested():
            connection.execute(text("UPDATE thing SET name = 'bad'"))
        with pytest.raises(UnauditedError):
            connection.commit()
    assert names(guarded) == ["first"]


ONLY_SQLITE = {
    "write behind WITH": lambda c: c.exec_driver_sql("WITH x AS (SELECT 7) INSERT INTO thing SELECT *, 'bad' FROM x"),
    "replace": lambda c: c.exec_driver_sql("REPLACE INTO thing VALUES (1, 'bad')"),
}
ONLY_POSTGRESQL = {
    "write inside WITH": lambda c: c.exec_driver_sql(
        "WITH x AS (UPDATE thing SET name = 'bad' RETURNING 1) SELECT count(*) FROM x"
    ),
    "two statements in one": lambda c: c.exec_driver_sql("SELECT 1; UPDATE thing SET name = 'bad'"),
    "inside DO": lambda c: c.exec_driver_sql("DO $$ BEGIN UPDATE thing SET name = 'bad'; END $$"),
    "truncate": lambda c: c.exec_driver_sql("TRUNCATE thing"),
    "raw truncate": lambda c: raw_cursor(c, "TRUNCATE thing"),
    "raw drop": lambda c: raw_cursor(c, "DROP TABLE thing"),
    "merge": lambda c: c.exec_driver_sql(
        "MERGE INTO thing USING (SELECT 1 AS n) AS x ON thing.id = x.n WHEN MATCHED THEN UPDATE SET name = 'bad'"
    ),
    "copy": copy_in,
}


CASES = [
    (database, name)
    for database, own in [
        ("sqlite", ONLY_SQLITE),
        ("sqlite, BEGIN IMMEDIATE", ONLY_SQLITE),
        ("postgresql", ONLY_POSTGRESQL),
    ]
    for name in WRITES | own
]


@pytest.mark.parametrize(("guarded", "name"), CASES, indirect=["guarded"])
def test_a_write_without_an_entry_is_refused_and_nothing_of_it_ever_becomes_durable(guarded, name) -> None:
    with guarded.connect() as connection:
        connection.begin()
        (WRITES | ONLY_SQLITE | ONLY_POSTGRESQL)[name](connection)
        with pytest.raises(UnauditedError) as caught:
            connection.commit()
    assert caught.value.code == "audit.unaudited"
    # The trap: on the same pooled connection, the next legitimate commit must not carry the refused rows.
    with guarded.begin() as connection:
        connection.execute(insert(Thing).values(id=2, name="good"))
        append(connection, EVENT, observer="test")
    assert names(guarded) == ["first", "good"]


def test_raising_alone_would_have_kept_the_rows(guarded) -> None:
    """The control: without the guard's own rollback the refused row survives; so the test above can fail."""
    plain = create_engine(guarded.url, pool_size=1, max_overflow=0)

    @event.listens_for(plain, "commit")
    def refuse(connection) -> None:
        if connection.info.pop("refuse", False):
            raise UnauditedError("x", guard._NO_TRANSACTION)

    with plain.connect() as connection:
        connection.execute(insert(Thing).values(id=7, name="bad"))
        connection.info["refuse"] = True
        with pytest.raises(UnauditedError):
            connection.commit()
    with plain.begin() as connection:
        connection.execute(insert(Thing).values(id=2, name="good"))
    plain.dispose()
    assert names(guarded) == ["first", "good", "bad"]


def test_an_orm_session_without_an_entry_is_refused_and_with_one_it_commits(guarded) -> None:
    with Session(guarded) as session:
        session.add(Thing(id=7, name="bad"))
        with pytest.raises(UnauditedError):
            session.commit()
        session.rollback()
        session.add(Thing(id=2, name="good"))
        append(session.connection(), EVENT, observer="test")
        session.commit()
    assert names(guarded) == ["first", "good"]


def test_reading_needs_no_entry(guarded) -> None:
    with guarded.begin() as connection:
        assert connection.scalar(text("SELECT count(*) FROM thing")) == 1
        connection.execute(text("WITH x AS (SELECT 1) SELECT * FROM x"))


def test_a_write_that_is_rolled_back_needs_no_entry(guarded) -> None:
    with guarded.connect() as connection:
        connection.execute(insert(Thing).values(id=7, name="bad"))
        connection.rollback()
        connection.execute(text("SELECT 1"))
        connection.commit()
    assert names(guarded) == ["first"]


def test_the_logs_own_tables_need_no_entry(guarded) -> None:
    with guarded.begin() as connection:
        connection.execute(text("INSERT INTO audit_leaf (leaf_index, entry_id) VALUES (5, 'x')"))
        connection.execute(text("DELETE FROM audit_index"))
    with guarded.begin() as connection:
        append(connection, EVENT, observer="test")


def test_rows_of_the_logs_own_tables_do_not_cover_for_others(guarded) -> None:
    with guarded.connect() as connection:
        connection.execute(text("INSERT INTO audit_leaf (leaf_index, entry_id) VALUES (5, 'x')"))
        connection.execute(text("UPDATE thing SET name = 'bad'"))
        with pytest.raises(UnauditedError):
            connection.commit()
    assert names(guarded) == ["first"]


def test_an_entry_of_an_earlier_transaction_does_not_count(guarded) -> None:
    with guarded.connect() as connection:
        append(connection, EVENT, observer="test")
        connection.commit()
        connection.execute(text("UPDATE thing SET name = 'bad'"))
        with pytest.raises(UnauditedError):
            connection.commit()
    assert names(guarded) == ["first"]


def test_an_entry_in_a_savepoint_that_was_rolled_back_does_not_count(guarded) -> None:
    with guarded.connect() as connection:
        connection.execute(text("UPDATE thing SET name = 'bad'"))
        nested = connection.begin_nested()
        append(connection, EVENT, observer="test")
        nested.rollback()
        with pytest.raises(UnauditedError):
            connection.commit()
    assert names(guarded) == ["first"]


def test_an_entry_before_a_raw_rollback_does_not_count(guarded) -> None:
    with guarded.connect() as connection:
        append(connection, EVENT, observer="test")
        connection.connection.dbapi_connection.rollback()
        connection.execute(text("UPDATE thing SET name = 'bad'"))
        with pytest.raises(UnauditedError):
            connection.commit()
    assert names(guarded) == ["first"]


def test_an_entry_and_a_change_in_a_savepoint_that_was_kept_are_kept(guarded) -> None:
    with guarded.begin() as connection, connection.begin_nested():
        connection.execute(text("UPDATE thing SET name = 'good'"))
        append(connection, EVENT, observer="test")
    assert names(guarded) == ["good"]


def test_creating_tables_needs_no_entry(guarded) -> None:
    more = MetaData()
    Table("more", more, Column("id", Integer, primary_key=True), Column("name", Text))
    more.create_all(guarded)
    with guarded.begin() as connection:
        connection.execute(text("INSERT INTO more VALUES (1, 'x')"))
        append(connection, EVENT, observer="test")


def test_a_statement_that_failed_leaves_nothing_to_audit(guarded) -> None:
    with guarded.connect() as connection:
        with pytest.raises(DBAPIError):
            connection.execute(insert(Thing).values(id=1, name="twice"))
        connection.rollback()
        connection.execute(text("SELECT 1"))
        connection.commit()


def test_autocommit_is_refused_before_anything_is_written(guarded) -> None:
    with guarded.connect() as connection:
        automatic = connection.execution_options(isolation_level="AUTOCOMMIT")
        with pytest.raises(UnauditedError) as caught:
            automatic.execute(text("UPDATE thing SET name = 'bad'"))
    assert caught.value.code == "audit.no-transaction"
    assert names(guarded) == ["first"]


def test_an_engine_in_autocommit_cannot_write_unaudited(guarded) -> None:
    engine = create_engine(guarded.url, isolation_level="AUTOCOMMIT", pool_size=1, max_overflow=0)
    guard.install(engine)
    with pytest.raises(UnauditedError), engine.begin() as connection:
        connection.execute(text("UPDATE thing SET name = 'bad'"))
    engine.dispose()
    assert names(guarded) == ["first"]


@pytest.mark.parametrize("guarded", ["postgresql"], indirect=True)
def test_two_phase_commit_is_refused(guarded) -> None:
    with guarded.connect() as connection, pytest.raises(UnauditedError) as caught:
        connection.begin_twophase()
    assert caught.value.code == "audit.no-transaction"


@pytest.mark.parametrize("guarded", ["postgresql"], indirect=True)
def test_a_lock_alone_and_a_temporary_table_need_no_entry(guarded) -> None:
    with guarded.begin() as connection:
        connection.execute(text("SELECT * FROM thing FOR UPDATE"))
    with guarded.begin() as connection:
        connection.execute(text("CREATE TEMPORARY TABLE scratch (id int)"))
        connection.execute(text("INSERT INTO scratch VALUES (1)"))


@pytest.mark.parametrize("guarded", ["postgresql"], indirect=True)
def test_a_commit_of_a_broken_transaction_is_rolled_back(guarded) -> None:
    with guarded.connect() as connection:
        connection.execute(text("UPDATE thing SET name = 'bad'"))
        with pytest.raises(DBAPIError):
            connection.execute(text("SELECT 1/0"))
        with pytest.raises(Exception, match="aborted"):
            connection.commit()
    with guarded.begin() as connection:
        append(connection, EVENT, observer="test")
    assert names(guarded) == ["first"]


@pytest.mark.parametrize("guarded", ["sqlite", "sqlite, BEGIN IMMEDIATE"], indirect=True)
def test_a_write_whose_returned_rows_were_not_fetched_is_not_made_durable(guarded) -> None:
    with guarded.connect() as connection:
        connection.begin()
        cursor = connection.connection.cursor()
        cursor.execute("INSERT INTO thing VALUES (7, 'bad'), (8, 'bad') RETURNING id")
        connection.commit()
        cursor.close()
    with guarded.begin() as connection:
        append(connection, EVENT, observer="test")
    assert names(guarded) == ["first"]


@pytest.mark.parametrize("guarded", ["sqlite", "sqlite, BEGIN IMMEDIATE"], indirect=True)
def test_ddl_through_a_raw_cursor_is_not_made_durable(guarded) -> None:
    with guarded.begin() as connection:
        raw_cursor(connection, "BEGIN") if not connection.connection.in_transaction else None
        raw_cursor(connection, "DROP TABLE thing")
    assert names(guarded) == ["first"]
