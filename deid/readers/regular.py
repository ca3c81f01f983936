"""Opening a regular file once: later passes use the descriptor that was checked, never the name again."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from typing import IO

from deid.readers.refuse import refuse, refuse_empty
from deid.readers.source import Advance

CHUNK = 1 << 20
Stamp = tuple[int, int]


def open_regular(folder: Path, name: str) -> IO[bytes]:
    """Open `folder/name`. Raises `SourceError` for a link, a folder, a device, an empty file or one without access."""
    fix = (
        "--source 폴더와 가명처리 계획의 file을 확인하세요.",
        "Check the --source folder and the recipe's file name.",
    )
    try:
        descriptor = os.open(folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        en = f"cannot be opened ({error.strerror})."
        refuse(name, "missing", ("열 수 없습니다(없거나 바로가기이거나 권한이 없음).", en), fix)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        refuse(name, "kind", ("일반 파일이 아닙니다.", "not a regular file."), fix)
    file = os.fdopen(descriptor, "rb")
    if os.fstat(descriptor).st_size == 0:
        file.close()
        refuse_empty(name)
    return file


def by_descriptor(file: IO[bytes]) -> str:
    """Return a path that reaches this open file and no other."""
    return f"/proc/self/fd/{file.fileno()}"


def stamp(file: IO[bytes]) -> Stamp:
    """Size in bytes and time of last change in nanoseconds."""
    status = os.fstat(file.fileno())
    return status.st_size, status.st_mtime_ns


def check_stamp(file: IO[bytes], before: Stamp, name: str) -> None:
    """Raise `SourceError` if the file was written to since `before`."""
    if stamp(file) != before:
        refuse(
            name, "changed", ("읽는 동안 파일이 바뀌었습니다.", "the file changed while it was read."),
            ("파일을 쓰는 작업이 끝난 뒤 다시 실행하세요.", "Run again when nothing writes to the file."),
        )  # fmt: skip


def hash_of(file: IO[bytes], advance: Advance) -> str:
    """SHA-256 (hex) of the whole file; the position is left at the beginning."""
    digest = hashlib.sha256()
    file.seek(0)
    while chunk := file.read(CHUNK):
        digest.update(chunk)
        advance(len(chunk))
    file.seek(0)
    return digest.hexdigest()
