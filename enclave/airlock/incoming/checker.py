"""The door to the sealed child of the import lane: a file in quarantine in, a report, plain files or lines out.

As with what leaves (`enclave.airlock.checker`): whatever goes wrong is a BLOCK with the rule `check.failed`, and what a
child says about name, hash and barriers does not count. It has a server of its own, because its libraries are others.
"""

from __future__ import annotations

import atexit
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from enclave.airlock.errors import PreviewFailed
from enclave.airlock.incoming.archive import Member
from enclave.airlock.incoming.clamav import Scanner
from enclave.airlock.incoming.limits import MEBIBYTE, ImportLimits
from enclave.airlock.incoming.paths import safe_path
from enclave.airlock.parsers.refused import ParseRefused
from enclave.airlock.report import MAX_TEXT, FileReport, Finding, Severity
from enclave.airlock.sealing.pool import Limits, SealedFailure, SealedPool

T = TypeVar("T")
REPORT_BYTES, SHOWN_BYTES = 4 * MEBIBYTE, 32 * MEBIBYTE


@dataclass(frozen=True)
class Lines:
    """A text as it may be shown: `total` lines, -1 if it is no text."""

    path: str
    lines: tuple[str, ...]
    total: int
    how: str = ""


@dataclass(frozen=True)
class Shown:
    """Some lines of an import: `texts` (their `total` is where in its file each begins), of `total` lines in all."""

    start: int
    texts: tuple[Lines, ...]
    total: int

    @property
    def end(self) -> int:
        """The number behind the last line that is shown."""
        return self.start + sum(len(text.lines) for text in self.texts)


@cache
def shared_pool() -> SealedPool:
    """Return this process's own pool for what comes in; it ends with the process."""
    pool = SealedPool("enclave.airlock.incoming.worker", parallel=1)
    atexit.register(pool.close)
    return pool


def check(
    path: Path, name: str, limits: ImportLimits, *, scanner: Scanner | None = None, pool: SealedPool | None = None
) -> FileReport:
    """Report on the file at `path`, called `name` by whoever uploaded it. Raises `OSError` if it cannot be opened.

    Without a scanner the report says that nothing was searched for malware.
    """
    with _opened(path) as descriptor:
        name = name.encode("utf-8", "backslashreplace").decode()[:MAX_TEXT]
        size, sha256 = os.fstat(descriptor).st_size, _sha256(descriptor)
        if size > limits.max_bytes:
            return FileReport(name=name, sha256=sha256, kind="unknown", findings=(_too_large(size, limits.max_bytes),))
        try:
            answer, sealed = _run({"do": "check", "name": name}, descriptor, limits, REPORT_BYTES, pool)
            report = FileReport.from_json(answer.decode())
        except SealedFailure as failure:
            return _failed(name, sha256, failure.why)
        except (ValueError, TypeError, AttributeError, RecursionError):
            return _failed(name, sha256, "its answer was no report")
        searched = (scanner or Scanner(None)).search(descriptor)
        return replace(report, name=name, sha256=sha256, sealed=sealed, findings=(*searched, *report.findings))


def unpacked(path: Path, name: str, limits: ImportLimits, *, pool: SealedPool | None = None) -> tuple[Member, ...]:
    """Return the plain files that an import lays out. Raises `PreviewFailed` if the sealed child gives none."""
    with _opened(path) as descriptor:
        size = os.fstat(descriptor).st_size
        most = max(size, limits.max_unpacked) + MEBIBYTE
        return _told(lambda: _members(_run({"do": "unpack", "name": name}, descriptor, limits, most, pool)[0]))


def shown(path: Path, name: str, start: int, limits: ImportLimits, *, pool: SealedPool | None = None) -> Shown:
    """Return the lines of all files of an import in a row, from number `start` on. Raises `PreviewFailed`."""
    job = {"do": "show", "name": name, "start": start}
    with _opened(path) as descriptor:
        return _told(lambda: _shown(start, json.loads(_run(job, descriptor, limits, SHOWN_BYTES, pool)[0])))


def compared(
    path: Path, name: str, older: tuple[Path, str], limits: ImportLimits, *, pool: SealedPool | None = None
) -> tuple[Lines, ...]:
    """Return what changed since an older file (its path and name). Raises `PreviewFailed`."""
    job = {"do": "compare", "name": name, "older": older[1]}
    with _opened(path) as descriptor, _opened(older[0]) as before:
        found = _told(lambda: json.loads(_run(job, descriptor, limits, SHOWN_BYTES, pool, (before,))[0]))
        return tuple(_lines(one) for one in found)


def _run(  # noqa: PLR0913, PLR0917 - the parts of one job
    job: dict[str, Any],
    descriptor: int,
    limits: ImportLimits,
    answer_bytes: int,
    pool: SealedPool | None,
    more: Sequence[int] = (),
) -> tuple[bytes, tuple[str, ...]]:
    size = os.fstat(descriptor).st_size
    bounds = Limits(timeout_s=limits.timeout_s, memory_bytes=limits.memory_bytes + 2 * size, answer_bytes=answer_bytes)
    # What is compared with may be larger than one message: it goes as a file in memory.
    policy = os.memfd_create("limits", os.MFD_CLOEXEC)
    try:
        os.write(policy, limits.to_json().encode())
        answer = (pool or shared_pool()).run(job, descriptor, bounds, (policy, *more))
    finally:
        os.close(policy)
    return answer.body, answer.sealed


def _members(packed: bytes) -> tuple[Member, ...]:
    head, _, rest = packed.partition(b"\n")
    listed = json.loads(head)
    if not isinstance(listed, list):
        raise TypeError("no list of files")
    found, at = [], 0
    for path, size in listed:
        if type(size) is not int or size < 0 or at + size > len(rest):
            raise ValueError("sizes do not fit")
        # The child has just read hostile bytes: its paths are looked at again.
        found.append(Member(safe_path(str(path)), rest[at : at + size]))
        at += size
    if at != len(rest) or len({member.path for member in found}) != len(found):
        raise ValueError("something is left over, or a name stands twice")
    return tuple(found)


def _lines(found: dict[str, Any]) -> Lines:
    # Types are made, not believed.
    lines = tuple(str(line) for line in found["lines"])
    return Lines(str(found["path"]), lines, int(found["total"]), str(found.get("how", "")))


def _shown(start: int, found: dict[str, Any]) -> Shown:
    texts = [
        Lines(str(one["path"]), tuple(str(line) for line in one["lines"]), int(one["start"])) for one in found["texts"]
    ]
    return Shown(start, tuple(texts), int(found["total"]))


def _told(act: Callable[[], T]) -> T:
    try:
        return act()
    except (SealedFailure, ParseRefused, ValueError, TypeError, KeyError, RecursionError):
        raise PreviewFailed(
            "airlock.import",
            ko="이 반입 파일은 안전하게 펼치거나 보여 줄 수 없습니다.",
            en="This import cannot be laid out or shown safely.",
            remedy_ko="점검 결과를 보고, 신청자에게 다시 올리도록 하세요.",
            remedy_en="See the report, and ask for it to be uploaded again.",
        ) from None


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _sha256(descriptor: int) -> str:
    digest, offset = hashlib.sha256(), 0
    while piece := os.pread(descriptor, MEBIBYTE, offset):
        digest.update(piece)
        offset += len(piece)
    return digest.hexdigest()


def _failed(name: str, sha256: str, why: str) -> FileReport:
    finding = Finding(
        rule="check.failed",
        severity=Severity.BLOCK,
        ko=f"파일을 안전하게 점검하지 못해 막았습니다({why[:200]}). 더 작고 단순하게 나누어 올리세요.",
        en=f"The file could not be checked safely, so it is stopped ({why[:200]}). Upload smaller, simpler parts.",
    )
    return FileReport(name=name, sha256=sha256, kind="unknown", findings=(finding,))


def _too_large(size: int, limit: int) -> Finding:
    return Finding(
        rule="size.file",
        severity=Severity.BLOCK,
        ko=f"파일 크기 {size / MEBIBYTE:.1f} MiB가 허용 크기 {limit / MEBIBYTE:.0f} MiB를 넘습니다.",
        en=f"The file has {size / MEBIBYTE:.1f} MiB; {limit / MEBIBYTE:.0f} MiB are allowed.",
    )
