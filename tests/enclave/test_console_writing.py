"""A file that a command writes for its caller is there whole, or the older one is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from enclave.console.writing import replace
from enclave.errors import Unavailable
from tests.no_room import no_room_beyond

OLD, NEW = b"old report", b"new report, longer than the old one"


def test_a_new_file_takes_the_place_of_the_old(tmp_path: Path) -> None:
    target = tmp_path / "report.json"
    for data in (OLD, NEW):
        replace(target, data)
        assert target.read_bytes() == data
    assert list(tmp_path.iterdir()) == [target]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    target, link = tmp_path / "report.json", tmp_path / "latest.json"
    target.write_bytes(OLD)
    link.symlink_to(target)
    replace(link, NEW)
    assert link.is_symlink()
    assert target.read_bytes() == NEW


def test_a_write_that_fails_half_way_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "report.json"
    target.write_bytes(OLD)
    with no_room_beyond(len(NEW) // 2), pytest.raises(Unavailable) as refused:
        replace(target, NEW)
    assert refused.value.code == "console.unwritable"
    assert target.read_bytes() == OLD
    assert list(tmp_path.iterdir()) == [target]


def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        replace(pipe, NEW)
        assert os.read(reader, 100) == NEW
    finally:
        os.close(reader)
