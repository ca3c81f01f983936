"""One writer of the crash test: a domain row and its entry per transaction; acknowledges each commit in a file."""

from __future__ import annotations

import itertools
import os
import sys
import time

from sqlalchemy import text

from audit import guard, outbox
from audit.event import Event
from audit.serve import open_engine


def main(url: str, acknowledged: str) -> None:
    engine = open_engine(url)
    guard.install(engine)
    file = os.open(acknowledged, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    for number in itertools.count():
        with engine.begin() as connection:
            event = Event("thing.add", "done", f"u-{os.getpid()}", details={"n": number})
            entry_id = outbox.append(connection, event, observer="writer")
            connection.execute(text("INSERT INTO thing (entry_id) VALUES (:id)"), {"id": entry_id})
        # Only what was acknowledged after the commit must never be lost.
        os.write(file, f"{entry_id}\n".encode())
        # Three of these and a sequencer share the machine with everything else.
        time.sleep(0.002)


if __name__ == "__main__":
    main(*sys.argv[1:])
