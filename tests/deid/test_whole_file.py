"""A file is there whole with the permissions it was asked for, or the older one is."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deid.whole_file import write_whole
from tests.no_room import no_room_beyond

OLD, NEW = b"old", b"new and longer\r\n"


@pytest.fixture(name="umask", params=[0o022, 0o077, 0o000], ids=oct)
def a_umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644, None], ids=str)
@pytest.mark.parametrize("older", [None, 0o604], ids=["new", "replaces"])
def test_permissions_are_those_asked_for(tmp_path: Path, umask: int, mode: int | None, older: int | None) -> None:
    path = tmp_path / "file"
    if older is not None:
        path.write_bytes(OLD)
        path.chmod(older)
    write_whole(path, NEW, mode)
    assert path.read_bytes() == NEW
    assert path.stat().st_mode & 0o777 == (0o666 & ~umask if mode is None else mode)
    assert list(tmp_path.iterdir()) == [path]


def test_without_a_word_it_is_its_owners_alone(tmp_path: Path, umask: int) -> None:
    write_whole(tmp_path / "file", NEW)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o600, oct(umask)


def test_a_write_that_fails_half_way_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(OLD)
    with no_room_beyond(len(NEW) // 2), pytest.raises(OSError, match="too large"):
        write_whole(path, NEW)
    assert path.read_bytes() == OLD
    assert list(tmp_path.iterdir()) == [path]


WATCHED = """
import os, sys
from pathlib import Path
from deid.whole_file import write_whole
path, seen = Path(sys.argv[1]), []
def heard(event, args):
    if event == "os.rename" and str(args[1]) == str(path):
        seen.append(Path(args[0]).read_bytes())
sys.addaudithook(heard)
write_whole(path, b"new")
assert seen == [b"new"], seen
"""


def test_all_bytes_are_written_before_it_takes_its_place(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", WATCHED, tmp_path / "file"], check=True)
