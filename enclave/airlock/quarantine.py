"""Where submitted bytes wait: a folder of files named by their SHA-256, written once and verified at every opening.

What was reviewed is what is released because both name the same hash (korea.md R44). A file is written under a
temporary name, synced, renamed and its folder synced, so that a crash leaves either the whole file or none.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from enclave.airlock.errors import FileRefused, StoredFileDamaged, StoredFileMissing
from enclave.whole import sync_folder

PIECE = 1 << 20
DEFAULT_LIMIT = 100 * PIECE
SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Stored:
    """A file in quarantine: its SHA-256 (64 hex digits) and its size in bytes."""

    sha256: str
    size: int


class Quarantine:
    """Content-addressed files under ``root`` (mode 0700), each 0600 and never changed after it appeared."""

    def __init__(self, root: Path, *, limit: int = DEFAULT_LIMIT) -> None:
        self.root, self.limit = root, limit
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        root.chmod(0o700)

    def put(self, source: Path | BinaryIO) -> Stored:
        """Copy the bytes in and return their hash; the same bytes twice are one file.

        Raises `FileRefused` for anything but a plain file, for one that grows past the limit, or one that changes while
        it is read; nothing stays behind then.
        """
        if isinstance(source, Path):
            with _open_plain(source) as stream:
                return self._take(stream, os.fstat(stream.fileno()))
        return self._take(source)

    def path(self, sha256: str) -> Path:
        """Where a file of this hash lies or would lie. Raises `StoredFileMissing` for what is no SHA-256."""
        if SHA256.fullmatch(sha256) is None:
            raise _missing(sha256)
        return self.root / sha256[:2] / sha256

    def open(self, sha256: str) -> BinaryIO:
        """Open a stored file for reading, at its start, after its bytes were hashed again.

        Raises `StoredFileMissing` or `StoredFileDamaged`.
        """
        try:
            descriptor = os.open(self.path(sha256), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            raise _missing(sha256) from None
        stream = os.fdopen(descriptor, "rb")
        if hashlib.file_digest(stream, "sha256").hexdigest() != sha256:
            stream.close()
            raise StoredFileDamaged(
                "airlock.damaged",
                ko=f"보관 중인 파일 {sha256[:12]}…의 내용이 해시와 다릅니다.",
                en=f"The stored file {sha256[:12]}… no longer has its hash.",
                remedy_ko="반출하지 말고 운영자에게 알리세요. 저장 장치를 점검해야 합니다.",
                remedy_en="Do not release it; tell the operator to check the disk.",
            )
        stream.seek(0)
        return stream

    def discard(self, sha256: str) -> bool:
        """Remove a stored file at the end of its life; True when there was one."""
        try:
            self.path(sha256).unlink()
        except FileNotFoundError:
            return False
        return True

    def _take(self, stream: BinaryIO, before: os.stat_result | None = None) -> Stored:
        descriptor, name = tempfile.mkstemp(dir=self.root, prefix="incoming-")  # mode 0600
        try:
            with os.fdopen(descriptor, "wb") as copy:
                stored = self._copy(stream, copy)
                copy.flush()
                os.fsync(copy.fileno())
            if before is not None:
                _check_steady(before, os.fstat(stream.fileno()))
            self._settle(Path(name), stored.sha256)
        except BaseException:  # whatever happened, the half copy must not stay
            Path(name).unlink(missing_ok=True)
            raise
        return stored

    def _copy(self, stream: BinaryIO, copy: BinaryIO) -> Stored:
        digest, size = hashlib.sha256(), 0
        while piece := stream.read(PIECE):
            size += len(piece)
            if size > self.limit:
                raise _too_large(self.limit)
            digest.update(piece)
            copy.write(piece)
        return Stored(digest.hexdigest(), size)

    def _settle(self, incoming: Path, sha256: str) -> None:
        target = self.path(sha256)
        target.parent.mkdir(mode=0o700, exist_ok=True)
        incoming.replace(target)  # equal bytes, so replacing an earlier copy changes nothing
        for folder in (target.parent, self.root):
            sync_folder(folder)


@contextmanager
def _open_plain(path: Path) -> Iterator[BinaryIO]:
    # O_NONBLOCK: opening a fifo must not wait; O_NOFOLLOW: a link is refused, not followed.
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        raise _not_plain() from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _not_plain()
    with os.fdopen(descriptor, "rb") as stream:
        yield stream


def _check_steady(before: os.stat_result, after: os.stat_result) -> None:
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise _changed()


def _missing(sha256: str) -> StoredFileMissing:
    shown = ascii(sha256[:12])
    return StoredFileMissing(
        "airlock.missing",
        ko=f"해시 {shown}의 파일이 검역 보관소에 없습니다.",
        en=f"No file with the hash {shown} is in quarantine.",
        remedy_ko="반출 신청을 다시 제출하세요.",
        remedy_en="Submit the request again.",
    )


def _not_plain() -> FileRefused:
    return FileRefused(
        "airlock.not-a-file",
        ko="일반 파일이 아니거나 읽을 수 없어 받지 않았습니다.",
        en="Not a plain, readable file; it was not taken in.",
        remedy_ko="심볼릭 링크나 폴더 대신 파일 자체를 제출하세요.",
        remedy_en="Submit the file itself, not a link or a folder.",
    )


def _too_large(limit: int) -> FileRefused:
    return FileRefused(
        "airlock.too-large",
        ko=f"파일이 허용 크기 {limit // PIECE} MiB를 넘습니다.",
        en=f"The file is larger than the allowed {limit // PIECE} MiB.",
        remedy_ko="결과를 요약하거나 나누어 제출하세요.",
        remedy_en="Summarise the result or split it.",
    )


def _changed() -> FileRefused:
    return FileRefused(
        "airlock.changed",
        ko="읽는 동안 파일이 바뀌었습니다.",
        en="The file changed while it was read.",
        remedy_ko="파일을 쓰는 작업이 끝난 뒤 다시 제출하세요.",
        remedy_en="Submit again when nothing writes to the file any more.",
    )
