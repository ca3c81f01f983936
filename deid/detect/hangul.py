"""Hangul syllables and the words made of them."""

from __future__ import annotations

import re
from functools import lru_cache

# Start, end and syllables of each word, in order.
Words = tuple[tuple[int, int, str], ...]
# A longer run without a space is no word.
_WORD = re.compile(r"[가-힣]{1,40}")


def is_hangul(character: str) -> bool:
    """Whether one character is a composed Hangul syllable; "" is none."""
    return "가" <= character <= "힣"


@lru_cache(maxsize=2)
def hangul_words(text: str) -> Words:
    """Return the runs of Hangul syllables in `text`; the finders of names ask for those of the same text in turn."""
    return tuple((*match.span(), match.group()) for match in _WORD.finditer(text))
