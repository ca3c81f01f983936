"""The quarantine keeps exactly the bytes it was given, or nothing."""

from __future__ import annotations

import hashlib
import io
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enclave.airlock.errors import AirlockError, FileRefused, StoredFileDamaged, StoredFileMissing
from enclave.airlock.quarantine import Quarantine

EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"  # FIPS 180-4, empty message


@pytest.fixture
def quarantine(tmp_path: Path) -> Quarantine:
    return Quarantine(tmp_path / "quarantine", limit=1000)


def files_in(quarantine: Quarantine) -> list[Path]:
    return [path for path in quarantine.root.rglob("*") if path.is_file()]


@given(content=st.binary(max_size=300))
def test_what_is_put_in_comes_out_under_its_sha256(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    quarantine = Quarantine(tmp_path_factory.mktemp("q"))
    stored = quarantine.put(io.BytesIO(content))
    assert (stored.sha256, stored.size) == (hashlib.sha256(content).hexdigest(), len(content))
    with quarantine.open(stored.sha256) as stream:
        assert stream.read() == content


def test_an_empty_file_is_kept_too(quarantine: Quarantine) -> None:
    assert quarantine.put(io.BytesIO()).sha256 == EMPTY_SHA256


def test_the_same_bytes_twice_are_one_private_file(quarantine: Quarantine, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"a,b\n")
    assert quarantine.put(tmp_path / "a.csv") == quarantine.put(io.BytesIO(b"a,b\n"))
    (kept,) = files_in(quarantine)
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(quarantine.root.stat().st_mode) == 0o700


def test_a_changed_stored_file_is_refused_at_opening(quarantine: Quarantine) -> None:
    stored = quarantine.put(io.BytesIO(b"reviewed"))
    quarantine.path(stored.sha256).write_bytes(b"swapped!")
    with pytest.raises(StoredFileDamaged):
        quarantine.open(stored.sha256)


@pytest.mark.parametrize("name", ["0" * 64, "../../etc/passwd", "", "A" * 64, "e3b0\n" + "0" * 59])
def test_what_is_not_a_stored_hash_is_missing(quarantine: Quarantine, name: str) -> None:
    with pytest.raises(StoredFileMissing):
        quarantine.open(name)


def make_link(path: Path) -> None:
    path.symlink_to("/etc/passwd")


def make_too_large(path: Path) -> None:
    with path.open("wb") as stream:
        stream.truncate(5 << 30)


@pytest.mark.parametrize("make", [make_link, Path.mkdir, os.mkfifo, make_too_large, lambda path: None])
def test_anything_but_a_plain_file_of_allowed_size_is_refused_and_leaves_nothing(quarantine, tmp_path, make) -> None:
    make(tmp_path / "hostile")
    with pytest.raises(FileRefused):
        quarantine.put(tmp_path / "hostile")
    assert files_in(quarantine) == []


def test_a_file_that_changes_while_it_is_read_is_refused(quarantine, tmp_path, monkeypatch) -> None:
    path = tmp_path / "moving.csv"
    path.write_bytes(b"n\n10\n")
    read_all = Quarantine._copy

    def copy_while_somebody_writes(self, stream, copy):
        stored = read_all(self, stream, copy)
        with path.open("ab") as other:
            other.write(b"11\n")
        return stored

    monkeypatch.setattr(Quarantine, "_copy", copy_while_somebody_writes)
    with pytest.raises(AirlockError) as caught:
        quarantine.put(path)
    assert caught.value.code == "airlock.changed"
    assert files_in(quarantine) == []


def test_a_source_that_breaks_half_way_leaves_nothing(quarantine: Quarantine) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell():
                raise OSError("the disk went away")
            return super().read(3)

    with pytest.raises(OSError, match="went away"):
        quarantine.put(Broken(b"abcdef"))
    assert files_in(quarantine) == []


def test_a_discarded_file_is_gone(quarantine: Quarantine) -> None:
    stored = quarantine.put(io.BytesIO(b"x"))
    assert quarantine.discard(stored.sha256)
    assert not quarantine.discard(stored.sha256)
    with pytest.raises(StoredFileMissing):
        quarantine.open(stored.sha256)
