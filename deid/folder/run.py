"""A whole folder: every file handed out, every result moved to its place or told, in a report that names no value.

Files are staged below the output folder and moved into it one by one; nothing half-written is ever in its place. A file
that comes twice is written once. At the end, files of patients of whom later files taught more are scanned again. A run
that was killed goes on where it was (`journal.py`), if it has the same keys.
"""

from __future__ import annotations

import filecmp
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from deid.folder import one, workers
from deid.folder.directory import clear, rebuild
from deid.folder.files import files_below
from deid.folder.format import staged
from deid.folder.jobs import jobs_for
from deid.folder.journal import Done, Journal, Placed, stamp
from deid.folder.one import LEFT, POLICY, Result, Work
from deid.folder.registry import prepared
from deid.folder.scan import Scanner
from deid.folder.tally import Tally, Written
from deid.folder.worker import seldom_collected
from deid.imaging.directory import numbered

STAGING = ".staging"


def run(
    work: Work, out: Path, *, jobs: int | None = 1, progress: Callable[[int, int], None] = lambda *_: None
) -> Tally:
    """De-identify every file below `work.source` into `out`; `progress` hears done and total.

    One job is this process itself; with more, or None (as many as the files are worth), a file that ends its process
    does not end the run.
    """
    names = [name for name in files_below(work.source) if name not in work.besides]
    tally = Tally()
    shutil.rmtree(work.staging, ignore_errors=True)
    work.staging.mkdir(parents=True)
    journal, over = Journal(work, out), False
    had_one = clear(out)
    try:
        with seldom_collected():
            for number, done in enumerate(_all(work, names, jobs, journal, out), 1):
                _count(done, tally)
                progress(number, len(names))
        tally.refused = [each for each in tally.refused if work.source / each.name not in tally.companions]
        _look_again(out, tally)
        rebuild(work, out, tally, wanted=had_one)
        over = True
    finally:
        journal.close(over=over)
        shutil.rmtree(work.staging, ignore_errors=True)
    return tally


def _all(work: Work, names: list[str], jobs: int | None, journal: Journal, out: Path) -> Iterator[Done]:
    """Yield what became of every file: first those that an earlier run was done with, then the others."""
    yield from (journal.before[name] for name in names if name in journal.before)
    rest = [name for name in names if name not in journal.before]
    if rest:
        work = replace(work, recipe=prepared(work.recipe, work.source, names, work.staging, links=work.links))
    for result in _results(work, rest, jobs):
        places = _places(result, out)
        done = Done(*stamp(work.source / result.name), result, places)
        journal.add(done)
        _move(result, places, out)
        yield done


def _results(work: Work, names: list[str], jobs: int | None) -> Iterator[Result]:
    if jobs == 1:
        return (one.process(work, 0, name) for name in names)
    return workers.results(work, names, jobs or jobs_for(work.source, names))


def _places(result: Result, out: Path) -> tuple[Placed, ...]:
    """Say where each file of a result goes; one that is there already, byte for byte, is not new."""
    if result.outcome is None or result.staged is None:
        return ()
    return tuple(_place(staged(result.staged, name), out, name) for name in result.outcome.files)


def _place(ready: Path, out: Path, name: str) -> Placed:
    """Find a file's place. Another file of that name leaves it its name with a number."""
    target, number, size = out / name, 1, ready.stat().st_size
    while target.exists():
        if filecmp.cmp(ready, target, shallow=False):
            return Placed(str(target.relative_to(out)), size, new=False)
        number += 1
        target = out / (numbered(name, number) or f"{Path(name).with_suffix('')}-{number}{Path(name).suffix}")
    return Placed(str(target.relative_to(out)), size, new=True)


def _move(result: Result, places: tuple[Placed, ...], out: Path) -> None:
    if result.outcome is None or result.staged is None:
        return
    for name, place in zip(result.outcome.files, places, strict=True):
        if place.new:
            (out / place.name).parent.mkdir(parents=True, exist_ok=True)
            staged(result.staged, name).replace(out / place.name)


def _count(done: Done, tally: Tally) -> None:
    result, outcome = done.result, done.result.outcome
    if outcome is None:
        tally.refused.append(result)
        return
    tally.companions.update(outcome.companions)
    tally.people.setdefault(outcome.patient, set()).update(outcome.removed)
    written = tally.note(done, outcome)
    if not any(each.new for each in done.placed):
        tally.duplicates += 1
        tally.twice.append(written)
        return
    tally.formats[result.format] = tally.formats.get(result.format, 0) + 1
    for counts, more in ((tally.notes, outcome.notes), (tally.warnings, dict.fromkeys(outcome.warnings, 1))):
        for code, count in more.items():
            counts[code] = counts.get(code, 0) + count
    tally.written.append(written)


def _look_again(out: Path, tally: Tally) -> None:
    """Scan each file for what its patient's other files taught, also files of earlier runs; a hit takes it back."""
    tally.written, tally.twice = (
        [each for each in kind if _is_clean(each, out, tally)] for kind in (tally.written, tally.twice)
    )


def _is_clean(written: Written, out: Path, tally: Tally) -> bool:
    more = tally.people[written.outcome.patient] - written.outcome.removed
    if not more:
        return True
    scanner, left = Scanner(more), []
    for name, made in zip(written.files, written.outcome.files, strict=True):
        if (out / name).exists():
            hits = scanner.find_in(out / name, written.outcome.bulk_of(made))
            left += [f"{name}@{hit.offset} ({hit.encoding})" for hit in hits]
    if not left:
        return True
    for name in written.files:
        (out / name).unlink(missing_ok=True)
    words = (
        "환자의 다른 파일에서 지운 값이 남아 있습니다.",
        "a value removed from another file of the patient is left.",
    )
    tally.refused.append(Result(written.source, written.format, None, None, LEFT, "folder.left", *words, tuple(left)))
    return False


def report(work: Work, tally: Tally, *, keys: str) -> dict[str, Any]:
    """Give the report as plain values. Names of refused source files are in it: it stays with the hospital."""
    refused = [
        {"file": each.name, "format": each.format, "kind": each.kind, "code": each.code, "ko": each.ko, "en": each.en}
        | ({"left": list(each.left)} if each.left else {})
        for each in sorted(tally.refused, key=lambda each: each.name)
    ]
    recipe = work.recipe
    return {
        "report": 1,
        "recipe": {"dataset": recipe.dataset, "version": recipe.version, "sha256": recipe.sha256},
        "keys": keys,
        "written": sum(len(each.files) for each in tally.written),
        "patients": len(tally.people),
        "formats": dict(sorted(tally.formats.items())),
        "duplicates": tally.duplicates,
        "notes": dict(sorted(tally.notes.items())),
        "warnings": dict(sorted(tally.warnings.items())),
        "refused": refused,
        "files": sorted(name for each in tally.written for name in each.files),
    }


def is_done(tally: Tally) -> bool:
    """Whether everything was written, or refused by policy or because it cannot be read."""
    return all(each.kind in {POLICY, one.UNREADABLE} for each in tally.refused)
