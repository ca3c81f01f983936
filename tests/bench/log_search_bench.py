"""How long a page of the log takes, among millions of entries, for the filters people use.

`make bench` fills two hundred thousand; `python -m tests.bench.log_search_bench --entries 10000000 --on postgresql`
fills what the target speaks of (about 10 GB and half an hour). The peer is the same question in one statement with
the same indexes, planned by the database, in the same run.
"""

from __future__ import annotations

import argparse
import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import chain, islice
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Connection, Engine, create_engine, event, func, insert, literal, select, text

from audit import blocks, hours, lookup, tables
from audit.query import _COLUMNS, LogFilter, _asked, search
from audit.tables import audit_hour, audit_index
from tests.bench.log_entries import BEGIN, DAYS, projects, rows
from tests.bench.postgres import cluster

ENTRIES = 200_000
LIMITS_MS = {"sqlite": 1_000, "postgresql": 300}
ASKED = 12


def figures() -> dict[str, dict[str, Any]]:
    """Return the median time of the usual filters on each database."""
    found = {}
    for name, limit in LIMITS_MS.items():
        with filled(name, ENTRIES) as engine:
            measured = measure(engine, ENTRIES)
        ours, theirs = (statistics.median(chain.from_iterable(times)) for times in zip(*measured.values(), strict=True))
        found[f"audit.search_{name}"] = {
            "value": round(ours, 2),
            "unit": "ms",
            "peer": f"one statement planned by the database, {theirs:.2f} ms ({ENTRIES:,} entries)",
            "ratio": round(ours / theirs, 3),
            "floor": f"<= {limit} ms",
            "ok": ours <= limit,
        }
    return found


def filters(count: int) -> dict[str, list[LogFilter]]:
    """Return the usual filters, each with several values drawn from what is in the log."""
    draw, known = random.Random(5), projects()
    actors = sorted({actor for project in known for actor in project.actors})

    def period(days: int) -> dict[str, Any]:
        since = BEGIN + timedelta(days=draw.randrange(DAYS - days))
        return {"since": since, "until": since + timedelta(days=days)}

    def many(make: Any) -> list[LogFilter]:
        return [LogFilter(**make()) for _ in range(ASKED)]

    def project() -> str:
        return draw.choice(known).id

    return {
        "newest": many(dict),
        "a day": many(lambda: period(1)),
        "actor": many(lambda: {"actor": draw.choice(actors)}),
        "actor in a month": many(lambda: {"actor": draw.choice(actors), **period(30)}),
        "project": many(lambda: {"project": project()}),
        "project in a month": many(lambda: {"project": project(), **period(30)}),
        "project, denied": many(lambda: {"project": project(), "outcome": "denied"}),
        "project, hand-overs": many(lambda: {"project": project(), "action": "release.hand-over"}),
        "actor, rare action": many(lambda: {"actor": draw.choice(actors), "action": "role.grant"}),
        "a kind of action": many(lambda: {"action": "egress."}),
        "kind of action in a month": many(lambda: {"action": "egress.", **period(30)}),
        "denied in a month": many(lambda: {"outcome": "denied", **period(30)}),
        "object": many(lambda: {"object_id": f"e-{draw.randrange(count // 40):07}"}),
        "place": many(lambda: {"from_ip": f"10.20.{draw.randrange(4)}.{draw.randrange(100)}"}),
        "reason code": many(lambda: {"reason_code": "egress.two-person"}),
        "reason code of an actor": many(lambda: {"reason_code": "account.locked", "actor": draw.choice(actors)}),
        "Korean word": many(lambda: {"text": draw.choice(["빈도", "재식별", "보완", "지배성", "완료"])}),
        "Korean words of a project": many(lambda: {"text": "최소빈도 충족", "project": project()}),
        "code as text": many(lambda: {"text": "egress.two-person"}),
        "begin of a hash": many(lambda: {"text": f"{draw.getrandbits(256):064x}"[:7]}),
        "word in a month": many(lambda: {"text": "hand-over", **period(30)}),
        "nothing like it": many(lambda: {"text": "없는낱말"}),
    }


def measure(engine: Engine, count: int) -> dict[str, tuple[list[float], list[float]]]:
    """Return for each filter the milliseconds of ours and of the peer, asked turn and turn about."""
    found: dict[str, tuple[list[float], list[float]]] = {}
    with engine.connect() as connection:
        for name, asked in filters(count).items():
            ours, theirs = [], []
            for each in asked:
                ours.append(_ms(lambda each=each: search(connection, filters=each, limit=50)))
                if count <= ENTRIES:
                    theirs.append(_ms(lambda each=each: _peer(connection, each)))
                connection.rollback()
            found[name] = (ours, theirs)
    return found


def _peer(connection: Connection, asked: LogFilter) -> None:
    whole = _asked(connection, asked, None)
    conditions = lookup._conditions(whole)
    connection.execute(lookup._newest(_COLUMNS, conditions, 51)).all()


def _ms(act: Any) -> float:
    started = time.perf_counter()
    act()
    return (time.perf_counter() - started) * 1_000


@contextmanager
def filled(name: str, count: int, keep: Path | None = None) -> Iterator[Engine]:
    """Give a database with a filled index; it is removed afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="ansim-log-", dir=keep))
    folder.chmod(0o777)
    try:
        if name == "sqlite":
            yield from _filled(f"sqlite:///{folder / 'log.sqlite'}", count)
        else:
            with cluster(folder) as url:
                yield from _filled(url, count)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _filled(url: str, count: int) -> Iterator[Engine]:
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA journal_mode = WAL"))
    try:
        _fill(engine, count)
        yield engine
    finally:
        engine.dispose()


def _fill(engine: Engine, count: int) -> None:
    with engine.begin() as connection:
        tables.create(connection)
        for index in audit_index.indexes:
            index.drop(connection)
    source = rows(count)
    while batch := list(islice(source, 100_000)):
        with engine.begin() as connection:
            _insert(connection, batch)
            _tell("rows", batch[-1]["leaf_index"] + 1)
    with engine.begin() as connection:
        for index in sorted(audit_index.indexes, key=lambda each: str(each.name)):
            index.create(connection)
            _tell(str(index.name), count)
        _count_hours(connection)
    for end in range(0, count + 1, 20_000):
        with engine.begin() as connection:
            blocks.catch_up(connection, min(end, count))
    with engine.begin() as connection:
        blocks.catch_up(connection, count)
    if engine.dialect.name == "postgresql":
        # What autovacuum does; an installation on SQLite never runs ANALYZE.
        with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            connection.execute(text("VACUUM ANALYZE"))


def _count_hours(connection: Connection) -> None:
    column = audit_index.c
    hour, rest = func.substr(column.at, 1, 13), [column.action, column.outcome]
    for keys in ([hour, column.project, column.actor, *rest], [hour, literal(hours.ALL), literal(hours.ALL), *rest]):
        grouped = [key for key in keys if key is hour or isinstance(key, Column)]
        counted = select(*keys, func.count()).group_by(*grouped)
        connection.execute(insert(audit_hour).from_select(list(audit_hour.c), counted))


def _tell(what: str, count: int) -> None:
    if count % 1_000_000 == 0 and count:
        print(f"{time.strftime('%H:%M:%S')} {what}: {count:,}", flush=True)


def _insert(connection: Connection, batch: list[dict[str, Any]]) -> None:
    names = [column.name for column in audit_index.c]
    values = [tuple(row[name] for name in names) for row in batch]
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(names))
        connection.exec_driver_sql(f"INSERT INTO audit_index ({', '.join(names)}) VALUES ({marks})", values)
        return
    driver: Any = connection.connection.dbapi_connection
    with driver.cursor().copy(f"COPY audit_index ({', '.join(names)}) FROM STDIN") as copy:
        for row in values:
            copy.write_row(row)


def main() -> None:
    """Fill as many entries as asked for and print what each filter takes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=10_000_000)
    parser.add_argument("--on", choices=sorted(LIMITS_MS), default="sqlite")
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    started = time.monotonic()
    with filled(given.on, given.entries, given.folder) as engine:
        print(f"filled {given.entries:,} in {time.monotonic() - started:.0f} s, {_size(engine)}", flush=True)
        measured = measure(engine, given.entries)
        for name, (ours, _) in measured.items():
            print(f"{name:28} median {statistics.median(ours):8.1f} ms  worst {max(ours):8.1f} ms", flush=True)
        everything = list(chain.from_iterable(ours for ours, _ in measured.values()))
        print(f"all: median {statistics.median(everything):.1f} ms, worst {max(everything):.1f} ms")


def _size(engine: Engine) -> str:
    with engine.connect() as connection:
        question = (
            "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
            if engine.dialect.name == "sqlite"
            else "SELECT pg_database_size(current_database())"
        )
        return f"{(connection.scalar(text(question)) or 0) / 2**30:.2f} GiB"


if __name__ == "__main__":
    main()
