"""The language of everything shown: Korean, or English after ``ansim.language("en")``."""

from __future__ import annotations

import os

_SPOKEN = {"now": "en" if os.environ.get("ANSIM_LANGUAGE") == "en" else "ko"}


def language(name: str | None = None) -> str:
    """Return the language in use, ``ko`` or ``en``, after changing it to ``name`` if given."""
    if name is not None:
        if name not in {"ko", "en"}:
            raise ValueError('언어는 "ko" 또는 "en"입니다. / The language is "ko" or "en".')
        _SPOKEN["now"] = name
    return _SPOKEN["now"]


def say(ko: str, en: str) -> str:
    """Return the one of two texts that is in the language in use."""
    return en if language() == "en" else ko
