"""Tables for people: HTML in a notebook, aligned text elsewhere. Every value is escaped; colour never stands alone."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from html import escape

from .words import say

VERDICTS = {
    "PASS": ("통과", "pass", "#e3f4e8"),
    "WARN": ("확인 필요", "look at", "#fff4d6"),
    "BLOCK": ("차단", "blocked", "#fde2e1"),
}
STATES = {
    "draft": ("초안", "draft"),
    "submitted": ("심사 중", "under review"),
    "returned": ("보완 요청", "returned"),
    "approved": ("승인", "approved"),
    "rejected": ("반려", "rejected"),
    "released": ("반출", "released"),
    "withdrawn": ("철회", "withdrawn"),
    "expired": ("기한 만료", "expired"),
    "recalled": ("회수", "recalled"),
}


def verdict(name: str) -> str:
    """Return a verdict as a word."""
    ko, en, _ = VERDICTS.get(name, (name, name, ""))
    return say(ko, en)


def state(name: str) -> str:
    """Return the state of a request as words."""
    ko, en = STATES.get(name, (name, name))
    return say(ko, en)


def html_table(head: Sequence[str], rows: Sequence[Sequence[str]], colours: Sequence[str] = ()) -> str:
    """Return an HTML table; ``colours``: background of each row's first cell."""
    cell = "padding:4px 10px;text-align:left;vertical-align:top;border-bottom:1px solid #ccc"
    lines = "".join(f'<th scope="col" style="{cell}">{escape(name)}</th>' for name in head)
    body = ""
    for index, row in enumerate(rows):
        colour = f";background:{colours[index]};color:#111" if index < len(colours) and colours[index] else ""
        cells = (f'<td style="{cell}{colour if at == 0 else ""}">{escape(value)}</td>' for at, value in enumerate(row))
        body += f"<tr>{''.join(cells)}</tr>"
    return f'<table style="border-collapse:collapse"><thead><tr>{lines}</tr></thead><tbody>{body}</tbody></table>'


def text_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table in columns of text; wide (Korean) characters count as two."""
    lines = [list(head), *([_plain(value) for value in row] for row in rows)]
    widths = [max(_width(line[at]) for line in lines) for at in range(len(head))]
    return "\n".join(
        "  ".join(value + " " * (width - _width(value)) for value, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _plain(value: str) -> str:
    return "".join(mark if mark.isprintable() else "?" for mark in value)


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(mark) in "WF" else 1 for mark in text)
