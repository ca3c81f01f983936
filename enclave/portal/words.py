"""What the pages say, in Korean and English: one table file per page in `words/`.

Each line of a table is `key = ["한국어", "English"]`, so that no text can exist in one language alone. A key is
named `page.key` after its file. Korean is the default (R119); texts take values with `str.format`.
"""

from __future__ import annotations

import tomllib
from enum import StrEnum
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "words"


class Language(StrEnum):
    """The two languages of every page."""

    KO = "ko"
    EN = "en"


@cache
def catalogue() -> dict[str, tuple[str, str]]:
    """Return every text as `{"page.key": (korean, english)}`.

    Raises: ValueError naming the key if a text does not come in exactly two languages.
    """
    texts: dict[str, tuple[str, str]] = {}
    for path in sorted(FOLDER.glob("*.toml")):
        for key, pair in tomllib.loads(path.read_text(encoding="utf-8")).items():
            name = f"{path.stem}.{key}"
            if not (isinstance(pair, list) and len(pair) == len(Language) and all(pair)):
                raise ValueError(f"{name}: a text is written as [korean, english], both not empty")
            texts[name] = (str(pair[0]), str(pair[1]))
    return texts


def say(language: Language, key: str, **values: object) -> str:
    """Return the text `key` in the language, with the values put in.

    Raises: KeyError if there is no such text (a missing text is a defect of ours, never shown as its key).
    """
    korean, english = catalogue()[key]
    text = korean if language is Language.KO else english
    return text.format(**values) if values else text


def has(key: str) -> bool:
    """Return whether a text of this name exists."""
    return key in catalogue()
