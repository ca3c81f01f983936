"""Colours for code, inside the sealed child: each line as a list of (class, text).

The texts of a line put together are the line, character by character; where a lexer changed anything, the line is
shown without colours. So colouring can never hide or alter what a reviewer reads.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import Any

from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import STANDARD_TYPES

from enclave.airlock.viewing.visible import visible

MOST_CHARS = 300_000
LANGUAGES = {
    ".py": "python",
    ".ipynb": "python",
    ".r": "r",
    ".rmd": "markdown",
    ".sql": "sql",
    ".sh": "bash",
    ".yaml": "yaml",
    ".yml": "yaml",
    ".toml": "toml",
    ".json": "json",
    ".md": "markdown",
    ".do": "stata",
    ".jl": "julia",
    ".html": "html",
    ".xml": "xml",
    ".svg": "xml",
    ".js": "javascript",
    ".css": "css",
    ".tex": "latex",
    ".ini": "ini",
    ".cfg": "ini",
}
Line = list[tuple[str, str]]


def warm() -> None:
    """Import and compile every lexer, so that nothing is left to be imported after the sealing."""
    for ending in LANGUAGES:
        highlight(["x = 1  # 하나", "<b>1</b>"], f"a{ending}")


def highlight(lines: Sequence[str], name: str) -> list[Line]:
    """Return the lines in pieces with the short class names of Pygments; one piece each for what is no code."""
    language = LANGUAGES.get(PurePosixPath(name).suffix.lower())
    code = "\n".join(lines)
    if language is None or len(code) > MOST_CHARS:
        return [_plain(line) for line in lines]
    lexer = get_lexer_by_name(language, stripnl=False, ensurenl=False)
    coloured = list(_lines(lexer, code))
    if len(coloured) != len(lines):
        return [_plain(line) for line in lines]
    return [
        [(kind, visible(text)) for kind, text in shown] if _same(shown, line) else _plain(line)
        for shown, line in zip(coloured, lines, strict=True)
    ]


def _lines(lexer: Lexer, code: str) -> Iterator[Line]:
    line: Line = []
    for token, value in lexer.get_tokens(code):
        kind = _short(token)
        for number, text in enumerate(value.split("\n")):
            if number:
                yield line
                line = []
            if text:
                line.append((kind, text))
    yield line


def _same(shown: Line, line: str) -> bool:
    return "".join(text for _, text in shown) == line


def _short(token: Any) -> str:
    while token not in STANDARD_TYPES:
        token = token.parent
    return str(STANDARD_TYPES[token])


def _plain(line: str) -> Line:
    return [("", visible(line))] if line else []
