"""A gate that hangs: the kernel still takes its connections, so only whoever asks can stop waiting."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from enclave.errors import Unavailable
from enclave.gate.client import Gate, Patience
from enclave.portal.stopping import stop_all

PLACES = ["w-1", "w-2", "w-3"]


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[socket.socket]:
    """A socket at which nobody takes a connection from the queue."""
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(tmp_path / "gate.sock"))
        made.listen(16)
        yield made


def test_a_gate_that_hangs_is_not_waited_for_for_each_workspace(listener: socket.socket) -> None:
    gate = Gate(Path(listener.getsockname()), Patience(0.2, 0.2, 0.2))
    assert stop_all(gate.revoke, PLACES) == PLACES
    assert waiting(listener) == 1


def test_a_gate_whose_queue_is_full_is_not_waited_for_for_ever(listener: socket.socket) -> None:
    listener.listen(0)
    with contextlib.ExitStack() as held:
        while True:
            line = held.enter_context(socket.socket(socket.AF_UNIX))
            line.settimeout(0)
            try:
                line.connect(listener.getsockname())
            except BlockingIOError:
                break
        gate = Gate(Path(listener.getsockname()), Patience(0.2, 0.2, 0.2))
        with pytest.raises(Unavailable, match="응답하지 않습니다"):
            gate.revoke("w-1")


def test_what_one_workspace_is_refused_does_not_keep_the_others_open() -> None:
    asked: list[str] = []

    def revoke(workspace_id: str) -> None:
        asked.append(workspace_id)
        if workspace_id == "w-1":
            raise Unavailable("gate.engine", ko="-", en="-")

    assert stop_all(revoke, PLACES) == ["w-1"]
    assert asked == PLACES


def waiting(listener: socket.socket) -> int:
    listener.settimeout(0)
    found = 0
    with contextlib.suppress(BlockingIOError):
        while True:
            listener.accept()[0].close()
            found += 1
    return found
