"""The store of the copy hangs: the run ends while it still does, and the next one brings what is missing, once."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from audit.errors import CopyError
from audit.tiles import CHECKPOINT
from tests.audit.store_server import StoreServer
from tests.audit.test_worm import TILE, Place, files, place, server, sound  # noqa: F401 - fixtures
from tests.hung import before, stopped, to


def impatient(place: Place, endpoint: str) -> None:  # noqa: F811 - a fixture's name
    place.bucket = replace(place.bucket, endpoint=endpoint, wait_s=0.5)


def is_whole(place: Place, name: str) -> bool:  # noqa: F811 - a fixture's name
    back = place.back(name)
    return files(back / "log") == files(place.log) and sound(back)


@pytest.fixture
def at(server: StoreServer) -> tuple[str, int]:  # noqa: F811 - a fixture
    return "127.0.0.1", urlsplit(server.endpoint).port or 0


def test_a_store_that_hangs_ends_the_run_and_the_next_one_catches_up(
    place: Place,  # noqa: F811 - a fixture
    server: StoreServer,  # noqa: F811 - a fixture
) -> None:
    kept = place.bucket
    impatient(place, server.endpoint)
    with stopped(server.pid), pytest.raises(CopyError, match="응하지 않거나"):
        place.copy()
    place.bucket = kept
    assert (place.copy().hidden, place.copy().files) == (0, 0)
    assert is_whole(place, "back")


@pytest.fixture
def stops(server: StoreServer, at: tuple[str, int]) -> Iterator[str]:  # noqa: F811 - a fixture
    """The address of a relay that stops the server at the fifth call, in the middle of the copying."""
    calls = 0

    def connect():
        nonlocal calls
        calls += 1
        if calls == 5:
            os.kill(server.pid, signal.SIGSTOP)
        return to(at)()

    with contextlib.ExitStack() as stack:
        stack.callback(os.kill, server.pid, signal.SIGCONT)
        _, listener = stack.enter_context(before(connect))
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_one_that_hangs_in_the_middle_does_late_what_it_was_asked_and_nothing_counts_twice(
    place: Place,  # noqa: F811 - a fixture
    server: StoreServer,  # noqa: F811 - a fixture
    stops: str,
) -> None:
    kept = place.bucket
    impatient(place, stops)
    with pytest.raises(CopyError):
        place.copy()
    os.kill(server.pid, signal.SIGCONT)
    place.bucket = kept
    place.copy()
    assert (place.copy().hidden, place.copy().files) == (0, 0)
    assert is_whole(place, "back")


def test_one_that_answers_a_byte_at_a_time_is_left_too(place: Place, at: tuple[str, int]) -> None:  # noqa: F811 - a fixture
    kept = place.bucket
    with before(to(at)) as (relay, listener):
        relay.drips = True
        impatient(place, f"http://127.0.0.1:{listener.getsockname()[1]}")
        with pytest.raises(CopyError):
            place.copy()
    place.bucket = kept
    assert place.copy().hidden == 0
    assert is_whole(place, "back")


def test_the_same_bytes_twice_hide_nothing_and_others_do(place: Place, server: StoreServer) -> None:  # noqa: F811 - fixtures
    place.copy()
    key = f"ansim/{TILE}"
    path: Path = place.log / TILE
    server.client.put_object(Bucket=place.name, Key=key, Body=path.read_bytes())
    assert place.copy().hidden == 0
    server.client.put_object(Bucket=place.name, Key=key, Body=bytes(path.stat().st_size))
    assert place.copy().hidden == 1
    assert (place.log / CHECKPOINT).exists()
    assert is_whole(place, "back")
