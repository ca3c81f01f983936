"""A parser that was taken over, inside the real sealing: every way out, and every way to hurt the machine, is shut."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from enclave.airlock.sealing import landlock, seal
from enclave.airlock.sealing.pool import Limits, SealedFailure, SealedPool
from tests.redteam.hostile_worker import ATTACKS

pytestmark = pytest.mark.redteam
HERE = Path(__file__).parent
LIMITS = Limits(timeout_s=3, memory_bytes=256 << 20, answer_bytes=1 << 16)
# ENOENT: the file is not in the container at all. 0: our own word for "nothing found".
REFUSED = {
    errno.EPERM,
    errno.EACCES,
    errno.ENOENT,
    errno.EROFS,
    errno.EBADF,
    errno.ENOMEM,
    0,
    "RuntimeError",
    "MemoryError",
}
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
    assert answer["refused"] in REFUSED
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
    assert sealed >= {"no-network", "own-root", "own-processes"}, "this kernel grants user namespaces"


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


SEAL_WITHOUT = """
import os, sys
from enclave.airlock.sealing import kernel, landlock, seal, seccomp
def refused(*_, **__):
    raise OSError(38, "no such thing in this kernel")
for name in sys.argv[1:]:
    module, function = name.split(".")
    setattr({"landlock": landlock, "seccomp": seccomp}[module], function, refused)
kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
print(*seal.lock(memory_bytes=1 << 29, cpu_s=5), flush=True)
try:
    os.open("/etc/passwd", os.O_RDONLY)
except OSError as error:
    print(error.errno, flush=True)
"""


def seal_without(*missing: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", "-c", SEAL_WITHOUT, *missing]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_without_landlock_no_file_can_be_opened_at_all() -> None:
    done = seal_without("landlock.restrict")
    assert done.stdout.split() == ["no-capabilities", "limits", "seccomp", str(errno.EPERM)]


def test_without_seccomp_there_is_no_sealed_process() -> None:
    done = seal_without("seccomp.install")
    assert done.returncode != 0
    assert done.stdout == ""


WITHOUT_MOUNTS = """
import os, sys
from enclave.airlock.sealing import cell, kernel, seal
def refused(*_, **__):
    raise OSError(1, "some systems grant a user namespace and nothing in it")
kernel.mount = refused
container = cell.enter(seal.folders())
print(*container.held, container.has_namespaces, flush=True)
with container.next_process() as held:
    pid = os.fork()
    if pid == 0:
        container.leave_server()
        seal.never_again()
        print(*held, *seal.lock(memory_bytes=1 << 29, cpu_s=5), flush=True)
        os._exit(0)
os.waitpid(pid, 0)
"""


def test_without_mounts_there_is_no_container_and_the_other_barriers_stand() -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-c", WITHOUT_MOUNTS], capture_output=True, text=True, check=True, timeout=60
    )
    outside, inside = done.stdout.splitlines()
    assert outside.split() == ["no-network", *(["nobody"] if os.geteuid() == 0 else []), "False"]
    assert set(inside.split()) == {"no-capabilities", "limits", "landlock", "seccomp"}


UNPRIVILEGED = """
import sys
from pathlib import Path
from enclave.airlock.checker import check
from enclave.airlock.rules import CheckRules
report = check(Path(sys.argv[1]), "a.csv", CheckRules())
print(report.verdict, *report.sealed)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="without root every test here runs unprivileged already")
def test_a_service_without_privileges_seals_as_well(tmp_path: Path) -> None:
    code = Path(seal.__file__)
    if not all(folder.stat().st_mode & 0o001 for folder in (*code.parents, *Path(sys.executable).parents)):
        pytest.skip("this checkout lies where no other account can read it")
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        table = Path(folder, "a.csv")
        table.write_text("region,n\nSeoul,100\n")
        for path, mode in ((Path(folder), 0o755), (table, 0o644)):
            path.chmod(mode)
        command = [sys.executable, "-I", "-c", UNPRIVILEGED, str(table)]
        done = subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=120, user=64_999, group=64_999, extra_groups=[]
        )
    verdict, *sealed = done.stdout.split()
    assert verdict == "PASS"
    assert set(sealed) >= seal.REQUIRED | {"no-network", "own-root", "own-processes"}
