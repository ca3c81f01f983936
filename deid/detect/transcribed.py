"""Foreign names in Hangul: by syllables, and how much of a few words in a row is such a name.

Two signs: syllables that Korean words and names hardly have (외래어 표기법 of Vietnamese, Chinese, ...), and the sum of
what each syllable says (`lexicon/foreign_syllables.txt`: how much more often foreign names have it than Korean words).
Medicines and devices sound as foreign as people do, so what stands around must speak for a person.
"""

# ruff: noqa: PLR2004 - numbers here are counts of syllables and weights: they are the rules themselves

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from deid.detect.stopwords import is_common_word, is_inflected, is_listed
from deid.detect.syllables import SURNAMES
from deid.detect.words import read_lines

_FOREIGN = re.compile(
    r"[룽왓븐엉샨쟝챵꾸빠까짜엥앨옌웡웬팡쳉튼쉬슈셰뉴쥬츠쏘씬쯔뮐뷔젤텔델펠헬벨][가-힣]|"
    r"[가-힣][룽왓븐엉슨릭젤텔델펠벨틴랜톤턴튼링옌웡웬팡핑펑첸챈쳉칸싱칼릴밀][가-힣]?$|"
    r"[가-힣][룽왓븐엉슨릭젤텔델펠벨틴랜톤턴튼링옌웡웬팡핑펑첸챈쳉칸싱칼릴밀](?![가-힣])|"
    r"[쩐훙응옌킴샤밍웨쿠츠케콥빗첸쉬쑤쩌쭈띠팜뿐롱닌팟꽝뚜쉐왕][가-힣]|"
    r"[가-힣][쩐훙응옌킴샤밍웨쿠츠케콥빗첸쑤쩌쭈즈띠팜롱닌팟꽝뚜프르크브드츠쉐키토냐샨야니코카샤스]|"
    r"[가-힣](?:로바|노바|체바|예바|코프|노프|예프|스키|비치|리아|토스|데스|레스|타망|구룽|바야르|자브|하메드|쿠마르|무함)(?![가-힣])|"
    r"[가-힣] [티반] [가-힣]|[가-힣] (?:칸|싱|첸|리|흐)$|흐[가-힣]|디알|[가-힣]비아"
)
_WEIGHTS = {
    syllable: int(weight)
    for weight, syllables in (line.split() for line in read_lines("foreign_syllables.txt"))
    for syllable in syllables
}
# A syllable that neither foreign names nor Korean words have.
_UNSEEN = 1
_FOREIGN_WEIGHT = 3
# A word of a listed ending may be a foreign name from here on.
_COMMON_WEIGHT = 2
_VERBAL = re.compile(r"(?:[았었였겠]|[한는은을던신]$|대요|래요|네요|[하되]고$|면$|게$|서$|에$|야$|요$|죠$|까$)")
# Whose relative the name behind is.
_KIN = frozenset("모부처자녀형")
_PARTICLES = frozenset("의에을를은는와과도로만네예음")


@lru_cache(maxsize=1 << 14)
def foreign_weight(words: str) -> int:
    """Return the sum of what the syllables of `words` say for a foreign name; spaces say nothing."""
    return sum(_WEIGHTS.get(syllable, _UNSEEN) for syllable in words if syllable != " ")


@lru_cache(maxsize=1 << 14)
def looks_foreign(words: str) -> bool:
    """Whether a Hangul word or words look like a transcribed foreign name."""
    if _FOREIGN.search(words):
        return True
    # A word alone is a Korean one with a particle more often than words in a row are ("지아가").
    least = _FOREIGN_WEIGHT if " " in words else _FOREIGN_WEIGHT + 1
    return len(words) > 3 and foreign_weight(words) >= least


def foreign_tail(words: Sequence[str], least: int = 2) -> int:
    """How many of the last words (at most three) are one foreign name; 0 for none. Each has at most seven syllables."""
    for count in (3, 2, 1):
        tail = words[-count:]
        if len(tail) < count or count < least or tail[0] in _KIN or any(map(is_said, tail)):
            continue
        joined = " ".join(tail)
        begins = foreign_weight(tail[0]) >= 0 or tail[0] in SURNAMES or _FOREIGN.search(tail[0] + " ") is not None
        needed = _FOREIGN_WEIGHT - (tail[0] in SURNAMES)
        if sum(map(len, tail)) >= 3 and (_FOREIGN.search(joined) or (begins and foreign_weight(joined) >= needed)):
            return count
    return 0


@lru_cache(maxsize=1 << 14)
def is_said(word: str) -> bool:
    """Whether a word is one of a sentence or of a form, not of a name."""
    said = len(word) > 7 or is_inflected(word) or is_listed(word)
    said = said or (is_common_word(word) and foreign_weight(word) < _COMMON_WEIGHT)
    return said or word in _PARTICLES or (len(word) > 1 and _VERBAL.search(word) is not None)
