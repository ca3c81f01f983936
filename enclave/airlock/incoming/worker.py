"""What runs inside the sealed child of the import lane: check, unpack, show, compare. Nothing is imported later."""

from __future__ import annotations

import difflib
import io
import json
import os
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from enclave.airlock.incoming.archive import Member
from enclave.airlock.incoming.inspect import inspect, members_of
from enclave.airlock.incoming.limits import ImportLimits
from enclave.airlock.incoming.models.onnx_file import read_onnx
from enclave.airlock.parsers.decode import decode
from enclave.airlock.parsers.refused import ParseRefused
from enclave.airlock.viewing.visible import visible

PIECE = 1 << 20
MOST_LINES, LINE_CHARS, CONTEXT = 20_000, 1_000, 3
PAGE_LINES = 5_000
# A comparison takes the square of the lines; above this a file is only said to have changed.
MOST_COMPARED = 5_000
SMALLEST_ONNX = bytes.fromhex(
    "08083a0a0a00120167620062003a00"
)  # not a whole model: its refusal imports what a whole one needs


def warm() -> None:
    """Read one of each kind before the server is sealed, so that nothing has to be imported later."""
    limits = ImportLimits()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.py", "x = eval('1')\n")
    samples = {
        "a.py": "# 김가나 010-0000-0000\nexec(open('x'))\n".encode(),
        "a.csv": "지역,n\n서울,1\n".encode("cp949"),
        "a.txt": "지역,n\n서울,1\n부산,2\n".encode(),
        "a.md": b"| a | n |\n|---|---|\n| b | 1 |\n",
        "b.json": b'[{"a": 1, "n": 2}, {"a": 2, "n": 3}]',
        "a.ipynb": b'{"cells": [{"cell_type": "code", "source": "x = 1"}]}',
        "a.zip": packed.getvalue(),
        "a.json": b'{"learner": {"gradient_booster": {}}}',
    }
    for name, content in samples.items():
        inspect(content, name, limits)
    with suppress(ParseRefused):
        read_onnx(SMALLEST_ONNX)
    list(_compared({"a": b"x\n"}, {"a": b"y\n"}))


def run(job: dict[str, Any], descriptor: int) -> bytes:
    """Do one job over an open file; `limits` lie in the first further descriptor, an older file in the second."""
    limits = ImportLimits.from_json(_read(job["descriptors"][0]).decode())
    content = _read(descriptor)
    if job["do"] == "check":
        return inspect(content, job["name"], limits).to_json().encode()
    members = members_of(content, job["name"], limits)
    if job["do"] == "unpack":
        return _packed(members)
    if job["do"] == "show":
        return json.dumps(_shown(members, int(job["start"])), ensure_ascii=False).encode()
    older = members_of(_read(job["descriptors"][1]), job["older"], limits)
    return json.dumps(list(_compared(_by_path(older), _by_path(members))), ensure_ascii=False).encode()


def _packed(members: tuple[Member, ...]) -> bytes:
    """Our own plain form, which needs no parser: a line of JSON with paths and sizes, then the contents in a row."""
    head = json.dumps([[member.path, len(member.content)] for member in members], ensure_ascii=True)
    return b"".join([head.encode(), b"\n", *(member.content for member in members)])


def _shown(members: tuple[Member, ...], start: int) -> dict[str, Any]:
    """Return the lines of all members in a row, `PAGE_LINES` of them from number `start` on; nothing is cut."""
    texts, at = [], 0
    for member in members:
        lines = _lines(member.content) or []
        first = max(start - at, 0)
        shown = lines[first : max(start + PAGE_LINES - at, 0)]
        if shown or (not lines and start <= at < start + PAGE_LINES):
            texts.append({"path": member.path, "start": first, "lines": [visible(line) for line in shown]})
        at += len(lines)
    return {"texts": texts, "total": at}


def _compared(older: dict[str, bytes], newer: dict[str, bytes]) -> Iterator[dict[str, Any]]:
    """Yield what changed, file by file: `how` is added, removed, changed; `lines` a unified difference."""
    left = MOST_LINES
    for path in sorted({*older, *newer}):
        before, after = older.get(path), newer.get(path)
        if before == after:
            continue
        how = "added" if before is None else "removed" if after is None else "changed"
        lines = _difference(before or b"", after or b"")
        yield {"path": path, "how": how, "lines": lines[: max(left, 0)], "total": len(lines)}
        left -= len(lines)


def _difference(before: bytes, after: bytes) -> list[str]:
    old, new = _lines(before), _lines(after)
    if old is None or new is None or len(old) + len(new) > MOST_COMPARED:
        return []
    found = difflib.unified_diff(old, new, n=CONTEXT, lineterm="")
    return [visible(line[:LINE_CHARS]) for line in found if not line.startswith(("--- ", "+++ "))]


def _lines(content: bytes) -> list[str] | None:
    if not content:
        return []
    try:
        return decode(content).splitlines()
    except ParseRefused:
        return None


def _by_path(members: tuple[Member, ...]) -> dict[str, bytes]:
    return {member.path: member.content for member in members}


def _read(descriptor: int) -> bytes:
    pieces, offset = [], 0
    while piece := os.pread(descriptor, PIECE, offset):
        pieces.append(piece)
        offset += len(piece)
    return b"".join(pieces)
