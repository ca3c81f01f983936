"""`ansim` as whoever holds the machine types it, where texts are: private folders are root's, the database is not."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from deid.marks import read_marks
from deid.texts import FILE
from deid.versions.recalls import Recall, leave
from enclave.actor import Actor
from enclave.commands import text_sample
from enclave.queries import dataset as queries
from enclave.states import SnapshotState
from tests.enclave.scene import NOW, Scene, build
from tests.enclave.test_cli import SERVICE, ansim
from tests.enclave.test_text_sample import CANARY, ORIGINAL, SIGNER, built, close, judge, look


@pytest.fixture(scope="module")
def machine() -> Iterator[Scene]:
    """A home whose database is a service's, as on an installed machine; what hospitals own is root's alone."""
    folder = Path(tempfile.mkdtemp(prefix="ansim-home-", dir="/tmp"))
    folder.chmod(0o755)
    (folder / "db").mkdir()
    made = build(f"sqlite:///{folder / 'db/ansim.sqlite'}", folder)
    public = SIGNER.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (folder / "keys/snapshot.pub").write_bytes(public)
    (folder / "hospital").mkdir(mode=0o700)
    own(folder / "db")
    yield made
    made.store.close()
    shutil.rmtree(folder)


def own(folder: Path) -> None:
    """Give the database to the service, as the services themselves leave it."""
    if os.geteuid() == 0:
        for path in (folder, *folder.iterdir()):
            shutil.chown(path, SERVICE, SERVICE)


def ran(machine: Scene) -> tuple[Path, Path]:
    """A snapshot that asks for a sample review, and the private folder of its run."""
    folder, private = built(machine, Path(tempfile.mkdtemp(dir=machine.home / "hospital")))
    private.chmod(0o700)
    own(machine.home / "db")
    return folder, private


def received(machine: Scene) -> tuple[str, Path]:
    """A snapshot put on record with its texts from the console; its id, and where the texts were."""
    folder, private = ran(machine)
    done = ansim(machine.home, "snapshot", "receive", str(folder), "--texts", str(private))
    assert (done.returncode, "원문을 지웠습니다" in done.stdout) == (0, True), done.stderr
    assert CANARY not in done.stdout + done.stderr
    return folder.name, private


def test_a_snapshot_is_received_with_its_texts_and_the_private_folder_is_gone(machine: Scene) -> None:
    made, private = received(machine)
    assert not private.exists()
    assert look(machine, made).case.text == ORIGINAL
    again = ansim(machine.home, "--lang", "en", "snapshot", "receive", str(machine.home / "snapshots" / made))
    assert (again.returncode, made[:12] in again.stdout) == (0, True), again.stderr


def test_without_its_texts_it_is_refused_and_says_what_to_give(machine: Scene) -> None:
    folder, private = ran(machine)
    refused = ansim(machine.home, "snapshot", "receive", str(folder))
    assert (refused.returncode, refused.stderr.startswith("[sample.no-texts]")) == (2, True), refused.stderr
    (private / FILE).write_bytes((private / FILE).read_bytes() + b"\n")
    refused = ansim(machine.home, "snapshot", "receive", str(folder), "--texts", str(private))
    assert (refused.returncode, refused.stderr.startswith("[sample.other-texts]")) == (2, True), refused.stderr
    assert (private / FILE).is_file()


def test_what_was_missed_is_handed_over_once_into_the_hospitals_own_folder(machine: Scene) -> None:
    made, _ = received(machine)
    out = machine.home / "hospital/missed.csv"
    words = ("snapshot", "missed", made, "--out", str(out))
    early = ansim(machine.home, *words)
    assert (early.returncode, early.stderr.startswith("[sample.no-marks]"), out.exists()) == (5, True, False)
    text_sample.judge(
        machine.store, machine.vault, machine.actor("steward-a"), snapshot_id=made, number=1, missed={}, note="",
        values=[("NAME", CANARY)], now=NOW,
    )  # fmt: skip
    for number in range(2, 7):
        judge(machine, made, number)
    close(machine, made)
    own(machine.home / "db")
    done = ansim(machine.home, *words)
    assert (done.returncode, "missed.csv" in done.stdout, CANARY in done.stdout) == (0, True, False), done.stderr
    assert read_marks(out) == (("NAME", CANARY),)
    assert (out.stat().st_uid, out.stat().st_mode & 0o077) == (os.geteuid(), 0)
    assert ansim(machine.home, *words).returncode == 5, "once"


def test_a_version_that_somebody_left_is_ended_from_the_console_and_its_holders_are_named(machine: Scene) -> None:
    project = machine.active()
    made = machine.folders["set-a"].name
    own(machine.home / "db")
    (machine.home / "snapshot-keys").mkdir()
    leave(machine.home / "snapshot-keys", Recall(made, "2026-11-24", 2))
    (machine.home / "snapshot-keys" / f"{made}.recall.json").chmod(0o644)
    done = ansim(machine.home, "snapshot", "recalls")
    assert (done.returncode, project in done.stdout) == (0, True), done.stderr
    assert queries.snapshot(machine.store, Actor.console(), made).state is SnapshotState.WITHDRAWN
    again = ansim(machine.home, "snapshot", "recalls")
    assert (again.returncode, again.stdout) == (0, "")


def test_originals_of_a_run_that_nobody_receives_are_destroyed_by_name(machine: Scene) -> None:
    _, private = ran(machine)
    done = ansim(machine.home, "deid", "forget", str(private))
    assert (done.returncode, "destroyed" in done.stdout, private.exists()) == (0, True, False), done.stderr
    assert ansim(machine.home, "deid", "forget", str(private)).returncode == 2
