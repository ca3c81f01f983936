"""The door to the sealed checker: a file in, a report out, and nothing parsed in this process.

A crash, a timeout, too much memory, an answer that is no report, a kernel without the required barriers: each becomes a
BLOCK with the rule ``check.failed``. There is no way to PASS but a whole, well-formed report from a sealed child.

What it cannot promise: a parser that was fully taken over could still forge a report of its own file, inside its cage.
That is why people decide, over a preview drawn by another child.
"""

from __future__ import annotations

import atexit
import hashlib
import os
from dataclasses import replace
from functools import cache
from pathlib import Path

from enclave.airlock.known import Known
from enclave.airlock.report import MAX_TEXT, FileReport, Finding, Severity
from enclave.airlock.rules import MEBIBYTE, CheckRules
from enclave.airlock.sealing.pool import Limits, SealedFailure, SealedPool

REPORT_BYTES = MEBIBYTE


def check(
    path: Path, name: str, rules: CheckRules, *, known: Known | None = None, pool: SealedPool | None = None
) -> FileReport:
    """Report on the file at ``path``, called ``name`` by its sender, under ``rules``.

    ``path`` must be a stored copy that nobody writes to (quarantine). ``known``: values of the project that must be
    recognised. Raises `OSError` only when the file cannot be opened. ``pool`` defaults to one shared by this process;
    call `shared_pool().start()` early to hide its start-up.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        return _check_open(descriptor, _shown(name), rules, pool or shared_pool(), known)
    finally:
        os.close(descriptor)


def check_content(
    content: bytes, name: str, rules: CheckRules, *, known: Known | None = None, pool: SealedPool | None = None
) -> FileReport:
    """Report on bytes that are not stored: they lie in memory only while they are checked."""
    descriptor = os.memfd_create("checked", os.MFD_CLOEXEC)
    try:
        with os.fdopen(os.dup(descriptor), "wb") as file:
            file.write(content)
        return _check_open(descriptor, _shown(name), rules, pool or shared_pool(), known)
    finally:
        os.close(descriptor)


@cache
def shared_pool() -> SealedPool:
    """Return this process's own pool of sealed children; it ends with the process."""
    pool = SealedPool()
    atexit.register(pool.close)
    return pool


def _check_open(descriptor: int, name: str, rules: CheckRules, pool: SealedPool, known: Known | None) -> FileReport:
    size = os.fstat(descriptor).st_size
    if size > rules.max_bytes:
        return FileReport(name=name, sha256="", kind="unknown", findings=(_too_large(size, rules.max_bytes),))
    sha256 = _sha256(descriptor)
    job = {"do": "check", "name": name, "rules": rules.to_json()}
    more = [] if known is None else [known.descriptor()]
    if known is not None:
        job["known"] = known.key.hex()
    limits = Limits(timeout_s=rules.timeout_s, memory_bytes=rules.memory_bytes, answer_bytes=REPORT_BYTES)
    try:
        answer = pool.run(job, descriptor, limits, more)
        report = FileReport.from_json(answer.body.decode())
    except SealedFailure as failure:
        return _failed(name, sha256, failure.why)
    except (ValueError, TypeError, AttributeError, RecursionError):
        return _failed(name, sha256, "its answer was no report")
    finally:
        for each in more:
            os.close(each)
    # What the child says about name, hash and barriers does not count: these are ours.
    return replace(report, name=name, sha256=sha256, sealed=answer.sealed)


def _sha256(descriptor: int) -> str:
    digest, offset = hashlib.sha256(), 0
    while piece := os.pread(descriptor, MEBIBYTE, offset):
        digest.update(piece)
        offset += len(piece)
    return digest.hexdigest()


def _shown(name: str) -> str:
    # A name may hold bytes that are no text (surrogates): they are shown escaped.
    return name.encode("utf-8", "backslashreplace").decode()[:MAX_TEXT]


def _failed(name: str, sha256: str, why: str) -> FileReport:
    finding = Finding(
        rule="check.failed",
        severity=Severity.BLOCK,
        ko=f"파일을 안전하게 점검하지 못해 막았습니다({why[:200]}). 더 작고 단순한 CSV나 PNG로 다시 제출하세요.",
        en=f"The file could not be checked safely, so it is stopped ({why[:200]}). Submit a smaller, simpler file.",
    )
    return FileReport(name=name, sha256=sha256, kind="unknown", findings=(finding,))


def _too_large(size: int, limit: int) -> Finding:
    return Finding(
        rule="size.file",
        severity=Severity.BLOCK,
        ko=f"파일 크기 {size / MEBIBYTE:.1f} MiB가 허용 크기 {limit / MEBIBYTE:.0f} MiB를 넘습니다. 요약해 제출하세요.",
        en=f"The file has {size / MEBIBYTE:.1f} MiB; {limit / MEBIBYTE:.0f} MiB are allowed. Summarise the result.",
    )
