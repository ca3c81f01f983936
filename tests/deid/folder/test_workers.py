"""A run over several processes that are killed with -9, worker or parent: nothing lost, nothing twice, nobody left."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pydicom
import pytest
from pydicom.data import get_testdata_file

from deid.errors import OutputError
from deid.folder import workers
from deid.folder.one import FAILED, Work
from deid.folder.people import People
from deid.folder.recipe import FolderRecipe
from deid.folder.run import STAGING, report, run
from tests.deid.folder.test_killed import _published

KILLS, FILES, JOBS = 5, 90, 2


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Slices that differ, one of them twice, and what is no image."""
    folder = tmp_path / "in"
    folder.mkdir()
    path = get_testdata_file("CT_small.dcm")
    assert isinstance(path, str)
    data = pydicom.dcmread(path)
    for number in range(FILES):
        data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = f"1.3.6.1.4.1.5962.1.1.{number}"
        data.save_as(folder / f"{number:03d}.dcm")
    shutil.copy(folder / "000.dcm", folder / "zzz.dcm")
    (folder / "notes.hwp").write_bytes(b"HWP Document File")
    return folder


def _work(people: People, recipe: FolderRecipe, source: Path, out: Path) -> Work:
    out.mkdir(exist_ok=True)
    return Work(people, recipe, source, out / STAGING)


def _workers_of(parent: int) -> Iterator[int]:
    """Yield the worker processes of a process, as the kernel tells them."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            after = path.read_text().rpartition(")")[2].split()
            command = (path.parent / "cmdline").read_bytes()
        except OSError:
            continue
        if int(after[1]) == parent and b"deid.folder.worker" in command:
            yield int(path.parent.name)


def _is_there(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_killed_parent_leaves_no_worker_and_the_next_run_goes_on(
    tmp_path: Path, source: Path, people: People, recipe: FolderRecipe
) -> None:
    whole = _work(people, recipe, source, tmp_path / "whole")
    wanted = report(whole, run(whole, tmp_path / "whole"), keys="test")
    files = _published(tmp_path / "whole")
    out, draw, found = tmp_path / "out", random.Random(11), set()
    work = _work(people, recipe, source, out)
    for _ in range(KILLS):
        child = os.fork()
        if not child:
            run(work, out, jobs=JOBS)
            os._exit(0)
        # One that is over waits here as it is, to be told from one that was killed.
        ended = os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT
        while not (few := set(_workers_of(child))) and os.waitid(*ended) is None:
            time.sleep(0.01)
        time.sleep(draw.uniform(0.2, 0.9))
        found |= few | set(_workers_of(child))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        assert _published(out).items() <= files.items()
        if through := os.WIFEXITED(status):
            break  # it was quicker than all kills
    assert found, "no worker was ever seen"
    ends = time.monotonic() + 20
    while any(map(_is_there, found)) and time.monotonic() < ends:
        time.sleep(0.05)
    assert [each for each in found if _is_there(each)] == []
    if not through:
        assert report(work, run(work, out, jobs=JOBS), keys="test") == wanted
    assert _published(out) == files
    assert [each.name for each in out.iterdir() if each.name.startswith(".")] == []


def test_a_killed_worker_is_replaced_and_its_files_are_done_by_another(
    tmp_path: Path, source: Path, people: People, recipe: FolderRecipe
) -> None:
    whole = _work(people, recipe, source, tmp_path / "whole")
    wanted = report(whole, run(whole, tmp_path / "whole"), keys="test")
    work, killed = _work(people, recipe, source, tmp_path / "out"), []

    def kill(done: int, _total: int) -> None:
        if done in {5, 30}:
            killed.append(next(_workers_of(os.getpid())))
            os.kill(killed[-1], signal.SIGKILL)

    assert report(work, run(work, tmp_path / "out", jobs=JOBS, progress=kill), keys="test") == wanted
    assert len(set(killed)) == 2
    assert _published(tmp_path / "out") == _published(tmp_path / "whole")


@pytest.mark.parametrize(("jobs", "gone"), [(JOBS, ()), (None, ()), (None, [*range(1, 42), *range(44, FILES)])])
def test_a_file_that_its_worker_dies_of_is_refused_and_the_others_are_not(
    tmp_path: Path, source: Path, people: People, recipe: FolderRecipe, monkeypatch: pytest.MonkeyPatch,
    jobs: int | None, gone: Sequence[int],
) -> None:  # fmt: skip
    """A pipe in the folder's place of a file would do the same; here the interpreter of the workers is told to."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(
        "import sys\n"
        "if 'deid.folder.worker' in sys.orig_argv:\n"
        "    import os\n"
        "    from deid.folder import one\n"
        "    whole = one.process\n"
        "    def process(work, number, name):\n"
        "        if name == '042.dcm':\n"
        "            os.kill(os.getpid(), 9)\n"
        "        return whole(work, number, name)\n"
        "    one.process = process\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(site))
    for number in gone:
        (source / f"{number:03d}.dcm").unlink()
    work = _work(people, recipe, source, tmp_path / "out")
    tally = run(work, tmp_path / "out", jobs=jobs)
    assert [(each.name, each.kind, each.code) for each in tally.refused if each.kind == FAILED] == [
        ("042.dcm", FAILED, "folder.died")
    ]
    assert len(tally.written) == FILES - len(gone) - 1


def test_where_no_process_starts_the_run_says_so(
    tmp_path: Path, source: Path, people: People, recipe: FolderRecipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.executable", "/bin/false")
    work = _work(people, recipe, source, tmp_path / "out")
    with pytest.raises(OutputError, match="--jobs 1"):
        list(workers.results(work, ["000.dcm", "001.dcm"], JOBS))


@pytest.mark.parametrize(("given", "wanted"), [(None, "1"), ("3", "3")], ids=["nothing", "three"])
def test_a_worker_has_one_thread_for_numpy_or_as_many_as_somebody_says(
    tmp_path: Path, source: Path, people: People, recipe: FolderRecipe, monkeypatch: pytest.MonkeyPatch,
    given: str | None, wanted: str,
) -> None:  # fmt: skip
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    if given:
        monkeypatch.setenv("OPENBLAS_NUM_THREADS", given)
    results = workers.results(_work(people, recipe, source, tmp_path / "out"), ["000.dcm", "001.dcm"], JOBS)
    next(results)
    environments = [Path(f"/proc/{each}/environ").read_bytes().split(b"\0") for each in _workers_of(os.getpid())]
    list(results)
    assert len(environments) == JOBS
    for each in environments:
        assert [line for line in each if line.startswith(b"OPENBLAS_NUM_THREADS=")] == [
            f"OPENBLAS_NUM_THREADS={wanted}".encode()
        ]
