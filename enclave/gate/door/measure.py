"""What a piece of output shows: rows of tables, pictures, and its text. Pure.

A count is an estimate on the safe side: what looks like a row of a table is one, whatever its type says. Bytes are
counted elsewhere, at full size, so a form that is not recognised here costs its bytes all the same.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from enclave.gate.door.meter import Amount

TEXT = 64 << 10
# What begins a row or a picture, by the sign that must be there at all: so the common text costs one look for each.
# Of HTML; in JSON a `<` may be written as an escape, so both spellings count.
ROWS = {
    "<": re.compile(r"<(?:tr|li)\b", re.IGNORECASE),
    "\\u003": re.compile(r"\\u003c(?:tr|li)\b", re.IGNORECASE),
    "=": re.compile(r"""role=\\?["']?row\b""", re.IGNORECASE),
}
PICTURES = {
    "<": re.compile(r"<(?:img|svg|canvas|picture|video|iframe|object|embed)\b", re.IGNORECASE),
    "\\u003": re.compile(r"\\u003c(?:img|svg|canvas|picture|video|iframe|object|embed)\b", re.IGNORECASE),
    ":": re.compile(r"data:(?:image|video|application|font)/", re.IGNORECASE),
}
TAGS = re.compile(r"<[^<>]*>")
# Between two cells of a table in plain text: two spaces, or one between two numbers.
GAP = re.compile(r"\S  |\d -?\d")
DRAWN = re.compile(r"application/(vnd\.(?!dataresource)[\w.+-]+|javascript|pdf|x-[\w.+-]+|octet-stream)")
# Types that say the same as one beside them; a front end shows only one.
PLAIN, MARKED = "text/plain", re.compile(r"text/(html|markdown|latex)|application/javascript")


@dataclass
class Seen:
    """What one message shows, besides its bytes; `texts` are (type, text), together at most 64 KiB, else `cut`."""

    rows: int = 0
    pictures: int = 0
    texts: list[tuple[str, str]] = field(default_factory=list)
    left: int = TEXT
    cut: bool = False

    def amount(self, size: int) -> Amount:
        """Return the amount of a message of this size."""
        return Amount(size, self.rows, self.pictures)

    def read(self, kind: str, text: str) -> None:
        """Keep a text that was shown, as far as there is room."""
        if len(text) > max(self.left, 0) and text.strip():
            self.cut = True
        if self.left > 0 and text.strip():
            self.texts.append((kind, text[: self.left]))
            self.left -= len(self.texts[-1][1].encode())


def of_content(kind: str, content: Any, buffers: tuple[int, ...] = ()) -> Seen:
    """Return what a kernel message of this type shows."""
    seen = Seen(pictures=sum(1 for size in buffers if size))
    if not isinstance(content, dict):
        content = {"content": content}
    if kind in {"display_data", "execute_result", "update_display_data"}:
        _bundle(seen, content.get("data"))
        _others(seen, {name: value for name, value in content.items() if name != "data"})
    elif kind == "stream":
        _plain(seen, str(content.get("text", "")))
    elif kind == "execute_input":
        pass  # the code that was recorded before it ran
    else:
        _others(seen, content)
    return seen


def of_text(text: str) -> Seen:
    """Return what plain text shows: a terminal, a text file."""
    seen = Seen()
    _plain(seen, text)
    return seen


def of_document(data: bytes) -> Seen:
    """Return what a file or a page of unknown form shows: tables and pictures anywhere in it, no text."""
    text = data.decode(errors="replace")
    return Seen(rows=_rows(text), pictures=_pictures(text))


def _bundle(seen: Seen, data: Any) -> None:
    """One output in several types: a front end shows one of them, so rows and texts are those of the largest."""
    if not isinstance(data, dict):
        _others(seen, data)
        return
    rows = 0
    for kind, value in data.items():
        found = _typed(seen, str(kind), value)
        rows, seen.pictures = max(rows, found.rows), seen.pictures + found.pictures
    seen.rows += rows


def _typed(seen: Seen, kind: str, value: Any) -> Seen:
    text = value if isinstance(value, str) else "".join(value) if _is_lines(value) else None
    if kind.startswith(("image/", "video/", "audio/")) or DRAWN.fullmatch(kind):
        inner = 0 if text is None else _rows(text)
        return Seen(rows=inner, pictures=1)
    if kind == PLAIN and text is not None:
        seen.read(kind, text)
        return Seen(rows=_lines(text))
    if text is not None:
        seen.read(kind, html.unescape(TAGS.sub(" ", text[: 4 * TEXT])) if MARKED.fullmatch(kind) else text)
        return Seen(rows=max(_rows(text), _lines(text)), pictures=_pictures(text))
    found = Seen(rows=_records(value), left=seen.left)
    _others(found, value)
    for each in found.texts:
        seen.read(kind, each[1])
    return found


def _plain(seen: Seen, text: str) -> None:
    seen.rows += _lines(text)
    seen.pictures += _pictures(text)
    seen.read(PLAIN, text)


def _others(seen: Seen, value: Any) -> None:
    """Whatever else is in a message: replies with pages, states of widgets, completions, tracebacks."""
    for text in strings(value):
        if len(text) > 3:  # noqa: PLR2004 - no table, no picture, no identifier is that short
            seen.rows += max(_rows(text), _lines(text))
            seen.pictures += _pictures(text)
            seen.read("application/json", text)


def strings(value: Any) -> Iterator[str]:
    """Yield every text in a JSON value, names too, without recursion: depth is chosen by a stranger."""
    waiting = [value]
    while waiting:
        here = waiting.pop()
        if isinstance(here, str):
            yield here
        elif isinstance(here, dict):
            waiting.extend(reversed([part for pair in here.items() for part in pair]))
        elif isinstance(here, list):
            waiting.extend(reversed(here))


def _records(value: Any) -> int:
    """Rows of JSON data: the longest list of objects or lists in its first levels."""
    lists = [value] if isinstance(value, list) else list(value.values()) if isinstance(value, dict) else []
    return max((len(each) for each in lists if isinstance(each, list) and each), default=0)


def _rows(text: str) -> int:
    return _count(ROWS, text)


def _pictures(text: str) -> int:
    return _count(PICTURES, text)


def _count(patterns: dict[str, re.Pattern[str]], text: str) -> int:
    return sum(len(pattern.findall(text)) for sign, pattern in patterns.items() if sign in text)


def _lines(text: str) -> int:
    """At most so many lines can have three cells, whichever sign parts them. Linear, whatever the text is."""
    lines = _times(text, "\n") + _times(text, "\r") + 1
    signs = [_times(text, sign) for sign in "\t|,;"]
    gaps = len(GAP.findall(text)) if " " in text else 0
    return max(min(lines, count // 2) for count in (*signs, gaps))


def _times(text: str, sign: str) -> int:
    # Looking is ten times as fast as counting, and most texts have none.
    return text.count(sign) if sign in text else 0


def _is_lines(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(line, str) for line in value)
