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
from typing import Any

import pydicom
import pytest
from pydicom.data import get_testdata_file
from pynetdicom import AE

from enclave.reception import receiver, sealed
from enclave.reception.receiver import Sender, receiving
from enclave.reception.sealed import Kept, SealedStore

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")
NAMES = ("CT_small.dcm", "MR_small.dcm", "JPEG2000.dcm")


def _file(name: str) -> Path:
    path = get_testdata_file(name)
    assert isinstance(path, str)
    return Path(path)


@contextmanager
def _sending(port: int, *, title: str = "PACS", called: str = "ANSIM") -> Iterator[Any]:
    archive = AE(ae_title=title)
    for name in NAMES:
        data = pydicom.dcmread(_file(name), stop_before_pixels=True)
        archive.add_requested_context(data.SOPClassUID, data.file_meta.TransferSyntaxUID)
    association = archive.associate("127.0.0.1", port, ae_title=called)
    yield association
    if association.is_established:
        association.release()


@pytest.fixture
def heard() -> list[tuple[str, Kept | None]]:
    return []


@pytest.fixture
def store(tmp_path: Path) -> SealedStore:
    return SealedStore(tmp_path / "store")


@pytest.fixture
def port(store: SealedStore, heard: list[tuple[str, Kept | None]]) -> Iterator[int]:
    with receiving(store, Sender(("PACS",)), ("127.0.0.1", 0), lambda *each: heard.append(each)) as got:
        yield got


def _kept(store: SealedStore) -> list[Path]:
    return sorted(path for path in store.folder.glob("[0-9a-f][0-9a-f]/*.dcm"))


def test_what_is_sent_twice_is_kept_once_with_the_pixels_it_had(
    store: SealedStore, port: int, heard: list[tuple[str, Kept | None]]
) -> None:
    with _sending(port) as association:
        for name in (*NAMES, *NAMES):
            assert association.send_c_store(pydicom.dcmread(_file(name))).Status == receiver.SUCCESS
    assert len(_kept(store)) == len(NAMES)
    assert [(who, kept is not None and kept.known) for who, kept in heard] == [("PACS", False)] * 3 + [
        ("PACS", True)
    ] * 3
    sent = {each.SOPInstanceUID: each.PixelData for each in map(pydicom.dcmread, map(_file, NAMES))}
    assert {each.SOPInstanceUID: each.PixelData for each in map(pydicom.dcmread, _kept(store))} == sent
    assert all(path.stat().st_mode & 0o077 == 0 for path in (store.folder, _kept(store)[0].parent))


@pytest.mark.parametrize("title", [{"title": "STRANGER"}, {"called": "OTHER"}], ids=str)
def test_who_is_not_on_the_list_or_calls_somebody_else_is_not_heard(
    store: SealedStore, port: int, title: dict[str, str]
) -> None:
    with _sending(port, **title) as association:
        assert not association.is_established
    assert _kept(store) == []


def test_a_piece_larger_than_is_taken_ends_the_connection_before_it_is_read(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as stranger:
        stranger.settimeout(60)
        # The head of an A-ASSOCIATE-RQ of 4 GiB (PS3.8 9.3.2); nothing more is sent, and it is not waited for.
        stranger.sendall(struct.pack(">BBL", 1, 0, 0xFFFFFFF0))
        assert stranger.recv(1) == b""
    with _sending(port) as association:
        assert association.is_established


def test_what_cannot_be_read_is_put_apart_with_the_reason(
    store: SealedStore, port: int, heard: list[tuple[str, Kept | None]]
) -> None:
    store.prepare()
    kept = store.keep(_file("CT_small.dcm").read_bytes()[:700])
    assert kept.reason == "imaging.unreadable"
    (told,) = (store.folder / sealed.QUARANTINE).glob("*.json")
    assert json.loads(told.read_bytes())["code"] == "imaging.unreadable"
    assert _kept(store) == []
    assert port
    assert heard == []


def test_a_disk_that_takes_nothing_is_told_to_the_sender(
    store: SealedStore, port: int, heard: list[tuple[str, Kept | None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with _sending(port) as association:
        status = association.send_c_store(pydicom.dcmread(_file("CT_small.dcm"))).Status
    monkeypatch.undo()
    assert status == receiver.OUT_OF_RESOURCES
    assert heard == [("PACS", None)]
    assert [path for path in store.folder.rglob("*") if path.is_file()] == []


def test_a_killed_receiver_has_all_that_it_confirmed_and_nothing_half(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    command = [sys.executable, "-m", "enclave.cli", "receive", str(folder), "--from", "PACS", "--port", "0"]
    confirmed: set[str] = set()
    for number in range(2):
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert server.stdout is not None
        found = re.search(r":(\d+)", server.stdout.readline())
        assert found is not None
        with _sending(int(found[1])) as association:
            for name in NAMES[: number + 2]:
                data = pydicom.dcmread(_file(name))
                if association.send_c_store(data).Status == receiver.SUCCESS:
                    confirmed.add(data.SOPInstanceUID)
            (folder / sealed.INCOMING / "half").write_bytes(b"as if killed while it was written")
            server.send_signal(signal.SIGKILL if number == 0 else signal.SIGTERM)
            server.communicate(timeout=60)
    assert server.returncode == 0
    kept = _kept(SealedStore(folder))
    assert {pydicom.dcmread(path).SOPInstanceUID for path in kept} == confirmed
    assert len(kept) == len(NAMES)
    store = SealedStore(folder)
    store.prepare()
    assert list((folder / sealed.INCOMING).iterdir()) == []
