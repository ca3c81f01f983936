"""The DICOMDIR of a run, where its source had one: made anew over what was written, scanned, and told like any file."""

from __future__ import annotations

from pathlib import Path

from deid.folder.files import files_below
from deid.folder.format import NOBODY, Outcome
from deid.folder.one import LEFT, Result, Work
from deid.folder.scan import Scanner
from deid.folder.tally import Tally, Written
from deid.imaging.directory import CODE, NAME, Directory, directory

FORMAT = "dicomdir"


def rebuild(work: Work, out: Path, tally: Tally) -> None:
    """Write the directory of all objects below `out` that have names for it; without a source's own, none.

    What the source's directories were refused for is then done. One in which something is left is not written.
    """
    told = [each for each in tally.refused if each.code == CODE]
    made = directory(out, files_below(out), work.people.uid(f"directory {told[0].name}")) if told else None
    if made is None:
        return
    left = tuple(_left(made, tally))
    if left:
        (out / NAME).unlink(missing_ok=True)
        words = ("지운 값이 DICOMDIR에 남아 쓰지 않습니다.", "would hold a value that was removed.")
        tally.refused.append(Result(NAME, FORMAT, None, None, LEFT, "folder.left", *words, left))
        return
    fresh = out / f".{NAME}.new"
    fresh.write_bytes(made.data)
    fresh.replace(out / NAME)
    # Of nobody in the index, which names a file once; of everybody for whoever withdraws.
    outcome = Outcome((NAME,), NOBODY, people=tuple(sorted(made.patients)))
    tally.written.append(Written((NAME,), outcome, told[0].name, FORMAT))
    tally.formats[FORMAT] = 1
    tally.refused = [each for each in tally.refused if each.code != CODE]


def _left(made: Directory, tally: Tally) -> list[str]:
    """Scan what it says of each patient for what was removed from their files."""
    found = []
    for patient, (start, end) in made.patients.items():
        hits = Scanner(tally.people.get(patient, ())).find(made.data[start:end])
        found += [f"{NAME}@{start + hit.offset} ({hit.encoding})" for hit in hits]
    return found
