"""Copying files out of a workspace's outbox. Everything in it is hostile, and its owner may write while we read.

For each file: open relative to a descriptor of its folder, look at the descriptor, copy from the descriptor, hash
the copy, look again. Names are never used for anything but the one `open`; the copy is named by a number.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import stat
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from enclave.gate.limits import Collected, CollectLimits, RefusedFile

CHUNK = 1 << 20
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# O_NONBLOCK: opening a fifo would wait for ever for its other end.
FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
NAME_BYTES = 255

REASONS: dict[str, tuple[str, str, str, str]] = {
    "name": (
        "쓸 수 없는 파일 이름입니다",
        "not a usable file name",
        "줄바꿈·제어 문자·경로 없이, 점이나 빼기표로 시작하지 않는 이름으로 바꾸십시오.",
        "Rename it: no line breaks, control characters or paths, and not beginning with a dot or a hyphen.",
    ),
    "missing": (
        "파일이 없습니다",
        "there is no such file",
        "파일을 저장한 뒤 다시 제출하십시오.",
        "Save the file, then submit again.",
    ),
    "not-a-file": (
        "일반 파일이 아닙니다(링크·폴더·파이프 등)",
        "not a plain file (a link, folder, pipe or the like)",
        "내용을 일반 파일로 저장해 제출하십시오.",
        "Save its content as a plain file and submit that.",
    ),
    "linked": (
        "다른 이름으로도 연결된 파일입니다(하드 링크)",
        "the file has a second name (a hard link)",
        "파일을 복사해 새 파일로 제출하십시오.",
        "Copy it to a new file and submit that.",
    ),
    "too-large": (
        "파일이 너무 큽니다",
        "the file is too large",
        "결과를 요약하거나 나누어 제출하십시오.",
        "Summarise or split the result.",
    ),
    "total": (
        "한 번에 제출할 수 있는 양을 넘었습니다",
        "more than may be submitted at once",
        "나누어 제출하십시오.",
        "Submit in several requests.",
    ),
    "changed": (
        "읽는 동안 파일이 바뀌었습니다",
        "the file changed while it was read",
        "저장이 끝난 뒤 다시 제출하십시오.",
        "Submit again once it is no longer being written.",
    ),
}


class _Refused(Exception):  # noqa: N818 - one file's answer, never leaves this module
    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Owner(NamedTuple):
    """The user and group of the service that asked, who may move or remove the copies afterwards."""

    uid: int
    gid: int


def collect(
    outbox: Path, staging: Path, names: Sequence[str], *, limits: CollectLimits, owner: Owner
) -> list[Collected | RefusedFile]:
    """Copy `names` (`name` or `folder/name`) from `outbox` into a new folder under `staging`.

    One answer per name, in order; a refused file leaves no copy. The new folder and the copies are `owner`'s, 0700
    and 0600; if nothing was copied it is gone. Raises `OSError` for the staging area (disk full), leaving nothing.
    """
    place = staging / secrets.token_hex(16)
    place.mkdir(mode=0o700)
    try:
        answers = _collect_all(outbox, place, names, limits)
        if any(isinstance(answer, Collected) for answer in answers):
            for path in place.iterdir():
                path.chmod(0o600)
                os.chown(path, owner.uid, owner.gid)
            # Last of all: until here nobody but root could put anything into the folder.
            os.chown(place, owner.uid, owner.gid)
        else:
            place.rmdir()
    except BaseException:  # whatever ended it, a half-filled folder is of no use
        shutil.rmtree(place, ignore_errors=True)
        raise
    return answers


def _collect_all(
    outbox: Path, place: Path, names: Sequence[str], limits: CollectLimits
) -> list[Collected | RefusedFile]:
    answers: list[Collected | RefusedFile] = []
    left = limits.total_bytes
    with _folder(outbox) as root:
        for number, name in enumerate(names):
            try:
                if number >= limits.files:
                    raise _Refused("total")  # noqa: TRY301 - same answer as from below
                answer = _take(root, name, place / str(number), limits.file_bytes, left)
                left -= answer.size
                answers.append(answer)
            except _Refused as refused:
                (place / str(number)).unlink(missing_ok=True)
                answers.append(_refusal(name, refused.reason))
    return answers


def _take(root: int, name: str, target: Path, limit: int, left: int) -> Collected:
    parts = [_component(part) for part in name.split("/")]
    if len(parts) > 2:  # noqa: PLR2004 - `name` or `folder/name`
        raise _Refused("name")
    with ExitStack() as stack:
        folder = root if len(parts) == 1 else stack.enter_context(_subfolder(root, parts[0]))
        digest, size = _copy(folder, parts[-1], target, limit, left)
    return Collected(name, digest, size, target)


def _component(part: str) -> bytes:
    """Return one path component as bytes, refusing what a name must not be."""
    try:
        raw = part.encode("utf-8")
    except UnicodeEncodeError as error:
        raise _Refused("name") from error
    if not raw or len(raw) > NAME_BYTES or part[0] in ".-" or not part.isprintable():
        raise _Refused("name")
    return raw


def usable(name: str) -> bool:
    """Return whether one component of a name is such that it could be collected."""
    try:
        return bool(_component(name))
    except _Refused:
        return False


def _copy(folder: int, name: bytes, target: Path, limit: int, left: int) -> tuple[str, int]:
    """Copy one file; returns (sha256, size) of the copy."""
    try:
        source = os.open(name, FILE, dir_fd=folder)
    except FileNotFoundError as error:
        raise _Refused("missing") from error
    except OSError as error:  # ELOOP for a link, ENXIO for a socket
        raise _Refused("not-a-file") from error
    try:
        before = os.fstat(source)
        _check(before, limit, left)
        digest, size = _read(source, target, before.st_size)
        # Read a second time: writing through a shared mapping need not touch the times at once.
        os.lseek(source, 0, os.SEEK_SET)
        again, _ = _read(source, None, before.st_size)
        if again != digest or _stamp(os.fstat(source)) != _stamp(before):
            raise _Refused("changed")
    finally:
        os.close(source)
    return digest, size


def _check(info: os.stat_result, limit: int, left: int) -> None:
    if not stat.S_ISREG(info.st_mode):
        raise _Refused("not-a-file")
    if info.st_nlink != 1:
        raise _Refused("linked")
    if info.st_size > limit:
        raise _Refused("too-large")
    if info.st_size > left:
        raise _Refused("total")


def _stamp(info: os.stat_result) -> tuple[int, ...]:
    # The owner can set mtime back; ctime cannot be set.
    return (info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns, info.st_nlink)


def _read(source: int, target: Path | None, size: int) -> tuple[str, int]:
    """Hash (and copy) until the end; the size seen first is a wish, so count while copying."""
    digest, done = hashlib.sha256(), 0
    with ExitStack() as stack:
        copy = stack.enter_context(target.open("xb")) if target else None
        while chunk := os.read(source, CHUNK):
            done += len(chunk)
            if done > size:
                raise _Refused("changed")
            digest.update(chunk)
            if copy:
                copy.write(chunk)
    return digest.hexdigest(), done


@contextmanager
def _folder(path: Path) -> Iterator[int]:
    # O_NOFOLLOW guards the last component only: all parents of an outbox belong to root.
    descriptor = os.open(path, FOLDER)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _subfolder(parent: int, name: bytes) -> Iterator[int]:
    try:
        descriptor = os.open(name, FOLDER, dir_fd=parent)
    except FileNotFoundError as error:
        raise _Refused("missing") from error
    except OSError as error:  # ENOTDIR for a link or a file
        raise _Refused("not-a-file") from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _refusal(name: str, reason: str) -> RefusedFile:
    shown = name.encode("unicode_escape" if not name.isprintable() else "utf-8", "backslashreplace").decode()
    ko, en, remedy_ko, remedy_en = REASONS[reason]
    return RefusedFile(
        name=name,
        shown=shown,
        code=f"collect.{reason}",
        ko=f"{shown}: {ko}.",
        en=f"{shown}: {en}.",
        remedy_ko=remedy_ko,
        remedy_en=remedy_en,
    )
