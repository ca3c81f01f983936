"""Common words that look like names (surname syllable first, name-like syllables after).

The list in `lexicon/common_words.txt` vetoes candidates; it is not a dictionary.
"""

from __future__ import annotations

import re
from functools import lru_cache

from deid.detect.cues import ASKING, NOT_BEFORE_TITLE, ROLES, TITLES
from deid.detect.syllables import COMPOUND_SURNAMES
from deid.detect.words import read_words

# Longer words that end like a medicine, a condition, a method or a measure.
_LONG_ENDING = re.compile(
    r"[가-힣]{3}(?:제|증|염|암|병|술|법|률|량|치|균|액|기|실|과|부|식|형|성|크|드|트|행)$|.(?:함|됨|번호|카드|팩스|"
    r"계좌|연락망)$"
)
_ROLES = frozenset(role for roles in (ASKING, ROLES, TITLES) for role in re.split(r"\||\[ _\]\?", roles))
_WORDS = read_words("common_words.txt") | NOT_BEFORE_TITLE | {role for role in _ROLES if len(role) > 1}
_SHORTEST_ENDED = 3
# Particles and verb endings of one and two syllables as they are glued to nouns.
_GLUED = frozenset("은는이가을를의에로와과도만나한된하할해된든인임화요")
_NOUN_SUFFIXES = frozenset("서표증비료별율률관실용법분장과부청력식형성제기금액량권원팀함됨중시후전내외상일자")
_GLUED_PAIRS = frozenset(
    ["으로", "에서", "에게", "하고", "하는", "하지", "이나", "부터", "까지", "이라", "라도", "이며", "인지"]
)
# Endings that names do not have: procedures, conditions, departments, verbs.
_ENDING = re.compile(
    r"(?:연락처|증상|증후군|검사|치료|수술|절제|절제술|장애|질환|감염|소견|상태|내과|외과|의학과|병동|병원|의원|센터|"
    r"과장|교수|선생|간호|환자|하며|하고|하여|하게|하는|하던|하지|해서|했고|"
    r"했음|하심|하신|하셔|되며|되고|되어|되는|됨|없음|없고|없이|없는|있음|있고|있어|있는|있으|이며|이고|"
    r"으로|에서|에게|부터|까지|처럼|만큼|보다|마다|조차|이나|이라|라고|다고|는데|지만|면서|려고|도록|니다|세요|"
    r"셔서|셔도|시고|시며|어요|아요|예요|네요|군요|지요|십시오|하자|하기|시킴|드림|드린|받음|받고|"
    r"않음|않고|않는|못함|못하|안함|같음|같은|같이|오면|가면|하면|되면|보면|으면|나면)$"
)


@lru_cache(maxsize=1 << 16)
def is_common_word(word: str) -> bool:
    """Whether a Hangul word is a common one, so that its name-like form means nothing."""
    if word in _WORDS or (word[:2] not in COMPOUND_SURNAMES and _LONG_ENDING.search(word)):
        return True
    return len(word) >= _SHORTEST_ENDED and _ENDING.search(word) is not None


@lru_cache(maxsize=1 << 16)
def is_inflected(word: str) -> bool:
    """Whether a word of three syllables or more is a listed one with a particle or ending glued to it ("설정을").

    So are a few names ("이상은"): the endings names share speak against one only where nothing but the form speaks for
    it.
    """
    return len(word) >= _SHORTEST_ENDED and (
        (word[-1] in _GLUED and word[:-1] in _WORDS) or (word[-2:] in _GLUED_PAIRS and word[:-2] in _WORDS)
    )


def is_surely_inflected(word: str) -> bool:
    """Whether a word is a listed one with an ending that names do not have ("설정을", "주소로")."""
    return is_inflected(word) and word[-1] not in "은이한하나인해임만도가화"


@lru_cache(maxsize=1 << 16)
def is_compound(word: str) -> bool:
    """Whether a word is put together from two listed ones ("장애정도")."""
    return any(word[:cut] in _WORDS and word[cut:] in _WORDS for cut in range(2, len(word) - 1))


def is_derived(word: str) -> bool:
    """Whether a word is a listed one with a suffix of nouns ("신고서"); some names look so ("공지후")."""
    return word[:-1] in _WORDS and word[-1] in _NOUN_SUFFIXES


def is_listed(word: str) -> bool:
    """Whether the very word is listed; for words that end in a title or particle, where endings say nothing."""
    return word in _WORDS
