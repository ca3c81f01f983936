"""Putting copies of files into the outbox folder, from which the gate takes them.

All files are looked at before the first is copied, and all are copied before anything is sent. The gate looks again;
what is checked here only saves a round trip and gives a better message.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .failure import AnsimError

PIECE = 1 << 20
MAX_BYTES = 100 * PIECE
MAX_FILES, MAX_NAME_BYTES = 50, 255


@dataclass(frozen=True)
class Copied:
    """A copy in the outbox: its path there (``<folder>/<name>``), its name, and the SHA-256 of its bytes."""

    path: str
    name: str
    sha256: str


@contextmanager
def copies(files: Sequence[Path]) -> Iterator[list[Copied]]:
    """Copy ``files`` into a new folder of the outbox; the folder is gone afterwards. Raises `AnsimError`."""
    if not files:
        raise AnsimError("client.no-files", ko="제출할 파일이 없습니다.", en="There are no files to submit.")
    if len(files) > MAX_FILES:
        raise _refused("client.too-many", f"{len(files)}", "파일이 너무 많습니다", "too many files", *SPLIT)
    for path in files:
        _check_name(path)
    if len({path.name for path in files}) < len(files):
        raise _refused(
            "client.same-name", "", "이름이 같은 파일이 둘 이상입니다", "two files have the same name", *RENAME
        )
    for path in files:
        os.close(_open_plain(path))
    folder = Path(os.environ.get("ANSIM_OUTBOX", "/outbox")) / secrets.token_hex(8)
    try:
        try:
            folder.mkdir(mode=0o700)
            copied = [_copy(path, folder) for path in files]
        except OSError as error:
            raise _no_room(error) from None
        yield copied
    finally:
        shutil.rmtree(folder, ignore_errors=True)


RENAME = ("이름을 바꾸어 다시 제출하세요.", "Rename it and submit again.")
SPLIT = ("결과를 요약하거나 나누어 제출하세요.", "Summarise or split the result.")
PLAIN = ("파일 자체를 제출하세요.", "Submit the file itself.")


def _check_name(path: Path) -> None:
    name = path.name
    if not name.isprintable() or name[:1] in {"", ".", "-"} or len(os.fsencode(name)) > MAX_NAME_BYTES:
        ko = "쓸 수 없는 파일 이름입니다(줄바꿈·제어 문자, 점이나 빼기표로 시작, 너무 긺)"
        en = "not a usable name (line break, control character, leading dot or hyphen, or too long)"
        raise _refused("client.name", ascii(name)[:80], ko, en, *RENAME)


def _open_plain(path: Path) -> int:
    # O_NOFOLLOW: a link is refused, not followed. O_NONBLOCK: a pipe must not make us wait.
    shown = path.name
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        remedy = ("경로를 확인하거나 파일을 저장한 뒤 다시 하세요.", "Check the path, or save the file first.")
        raise _refused("client.missing", shown, "파일이 없습니다", "there is no such file", *remedy) from None
    except OSError:
        if path.is_symlink():
            raise _refused("client.link", shown, "심볼릭 링크입니다", "it is a symbolic link", *PLAIN) from None
        remedy = ("파일의 권한을 확인하세요.", "Check its permissions.")
        raise _refused("client.unreadable", shown, "읽을 수 없습니다", "it cannot be read", *remedy) from None
    info = os.fstat(descriptor)
    try:
        _check_plain(info, shown)
    except AnsimError:
        os.close(descriptor)
        raise
    return descriptor


def _check_plain(info: os.stat_result, shown: str) -> None:
    if stat.S_ISDIR(info.st_mode):
        remedy = ("폴더 안의 파일을 하나씩 제출하세요.", "Submit the files in it one by one.")
        raise _refused("client.folder", shown, "폴더입니다", "it is a folder", *remedy)
    if not stat.S_ISREG(info.st_mode):
        raise _refused("client.not-a-file", shown, "일반 파일이 아닙니다", "it is not a plain file", *PLAIN)
    if info.st_size > MAX_BYTES:
        ko, en = f"{info.st_size // PIECE} MiB로 너무 큽니다", f"it is too large ({info.st_size // PIECE} MiB)"
        raise _refused("client.too-large", shown, f"{ko}(한도 {MAX_BYTES // PIECE} MiB)", en, *SPLIT)
    if info.st_size == 0:
        remedy = ("저장이 끝났는지 확인하세요.", "Check that it was saved.")
        raise _refused("client.empty", shown, "빈 파일입니다", "it is empty", *remedy)


def _copy(path: Path, folder: Path) -> Copied:
    digest, left = hashlib.sha256(), MAX_BYTES
    with os.fdopen(_open_plain(path), "rb") as source, (folder / path.name).open("xb") as target:
        while piece := source.read(PIECE):
            left -= len(piece)
            if left < 0:
                ko = "복사하는 동안 한도를 넘게 커졌습니다"
                raise _refused("client.too-large", path.name, ko, "it grew past the limit while it was copied", *SPLIT)
            digest.update(piece)
            target.write(piece)
    return Copied(f"{folder.name}/{path.name}", path.name, digest.hexdigest())


def _refused(code: str, name: str, ko: str, en: str, *remedy: str) -> AnsimError:
    prefix = f"{name}: " if name else ""
    return AnsimError(code, ko=f"{prefix}{ko}.", en=f"{prefix}{en}.", remedy_ko=remedy[0], remedy_en=remedy[1])


def _no_room(error: OSError) -> AnsimError:
    return AnsimError(
        "client.outbox",
        ko=f"반출함에 복사하지 못했습니다({error.strerror}).",
        en=f"Copying into the outbox failed ({error.strerror}).",
        remedy_ko="작업공간 안에서 실행했는지, 반출함(/outbox)에 남은 파일이 없는지 확인하세요.",
        remedy_en="Check that you are in a workspace and that /outbox holds no leftover files.",
    )
