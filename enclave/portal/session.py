"""Who is signed in to the portal: sessions kept in this process, named by a random cookie value.

Server-side on purpose: leaving, or losing the hub's session, ends a session at once. A restart of the portal signs
everybody out, which costs one redirect, because the hub still knows them. Pure but for the dictionary: the clock is
an argument.
"""

from __future__ import annotations

import hmac
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar, cast

from enclave.actor import Actor

IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=10)
# A session without a request for this long may have lost its person; a start from it begins with a locked screen.
ATTENDED = timedelta(minutes=10)
ANSWERS_KEPT = 64
T = TypeVar("T")


@dataclass
class Session:
    """One browser that came in through the hub as `login`; `token` is its hub token, never sent out again.

    It is good at the `address` it was made at alone; `browser` names the hub's session there (hashed). `attended`:
    no gap in its use was long enough to leave the screen to somebody else. `known`: who it was when the database
    was last asked.
    """

    id: str
    login: str
    token: str
    began: datetime
    seen: datetime
    hub_checked: datetime
    csrf: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    address: str = ""
    browser: str = ""
    attended: bool = True
    second_factor_at: datetime | None = None
    flash: str = ""
    known: Actor | None = None
    _answers: OrderedDict[str, object] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def public_id(self) -> str:
        """The session as the audit log names it: tells sessions apart, opens none."""
        return hmac.digest(b"ansim-session", self.id.encode(), "sha256").hex()[:16]

    def same_token(self, sent: str) -> bool:
        """Compare a form's CSRF token in constant time."""
        return hmac.compare_digest(self.csrf.encode(), sent.encode())

    def once(self, key: str, act: Callable[[], T]) -> T:
        """Do `act` once per key and return its answer; a double click gets the first click's answer.

        The second click waits for the first. An act that raised is not remembered: it changed nothing.
        """
        with self._lock:
            if key and key in self._answers:
                return cast("T", self._answers[key])
            answer = act()
            self._answers[key] = answer
            while len(self._answers) > ANSWERS_KEPT:
                self._answers.popitem(last=False)
            return answer


class Sessions:
    """All sessions of this process."""

    def __init__(self) -> None:
        self._all: dict[str, Session] = {}
        self._lock = threading.Lock()

    def open(self, login: str, token: str, now: datetime, *, address: str = "", browser: str = "") -> Session:
        """Begin a session under a fresh random name (so that none can be planted beforehand)."""
        session = Session(secrets.token_urlsafe(32), login, token, now, now, now, address=address, browser=browser)
        with self._lock:
            self._all = {k: s for k, s in self._all.items() if _lives(s, now)}
            self._all[session.id] = session
        return session

    def find(self, session_id: str, now: datetime, *, hand: bool = True) -> Session | None:
        """Return the live session of that name, or None; note that it was seen if a `hand` asks and not a script."""
        with self._lock:
            session = self._all.get(session_id)
            if session is None or not _lives(session, now):
                self._all.pop(session_id, None)
                return None
            session.attended = session.attended and now - session.seen < ATTENDED
            session.seen = now if hand else session.seen
            return session

    def attended(self, login: str, address: str, now: datetime) -> bool:
        """Say whether this person has been busy at this address without a gap, up to now."""
        with self._lock:
            mine = [each for each in self._all.values() if (each.login, each.address) == (login, address)]
        return any(each.attended and now - each.seen < ATTENDED for each in mine)

    def close_of(self, login: str) -> None:
        """End every session of a person."""
        with self._lock:
            self._all = {name: each for name, each in self._all.items() if each.login != login}

    def close(self, session_id: str) -> None:
        """End a session; ending it twice is no error."""
        with self._lock:
            self._all.pop(session_id, None)


def _lives(session: Session, now: datetime) -> bool:
    return now - session.seen < IDLE and now - session.began < LONGEST
