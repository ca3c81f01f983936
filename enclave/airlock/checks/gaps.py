"""How people write that a count is hidden, in Korean and English: a mark, a word, or a bound."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

LONGEST = 40
DASHES = str.maketrans(dict.fromkeys("‐‑‒–—―−⁓～∼~", "-"))
BELOW_SIGNS = str.maketrans({"≦": "≤", "⩽": "≤"})
MARKS = re.compile(r"[*#?.x-]*")
WORDS = frozenset({
    "na", "n/a", "n.a.", "nan", "none", "null", "<na>", "nr", "n/r", "s", "c", "suppressed", "suppress", "supp.",
    "masked", "hidden", "redacted", "removed", "withheld", "confidential", "censored", "not shown", "not reported",
    "not available", "not disclosed", "small", "low", "too few", "비공개", "미공개", "비표시", "미표시", "마스킹",
    "가림", "숨김", "삭제", "생략", "제외", "억제", "소수", "보호", "은닉", "비식별", "비식별화",
})  # fmt: skip
COUNTED, FOOTNOTE = r"(?:\s*(?:명|건|개|인|회|례))?", r"\s*[*†‡§]{0,3}"
# Each with the number the count is below, or at most.
LESS = re.compile(
    rf"(?:n\s*)?(?:<\s*|(?:under|below|less than|fewer than|lt)\s+)(\d{{1,3}}){COUNTED}{FOOTNOTE}"
    rf"|(\d{{1,3}}){COUNTED}\s*미만{COUNTED}{FOOTNOTE}"
)
AT_MOST = re.compile(
    rf"(?:n\s*)?(?:(?:≤|<=|=<)\s*|(?:up to|at most|no more than)\s+)(\d{{1,3}}){COUNTED}{FOOTNOTE}"
    rf"|(\d{{1,3}}){COUNTED}\s*이하{COUNTED}{FOOTNOTE}|[01]{COUNTED}\s*(?:-|to)\s*(\d{{1,2}}){COUNTED}{FOOTNOTE}"
)
TAIL = re.compile(r"\s*[(\[][^()\[\]]{0,24}[)\]]\s*$")


@lru_cache(maxsize=8192)
def is_hidden(cell: str) -> bool:
    """Whether a cell was left out on purpose: blank, ``*``, ``NA``, ``<10``, ``10 미만``, ``[redacted]``."""
    if len(cell) > LONGEST or cell.isdigit():
        return False
    plain = _plain(cell)
    bare = plain.strip("()[]{} ")
    return any(MARKS.fullmatch(each) or each in WORDS for each in (plain, bare)) or read_bound(cell) is not None


@lru_cache(maxsize=8192)
def read_bound(cell: str) -> int | None:
    """Read what a count is said to be below, ``<3`` and ``2 이하`` as 3, ``1-9`` as 10; None for anything else."""
    plain = _plain(cell) if len(cell) <= LONGEST else ""
    for each in (plain, plain.strip("()[] ")):
        if found := LESS.fullmatch(each):
            return int(next(filter(None, found.groups())))
        if found := AT_MOST.fullmatch(each):
            return int(next(filter(None, found.groups()))) + 1
    return None


def _plain(cell: str) -> str:
    return unicodedata.normalize("NFKC", cell.translate(BELOW_SIGNS)).translate(DASHES).strip(" '\"").lower()
