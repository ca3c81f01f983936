"""The door to safe views of files, drawn in a sealed child from the stored bytes; nothing active survives.

A file is looked at piece by piece (its tables, texts and pictures) and page by page; nothing is cut within a row. All
that comes back is plain text, numbers and pictures made anew: a page must escape texts as it escapes everything.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from enclave.airlock.checker import shared_pool
from enclave.airlock.errors import PreviewFailed
from enclave.airlock.rules import MEBIBYTE, CheckRules
from enclave.airlock.sealing.pool import Limits, SealedFailure, SealedPool
from enclave.airlock.viewing.ask import Ask
from enclave.airlock.viewing.visible import visible

ANSWER_BYTES = 32 * MEBIBYTE
COMPARED_BYTES = 16 * MEBIBYTE
TIMEOUT_S = 20.0
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
Line = tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class PieceView:
    """One thing to look at in a file. ``units``: its rows or lines, 1 for a picture; ``path``: what it stands in."""

    kind: str
    path: tuple[str, ...]
    needed: bool
    units: int
    columns: int


@dataclass(frozen=True, kw_only=True)
class Page:
    """Rows of a table or lines of a text, as asked for. ``numbers``: where each stands in the file, from 0.

    ``matching``: how many pass the filter; ``start``: the first one's position among them; ``size``: how many a page
    holds at most. A line is a tuple of (class of Pygments, text).
    """

    ask: Ask
    start: int
    matching: int
    size: int
    numbers: tuple[int, ...]
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    lines: tuple[Line, ...] = ()

    @property
    def next_start(self) -> int | None:
        """Where the following page begins; None on the last."""
        after = self.start + len(self.numbers)
        return after if after < self.matching else None


@dataclass(frozen=True, kw_only=True)
class Opened:
    """All pieces of a file, the first page of some of them by number, and how many pieces cannot be shown."""

    kind: str
    pieces: tuple[PieceView, ...]
    pages: dict[int, Page] = field(default_factory=dict)
    left_out: int = 0


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture made anew: a PNG of at most 1600 × 1600 px, and the size of the original in px."""

    png: bytes
    width: int
    height: int


@dataclass(frozen=True, kw_only=True)
class ChangedRow:
    """One row of a comparison: ``mark`` is ``=``, ``-``, ``+`` or ``~``; ``was``: earlier cells where they differ."""

    mark: str
    old: int
    new: int
    cells: tuple[str, ...]
    was: tuple[str | None, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Compared:
    """What became of one piece: ``state`` is ``same``, ``changed``, ``new`` or ``gone``; ``cut``: not all is shown."""

    kind: str
    path: tuple[str, ...]
    state: str
    rows: tuple[ChangedRow, ...] = ()
    cut: bool = False


def open_file(path: Path, kind: str | None, *, name: str, first: int = 0, pool: SealedPool | None = None) -> Opened:
    """Open the file at ``path``; ``kind`` as in its report (None: any), ``name`` as submitted: it decides the reading.

    Pages come for up to 30 pieces from number ``first`` on. Raises `PreviewFailed` when there is nothing safe to show.
    """
    with _door(path) as descriptor, _refusing():
        found = _run({"do": "open", "name": name, "first": first}, descriptor, pool)
        pages = {int(number): _page(one, Ask(piece=int(number))) for number, one in found["pages"].items()}
        opened = Opened(
            kind=str(found["kind"]),
            pieces=tuple(_piece(one) for one in found["pieces"]),
            pages=pages,
            left_out=int(found["left_out"]),
        )
        if (
            kind not in {None, opened.kind}
            or not opened.pieces
            or any(number >= len(opened.pieces) for number in pages)
        ):
            raise ValueError("another reading than the report's")
        return opened


def turn_page(path: Path, ask: Ask, *, name: str, pool: SealedPool | None = None) -> Page:
    """Draw the page asked for. Raises `PreviewFailed`, also where there is no such piece."""
    with _door(path) as descriptor, _refusing():
        return _page(_run({"do": "page", "name": name, "ask": ask.to_json()}, descriptor, pool), ask)


def picture(path: Path, piece: int, *, name: str, pool: SealedPool | None = None) -> Picture:
    """Draw a picture anew. Raises `PreviewFailed`."""
    with _door(path) as descriptor, _refusing():
        found = _run({"do": "picture", "name": name, "piece": piece}, descriptor, pool)
        png = base64.b64decode(found["png"], validate=True)
        if not png.startswith(PNG_SIGNATURE):
            raise ValueError("the picture is no PNG")
        return Picture(png=png, width=int(found["width"]), height=int(found["height"]))


def compare(old: Path, new: Path, *, names: tuple[str, str], pool: SealedPool | None = None) -> tuple[Compared, ...]:
    """Compare two rounds of a file, at most 16 MiB each. Raises `PreviewFailed`."""
    with _door(old) as before, _door(new) as after, _refusing():
        if max(os.fstat(each).st_size for each in (before, after)) > COMPARED_BYTES:
            raise _failed()
        found = _run({"do": "compare", "name": names[0], "later_name": names[1]}, before, pool, after)
        return tuple(_compared(one) for one in found["pieces"])


def _run(job: dict[str, Any], descriptor: int, pool: SealedPool | None, *more: int) -> dict[str, Any]:
    limits = Limits(timeout_s=TIMEOUT_S, memory_bytes=CheckRules().memory_bytes, answer_bytes=ANSWER_BYTES)
    found: dict[str, Any] = json.loads((pool or shared_pool()).run(job, descriptor, limits, more).body)
    return found


@contextmanager
def _door(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _refusing() -> Iterator[None]:
    """Turn whatever is wrong with an answer into one refusal."""
    try:
        yield
    except (SealedFailure, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise _failed() from None


# Types are made, not believed: whatever the child sent, these are strings and numbers.


def _piece(found: dict[str, Any]) -> PieceView:
    return PieceView(
        kind=str(found["kind"]),
        path=_texts(found["path"]),
        needed=bool(found["needed"]),
        units=max(1, int(found["units"])),
        columns=int(found["columns"]),
    )


def _page(found: dict[str, Any], ask: Ask) -> Page:
    return Page(
        ask=ask,
        start=int(found["start"]),
        matching=int(found["matching"]),
        size=int(found["size"]),
        numbers=tuple(int(number) for number in found["numbers"]),
        columns=_texts(found.get("columns", ())),
        rows=tuple(_texts(row) for row in found.get("rows", ())),
        lines=tuple(tuple((str(kind), visible(str(text))) for kind, text in line) for line in found.get("lines", ())),
    )


def _compared(found: dict[str, Any]) -> Compared:
    rows = (
        ChangedRow(
            mark=str(row["mark"]),
            old=int(row["old"]),
            new=int(row["new"]),
            cells=_texts(row["cells"]),
            was=tuple(None if cell is None else visible(str(cell)) for cell in row.get("was", ())),
        )
        for row in found.get("rows", ())
    )
    return Compared(
        kind=str(found["kind"]),
        path=_texts(found["path"]),
        state=str(found["state"]),
        rows=tuple(rows),
        cut=bool(found.get("cut", False)),
    )


def _texts(found: Any) -> tuple[str, ...]:
    # What a screen would hide is written out once more: a child that was taken over may not have done so.
    return tuple(visible(str(text)) for text in found)


def _failed() -> PreviewFailed:
    return PreviewFailed(
        "airlock.preview",
        ko="이 파일은 안전하게 미리 볼 수 없습니다.",
        en="There is no safe preview of this file.",
        remedy_ko="점검 결과만 보고 판단하거나, 신청자에게 CSV나 PNG로 다시 제출하게 하세요.",
        remedy_en="Decide by the report, or ask for a CSV or PNG.",
    )
