"""A run that is killed with -9 at any moment goes on: nothing half-written, nothing twice, nothing forgotten."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from pathlib import Path

import pytest
from pydicom.data import get_testdata_file

from deid.folder import journal
from deid.folder.one import Work
from deid.folder.people import People
from deid.folder.recipe import FolderRecipe
from deid.folder.run import STAGING, report, run
from deid.folder.tally import Tally
from tests.deid.signal.make_edf import edf
from tests.deid.signal.make_wfdb import record
from tests.deid.signal.planted import person

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
KILLS = 12


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Slices (one of them twice, one broken), EDF files, a record of three files, and what is no signal."""
    folder = tmp_path / "in"
    for number, who in enumerate(map(person, range(30, 33))):
        (folder / who.korean).mkdir(parents=True, exist_ok=True)
        (folder / who.korean / f"{number}.edf").write_bytes(edf(who))
        record(who, folder / f"record{number}")
    for name in ("CT_small.dcm", "MR_small.dcm"):
        path = get_testdata_file(name)
        assert isinstance(path, str)
        for copy in ("a", "z"):
            shutil.copy(path, folder / f"{copy}{name}")
    (folder / "broken.dcm").write_bytes((folder / "aCT_small.dcm").read_bytes()[:700])
    (folder / "notes.hwp").write_bytes(b"HWP Document File")
    return folder


def _work(people: People, recipe: FolderRecipe, source: Path, out: Path) -> Work:
    out.mkdir(exist_ok=True)
    return Work(people, recipe, source, out / STAGING)


def _published(out: Path) -> dict[str, bytes]:
    found = {str(path.relative_to(out)): path for path in out.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in found.items() if not name.startswith(".")}


def _told(work: Work, tally: Tally) -> dict[str, object]:
    return report(work, tally, keys="test")


def _killed(work: Work, out: Path, after: float) -> bool:
    """Run in a process that is killed after so many seconds; whether it was still running."""
    child = os.fork()
    if not child:
        run(work, out)
        os._exit(0)
    time.sleep(after)
    os.kill(child, signal.SIGKILL)
    return os.waitpid(child, 0)[1] == signal.SIGKILL


def test_a_killed_run_goes_on_where_it_was(tmp_path: Path, source: Path, people: People, recipe: FolderRecipe) -> None:
    undisturbed = _work(people, recipe, source, tmp_path / "whole")
    began = time.monotonic()
    wanted = _told(undisturbed, run(undisturbed, tmp_path / "whole"))
    took = time.monotonic() - began
    files = _published(tmp_path / "whole")
    draw, killed = random.Random(7), 0
    for number in range(KILLS):
        out = tmp_path / f"out{number % 3}"
        work = _work(people, recipe, source, out)
        killed += _killed(work, out, draw.uniform(0, took))
        assert _published(out).items() <= files.items()
    assert killed, "no run was still running when it was to be killed"
    for number in range(3):
        out = tmp_path / f"out{number}"
        work = _work(people, recipe, source, out)
        run(work, out)
        assert _published(out) == files
        assert [each.name for each in out.iterdir() if each.name.startswith(".")] == []
    assert wanted["duplicates"] == 2


def test_what_was_done_is_not_done_again_and_is_told_all_the_same(
    tmp_path: Path, source: Path, people: People, recipe: FolderRecipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, out = tmp_path / "whole", tmp_path / "out"
    work = _work(people, recipe, source, whole)
    wanted = _told(work, run(work, whole))
    work = _work(people, recipe, source, out)

    def stop(done: int, total: int) -> None:
        if done == total - 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(work, out, progress=stop)
    written = {path: path.stat().st_mtime_ns for path in out.rglob("*.*") if path.is_file()}
    assert _told(work, run(work, out)) == wanted
    assert {path: path.stat().st_mtime_ns for path in written if path.exists() and path.name != journal.NAME} == {
        path: changed for path, changed in written.items() if path.name != journal.NAME
    }


@pytest.mark.parametrize("what", ["cut off", "of other keys", "a file changed", "an output file gone"])
def test_a_journal_is_believed_only_as_far_as_it_is_true(
    tmp_path: Path, source: Path, people: People, recipe: FolderRecipe, what: str
) -> None:
    whole, out = tmp_path / "whole", tmp_path / "out"
    work = _work(people, recipe, source, whole)
    run(work, whole)
    work = _work(people, recipe, source, out)
    with pytest.raises(KeyboardInterrupt):
        run(work, out, progress=_stop)
    path = out / journal.NAME
    if what == "cut off":
        path.write_bytes(path.read_bytes()[:-7])
    elif what == "of other keys":
        path.write_bytes(path.read_bytes()[:4] + bytes(len(path.read_bytes()) - 4))
    elif what == "a file changed":
        (source / "aCT_small.dcm").touch()
    else:
        next(out.rglob("*.dcm")).unlink()
    run(work, out)
    assert _published(out) == _published(whole)


def test_no_name_is_readable_in_a_journal(tmp_path: Path, source: Path, people: People, recipe: FolderRecipe) -> None:
    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        run(_work(people, recipe, source, out), out, progress=_stop)
    data = (out / journal.NAME).read_bytes()
    who = person(30)
    assert len(data) > 1000
    assert [each for each in (who.korean, who.latin, who.number) if each.encode() in data] == []


def _stop(done: int, _total: int) -> None:
    if done == 8:
        raise KeyboardInterrupt
