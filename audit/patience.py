"""What hangs says nothing: a PostgreSQL connection that stops waiting.

A server whose process is stopped, or whose disk hangs, keeps its sockets, and the kernel goes on acknowledging what
is sent to it. So no connection is refused, TCP's own limits see nothing wrong, and the server's `statement_timeout`
stands still with the server. Only whoever waits can stop waiting. psycopg hands every wait, but the one for a new
connection (libpq's `connect_timeout`), to `Connection.wait`; here it ends when nothing came for a while.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.errors import ConnectionTimeout
from psycopg.pq import TransactionStatus
from sqlalchemy import URL, Engine, create_engine, event

T = TypeVar("T")
# A server that sends a byte now and then is not silent; so many times as long as a silent one is it waited for.
DRIPS = 10
# libpq's own limits, for a server whose machine or line is gone, so that nothing is acknowledged (over TCP alone;
# tcp_user_timeout counts milliseconds).
_LINE = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3, "tcp_user_timeout": 30_000}


class Silent(psycopg.OperationalError):
    """The server said nothing for as long as it is waited for; the connection is closed."""


@dataclass(frozen=True)
class Patience:
    """How many seconds are waited for the next byte, and `DRIPS` times as long for the whole of an answer.

    `begin_s`: for a new connection and what is answered at once (a ping, a transaction's first statement, which only
    sets it up); `answer_s`: for any other statement, None without an end.
    """

    begin_s: float
    answer_s: float | None


class Patient(psycopg.Connection[Any]):
    """A connection that waits for a server that works, and not for one that is silent: then `Silent` is raised."""

    patience = Patience(5, None)

    def wait(self, gen: PQGen[T], *args: Any, **more: Any) -> T:
        """Wait as psycopg does, within this connection's patience."""
        limit = self.patience.answer_s
        if self.pgconn.transaction_status == TransactionStatus.IDLE:
            limit = self.patience.begin_s
        elif limit is not None:
            # A server that is alive ends it itself, a little earlier, and says so.
            limit += self.patience.begin_s
        try:
            return super().wait(gen if limit is None else _heard(gen, limit), *args, **more)
        except Silent:
            # Whatever was asked must not be answered to the next who asks; the pool sees that it is closed.
            self.pgconn.finish()
            raise


def patient_engine(url: URL, patience: Patience, **more: Any) -> Engine:
    """Return an engine for PostgreSQL all of whose waits have an end; `more` as `create_engine` takes it."""
    line = {"connect_timeout": math.ceil(patience.begin_s), **_LINE}
    engine = create_engine(url, pool_pre_ping=True, connect_args=line, **more)
    event.listen(engine, "do_connect", lambda _dialect, _record, args, named: connect(patience, *args, **named))
    return engine


def connect(patience: Patience, *args: Any, **more: Any) -> Patient:
    """Connect as psycopg does, with a limit for every wait and, at the server, for every statement."""
    made = Patient.connect(*args, **more)
    made.patience = patience
    if patience.answer_s is not None:
        made.execute(f"SET statement_timeout = {int(patience.answer_s * 1000)}")
        made.commit()
    return made


def _heard(gen: PQGen[T], limit_s: float) -> PQGen[T]:
    """Pass on what `gen` waits for; psycopg says `READY_NONE` (0) ten times a second while nothing comes."""
    now = time.monotonic()
    until, end = now + limit_s, now + DRIPS * limit_s
    try:
        wanted = next(gen)
        while True:
            ready = yield wanted
            now = time.monotonic()
            if now > (end if ready else until):
                raise Silent(f"no answer within {limit_s} seconds, or no end of it")
            if ready:
                until = now + limit_s
            wanted = gen.send(ready)
    except StopIteration as done:
        told: T = done.value
        return told


def is_silence(error: BaseException | None) -> bool:
    """Return whether a driver's error means that somebody waited in vain, rather than that they were told no."""
    return isinstance(error, Silent | ConnectionTimeout)
