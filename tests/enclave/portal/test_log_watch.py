"""The watch over the log: canaries read back through the tiles, a dead sequencer, disks, the clock, and the banner."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from audit import keys
from audit.canonical import decode
from audit.reader import LogReader
from audit.tables import audit_entry
from enclave import timekeeping
from enclave.policy.log_health import (
    ALARM_S,
    CLOCK_MS,
    RELEASES_STOP_S,
    WATERMARKS,
    Facts,
    Trouble,
    is_clock_wrong,
    mark,
    troubles,
)
from enclave.portal.log_watch import LogWatch, disks
from enclave.timekeeping import SINCE_1900, Reading, Timekeeper
from tests.enclave.portal.world import World


def told(world: World, action: str) -> list[dict[str, object]]:
    with world.store.read() as session:
        rows = session.execute(audit_entry.select().order_by(audit_entry.c.position))
        return [each for row in rows if (each := decode(row.bytes)).get("action") == action]


def look(world: World, *, canary: bool = False) -> LogWatch:
    watch = world.portal.watch
    if canary:
        watch._canary_due = 0.0
    watch.look(world.portal)
    return watch


def test_a_canary_is_read_back_through_the_published_tiles_a_minute_later(world: World) -> None:
    look(world)
    world.publish_log()
    assert look(world, canary=True).troubles == {}
    first, second = told(world, "log.canary")
    assert (first.get("details"), second["details"]) == (None, {"before": first["id"], "found": True})


@pytest.mark.parametrize(
    "damage",
    ["a file is deleted", "a file is changed", "the checkpoint is gone", "another key signed it", "nobody publishes"],
)
def test_a_canary_that_is_not_found_is_an_alarm_and_an_entry(world: World, tmp_path: Path, damage: str) -> None:
    look(world)
    if damage != "nobody publishes":
        world.publish_log()
    files = [path for path in (world.settings.log / "tile" / "entries").rglob("*") if path.is_file()]
    bundle = max(files, key=lambda path: path.stat().st_mtime_ns)
    if damage == "a file is deleted":
        shutil.rmtree(world.settings.log / "tile" / "entries")
    elif damage == "a file is changed":
        bundle.write_bytes(bundle.read_bytes().replace(b"canary", b"canarx"))
    elif damage == "the checkpoint is gone":
        (world.settings.log / "checkpoint").unlink()
    elif damage == "another key signed it":
        signed_by_another(world, tmp_path)
    assert Trouble.CANARY in look(world, canary=True).troubles
    last = told(world, "log.canary")[-1]
    assert (last["outcome"], last["details"]["found"]) == ("failed", False)
    # Without a checkpoint nothing counts as published: what is old enough is an alarm of its own.
    assert [each["reason"]["code"] for each in told(world, "log.alarm")].count("log.canary") == 1


def signed_by_another(world: World, tmp_path: Path) -> None:
    """What whoever may write the log's folder, and has no key of ours, can put there."""
    text = str(LogReader(world.settings.log).checkpoint)
    other = keys.create(tmp_path / "other.key", name=text.splitlines()[0])
    (world.settings.log / "checkpoint").write_text(other.sign(text))


def test_a_disk_that_passes_a_mark_is_an_entry_each_way(world: World, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("file systems are mounted by root")
    folder = world.settings.emergency
    folder.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], check=True)
    try:
        for filled in (82, 91, 96, 10):
            (folder / "filler").write_bytes(bytes((1 << 20) * filled // 100))
            look(world)
    finally:
        subprocess.run(["umount", folder], check=True)
    marks = [each["details"]["mark"] for each in told(world, "log.disk") if each["object"]["id"] == "emergency"]
    assert marks == [*WATERMARKS, 0]


def test_how_full_a_disk_is_counts_as_df_does(world: World) -> None:
    name, percent = next(iter(disks(world.settings).items()))
    told_by_df = subprocess.run(["df", "--output=pcent", world.home], capture_output=True, text=True, check=True).stdout
    assert name == "home"
    assert abs(percent - int(told_by_df.split()[-1].rstrip("%"))) <= 1


@pytest.mark.parametrize(("percent", "passed"), [(0, 0), (79, 0), (80, 80), (89, 80), (90, 90), (95, 95), (100, 95)])
def test_the_marks_of_a_disk(percent: int, passed: int) -> None:
    assert mark(percent) == passed


class TimeServer:
    """A time server (RFC 4330) whose clock is ahead of ours by so many seconds."""

    def __init__(self, ahead_s: float, *, stratum: int = 2, echo: bool = True, leap: int = 0) -> None:
        self._ahead, self._stratum, self._echo, self._leap = ahead_s, stratum, echo, leap
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._answer)
        self._thread.start()

    def _answer(self) -> None:
        asked, who = self._socket.recvfrom(512)
        if asked[0] & 7 == 3:
            stamp = int((time.time() + self._ahead + SINCE_1900) * (1 << 32)).to_bytes(8)
            echo = asked[40:48] if self._echo else bytes(8)
            self._socket.sendto(bytes([self._leap << 6 | 0x24, self._stratum]) + bytes(22) + echo + stamp + stamp, who)

    def close(self) -> None:
        self._thread.join(5)
        self._socket.close()


@pytest.mark.parametrize("ahead_s", [0.0, 2.5, -7200.0])
def test_the_offset_is_what_a_time_server_says(ahead_s: float) -> None:
    with closing(TimeServer(ahead_s)) as server:
        reading = Timekeeper(server.address).reading()
    assert reading.synchronised
    assert abs(reading.offset_ms - ahead_s * 1000) < 100


@pytest.mark.parametrize("server", [{"stratum": 0}, {"stratum": 16}, {"echo": False}, {"leap": 3}])
def test_a_server_that_does_not_know_or_answers_somebody_else_is_not_believed(server: dict[str, object]) -> None:
    with closing(TimeServer(5, **server)) as answering:  # type: ignore[arg-type]
        assert Timekeeper(answering.address).reading() == Reading(answering.address, synchronised=False, offset_ms=0)


def test_a_server_that_does_not_answer_leaves_the_clock_unsynchronised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timekeeping, "TIMEOUT_S", 0.05)
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as silent:
        silent.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        assert not Timekeeper(address).reading().synchronised


@pytest.mark.parametrize(
    ("reading", "wrong"),
    [
        (Reading("time.test", synchronised=True, offset_ms=CLOCK_MS), False),
        (Reading("time.test", synchronised=True, offset_ms=CLOCK_MS + 1), True),
        (Reading("time.test", synchronised=True, offset_ms=-CLOCK_MS - 1), True),
        (Reading("time.test", synchronised=True, offset_ms=0, jumped_ms=CLOCK_MS + 1), True),
        (Reading("time.test", synchronised=False, offset_ms=0), True),
        (Reading(timekeeping.KERNEL, synchronised=False, offset_ms=0), False),
    ],
)
def test_when_the_clock_is_wrong(reading: Reading, wrong: bool) -> None:
    assert is_clock_wrong(reading) is wrong


def test_the_kernel_tells_what_a_daemon_has_told_it() -> None:
    assert Timekeeper().reading().source == timekeeping.KERNEL


TABLE_OF_TROUBLES = [
    (Facts(), set()),
    (Facts(writable=False), {Trouble.UNWRITABLE}),
    (Facts(behind_s=ALARM_S - 1), set()),
    (Facts(behind_s=ALARM_S), {Trouble.BEHIND}),
    (Facts(behind_s=RELEASES_STOP_S), {Trouble.BEHIND, Trouble.RELEASES_STOPPED}),
    (Facts(missing=("x",)), {Trouble.UNPROTECTED}),
    (Facts(rights=("x",)), {Trouble.RIGHTS}),
    (Facts(disks={"home": 79, "db": 80}), {Trouble.DISK}),
    (Facts(clock_ok=False), {Trouble.CLOCK}),
    (Facts(waiting_acts=1), {Trouble.WAITING_ACTS}),
]


@pytest.mark.parametrize(("facts", "expected"), TABLE_OF_TROUBLES)
def test_what_is_wrong(facts: Facts, expected: set[Trouble]) -> None:
    assert troubles(facts) == expected


@pytest.fixture
def nobody(world: World) -> int:
    """A user that may not read the log's key."""
    key = world.settings.keys / "log.key"
    for folder in [world.home, *world.home.parents][:4]:
        folder.chmod(folder.stat().st_mode | 0o055)
    os.chown(key, 0, 0)
    return 65534


def test_without_its_key_the_sequencer_does_not_start_says_why_and_signs_nothing(world: World, nobody: int) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs another user")
    before = (world.settings.log / "checkpoint").read_bytes()
    key, root = world.settings.keys / "log.key", Path(__file__).parents[3]
    command = [sys.executable, "-m", "audit.serve", world.settings.url, world.settings.log, key]
    done = subprocess.run(command, check=False, user=nobody, capture_output=True, text=True, timeout=60, cwd=root)
    assert done.returncode == 1
    assert done.stderr.startswith("audit.key-unreadable: ")
    assert "Traceback" not in done.stderr
    assert (world.settings.log / "checkpoint").read_bytes() == before
