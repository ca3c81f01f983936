"""The spool: nothing that was told to be kept is lost, nothing is kept that does not fit, and order stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from enclave.errors import Unavailable
from enclave.gate import journal
from enclave.gate.spool import Bounds, Spool

AT = datetime(2026, 11, 28, 3, tzinfo=UTC)


def spool(folder: Path, **bounds: int) -> Spool:
    return Spool(folder, clock=lambda: AT, bounds=Bounds(**bounds))


def test_an_event_comes_back_as_it_was_put_until_it_is_settled(tmp_path: Path) -> None:
    mine = spool(tmp_path)
    name = mine.put("w1", "code", {"source": "execute", "characters": 3, "silent": False}, "안\n녕".encode())
    (event,) = mine.events()
    assert (event.id, event.at, event.workspace_id, event.kind) == (name, AT, "w1", "code")
    assert event.details == {"source": "execute", "characters": 3, "silent": False}
    assert event.text.decode() == "안\n녕"
    assert [each.id for each in spool(tmp_path).events()] == [name]
    assert mine.settle([name, name, "never"]) == 1
    assert mine.events() == spool(tmp_path).events() == []


@pytest.mark.parametrize(
    ("bounds", "text"),
    [
        ({"events": 2}, b""),
        ({"workspace_events": 2}, b""),
        ({"size": 1000}, b"x" * 200),
        ({"workspace_size": 1000}, b"x" * 200),
    ],
)
def test_a_full_spool_refuses_and_takes_again_once_settled(tmp_path: Path, bounds: dict[str, int], text: bytes) -> None:
    mine = spool(tmp_path, **bounds)
    kept = [mine.put("w1", "code", {}, text) for _ in range(2)]
    with pytest.raises(Unavailable, match="대기열") as refused:
        mine.put("w1", "code", {}, text)
    assert refused.value.code == "gate.spool-full"
    assert [event.id for event in mine.events()] == kept
    mine.settle(kept[:1])
    mine.put("w1", "code", {}, text)


def test_one_workspace_cannot_fill_the_others_share(tmp_path: Path) -> None:
    mine = spool(tmp_path, workspace_events=3)
    for _ in range(3):
        mine.put("loud", "code", {})
    with pytest.raises(Unavailable):
        mine.put("loud", "code", {})
    mine.put("quiet", "code", {})


def test_too_long_a_text_and_odd_details_are_not_kept(tmp_path: Path) -> None:
    mine = spool(tmp_path, text=10)
    with pytest.raises(Unavailable):
        mine.put("w1", "code", {}, b"x" * 11)
    with pytest.raises(ValueError, match="not an event"):
        mine.put("w1", "code", {"share": 0.5})  # type: ignore[dict-item]
    with pytest.raises(ValueError, match="not an event"):
        mine.put("w1", "Not A Slug", {})
    assert mine.events() == []


def test_a_failed_sync_keeps_nothing_and_the_next_one_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = spool(tmp_path)
    first = mine.put("w1", "code", {})

    def fails(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(journal.os, "fdatasync", fails)
        with pytest.raises(OSError, match="No space"):
            mine.put("w1", "code", {})
        mine.settle([first])  # a full disk must not keep what is recorded
    second = mine.put("w1", "code", {})
    assert [event.id for event in mine.events()] == [second]
    # Nobody knows what the disk has of the file whose sync failed.
    assert mine._journal.segments[-1] > 1
    assert second in [event.id for event in spool(tmp_path).events()]


@pytest.mark.skipif(os.geteuid() != 0, reason="file systems are mounted by root")
def test_what_has_its_room_is_kept_although_the_disk_is_full(tmp_path: Path) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", tmp_path], check=True)
    mine, other = spool(tmp_path / "reserved"), spool(tmp_path / "not")
    try:
        mine.reserve()
        with pytest.raises(OSError, match="No space"):
            fill(tmp_path / "filler")
        with pytest.raises(OSError, match="No space"):
            other.put("w1", "code", {})
        kept = mine.put("w1", "code", {}, b"x" * 1000)
        assert [event.id for event in spool(tmp_path / "reserved").events()] == [kept]
    finally:
        for each in (mine, other):
            each._journal.close()
        subprocess.run(["umount", tmp_path], check=True)


def fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(1 << 12))


def test_a_line_cut_off_by_a_crash_is_passed_over(tmp_path: Path) -> None:
    mine = spool(tmp_path)
    kept = mine.put("w1", "code", {}, b"whole")
    mine.put("w1", "code", {}, b"torn")
    segment = next(tmp_path.glob("*.log"))
    segment.write_bytes(segment.read_bytes().rstrip(b"\0")[:-7] + bytes(1000))
    again = spool(tmp_path)
    assert [event.id for event in again.events()] == [kept]
    later = again.put("w1", "code", {}, b"later")
    assert [event.id for event in spool(tmp_path).events()] == [kept, later]


def test_a_line_that_the_disk_changed_is_passed_over(tmp_path: Path) -> None:
    mine = spool(tmp_path)
    kept = [mine.put("w1", "code", {"n": number}) for number in range(3)]
    segment = next(tmp_path.glob("*.log"))
    segment.write_bytes(segment.read_bytes().replace(b'"n":1', b'"n":7'))
    assert [event.id for event in spool(tmp_path).events()] == [kept[0], kept[2]]


def test_the_disk_is_given_back(tmp_path: Path) -> None:
    mine = spool(tmp_path)
    for _ in range(40):
        mine.settle([mine.put("w1", "display", {}, os.urandom(1 << 19))])
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 2 * journal.SEGMENT


def test_numbers_go_on_after_everything_was_settled_and_the_gate_restarted(tmp_path: Path) -> None:
    first = spool(tmp_path)
    names = [first.put("w1", "code", {}) for _ in range(3)]
    first.settle(names)
    again = spool(tmp_path)
    assert again.put("w1", "code", {}) > max(names)


def test_several_threads_at_once(tmp_path: Path) -> None:
    mine = spool(tmp_path)
    threads = [
        threading.Thread(target=lambda name=name: [mine.put(name, "code", {"n": n}) for n in range(50)])
        for name in "abcd"
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = mine.events(1000)
    assert len({event.id for event in found}) == 200
    for name in "abcd":
        assert [event.details["n"] for event in found if event.workspace_id == name] == list(range(50))


PUTTING = """
import sys
from pathlib import Path
from enclave.gate.spool import Spool
spool = Spool(Path(sys.argv[1]))
for number in range(100_000):
    print(spool.put("w1", "code", {"n": number}, b"x" * (number % 300)), flush=True)
    if number % 7 == 0:
        name = spool.events(1)[0].id
        print("-" + name, flush=True)
        spool.settle([name])
"""


@pytest.mark.crash
def test_what_was_told_to_be_kept_is_there_after_a_kill(tmp_path: Path) -> None:
    for round_ in range(3):
        folder = tmp_path / str(round_)
        with subprocess.Popen([sys.executable, "-c", PUTTING, str(folder)], stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout
            said = [child.stdout.readline().strip() for _ in range(20 + 10 * round_)]
            child.send_signal(signal.SIGKILL)
            said += [line.strip() for line in child.stdout.read().split("\n")[:-1]]
        put = [name for name in said if not name.startswith("-")]
        maybe_gone = {name[1:] for name in said if name.startswith("-")}
        found = [event.id for event in spool(folder).events(100_000)]
        assert len(put) > 10
        assert set(put) - maybe_gone <= set(found)
        # One more may have been kept without anybody having been told.
        assert found == sorted(found)
        assert len(set(found) - set(put)) <= 1


class Histories(RuleBasedStateMachine):
    """Puts, settles and restarts in any order, against a list."""

    @initialize(folder=st.integers(0, 1 << 60))
    def begin(self, folder: int) -> None:
        import tempfile

        self.folder = Path(tempfile.mkdtemp(prefix=f"spool-{folder}-"))
        self.spool, self.model = spool(self.folder, events=10), []

    @rule(workspace=st.sampled_from("ab"), text=st.binary(max_size=50))
    def put(self, workspace: str, text: bytes) -> None:
        if len(self.model) < 10:
            self.model.append((self.spool.put(workspace, "code", {}, text), text))
        else:
            with pytest.raises(Unavailable):
                self.spool.put(workspace, "code", {}, text)

    @rule(which=st.sets(st.integers(0, 9)))
    def settle(self, which: set[int]) -> None:
        self.spool.settle([name for index, (name, _) in enumerate(self.model) if index in which])
        self.model = [each for index, each in enumerate(self.model) if index not in which]

    @rule()
    def restart(self) -> None:
        self.spool = spool(self.folder, events=10)

    @invariant()
    def same(self) -> None:
        assert [(event.id, event.text) for event in self.spool.events()] == self.model

    def teardown(self) -> None:
        import shutil

        if hasattr(self, "folder"):
            shutil.rmtree(self.folder)


TestHistories = Histories.TestCase
TestHistories.settings = settings(max_examples=30, stateful_step_count=20, deadline=None)
