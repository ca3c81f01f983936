"""A hospital's archive sends: what arrives is on the disk before it is confirmed, once, or apart with a reason."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid

from enclave.reception import book, receiver, sealed
from enclave.reception.sealed import SealedStore
from tests.enclave.gate.world import until
from tests.enclave.reception.archive import NAMES, Hall, file_of, sending

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def _big(size: int) -> Dataset:
    """An object of so many bytes of pixels."""
    made = Dataset()
    made.SOPClassUID, made.SOPInstanceUID, made.PatientID = SecondaryCaptureImageStorage, generate_uid(), "1"
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.add_new(0x7FE00010, "OB", bytes(size))
    return made


def test_what_is_sent_twice_is_kept_once_with_the_pixels_it_had(hall: Hall) -> None:
    with sending(hall.port) as association:
        for name in (*NAMES, *NAMES):
            assert association.send_c_store(pydicom.dcmread(file_of(name))).Status == receiver.SUCCESS
    assert len(hall.kept()) == len(NAMES)
    assert [(who, kept is not None and kept.known) for who, kept in hall.heard] == [("PACS", False)] * 3 + [
        ("PACS", True)
    ] * 3
    sent = {each.SOPInstanceUID: each.PixelData for each in map(pydicom.dcmread, map(file_of, NAMES))}
    assert {each.SOPInstanceUID: each.PixelData for each in map(pydicom.dcmread, hall.kept())} == sent
    assert all(path.stat().st_mode & 0o077 == 0 for path in (hall.store.folder, hall.kept()[0].parent, *hall.kept()))


def test_a_connection_is_an_entry_before_anything_is_taken_and_one_with_counts_when_it_is_over(hall: Hall) -> None:
    with sending(hall.port) as association:
        (begun,) = hall.entries()
        for name in (*NAMES, NAMES[0]):
            association.send_c_store(pydicom.dcmread(file_of(name)))
    until(lambda: len(hall.entries()) == 2)
    _, over = hall.entries()
    assert (begun["action"], begun["outcome"], begun["from"]["ip"]) == (
        "source.receive-requested",
        "allowed",
        "127.0.0.1",
    )
    assert begun["details"] == {"sender": "PACS", "source": "hospital", "tls": False}
    assert (over["action"], over["outcome"], over["object"]["id"]) == (
        "source.receive-done",
        "done",
        begun["object"]["id"],
    )
    assert over["details"] == {"apart": 0, "kept": 3, "known": 1, "refused": 0}
    assert list(hall.store.open.iterdir()) == []


STRANGERS = {
    "a title that is not listed": ({"title": "STRANGER"}, "reception.sender"),
    "a title that is not ours": ({"called": "OTHER"}, "reception.called"),
    "a title that names somebody": ({"title": "9001011234567"}, "reception.sender"),
}


@pytest.mark.parametrize("case", STRANGERS)
def test_who_is_not_on_the_list_or_calls_somebody_else_is_not_heard_and_recorded_once(
    hall: Hall, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    title, code = STRANGERS[case]
    for _ in range(3):
        with sending(hall.port, **title) as association:
            assert association.is_rejected
    assert [(each["outcome"], each["reason"]["code"]) for each in hall.entries()] == [("denied", code)]
    monkeypatch.setattr(book, "LIKE_IT_S", 0)
    with sending(hall.port, **title) as association:
        assert association.is_rejected
    assert hall.entries()[-1]["details"]["unheard"] == 2
    assert "9001011234567" not in str(hall.entries())
    assert hall.kept() == []


def test_nothing_is_taken_once_it_cannot_be_recorded(hall: Hall) -> None:
    hall.book.process.kill()
    hall.book.process.wait()
    with sending(hall.port) as association:
        assert association.is_rejected
    assert hall.kept() == []


def test_a_connection_of_which_nothing_is_recorded_gets_nothing_kept(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As if the question had failed in a way that nobody thought of.
    monkeypatch.setattr(receiver.Receptions, "asked", lambda *_: None)
    with hall.another() as port, sending(port) as association:
        status = association.send_c_store(pydicom.dcmread(file_of("CT_small.dcm"))).Status
    assert status == receiver.NOT_AUTHORISED
    assert hall.files() == []


def test_a_piece_larger_than_is_taken_ends_the_connection_before_it_is_read(hall: Hall) -> None:
    with socket.create_connection(("127.0.0.1", hall.port)) as stranger:
        stranger.settimeout(60)
        # The head of an A-ASSOCIATE-RQ of 4 GiB (PS3.8 9.3.2); nothing more is sent, and it is not waited for.
        stranger.sendall(struct.pack(">BBL", 1, 0, 0xFFFFFFF0))
        assert stranger.recv(1) == b""
    with sending(hall.port) as association:
        assert association.is_established


@pytest.mark.parametrize("data", [file_of("CT_small.dcm").read_bytes()[:700], b""], ids=["cut", "empty"])
def test_what_cannot_be_read_is_put_apart_with_the_reason(tmp_path: Path, data: bytes) -> None:
    store = SealedStore(tmp_path / "store")
    store.prepare()
    (store.incoming / "x").write_bytes(data)
    kept = store.keep(store.incoming / "x")
    assert kept.reason == "imaging.unreadable"
    (told,) = (store.folder / sealed.QUARANTINE).glob("*.json")
    assert json.loads(told.read_bytes())["code"] == "imaging.unreadable"
    assert [path.name for path in store.folder.rglob("*.dcm")] == [f"{kept.digest}.dcm"]
    assert list(store.incoming.iterdir()) == []


def test_a_disk_that_takes_nothing_is_told_to_the_sender(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with sending(hall.port) as association:
        status = association.send_c_store(pydicom.dcmread(file_of("CT_small.dcm"))).Status
    monkeypatch.undo()
    assert status == receiver.OUT_OF_RESOURCES
    assert hall.heard == [("PACS", None)]
    assert hall.files() == []


@pytest.mark.parametrize("full", ["the disk", "the bound of one object"])
def test_one_object_too_many_is_told_to_the_sender_and_the_next_one_is_taken(
    hall: Hall, full: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if full == "the disk":
        # One that really is full, where objects come in.
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", hall.store.incoming], check=True)
        (hall.store.incoming / "filled").write_bytes(bytes(900_000))
    else:
        monkeypatch.setattr(receiver, "LARGEST", 500_000)
    try:
        with hall.another() as port, sending(port) as association:
            assert association.send_c_store(_big(800_000)).Status == receiver.OUT_OF_RESOURCES
            assert association.is_established
            if full == "the disk":
                (hall.store.incoming / "filled").unlink()
                hall.stays_on_one_disk(monkeypatch)
            assert association.send_c_store(_big(1000)).Status == receiver.SUCCESS
        assert list(hall.store.incoming.iterdir()) == []
    finally:
        if full == "the disk":
            subprocess.run(["umount", hall.store.incoming], check=True)


def test_a_sender_that_goes_in_the_middle_of_an_object_leaves_nothing(hall: Hall) -> None:
    with sending(hall.port) as association:
        line = association.dul.socket.socket
        send, sent = line.send, 0

        class Cut:
            """The line, which breaks after some of the object."""

            def __getattr__(self, name: str) -> object:
                return getattr(line, name)

            def send(self, data: bytes) -> int:
                nonlocal sent
                sent += len(data)
                if sent > 500_000:
                    line.shutdown(socket.SHUT_RDWR)
                return send(data)

        association.dul.socket.socket = Cut()
        association.send_c_store(_big(4_000_000))
    until(lambda: len(hall.entries()) == 2)
    assert hall.files() == []
    assert hall.entries()[-1]["details"]["kept"] == 0


@contextmanager
def _receiver(folder: Path, *more: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    command = [sys.executable, "-m", "enclave.cli", "receive", str(folder), *more, "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        found = re.search(r":(\d+)", server.stdout.readline())
        assert found is not None
        try:
            yield server, int(found[1])
        finally:
            server.kill()


def test_a_killed_receiver_has_all_that_it_confirmed_and_nothing_half_and_the_next_one_says_so(
    home: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "hospital"
    confirmed: set[str] = set()
    for number in range(2):
        with _receiver(folder, "--from", "PACS") as (server, port), sending(port) as association:
            for name in NAMES[: number + 2]:
                data = pydicom.dcmread(file_of(name))
                if association.send_c_store(data).Status == receiver.SUCCESS:
                    confirmed.add(data.SOPInstanceUID)
            (folder / sealed.INCOMING / "half").write_bytes(b"as if killed while it was written")
            server.send_signal(signal.SIGKILL if number == 0 else signal.SIGTERM)
            server.communicate(timeout=60)
    assert server.returncode == 0
    store = SealedStore(folder)
    kept = Hall.kept_in(store)
    assert {pydicom.dcmread(path).SOPInstanceUID for path in kept} == confirmed
    assert len(kept) == len(NAMES)
    assert list(store.open.iterdir()) == []
    first, lost, second, over = Hall.entries_of(home)
    assert (lost["object"], lost["outcome"]) == (first["object"], "unknown")
    assert (over["object"], over["outcome"]) == (second["object"], "done")
    store.prepare()
    assert list(store.incoming.iterdir()) == []


def _peak(process: int) -> int:
    """The most memory that a process had so far, in bytes."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text())
    assert found is not None
    return int(found[1]) << 10


@pytest.mark.usefixtures("home")
def test_memory_does_not_grow_with_the_object_that_is_received(tmp_path: Path) -> None:
    size = 192 << 20
    with _receiver(tmp_path / "hospital", "--from", "PACS") as (server, port), sending(port) as association:
        assert association.send_c_store(_big(1000)).Status == receiver.SUCCESS
        before = _peak(server.pid)
        assert association.send_c_store(_big(size)).Status == receiver.SUCCESS
        # Pages of the file itself, mapped to be looked over, are the kernel's to take back.
        rss = re.search(r"RssAnon:\s+(\d+) kB", Path(f"/proc/{server.pid}/status").read_text())
        assert rss is not None
        assert int(rss[1]) << 10 < before + size // 4


def test_without_a_log_nothing_is_received(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANSIM_HOME", str(tmp_path / "no-home"))
    left = SealedStore(tmp_path / "hospital")
    left.prepare()
    (left.open / "rx-left").touch()
    command = [sys.executable, "-m", "enclave.cli", "receive", str(left.folder), "--from", "PACS", "--port", "0"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "감사기록" in done.stderr
    assert list(left.open.iterdir()) != []
