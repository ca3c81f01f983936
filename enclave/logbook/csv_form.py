"""Entries as CSV (RFC 4180) for spreadsheets: UTF-8 with a byte order mark, and no cell that a program would run.

Excel and its like take a cell that begins with `= + - @`, a tab or a line break for a formula, whoever wrote it; an
apostrophe before it makes it text (OWASP, CSV injection). The first five columns are the access record of the
safety-measure notice (korea.md R75): account, time, place, data subjects, task.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from datetime import datetime

from enclave.actions import ABOUT, Action
from enclave.clock import KST
from enclave.logbook.line import Line, group

BOM = "\ufeff"
# The full-width forms count too: spreadsheets of East Asia read them as the others.
RUNS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
HEAD = (
    "계정", "접속일시(KST)", "접속지", "처리한 정보주체 수", "수행업무", "업무", "결과", "과제", "대상 종류", "대상",
    "사유 코드", "사유", "계정 id", "역할", "세션", "정보주체 형태", "대상 SHA-256", "규칙", "항목", "기록자",
    "시각(UTC)", "업무 코드", "기록 id", "순번", "잎 해시",
)  # fmt: skip
PORTION = 200


def chunks(lines: Iterable[Line]) -> Iterator[bytes]:
    """Yield the file piece by piece; its head first."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    out.write(BOM)
    writer.writerow(HEAD)
    for number, line in enumerate(lines, 1):
        writer.writerow([safe(cell) for cell in row(line)])
        if number % PORTION == 0:
            yield _taken(out)
    yield _taken(out)


def safe(cell: str) -> str:
    """Return a cell that is text to every spreadsheet."""
    return f"'{cell}" if cell.lstrip(" \u00a0\u3000").startswith(RUNS) else cell


def row(line: Line) -> list[str]:
    """Return the cells of one entry, in the order of `HEAD`."""
    record = line.record()
    actor, origin, thing, reason, subjects = (
        group(record, name) for name in ("actor", "from", "object", "reason", "subjects")
    )
    code, at = _text(record, "action"), _text(record, "at")
    about = ABOUT[Action(code)] if code in set(Action) else None
    details = group(record, "details")
    return [
        line.login or _text(actor, "id"), _korean(at), _text(origin, "ip"), _text(subjects, "count"),
        about.task if about else "", about.ko if about else code, _text(record, "outcome"), _text(record, "project"),
        _text(thing, "kind"), _text(thing, "id"), _text(reason, "code"), _text(reason, "text"), _text(actor, "id"),
        _text(actor, "role"), _text(origin, "session"), _text(subjects, "kind"), _text(thing, "sha256"),
        _text(record, "rule"), json.dumps(details, ensure_ascii=False, sort_keys=True) if details else "",
        _text(record, "observer"), at, code, line.entry_id, str(line.leaf_index), line.leaf,
    ]  # fmt: skip


def _text(values: object, name: str) -> str:
    found = values.get(name) if isinstance(values, dict) else None
    return "" if found is None else str(found)


def _korean(at: str) -> str:
    try:
        return datetime.fromisoformat(at).astimezone(KST).strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError):
        return ""


def _taken(out: io.StringIO) -> bytes:
    text = out.getvalue()
    out.seek(0)
    out.truncate()
    return text.encode("utf-8", "backslashreplace")
