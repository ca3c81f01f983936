"""What Korean names are made of: surnames, and syllables by how usual they are in given names.

Compiled by the project from general knowledge of Korean naming (surnames: public census facts; syllables: hand-ranked).
No list of given names is shipped: syllable statistics reach the same recall on names that no list knows.
"""

# ruff: noqa: PLR2004 - numbers here are counts of syllables: they are the rules themselves

from __future__ import annotations

import re

from deid.detect.words import read_words

SURNAMES = frozenset(
    "김이박최정강조윤장임한오서신권황안송류유전홍고문양손배백허남심노하곽성차주우구민진나지엄채원천방공현"
    "함변염여추도소석선설마길"
    "연위표명기반라왕금옥육인맹제모탁국어은편용예봉경사부가복태목형피두감음빈동온호범좌계평팽승간상갈단견당화창옹순리림빙시로려렴량"
)
# Surnames that are usual enough to be believed without any other sign.
USUAL_SURNAMES = frozenset(
    "김이박최정강조윤장임한오서신권황안송류유전홍고문양손배백허남심노하곽성차주우구민진엄채원천방현함변염"
    "여추도소석선설연라왕금옥맹"
)
# The surnames of nine in ten people: with one of these a rarer given name is believed too.
COMMON_SURNAMES = frozenset("김이박최정강조윤장임한오서신권황안송류유전홍고문양손배백허남심노하곽성차주우구나민")
COMPOUND_SURNAMES = ("남궁", "황보", "제갈", "사공", "선우", "서문", "독고", "동방", "어금", "망절", "장곡", "강전")

_FIRST_USUAL = (
    "지서민현성영정은재승동수준미경상진태도하유예연윤종주시원혜희선병창기광인용명형학"
    "규찬철호세건나다보아소슬우효환은이가라"
)
_FIRST_SEEN = (
    "외끝가강갑계공귀막판오우허팔돈두복혁류율륜균담천총탄흔을국근관금길남단달대덕두라란로리린만말무문백범복봉분비빈빛별삼새석설섭솔순숙신안애양언여옥완요"
    "욱웅응의이익일임자장점제중찬채천초춘충치칠탁택판평표풍필한해향헌홍화황후훈휘흥힘샘샛결겸교구권낙노느늘래랑류몽묘미반방배뱅부삼석손송쌍암앵엽운윌율점죽청초칸쾌탄턱티편풀피핀학헬흑"
)
_SECOND_USUAL = (
    "리영숙희자수우현민호진준훈윤은아연원서정경미순식철석환혁성규빈기선주지인재용일화애옥란나유림율온솔슬람"
    "별국남태한찬하형욱"
)
_SECOND_SEEN = (
    "오가강걸관곤광교구군권균근금길녀녕늘니단담달대덕도동두라랑래량려련령례로룡루룬름린만말매명모무묵문범"
    "병보복봉분비빛삼상새섭세소손승신심안알양언업엘엽예완왕요웅월유음의이익임있잎장전점조종중창채천초춘출"
    "칠탁택평표품필학함해향헌협혜홍황효후흠흥휘흔힘배꽃올얀디님름배꽃산총든봄겸들을름찌본벽변뿐산살슴쌤열운윌융쟁져줄짐챈채탄탐텔틴팔풍핀헬활"
)

FIRST = {**dict.fromkeys(_FIRST_SEEN, 1), **dict.fromkeys(_FIRST_USUAL, 2)}
SECOND = {**dict.fromkeys(_SECOND_SEEN, 1), **dict.fromkeys(_SECOND_USUAL, 2)}
# Native given names whose syllables do not follow the two-syllable pattern.
NATIVE = read_words("native_names.txt")
ONE = frozenset(
    "식겸기복교근득렬솔린준진현훈민건웅윤혁찬철호율설샘별빛결은영숙희수연원선정경미순석환성빈용일화한산강인재구섭완욱광권"
    "균근기단담도란람랑령륜률목무범벽봉비빈상세송승신심아안야양열엽온옥완왕요우운원월유율융은음의이익일임"
    "자잔장전점제조종주중지직진찬창채천철청초총축춘충치칠탁태택평표풍필하학한함해향허헌험혁형혜호홍환활황"
    "회효후휘흥희록협란탁헌담도봄결단설선범초명동"
)


# What native names of three syllables are put together from ("하늘빛", "해맑음"): a longer part and a short one.
_LONG_PART = (
    r"(?:하늘|한울|새벽|푸르|해맑|초롱|아름|빛나|슬기|햇살|노을|이슬|구름|나래|나라|누리|마루|여울|가람|미르|바다|아리|"
    r"가온|다온|라온|시온|한빛|한별|"
    r"샛별|은별|꽃잎|들꽃|봄볕|보람|사랑|소망|고운|예쁜|맑은|힘찬|푸른|하얀|어진|슬아|송이|버들|달래|찬들|꽃님|우리|"
    r"하나|그루|나무|단비|별님|여름|겨울|가을)"
)
_SHORT_PART = r"[가나누늘다달라람루리린마맑메믿보봄비빛별봉샘새솔숲슬아영온울음이인찬참큰터풀하한해힘은든들]"
_COMPOSED = re.compile(rf"{_LONG_PART}{_SHORT_PART}|{_SHORT_PART}{_LONG_PART}")


def given_score(given: str) -> int:
    """How much `given` (one to three syllables) looks like a given name: 0 not at all to 4 very."""
    if given in NATIVE:
        return 3
    if len(given) == 2:
        first, second = FIRST.get(given[0], 0), SECOND.get(given[1], 0)
        return first + second if first and second else 0
    if len(given) == 1:
        return 1 if given in ONE else 0
    return 2 if len(given) == 3 and _COMPOSED.fullmatch(given) else 0


def split_name(word: str) -> tuple[str, str] | None:
    """Surname and given name of a Hangul word of two to five syllables, or `None` if it has no surname."""
    if word[:2] in COMPOUND_SURNAMES and len(word) > len(word[:2]):
        return word[:2], word[2:]
    if word[:1] in SURNAMES and len(word) > 1:
        return word[:1], word[1:]
    return None
