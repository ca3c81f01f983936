"""Files that are written whole or not at all."""

from __future__ import annotations

import csv
import io
import os
import secrets
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

OWNER_ONLY, UMASK_DECIDES = 0o600, 0o666


def write_whole(path: Path, data: bytes, mode: int | None = OWNER_ONLY) -> None:
    """Put `data` in the place of a file, with the permissions `mode`; None: those that the umask leaves a new file.

    Its bytes are on the disk before it takes the place; that it took it, a loss of power may undo. Raises `OSError`.
    """
    beside = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    # Nobody else may look into it before it has its permissions.
    opened = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, UMASK_DECIDES if mode is None else OWNER_ONLY)
    try:
        with os.fdopen(opened, "wb") as file:
            if mode is not None:
                os.fchmod(opened, mode)
            file.write(data)
            file.flush()
            os.fsync(opened)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def write_rows(path: Path, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Put a CSV (UTF-8) in the place of a file, for its owner alone, as `write_whole` does. Raises `OSError`."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(head)
    writer.writerows(rows)
    write_whole(path, text.getvalue().encode())
