"""Writing marked values into the file that the next run reads (`missed:`): merged, mode 0600, whole or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from deid.marks import HEAD, Mark, read_marks
from deid.whole_file import write_rows


def add_marks(path: Path, marks: Sequence[Mark]) -> None:
    """Add marks to the file, made if it is not there. Raises `OSError`, `SourceError` for one that is malformed."""
    known = read_marks(path) if path.exists() else ()
    write_rows(path, HEAD, dict.fromkeys((*known, *marks)))
