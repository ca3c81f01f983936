"""Word lists beside the code (`lexicon/*.txt`): UTF-8, words separated by white space, `#` begins a comment line."""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).parent / "lexicon"


def read_words(name: str) -> frozenset[str]:
    """Return the words of one list of this package; raises `FileNotFoundError` for a list that is not shipped."""
    return frozenset(word for line in read_lines(name) for word in line.split())


def read_lines(name: str) -> list[str]:
    """Return the lines of one list that are no comments; raises `FileNotFoundError` for a list that is not shipped."""
    lines = (_FOLDER / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if not line.startswith("#")]
