"""A file that changes while it is read: the change is made at a chosen moment, so that it always falls into the gap."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from enclave.gate.collector import Owner, collect
from enclave.gate.limits import Collected, CollectLimits, RefusedFile

ME = Owner(os.getuid(), os.getgid())
BYTES = bytes(range(256)) * 4096 * 3  # three reads


def append(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more")


def rewrite_and_set_the_time_back(path: Path) -> None:
    before = path.stat()
    with path.open("r+b") as file:
        file.write(b"!")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def link(path: Path) -> None:
    path.with_name("second").hardlink_to(path)


CHANGES = [append, rewrite_and_set_the_time_back, lambda path: os.truncate(path, 10), link]


@pytest.mark.parametrize("change", CHANGES, ids=["grows", "rewritten, time set back", "shrinks", "linked"])
@pytest.mark.parametrize("moment", [1, 2, 3, 5, 7])
def test_a_change_at_any_moment_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], None], moment: int
) -> None:
    outbox, staging = tmp_path / "outbox", tmp_path / "staging"
    outbox.mkdir()
    staging.mkdir()
    file = outbox / "table.csv"
    file.write_bytes(BYTES)
    reads, read = 0, os.read

    def read_with_somebody_at_work(descriptor: int, size: int) -> bytes:
        nonlocal reads
        reads += 1
        if reads == moment:
            change(file)
        return read(descriptor, size)

    monkeypatch.setattr(os, "read", read_with_somebody_at_work)
    (answer,) = collect(outbox, staging, ["table.csv"], limits=CollectLimits(), owner=ME)
    assert isinstance(answer, RefusedFile)
    assert answer.code == "collect.changed"
    assert list(staging.iterdir()) == []


def test_nothing_half_done_is_left_when_the_staging_area_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outbox, staging = tmp_path / "outbox", tmp_path / "staging"
    outbox.mkdir()
    staging.mkdir()
    (outbox / "a").write_bytes(BYTES)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "chown", full)
    with pytest.raises(OSError, match="No space"):
        collect(outbox, staging, ["a"], limits=CollectLimits(), owner=ME)
    assert list(staging.iterdir()) == []


def test_an_unchanged_file_is_taken(tmp_path: Path) -> None:
    (tmp_path / "outbox").mkdir()
    (tmp_path / "staging").mkdir()
    (tmp_path / "outbox" / "a").write_bytes(BYTES)
    (answer,) = collect(tmp_path / "outbox", tmp_path / "staging", ["a"], limits=CollectLimits(), owner=ME)
    assert isinstance(answer, Collected)
    assert answer.path.read_bytes() == BYTES
