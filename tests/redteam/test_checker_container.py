"""The container of a checker's child holds by itself: without seccomp, Landlock and limits there is nothing in it.

`test_checker_sandbox.py` attacks all barriers together, where the first one answers for the rest.
"""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from enclave.airlock.sealing import seal

pytestmark = pytest.mark.redteam
PROBE = Path(__file__).parent / "container_probe.py"
STRANGER = 64_999
NOT_THERE = {errno.ENOENT}
SHUT: dict[str, set[int]] = {
    "read /etc/passwd": NOT_THERE,
    "read the enclave's database": NOT_THERE,
    "read the first process": NOT_THERE,
    "read itself in /proc": NOT_THERE,
    "read a temporary file of the machine": NOT_THERE,
    "look into another process": {errno.ESRCH},
    "reach the machine": {errno.ENETUNREACH},
    "reach the network": {errno.ENETUNREACH},
    "write at the root": {errno.EROFS},
    "write into our code": {errno.EROFS},
    "make the root writable": {errno.EPERM},
    "make a device": {errno.EPERM, errno.EOVERFLOW},
    "take the shared memory of another": {errno.ENOENT},
    "become root of the machine": {errno.EINVAL},
}


AS_ROOT = ("as root", "as root that keeps its files from others")


@pytest.fixture(scope="module", params=[*AS_ROOT, "as a service without privileges"])
def said(request: pytest.FixtureRequest) -> dict[str, Any]:
    command = [sys.executable, "-I", str(PROBE)]
    who: dict[str, Any] = {"umask": 0o077} if request.param == AS_ROOT[1] else {}
    if request.param not in AS_ROOT:
        if os.geteuid() == 0:
            who = {"user": STRANGER, "group": STRANGER, "extra_groups": []}
        code = Path(seal.__file__)
        if not all(folder.stat().st_mode & 0o001 for folder in (*code.parents, *Path(sys.executable).parents)):
            pytest.skip("this checkout lies where no other account can read it")
    elif os.geteuid() != 0:
        pytest.skip("only root can be root")
    with tempfile.NamedTemporaryFile(dir="/tmp") as secret:
        Path(secret.name).chmod(0o644)
        done = subprocess.run([*command, secret.name], capture_output=True, text=True, check=False, timeout=120, **who)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", SHUT)
def test_nothing_is_there_to(said: dict[str, Any], name: str) -> None:
    assert said[name].get("refused") in SHUT[name], said[name]


def test_the_root_holds_the_libraries_and_nothing_else(said: dict[str, Any]) -> None:
    allowed = {path.parts[1] for path in (*seal.folders(), Path("/lib"), Path("/lib64"), Path("/usr"))}
    assert set(said["names of the root"]["won"]) <= allowed
    assert not {"proc", "dev", "etc", "var", "home", "root", "tmp", "sys", "run"} & (
        set(said["names of the root"]["won"]) - {path.parts[1] for path in seal.folders()}
    )


def test_changing_the_root_once_more_uncovers_nothing(said: dict[str, Any]) -> None:
    answer = said["uncover what lies beneath"]
    assert "refused" in answer or answer["won"] == said["names of the root"]["won"]


def test_a_child_is_alone_in_its_world(said: dict[str, Any]) -> None:
    assert said["other processes"]["won"] == {"me": 1, "parent": 0, "others": []}


def test_nobody_outlives_a_child(said: dict[str, Any]) -> None:
    assert said["survivor's pipe is shut"] is True


def test_every_barrier_of_the_container_holds(said: dict[str, Any]) -> None:
    assert set(said["held"]) >= {"no-network", "own-root"}
