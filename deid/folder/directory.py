"""The DICOMDIR of a run, where its source had one: made anew over what was written, scanned, and told like any file."""

from __future__ import annotations

import shutil
from pathlib import Path

from deid.folder.files import files_below
from deid.folder.format import NOBODY, Outcome
from deid.folder.one import LEFT, Result, Work
from deid.folder.scan import Scanner
from deid.folder.tally import Tally, Written
from deid.imaging.directory import CODE, NAME, Directory, directory, linked

FORMAT, LINKS = "dicomdir", "DICOM"
NOTE = "directories"  # of the source, in whose place this one stands


def clear(out: Path) -> bool:
    """Take away what an earlier run made, so that no second name outlives a file; says whether there was one."""
    shutil.rmtree(out / LINKS, ignore_errors=True)
    had_one = (out / NAME).exists()
    (out / NAME).unlink(missing_ok=True)
    return had_one


def rebuild(work: Work, out: Path, tally: Tally, *, wanted: bool) -> None:
    """Write the directory of all objects below `out`; where none is `wanted` and the source had none, nothing.

    What the source's directories were refused for is then done. One in which something is left is not written.
    """
    told = [each for each in tally.refused if each.code == CODE]
    if not (told or wanted):
        return
    if work.links:
        _link(out)
    made = directory(out, files_below(out), work.people.uid("directory"))
    if made is None:
        return
    left = tuple(_left(made, tally))
    if left:
        clear(out)
        words = ("지운 값이 DICOMDIR에 남아 쓰지 않습니다.", "would hold a value that was removed.")
        tally.refused.append(Result(NAME, FORMAT, None, None, LEFT, "folder.left", *words, left))
        return
    fresh = out / f".{NAME}.new"
    fresh.write_bytes(made.data)
    fresh.replace(out / NAME)
    # Of nobody in the index, which names a file once; of everybody for whoever withdraws.
    outcome = Outcome((NAME,), NOBODY, people=tuple(sorted(made.patients)))
    tally.written.append(Written((NAME,), outcome, NAME, FORMAT))
    tally.formats[FORMAT] = 1
    if told:
        tally.notes[NOTE] = len(told)
    tally.refused = [each for each in tally.refused if each.code != CODE]


def _link(out: Path) -> None:
    """Give each object a second name that is a File ID: hard links, or copies where the file system has none."""
    for name in list(files_below(out)):
        found = linked(name)
        if not found:
            continue
        target = out / LINKS / found
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            target.hardlink_to(out / name)
        except OSError:
            shutil.copyfile(out / name, target)


def _left(made: Directory, tally: Tally) -> list[str]:
    """Scan what it says of each patient for what was removed from their files."""
    found = []
    for patient, (start, end) in made.patients.items():
        hits = Scanner(tally.people.get(patient, ())).find(made.data[start:end])
        found += [f"{NAME}@{start + hit.offset} ({hit.encoding})" for hit in hits]
    return found
