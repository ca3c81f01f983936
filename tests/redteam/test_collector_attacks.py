"""Attacks on the collector from inside a real workspace: what lies in the outbox is hostile."""

from __future__ import annotations

import hashlib
import pwd
from collections.abc import Iterator
from pathlib import Path

import pytest

from enclave.errors import Conflict
from enclave.gate.limits import Collected, CollectLimits, RefusedFile
from tests.enclave.gate.world import Workspace, World, make_world, until

pytestmark = [pytest.mark.redteam, pytest.mark.docker]


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with make_world() as made:
        yield made


@pytest.fixture(scope="module")
def inside(world: World) -> Workspace:
    return world.run()


def collect(inside: Workspace, *names: str, **limits: int) -> list[Collected | RefusedFile]:
    return inside.world.gate.collect(inside.plan.workspace_id, names, limits=CollectLimits(**limits))


def left_in_staging(inside: Workspace) -> list[Path]:
    return list(inside.world.settings.staging.rglob("*"))


@pytest.fixture(autouse=True)
def _empty_staging(inside: Workspace) -> Iterator[None]:
    yield
    for path in sorted(left_in_staging(inside), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()


@pytest.mark.parametrize("name", ["table.csv", "f3a9/table.csv", "표 1.csv", "a" * 251 + ".csv"])
def test_a_plain_file_is_copied_and_belongs_to_the_portal(inside: Workspace, name: str) -> None:
    path = f"/outbox/{name}"
    make = (
        f"import os; os.makedirs(os.path.dirname({path!r}), exist_ok=True)\nopen({path!r}, 'w').write('a,b\\n1,2\\n')"
    )
    assert "[exit 0]" in inside.python(make)
    (taken,) = collect(inside, name)
    assert isinstance(taken, Collected)
    assert (taken.name, taken.size, taken.sha256) == (name, 8, hashlib.sha256(b"a,b\n1,2\n").hexdigest())
    assert taken.path.read_bytes() == b"a,b\n1,2\n"
    portal = pwd.getpwnam(inside.world.settings.app_user)
    assert (taken.path.stat().st_uid, taken.path.stat().st_mode & 0o777) == (portal.pw_uid, 0o600)
    assert (taken.path.parent.stat().st_uid, taken.path.parent.stat().st_mode & 0o777) == (portal.pw_uid, 0o700)


CLEAR = """
import os, shutil
for name in os.listdir(b'/outbox'):
    path = b'/outbox/' + name
    shutil.rmtree(path) if os.path.isdir(path) and not os.path.islink(path) else os.unlink(path)
"""

TRAPS = {
    "a link to a file of the host": ("os.symlink('/etc/shadow', '/outbox/x')", "x", "collect.not-a-file"),
    "a link that leads nowhere": ("os.symlink('/nowhere', '/outbox/x')", "x", "collect.not-a-file"),
    "a folder": ("os.mkdir('/outbox/x')", "x", "collect.not-a-file"),
    "a folder that is a link": ("os.symlink('/etc', '/outbox/x')", "x/passwd", "collect.not-a-file"),
    "a folder that is a file": ("open('/outbox/x', 'w')", "x/y", "collect.not-a-file"),
    "a fifo": ("os.mkfifo('/outbox/x')", "x", "collect.not-a-file"),
    "a socket": (
        "import socket; socket.socket(socket.AF_UNIX).bind('/outbox/x')",
        "x",
        "collect.not-a-file",
    ),
    "a hard link": ("open('/outbox/y', 'w').close(); os.link('/outbox/y', '/outbox/x')", "x", "collect.linked"),
    "5 GB of nothing": ("open('/outbox/x', 'wb').truncate(5 << 30)", "x", "collect.too-large"),
    "a name with a newline": ("open('/outbox/x\\ny', 'w')", "x\ny", "collect.name"),
    "a name like an option": ("open('/outbox/-rf', 'w')", "-rf", "collect.name"),
    "a hidden name": ("open('/outbox/.x', 'w')", ".x", "collect.name"),
    "a name that turns the text around": ("open('/outbox/x\u202efdp.exe', 'w')", "x\u202efdp.exe", "collect.name"),
    "a name that is no text": ("open(b'/outbox/x\\xff', 'w')", "x\udcff", "collect.name"),
    "up and out": ("pass", "../../../../etc/passwd", "collect.name"),
    "up": ("pass", "../x", "collect.name"),
    "an absolute path": ("pass", "/etc/passwd", "collect.name"),
    "two folders deep": ("os.makedirs('/outbox/d/e'); open('/outbox/d/e/x', 'w')", "d/e/x", "collect.name"),
    "nothing": ("pass", "x", "collect.missing"),
    "nothing in a folder": ("os.mkdir('/outbox/d')", "d/x", "collect.missing"),
    "nothing in no folder": ("pass", "d/x", "collect.missing"),
    "an empty name": ("pass", "", "collect.name"),
    "a name with a zero": ("pass", "x\0y", "collect.name"),
    "a name too long": ("pass", "가" * 100, "collect.name"),
}


@pytest.mark.parametrize(("make", "name", "code"), TRAPS.values(), ids=TRAPS)
def test_a_trap_in_the_outbox_is_refused_and_leaves_nothing(inside: Workspace, make: str, name: str, code: str) -> None:
    assert "[exit 0]" in inside.python(CLEAR + make)
    (refused,) = collect(inside, name)
    assert isinstance(refused, RefusedFile)
    assert refused.code == code
    assert refused.shown.isprintable()
    assert refused.ko
    assert refused.remedy_en
    assert left_in_staging(inside) == []


def assert_never_torn(inside: Workspace, name: str) -> None:
    """Collect until the change is caught; a writer that was not scheduled meanwhile may leave a whole copy."""
    seen: set[str] = set()

    def caught() -> bool:
        (answer,) = collect(inside, name)
        if isinstance(answer, Collected):
            assert hashlib.sha256(answer.path.read_bytes()).hexdigest() == answer.sha256
        seen.add(getattr(answer, "code", "taken"))
        return "collect.changed" in seen

    until(caught)
    assert seen <= {"collect.changed", "taken"}


def test_a_file_that_keeps_growing_is_refused(inside: Workspace) -> None:
    grow = """
import os, sys, time
if os.fork(): os._exit(0)
os.setsid(); os.close(1); os.close(2)
end = time.time() + 25
f = open('/outbox/grow', 'wb', 0); f.write(bytes(4 << 20))
while time.time() < end and not os.path.exists('/outbox/stop'): f.write(b'x'); f.truncate(4 << 20); f.seek(4 << 20)
os.unlink('/outbox/grow')
"""
    inside.python(grow)
    assert_never_torn(inside, "grow")
    inside.python("open('/outbox/stop', 'w')")


def test_a_file_rewritten_through_a_mapping_is_refused_or_is_what_its_hash_says(inside: Workspace) -> None:
    rewrite = """
import mmap, os, time
if os.fork(): os._exit(0)
os.setsid(); os.close(1); os.close(2)
f = open('/outbox/mapped', 'w+b'); f.truncate(8 << 20); m = mmap.mmap(f.fileno(), 0)
end = time.time() + 25; n = 0
while time.time() < end and not os.path.exists('/outbox/stop2'):
    n = (n + 1) % 256; m[:] = bytes([n]) * (8 << 20)
"""
    inside.python(rewrite)
    assert_never_torn(inside, "mapped")
    inside.python("open('/outbox/stop2', 'w')")


def test_one_bad_file_does_not_keep_the_good_ones_back(inside: Workspace) -> None:
    inside.python("import os; open('/outbox/good', 'w').write('1'); os.symlink('/etc/passwd', '/outbox/bad')")
    good, bad = collect(inside, "good", "bad")
    assert isinstance(good, Collected)
    assert isinstance(bad, RefusedFile)
    assert [path for path in left_in_staging(inside) if path.is_file()] == [good.path]


def test_more_than_may_be_taken_at_once_is_refused(inside: Workspace) -> None:
    inside.python("for n in '123': open('/outbox/part' + n, 'w').write('x' * 100)")
    names = ("part1", "part2", "part3")
    assert [isinstance(a, Collected) for a in collect(inside, *names, files=2)] == [True, True, False]
    assert [getattr(a, "code", "") for a in collect(inside, *names, total_bytes=250)] == ["", "", "collect.total"]
    assert [getattr(a, "code", "") for a in collect(inside, "part1", file_bytes=99)] == ["collect.too-large"]


def test_collecting_from_a_workspace_that_is_not_there_says_so(world: World) -> None:
    with pytest.raises(Conflict) as refused:
        world.gate.collect("nobody", ["x"])
    assert refused.value.code == "gate.no-volumes"
