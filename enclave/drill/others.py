"""Doing something as another user: in a process of its own that has given everything else up.

The drill runs as root; what it plays (a service that was taken over, a stranger on the host) must have no more than
that user has. The process is forked, becomes the user for good, does one thing, and says what came of it in JSON.
"""

from __future__ import annotations

import json
import os
import pwd
import signal
import traceback
from collections.abc import Callable
from typing import Any

CHUNK = 1 << 16


class OtherFailedError(RuntimeError):
    """What was done as another user ended in an error; the text says which."""


def as_user(user: str, work: Callable[[], Any], *, seconds: int = 120) -> Any:
    """Return what `work` returns (any JSON value), done as `user` with their groups; raises `OtherFailedError`."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        _be(user, work, writing, seconds)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        data = pipe.read()
    os.waitpid(child, 0)
    answer = json.loads(data or b'{"error": "it said nothing"}')
    if "error" in answer:
        raise OtherFailedError(answer["error"])
    return answer["value"]


def _be(user: str, work: Callable[[], Any], writing: int, seconds: int) -> None:
    """Become the user, work, answer, end: never returns."""
    try:
        signal.alarm(seconds)
        entry = pwd.getpwnam(user)
        os.initgroups(user, entry.pw_gid)
        os.setgid(entry.pw_gid)
        os.setuid(entry.pw_uid)
        # What the portal's user writes (the database) is shared with the sequencer's group.
        os.umask(0o007)
        answer = {"value": work()}
    except BaseException as error:  # noqa: BLE001 - whatever it was, the parent must hear of it and this process must end
        answer = {"error": f"{type(error).__name__}: {error} {traceback.format_exc(limit=-1).strip()[-200:]}"}
    os.write(writing, json.dumps(answer).encode())
    os._exit(0)
