"""The sequencer as a process of its own: `python -m audit.serve URL LOG_FOLDER KEY_FILE [--interval S]`.

SIGTERM and SIGINT let it finish its step and stop with status 0.
"""

from __future__ import annotations

import logging
import signal
import sys
import threading
from argparse import ArgumentParser
from pathlib import Path

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url

from audit import keys
from audit.errors import AuditError
from audit.outage import ALARM_S
from audit.patience import Patience, patient_engine
from audit.sequencer import Sequencer

_BUSY_MS = 10_000
# Numbering, indexing and purging go through whole batches: a page's patience would be too little.
WAIT_S, ANSWER_S = 5.0, 300.0


def open_engine(url: str, *, wait_s: float = WAIT_S, answer_s: float = ANSWER_S) -> Engine:
    """Return an engine for the sequencer: on SQLite it waits up to 10 s for others and syncs fully.

    On PostgreSQL a server that says nothing is left: after `wait_s` for a new connection or a transaction's beginning,
    after `answer_s` for a statement (both in seconds).
    """
    address = make_url(url)
    if address.get_backend_name() != "sqlite":
        return patient_engine(address, Patience(wait_s, answer_s))
    engine = create_engine(address)
    event.listen(engine, "connect", _set_up_sqlite)
    return engine


def _set_up_sqlite(connection: object, _record: object) -> None:
    cursor = connection.cursor()  # type: ignore[attr-defined]
    cursor.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.close()


def main(arguments: list[str] | None = None) -> int:
    """Run until told to stop; return 0, or 1 with the reason on standard error."""
    parser = ArgumentParser(description="Orders, signs and publishes the audit log.")
    parser.add_argument("url", help="database, as SQLAlchemy writes it")
    parser.add_argument("log_folder", type=Path)
    parser.add_argument("key", type=Path, help="signing key made by `audit.keys.create`")
    parser.add_argument("--origin", help="name of the log; must be the key's name (the default)")
    parser.add_argument("--interval", type=float, default=0.25, help="seconds between steps")
    parser.add_argument("--heartbeat", type=float, default=3600.0, help="seconds of silence before a heartbeat entry")
    parser.add_argument("--database-wait", type=float, default=WAIT_S, help="seconds until a silent server is left")
    parser.add_argument("--database-answer", type=float, default=ANSWER_S, help="the same for one statement")
    parser.add_argument("--alarm", type=float, default=ALARM_S, help="seconds without a step until it is an alarm")
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    engine = open_engine(given.url, wait_s=given.database_wait, answer_s=given.database_answer)
    try:
        signer = keys.load(given.key)
        sequencer = Sequencer(engine, given.log_folder, signer, given.origin or signer.name)
        try:
            sequencer.run(stop, given.interval, heartbeat_s=given.heartbeat, alarm_s=given.alarm)
        finally:
            sequencer.close()
    except AuditError as error:
        sys.stderr.write(f"{error.code}: {error}\n{error.en} {error.remedy_en}\n")
        return 1
    finally:
        engine.dispose()
    return 0


if __name__ == "__main__":
    sys.exit(main())
