"""The log's key is handed over: verifiers follow, the old key counts no more, and a kill at any point loses nothing."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from audit import durable, keys, outbox, rotation, tables
from audit.anchors import Anchors
from audit.errors import LogBusyError, NoteError
from audit.event import Event
from audit.note import Checkpoint, Signer
from audit.reader import LogReader
from audit.sequencer import Sequencer
from audit.verify import verify_log

NAME = "ansim.test/log"


class House:
    """A log with its database, its key, its anchors; it can go on writing with whatever key lies there."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.log, self.key = folder, folder / "log", folder / "keys/log.key"
        self.anchors = Anchors(folder / "anchors")
        (folder / "keys").mkdir(parents=True)
        self.first = keys.create(self.key, name=NAME)
        self.engine = create_engine(f"sqlite:///{folder / 'log.sqlite'}")
        tables.metadata.create_all(self.engine)

    def write(self, count: int = 10) -> None:
        signer = keys.load(self.key)
        with self.engine.begin() as connection:
            for number in range(count):
                outbox.append(connection, Event("thing.add", "done", f"u-{number}"), observer="test")
        with closing(Sequencer(self.engine, self.log, signer, NAME)) as sequencer:
            sequencer.step()

    def rotate(self) -> rotation.Handover:
        return rotation.hand_over(self.log, self.key, self.anchors)

    def look(self, trusted=None):
        policy = trusted or self.anchors.policy(keys.load(self.key).vkey)
        return verify_log(self.log, policy, anchors=self.anchors.folder)

    def sign_with(self, signer: Signer) -> None:
        checkpoint = LogReader(self.log).checkpoint
        durable.write_checkpoint(self.log, signer.sign(str(checkpoint)).encode())


@pytest.fixture
def house(tmp_path):
    made = House(tmp_path)
    made.write(300)
    yield made
    made.engine.dispose()


def codes(report) -> set[str]:
    return {claim.code for claim in report.claims}


def test_the_log_goes_on_under_the_new_key_and_the_policy_verifies_all_of_it(house) -> None:
    done = house.rotate()
    assert (done.size, done.old) == (300, house.first.vkey)
    assert keys.load(house.key).vkey == done.new != done.old
    assert (house.folder / "keys/log.pub").read_text() == f"{done.new}\n"
    house.write()
    report = house.look()
    assert report.ok, report.text()
    assert "log.key-handed-over" in codes(report)
    assert LogReader(house.log, done.new).size == 310


def test_a_verifier_that_trusts_one_key_follows_as_far_as_that_key_goes(house) -> None:
    done = house.rotate()
    assert house.look(done.old).ok, "at the hand-over both keys have signed"
    house.write()
    report = house.look(done.new)
    assert report.ok
    assert "anchor.other-key" not in codes(report)
    assert [claim.code for claim in house.look(done.old).failures] == ["audit.untrusted-key"]


def test_keys_are_handed_over_again_and_again(house) -> None:
    first = house.rotate()
    house.write()
    second = house.rotate()
    house.write()
    assert second.old == first.new
    report = house.look()
    assert report.ok, report.text()
    assert [claim.code for claim in report.claims].count("log.key-handed-over") == 2
    assert len(house.anchors.policy(second.new).logs) == 3


def test_what_the_old_key_signs_after_the_hand_over_no_longer_counts(house) -> None:
    house.rotate()
    house.write()
    house.sign_with(house.first)
    assert [claim.code for claim in house.look().failures] == ["log.retired-key"]


def test_who_holds_the_old_key_cannot_turn_the_hand_over_round(house) -> None:
    done = house.rotate()
    house.write()
    path = house.anchors.path(done.size)
    text, old, new = path.read_text().rstrip("\n").rsplit("\n", 2)
    path.write_text(f"{text}\n{new}\n{old}\n")
    assert house.look().ok
    house.sign_with(house.first)
    assert [claim.code for claim in house.look().failures] == ["log.retired-key"]


def test_a_policy_with_two_keys_and_no_hand_over_is_amber(house) -> None:
    done = house.rotate()
    house.write()
    house.anchors.path(done.size).unlink()
    report = house.look()
    assert report.ok
    assert "log.no-handover" in {claim.code for claim in report.claims if claim.amber}


def test_no_key_is_handed_over_under_a_running_sequencer_or_over_a_foreign_checkpoint(house) -> None:
    with closing(Sequencer(house.engine, house.log, house.first, NAME)), pytest.raises(LogBusyError):
        house.rotate()
    other = keys.create(house.folder / "other.key", name=NAME)
    house.sign_with(other)
    with pytest.raises(NoteError):
        house.rotate()
    assert keys.load(house.key).vkey == house.first.vkey


class Killed(BaseException):
    """What stands for a kill: nothing after it runs."""


WRITES = ["pending", "checkpoint", "key", "kept", "policy", "public", "unlink"]


@pytest.mark.parametrize("at", WRITES)
def test_a_hand_over_that_is_killed_at_any_point_can_be_run_again(house, monkeypatch, at) -> None:
    killed = kill_before(monkeypatch, at)
    with pytest.raises(Killed):
        house.rotate()
    assert killed
    monkeypatch.undo()
    house.write()  # the sequencer went on meanwhile, with whatever key lies there
    taken = keys.load(house.key).vkey != house.first.vkey
    done = house.rotate()
    assert (done.size == 300) is taken, "finished as it was begun, or begun anew"
    assert done.old == house.first.vkey
    house.write()
    report = house.look()
    assert report.ok, report.text()
    assert [claim.code for claim in report.claims].count("log.key-handed-over") == 1
    assert sorted(path.name for path in house.key.parent.iterdir()) == ["log.key", "log.pub"]


def kill_before(monkeypatch, at: str) -> list[str]:
    """Break off before the named step of a hand-over; the list says that it did."""
    killed: list[str] = []

    def deadly(real, wanted):
        def call(*arguments, **named):
            if wanted(arguments):
                killed.append(at)
                raise Killed
            return real(*arguments, **named)

        return call

    if at == "checkpoint":
        monkeypatch.setattr(durable, "write_checkpoint", deadly(durable.write_checkpoint, lambda _: True))
    elif at in {"pending", "public"}:
        ending = {"pending": ".handover", "public": ".pub"}[at]
        wanted = lambda given: str(given[0]).endswith(ending)  # noqa: E731
        monkeypatch.setattr(durable, "write_file", deadly(durable.write_file, wanted))
    elif at in {"key", "unlink"}:
        name, ending = {"key": ("replace", ".next"), "unlink": ("unlink", ".handover")}[at]
        wanted = lambda given: str(given[0]).endswith(ending)  # noqa: E731
        monkeypatch.setattr(Path, name, deadly(getattr(Path, name), wanted))
    else:
        name = {"kept": "keep", "policy": "keep_policy"}[at]
        monkeypatch.setattr(Anchors, name, deadly(getattr(Anchors, name), lambda _: True))
    return killed


def test_the_new_key_belongs_to_the_sequencers_user_and_to_nobody_else(house) -> None:
    shutil.chown(house.key, "nobody", "nogroup")
    owner = house.key.stat()
    house.rotate()
    new = house.key.stat()
    assert (new.st_uid, new.st_gid, new.st_mode & 0o777) == (owner.st_uid, owner.st_gid, 0o600)


def test_a_checkpoint_signed_by_both_keys_is_one_checkpoint(house) -> None:
    done = house.rotate()
    note = house.anchors.note(done.size)
    policy = house.anchors.policy(done.new)
    assert [str(key) for key in policy.open(note).log_keys] == [str(done.old), str(done.new)]
    assert policy.open(note).checkpoint == Checkpoint(NAME, 300, LogReader(house.log).root(300))
