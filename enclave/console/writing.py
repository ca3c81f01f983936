"""A file that a command makes for its caller: written as the caller, since the service's user may not write there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from deid.whole_file import write_whole
from enclave.errors import Conflict, Unavailable


@contextmanager
def new_file(target: Path, taken: str) -> Iterator[BinaryIO]:
    """Open a new file; nothing is left of it where what fills it fails.

    Raises: `Conflict` (its code is `taken`) if the file is there already; `Unavailable` (`console.unwritable`) if
    there can be none.
    """
    try:
        file = target.open("xb")
    except FileExistsError as error:
        raise Conflict(
            taken,
            ko=f"{target} 파일이 이미 있습니다.",
            en=f"{target} is there already.",
            remedy_ko="다른 이름을 쓰세요.",
            remedy_en="Use another name.",
        ) from error
    except OSError as error:
        raise _unwritable(target, error) from error
    try:
        with file:
            yield file
    except BaseException:  # also when it is interrupted, and raised again
        target.unlink(missing_ok=True)
        raise


def replace(target: Path, data: bytes) -> None:
    """Write a file in the place of an older one, which stays whole until the new one is.

    A pipe or a terminal is written to as it is. Raises `Unavailable` (`console.unwritable`).
    """
    try:
        if target.exists() and not target.is_file():
            target.write_bytes(data)
        else:
            write_whole(target.resolve(), data, mode=None)
    except OSError as error:
        raise _unwritable(target, error) from error


def _unwritable(target: Path, error: OSError) -> Unavailable:
    return Unavailable(
        "console.unwritable",
        ko=f"{target} 파일을 쓸 수 없습니다: {error.strerror}",
        en=f"{target} cannot be written: {error.strerror}",
        remedy_ko="쓸 수 있는 폴더를 적으세요.",
        remedy_en="Name a folder that can be written.",
    )
