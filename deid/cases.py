"""A run's private file of cases, from which a reviewer's sample is drawn: one JSON object a line, for no snapshot.

Cases hold what identifies, or say where it is: they are written to a folder that the caller names, on the source's
side. UTF-8, file mode 0600; a run that fails leaves no such file.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self


class CaseFile:
    """Writes a file of cases into a folder (made 0700); the file gets its name only by `keep`."""

    ascii = False

    def __init__(self, folder: Path, name: str) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._target = folder / name
        self._unfinished = folder / f"{name}.part"
        descriptor = os.open(self._unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        self._file = os.fdopen(descriptor, "wb")
        self._hash = hashlib.sha256()
        self.count = 0

    @property
    def sha256(self) -> str:
        """SHA-256 (hex) of what was written so far."""
        return self._hash.hexdigest()

    def add(self, case: Mapping[str, Any]) -> None:
        """Append one case, as plain JSON values."""
        line = (json.dumps(case, ensure_ascii=self.ascii) + "\n").encode()
        self._file.write(line)
        self._hash.update(line)
        self.count += 1

    def keep(self) -> None:
        """Put the file in its place, durable."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._unfinished.replace(self._target)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._file.close()
        self._unfinished.unlink(missing_ok=True)


def forget_cases(folder: Path, name: str) -> bool:
    """Destroy a file of cases, finished or not, and its folder once it is empty; says if there was any.

    The bytes are overwritten before their name goes: of little use on a disk that moves blocks, and harmless. Raises
    `OSError`.
    """
    found = [path for path in (folder / name, folder / f"{name}.part") if path.is_file() and not path.is_symlink()]
    for path in found:
        with path.open("r+b") as file:
            left = path.stat().st_size
            while left:
                left -= file.write(bytes(min(left, 1 << 20)))
            file.flush()
            os.fsync(file.fileno())
        path.unlink()
    if found and not any(folder.iterdir()):
        folder.rmdir()
    return bool(found)
