"""Telling whoever offers a version that a person in it withdrew: one small file beside the keys of that version.

This room does not know who uses a snapshot; who does looks here (`ansim-recall/1`). The file is written before the
first key is destroyed: killed between, mounts end a little early and the next run destroys. It says which version, on
what day, how many files, and whether what runs ends now or at its next start (the recipe's `withdrawals`); never who.
It is not signed: whoever can write here can destroy the keys themselves.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

FORMAT = "ansim-recall/1"
SUFFIX = ".recall.json"
NOW, NEXT_START = "now", "next-start"
ENDS = (NOW, NEXT_START)
NAME = re.compile(r"[0-9a-f]{64}\.recall\.json")


@dataclass(frozen=True)
class Recall:
    """A version that holds somebody who withdrew: since which day (ISO 8601, Seoul), how many of its files do.

    `mounts_end` is of `ENDS`. `plain`: it is not encrypted, so that its folder has to be removed by hand.
    """

    snapshot: str
    day: str
    files: int
    mounts_end: str = NOW
    plain: bool = False


def leave(folder: Path, recall: Recall) -> None:
    """Write or renew the file of a version, whole and durable, readable for whoever may read the keys.

    The first day stays; what was to end now is not put off. Raises `OSError`.
    """
    path = folder / f"{recall.snapshot}{SUFFIX}"
    before = _read(path)
    if before is not None:
        ends = NOW if NOW in {before.mounts_end, recall.mounts_end} else NEXT_START
        recall = replace(recall, day=before.day, mounts_end=ends)
    if recall == before:
        return
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640)
    with os.fdopen(descriptor, "wb") as file:
        # As the keys: the folder's group reads it, whatever this process's umask.
        os.fchmod(descriptor, 0o640)
        file.write((json.dumps({"format": FORMAT, **asdict(recall)}, indent=1) + "\n").encode())
        file.flush()
        os.fsync(descriptor)
    new.replace(path)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def recalls(folder: Path) -> Iterator[Recall]:
    """Every version that was recalled, by id. A file that is not one is passed over: it cannot hold up the others.

    No folder is no recall. Raises `OSError` when it cannot be looked into.
    """
    for path in sorted(folder.iterdir()) if folder.exists() else []:
        if NAME.fullmatch(path.name) and (found := _read(path)):
            yield found


def _read(path: Path) -> Recall | None:
    try:
        body: Any = json.loads(path.read_bytes())
        if body.pop("format") != FORMAT:
            return None
        found = Recall(**body)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
    kinds = (found.snapshot, str), (found.day, str), (found.files, int), (found.plain, bool)
    whole = all(isinstance(value, kind) for value, kind in kinds) and found.mounts_end in ENDS
    return found if whole and path.name == f"{found.snapshot}{SUFFIX}" else None
