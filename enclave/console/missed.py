"""Writing marked values into the file that the next run reads (`missed:`): merged, mode 0600, whole or not at all."""

from __future__ import annotations

import csv
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from deid.marks import HEAD, Mark, read_marks


def add_marks(path: Path, marks: Sequence[Mark]) -> None:
    """Add marks to the file, made if it is not there. Raises `OSError`, `SourceError` for one that is malformed."""
    known = read_marks(path) if path.exists() else ()
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(HEAD)
            writer.writerows(dict.fromkeys((*known, *marks)))
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)
