"""Compare a checkpoint that somebody kept (typed from paper, scanned, or a file) with the log as it is now.

The kept checkpoint must be a prefix of the log: same root over its first entries (RFC 6962 §2.1.2). Anything else
means that the log was rewritten or cut after the sheet was printed, or that a character was mistyped: where few
characters differ, their places are named. Standard library and `cryptography` only.
"""

from __future__ import annotations

import re
from pathlib import Path

from audit.errors import AuditError, NoteError
from audit.merkle import consistent
from audit.note import BAD_CHECKPOINT, Checkpoint, VerifierKey, open_checkpoint, to_base64
from audit.reader import LogReader
from audit.report import Claim, Report, fails, holds, lacks

# What keyboards and scanners make of the em dash before a signature.
_DASH = re.compile(r"^[—–―−-]+\s*")
# More differing characters than this are not a slip of the hand.
_SLIPS = 4


def read_sheet(typed: str) -> tuple[Checkpoint, str]:
    """Return the checkpoint in a typed or scanned text and its signature line ('' when none was typed).

    Blank lines, spaces inside the root, separators in the size and any dash before the signature are accepted.
    Raises `NoteError` (`audit.bad-checkpoint`) when the three lines are not there.
    """
    lines = [line.strip() for line in typed.lstrip("\ufeff").splitlines() if line.strip()]
    if len(lines) < 3:  # noqa: PLR2004 - name, size, root
        raise NoteError("audit.bad-checkpoint", BAD_CHECKPOINT)
    size, root = re.sub(r"[,\s]", "", lines[1]), re.sub(r"\s", "", lines[2])
    checkpoint = Checkpoint.parse(f"{lines[0]}\n{size}\n{root}\n")
    return checkpoint, f"— {_signature(lines[3])}" if lines[3:] else ""


def _signature(line: str) -> str:
    name, *blob = _DASH.sub("", line).split()
    return f"{name} {''.join(blob)}"


def compare(typed: str, log_folder: Path, vkey: VerifierKey) -> Report:
    """Say whether a kept checkpoint is a prefix of the log. Nothing is raised; what fails is in the report."""
    claims: list[Claim] = []
    try:
        kept, line = read_sheet(typed)
        claims.append(_signed(kept, line, vkey))
        reader = LogReader(log_folder, vkey)
        claims.append(_prefix(kept, reader))
    except AuditError as error:
        claims.append(fails(error.code, f"{error.ko} {error.remedy_ko}", f"{error.en} {error.remedy_en}"))
    except OSError as error:
        name = str(error.filename or "")
        claims.append(fails("log.file-missing", f"파일을 읽을 수 없습니다: {name}", f"Cannot be read: {name}", name))
    return Report(tuple(claims))


def _signed(kept: Checkpoint, line: str, vkey: VerifierKey) -> Claim:
    size = kept.size
    if not line:
        return lacks(
            "paper.unsigned",
            f"보관된 확인점(기록 {size:,}건)에 서명이 적혀 있지 않아 앞의 세 줄만 견줍니다",
            f"No signature was given with the kept checkpoint ({size:,} entries); its three lines are compared",
        )
    open_checkpoint(f"{kept}\n{line}\n".encode(), vkey)
    return holds(
        "paper.signature",
        f"보관된 확인점: 로그 {kept.origin}, 기록 {size:,}건, 서명이 맞습니다",
        f"The kept checkpoint: log {kept.origin}, {size:,} entries, signature holds",
    )


def _prefix(kept: Checkpoint, reader: LogReader) -> Claim:
    now = reader.checkpoint
    if kept.origin != now.origin:
        return fails(
            "paper.other-log",
            f"다른 로그의 확인점입니다: {kept.origin} (이 로그는 {now.origin})",
            f"A checkpoint of another log: {kept.origin} (this log is {now.origin})",
        )
    if kept.size > now.size:
        return fails(
            "paper.log-shorter",
            f"로그가 보관된 확인점보다 짧습니다: {kept.size:,}건이던 것이 지금 {now.size:,}건입니다",
            f"The log is shorter than the kept checkpoint: {kept.size:,} entries then, {now.size:,} now",
        )
    then = reader.root(kept.size)
    if not consistent((kept.size, now.size), (then, now.root), reader.consistency(kept.size)):
        return fails("log.root", "로그의 해시 타일이 서명된 루트와 다릅니다", "The log's tiles are not the signed ones")
    if kept.root != then:
        return _differs(kept, to_base64(then))
    return holds(
        "paper.prefix",
        f"보관된 확인점의 {kept.size:,}건이 지금 로그 {now.size:,}건의 앞부분 그대로입니다",
        f"The {kept.size:,} entries of the kept checkpoint are the beginning of the log's {now.size:,} as it is now",
    )


def _differs(kept: Checkpoint, then: str) -> Claim:
    places = [at for at, (typed, real) in enumerate(zip(to_base64(kept.root), then, strict=True), 1) if typed != real]
    if len(places) <= _SLIPS:
        where = ", ".join(map(str, places))
        return fails(
            "paper.mistyped",
            f"루트의 {where}번째 글자만 다릅니다: 잘못 옮겨 적었는지 확인하세요",
            f"Only characters {where} of the root differ: check whether they were mistyped",
        )
    return fails(
        "paper.rewritten",
        f"처음 {kept.size:,}건의 루트가 보관된 것과 다릅니다: 그 뒤에 로그가 다시 쓰였습니다",
        f"The root of the first {kept.size:,} entries is not the kept one: the log was rewritten since",
    )
