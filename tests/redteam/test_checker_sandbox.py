"""A parser that was taken over, inside the real sealing: every way out, and every way to hurt the machine, is shut."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from enclave.airlock.sealing import landlock, seal
from enclave.airlock.sealing.pool import Limits, SealedFailure, SealedPool
from tests.redteam.hostile_worker import ATTACKS

pytestmark = pytest.mark.redteam
HERE = Path(__file__).parent
LIMITS = Limits(timeout_s=3, memory_bytes=256 << 20, answer_bytes=1 << 16)
# These end the child, or it answers rubbish; none of them is an answer that anybody would read.
ENDED = {
    "use up the processor": "too long",
    "answer without end": "more than it may",
    "crash": "broke off",
    "use a 32-bit call table": "broke off",
}


@pytest.fixture(scope="module")
def pool() -> Iterator[SealedPool]:
    pool = SealedPool("hostile_worker", folder=HERE)
    yield pool
    pool.close()


@pytest.fixture(scope="module")
def victim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sealed") / "submitted.csv"
    path.write_bytes(b"region,n\nSeoul,100\n")
    return path


def attack(pool: SealedPool, victim: Path, name: str) -> dict[str, object]:
    descriptor = os.open(victim, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return json.loads(pool.run({"attack": name}, descriptor, LIMITS).body)
    finally:
        os.close(descriptor)


@pytest.mark.parametrize("name", sorted(set(ATTACKS) - set(ENDED)))
def test_the_kernel_refuses_to(pool: SealedPool, victim: Path, name: str) -> None:
    answer = attack(pool, victim, name)
    assert "won" not in answer
    assert answer["refused"] in {errno.EPERM, errno.EACCES, errno.EBADF, errno.ENOMEM, 0, "RuntimeError", "MemoryError"}
    assert victim.read_bytes() == b"region,n\nSeoul,100\n"


@pytest.mark.parametrize(("name", "why"), sorted(ENDED.items()))
def test_a_child_that_misbehaves_is_ended_and_gives_no_answer(pool, victim, name, why) -> None:
    with pytest.raises(SealedFailure, match=why):
        attack(pool, victim, name)
    assert "refused" in attack(pool, victim, "fork"), "the server goes on"


def test_nothing_was_left_on_the_machine() -> None:
    assert not Path("/tmp/ansim-was-here").exists()
    assert not Path("/dev/shm/ansim-was-here").exists()


def test_the_barriers_named_in_an_answer_are_all_there_on_this_kernel(pool: SealedPool, victim: Path) -> None:
    descriptor = os.open(victim, os.O_RDONLY | os.O_CLOEXEC)
    sealed = set(pool.run({"attack": "fork"}, descriptor, LIMITS).sealed)
    os.close(descriptor)
    assert sealed >= seal.REQUIRED
    assert ("landlock" in sealed) == (landlock.version() > 0)
    assert ("nobody" in sealed) == (os.geteuid() == 0)


def test_a_server_that_was_killed_is_replaced(pool: SealedPool, victim: Path) -> None:
    attack(pool, victim, "fork")
    assert pool._server is not None
    pool._server.kill()
    pool._server.wait()
    assert "refused" in attack(pool, victim, "fork")


def test_a_server_that_cannot_start_is_a_failure_and_not_a_pass(victim: Path) -> None:
    pool = SealedPool("no_such_worker", folder=HERE)
    with pytest.raises(SealedFailure, match="did not start"):
        attack(pool, victim, "fork")
