"""The door to safe previews for reviewers, drawn in a sealed child from the stored bytes; nothing active survives."""

from __future__ import annotations

import base64
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from enclave.airlock.checker import shared_pool
from enclave.airlock.errors import PreviewFailed
from enclave.airlock.rules import MEBIBYTE, CheckRules
from enclave.airlock.sealing.pool import Limits, SealedFailure, SealedPool

ANSWER_BYTES = 32 * MEBIBYTE
# The child decides by the bytes; a kind (as in `FileReport.kind`) only says which reading was agreed on.
NAMES = {"table": "preview.csv", "text": "preview.txt", "picture": "preview.png"}
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True, kw_only=True)
class Preview:
    """The start of a file. Cells and lines are plain text: a page must escape them as it escapes everything.

    ``table``: ``columns`` and ``rows`` (at most 50 × 30 of ``total_rows`` × ``total_columns``). ``text``: ``lines`` (at
    most 200 of ``total_rows``). ``picture``: ``png``, at most 1600 px wide and high, of ``width`` × ``height`` px.
    """

    kind: str
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    lines: tuple[str, ...] = ()
    total_rows: int = 0
    total_columns: int = 0
    width: int = 0
    height: int = 0
    png: bytes = b""

    @property
    def is_cut(self) -> bool:
        """Whether there is more in the file than is shown."""
        shown = len(self.rows) + len(self.lines)
        return self.kind in {"table", "text"} and (shown, len(self.columns)) != (self.total_rows, self.total_columns)


def preview(path: Path, kind: str, *, name: str = "", pool: SealedPool | None = None) -> Preview:
    """Draw the file at ``path``; ``kind`` as in its report, ``name`` as submitted (it decides CSV, TSV or JSON).

    Raises `PreviewFailed` when there is nothing safe to show.
    """
    rules = CheckRules()
    limits = Limits(timeout_s=20.0, memory_bytes=rules.memory_bytes, answer_bytes=ANSWER_BYTES)
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        job = {"do": "preview", "name": name or _guess(descriptor, kind)}
        answer = (pool or shared_pool()).run(job, descriptor, limits)
        drawn = _read(json.loads(answer.body))
    except (SealedFailure, ValueError, TypeError, KeyError, RecursionError):
        raise _failed() from None
    finally:
        os.close(descriptor)
    if drawn.kind != kind:
        raise _failed()
    return drawn


def _guess(descriptor: int, kind: str) -> str:
    head = os.pread(descriptor, 3, 0)
    if kind == "picture" and head == b"\xff\xd8\xff":
        return "preview.jpg"
    if kind == "table" and head.lstrip(b"\xef\xbb\xbf \n")[:1] in {b"[", b"{"}:
        return "preview.json"
    return NAMES.get(kind, "preview")


def _read(found: dict[str, Any]) -> Preview:
    # Types are made, not believed: whatever the child sent, these are strings and numbers.
    numbers = {name: int(found.get(name, 0)) for name in ("total_rows", "total_columns", "width", "height")}
    png = base64.b64decode(found["png"], validate=True)
    if png and not png.startswith(PNG_SIGNATURE):
        raise ValueError("the picture is no PNG")
    return Preview(
        kind=str(found["kind"]),
        columns=tuple(str(name) for name in found.get("columns", ())),
        rows=tuple(tuple(str(cell) for cell in row) for row in found.get("rows", ())),
        lines=tuple(str(line) for line in found.get("lines", ())),
        png=png,
        **numbers,
    )


def _failed() -> PreviewFailed:
    return PreviewFailed(
        "airlock.preview",
        ko="이 파일은 안전하게 미리 볼 수 없습니다.",
        en="There is no safe preview of this file.",
        remedy_ko="점검 결과만 보고 판단하거나, 신청자에게 CSV나 PNG로 다시 제출하게 하세요.",
        remedy_en="Decide by the report, or ask for a CSV or PNG.",
    )
