"""A purge killed with -9 at any moment: nothing signed is damaged, and the next sequencer finishes it."""

from __future__ import annotations

import random
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from audit import index, outbox, purge, tables
from audit.durable import settle
from audit.event import Event
from audit.folder import first_kept
from audit.purgecheck import ORDER
from audit.sequencer import Sequencer
from audit.serve import open_engine
from audit.tables import HUSK, audit_entry, audit_index
from audit.verify import verify_log
from tests.audit.logs import SIGNER, VKEY
from tests.crash import purge_child
from tests.crash.killing import told_until_killed

KILLS, BUNDLES = 4, 12
END = (BUNDLES - 1) * 256
OLD = (datetime.now(UTC) - timedelta(days=3 * 366)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

pytestmark = pytest.mark.crash


def prepared(engine: Engine, folder: Path) -> None:
    """A published log of 12 bundles, three years old, the purge of 11 of which is ordered and published."""
    tables.metadata.create_all(engine)
    event = Event("thing.add", "done", "u")
    with engine.begin() as connection:
        for number in range(BUNDLES * 256):
            entry_id = f"{number:026}"
            data = event.entry(entry_id=entry_id, at=OLD, observer="test")
            connection.execute(audit_entry.insert(), {"id": entry_id, "bytes": data})
    with closing(Sequencer(engine, folder, SIGNER, SIGNER.name)) as sequencer:
        sequencer.step()
        # A busy machine indexes them in several steps, and nothing is purged before that is done.
        while indexed(engine) < BUNDLES * 256:
            sequencer.step()
    later = datetime.now(UTC) + timedelta(days=3 * 366)
    with engine.begin() as connection:
        order = Event(ORDER, "allowed", "console", details={"end": END})
        entry_id = outbox.append(connection, order, observer="test")
        purge.order(connection, END, entry_id, size=BUNDLES * 256, now=later)


def indexed(engine: Engine) -> int:
    with engine.connect() as connection:
        return index.length(connection)


def left(engine: Engine) -> tuple[int, int]:
    """How many entries still have their bytes, and the first that the index has."""
    with engine.connect() as connection:
        full = select(func.count()).select_from(audit_entry).where(audit_entry.c.bytes != HUSK)
        return connection.scalar(full) or 0, connection.scalar(select(func.min(audit_index.c.leaf_index))) or 0


def test_nothing_stays_half_done(database_url: str, tmp_path: Path) -> None:
    engine, folder = open_engine(database_url), tmp_path / "log"
    prepared(engine, folder)
    dice, killed = random.Random(20261129), 0
    while killed < KILLS and left(engine)[0] > 257:
        told_until_killed(purge_child.main, database_url, str(folder), after_s=dice.uniform(0, 0.08))
        killed += 1
        # As the next start leaves it: an entry's tile may be there and its checkpoint not yet. Else nothing is wrong.
        settle(folder)
        wrong = {claim.code for claim in verify_log(folder, VKEY).claims if not claim.ok}
        assert wrong <= {"log.longer"}
    with closing(Sequencer(engine, folder, SIGNER, SIGNER.name)) as sequencer:
        # A purge waits for the index, which a step fills for a quarter of a second.
        for _ in range(100):
            sequencer.step()
    assert left(engine) == (257, END)
    assert first_kept(folder, BUNDLES * 256 + 1) == BUNDLES - 1
    report = verify_log(folder, VKEY)
    assert (report.ok, "log.purged" in {claim.code for claim in report.claims}) == (True, True)
    engine.dispose()
