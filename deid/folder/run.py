"""A whole folder: every file handed out, every result moved to its place or told, in a report that names no value.

Files are staged below the output folder and moved into it one by one; nothing half-written is ever in its place. A file
that comes twice is written once. At the end, files of patients of whom later files taught more are scanned again.
"""

from __future__ import annotations

import filecmp
import multiprocessing
import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deid.folder import one
from deid.folder.format import Outcome
from deid.folder.one import LEFT, POLICY, Result, Work
from deid.folder.scan import Scanner

STAGING = ".staging"
AHEAD = 64  # files given out to one worker before their results are taken
CODE_TWICE = "folder.twice"


@dataclass
class Written:
    """Files in their place, for the last scan: whose they are and what they were scanned for."""

    files: tuple[str, ...]
    outcome: Outcome
    source: str


@dataclass
class Tally:
    """What a run knows at its end."""

    written: list[Written] = field(default_factory=list)
    refused: list[Result] = field(default_factory=list)
    duplicates: int = 0
    notes: dict[str, int] = field(default_factory=dict)
    warnings: dict[str, int] = field(default_factory=dict)
    formats: dict[str, int] = field(default_factory=dict)
    companions: set[Path] = field(default_factory=set)
    people: dict[str, set[str]] = field(default_factory=dict)


def run(work: Work, out: Path, *, jobs: int = 1, progress: Callable[[int, int], None] = lambda *_: None) -> Tally:
    """De-identify every file below `work.source` into `out`, with `jobs` processes; `progress` hears done and total."""
    names = list(files_below(work.source))
    tally = Tally()
    shutil.rmtree(work.staging, ignore_errors=True)
    work.staging.mkdir(parents=True)
    try:
        for done, result in enumerate(_results(work, names, jobs), 1):
            _take(result, out, tally)
            progress(done, len(names))
        tally.refused = [each for each in tally.refused if work.source / each.name not in tally.companions]
        _look_again(out, tally)
    finally:
        shutil.rmtree(work.staging, ignore_errors=True)
    return tally


def files_below(folder: Path) -> Iterator[str]:
    """Yield the paths of all regular files below a folder, sorted; symbolic links are not followed."""
    for parent, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            path = Path(parent, name)
            if path.is_file() and not path.is_symlink():
                yield str(path.relative_to(folder))


def _results(work: Work, names: list[str], jobs: int) -> Iterator[Result]:
    if jobs == 1:
        yield from (one.process(work, number, name) for number, name in enumerate(names))
        return
    # Fresh processes: a fork of one that has threads (onnxruntime, Polars) may never wake up.
    with _pool(work, jobs) as pool:
        for start in range(0, len(names), AHEAD * jobs):
            part = list(enumerate(names[start : start + AHEAD * jobs], start))
            yield from pool.map(_process, part, chunksize=4)


@contextmanager
def _pool(work: Work, jobs: int) -> Iterator[ProcessPoolExecutor]:
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=spawn, initializer=_begin, initargs=(work,)) as pool:
        yield pool


_WORK: list[Work] = []


def _begin(work: Work) -> None:
    _WORK[:] = [work]


def _process(file: tuple[int, str]) -> Result:
    return one.process(_WORK[0], *file)


def _take(result: Result, out: Path, tally: Tally) -> None:
    if result.outcome is None or result.staged is None:
        tally.refused.append(result)
        return
    outcome = result.outcome
    tally.companions.update(outcome.companions)
    placed = [_place(result.staged / name, out, name) for name in outcome.files]
    shutil.rmtree(result.staged)
    if None in placed:
        tally.duplicates += 1
        return
    tally.formats[result.format] = tally.formats.get(result.format, 0) + 1
    for counts, more in ((tally.notes, outcome.notes), (tally.warnings, dict.fromkeys(outcome.warnings, 1))):
        for code, count in more.items():
            counts[code] = counts.get(code, 0) + count
    tally.people.setdefault(outcome.patient, set()).update(outcome.removed)
    tally.written.append(Written(tuple(name for name in placed if name), outcome, result.name))


def _place(staged: Path, out: Path, name: str) -> str | None:
    """Move a file to its place; None if the very same file is there. Another file of that name gets a number."""
    target, number = out / name, 1
    while target.exists():
        if filecmp.cmp(staged, target, shallow=False):
            return None
        number += 1
        target = out / f"{Path(name).with_suffix('')}-{number}{Path(name).suffix}"
    target.parent.mkdir(parents=True, exist_ok=True)
    staged.replace(target)
    return str(target.relative_to(out))


def _look_again(out: Path, tally: Tally) -> None:
    """Scan each file for what its patient's other files taught; a hit takes the file back."""
    kept = []
    for written in tally.written:
        more = tally.people[written.outcome.patient] - written.outcome.removed - written.outcome.removed_once
        scanner, left = Scanner(more), []
        for name in written.files if more else ():
            bulk = tuple((start, end) for _, start, end in written.outcome.bulk)
            left += [f"{name}@{hit.offset} ({hit.encoding})" for hit in scanner.find((out / name).read_bytes(), bulk)]
        if not left:
            kept.append(written)
            continue
        for name in written.files:
            (out / name).unlink()
        words = (
            "환자의 다른 파일에서 지운 값이 남아 있습니다.",
            "a value removed from another file of the patient is left.",
        )
        tally.refused.append(Result(written.source, "", None, None, LEFT, "folder.left", *words, tuple(left)))
    tally.written = kept


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
