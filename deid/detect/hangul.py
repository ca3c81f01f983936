"""Hangul syllables and the words made of them."""

from __future__ import annotations

import re
from functools import lru_cache

# Start, end and syllables of a word.
Word = tuple[int, int, str]
Words = tuple[Word, ...]
# A longer run without a space is no word.
_WORD = re.compile(r"[가-힣]{1,40}")


def is_hangul(character: str) -> bool:
    """Whether one character is a composed Hangul syllable; "" is none."""
    return "가" <= character <= "힣"


def is_word(text: str) -> bool:
    """Whether a text is Hangul syllables only, at least one."""
    return bool(text) and all(map(is_hangul, text))


@lru_cache(maxsize=2)
def hangul_words(text: str) -> Words:
    """Return the runs of Hangul syllables in `text`; the finders of names ask for those of the same text in turn."""
    return tuple((*match.span(), match.group()) for match in _WORD.finditer(text))
