"""Descriptors by a controlled vocabulary: known words, numbers with a unit, and nothing else.

As The Cancer Imaging Archive does it, the other way round from looking for names: a word that nobody put on the list
goes.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from pathlib import Path

FILE, TERMS = Path(__file__).with_name("vocabulary.txt"), Path(__file__).with_name("terms.txt")
SHORTEST = 2  # letters: what is as short is an abbreviation and no name
ABBREVIATION = re.compile(r"[A-Z]{1,3}\d{1,2}[A-Z]{0,2}|\d{1,4}[A-Z]{0,2}")
SEPARATORS = re.compile(r"([\s_^=,;:()\[\]{}<>|&+*\"'!?~]+|(?<=\D)[-./](?=\D)|(?<=\D)[-./](?=\d)|(?<=\d)[-/](?=\D))")
NUMBERED = re.compile(
    r"""\d{1,2}                                            # a plain small number
      | \d{1,4}(\.\d{1,3})?(mm|cm|ms|s|sec|mg|ml|kv|kvp|hz|fps|deg|t|mt|%|x|hu|phase|ph|w|wi)  # with its unit
      | [ctls]\d{1,2}(-?[ctls]?\d{1,2})?                    # vertebrae
      | b\d{1,4} | te\d{1,3} | tr\d{1,4} | t[12](w|wi)?     # b values, times
      | \d{1,3}x\d{1,3}(x\d{1,3})? | \d\.\d{1,3}""",
    re.IGNORECASE | re.VERBOSE,
)
MOST_PLAIN_NUMBERS = 2
# The name of a kernel, a sequence, a filter: letters and digits in one short word.
MARKED = re.compile(
    r"\d{1,4}|[A-Za-z]|[*]?[A-Za-z]{0,5}\d{1,3}[A-Za-z]{0,3}(_\d{0,2}[A-Za-z]{0,3})?|[*][A-Za-z0-9_]{1,12}"
)


@cache
def words() -> frozenset[str]:
    """Read the list, in capitals."""
    lines = FILE.read_text(encoding="utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.upper().split())


@cache
def term_words() -> frozenset[str]:
    """Read the words of defined terms, the descriptors' own among them."""
    lines = TERMS.read_text(encoding="utf-8").splitlines()
    return words() | {word for line in lines if not line.startswith("#") for word in line.split()}


@lru_cache(maxsize=16384)
def is_term(value: str) -> bool:
    """Whether a code string (CS) is one of technique: every word of it known, or a short abbreviation."""
    return all(
        len(word) <= SHORTEST or word in term_words() or ABBREVIATION.fullmatch(word) or is_known(word)
        for word in re.split(r"[ _]+", value)
    )


@lru_cache(maxsize=16384)
def is_known(word: str) -> bool:
    """Whether a word of a descriptor may stay."""
    return word.upper() in words() or NUMBERED.fullmatch(word) is not None


def cleaned(text: str, *, whole: bool = False, marked: bool = False) -> str:
    """Take out of a descriptor every word that is not known; `whole` keeps all or nothing.

    `marked` lets short names of kernels and sequences pass as well.
    """
    tokens = [part for part in SEPARATORS.split(text) if part and not SEPARATORS.fullmatch(part)]
    kept = [token for token in tokens if is_known(token) or (marked and MARKED.fullmatch(token))]
    if sum(token.isdigit() for token in kept) > MOST_PLAIN_NUMBERS:
        # Many small numbers in a row are a date or a telephone, whatever stands between them.
        kept = [token for token in kept if not token.isdigit()]
    if len(kept) == len(tokens):
        return text.strip()
    return "" if whole else " ".join(kept)
