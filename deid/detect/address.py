"""Postal addresses: road-name addresses, lot addresses, estates with building and unit, towns of residence.

Source: 도로명주소법 제2조, 제19조 (province, city or district, town, road, building number, detail); 지적 법령 for
lots.
A district alone is only a quasi-identifier; with a town, road or estate it is an address and is masked whole,
together with a postal code beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from deid.detect.found import Found
from deid.detect.places import CITIES, COUNTIES, DISTRICTS, PROVINCES, SHORT
from deid.detect.recogniser import Rule, RuleRecogniser

_S = r"[ \n]{0,3}"
_SP = r"[ \n]{1,3}"
_ZIP = rf"(?:[(\[]?(?<!\d)(?:우[ ]?\)?[ ]?)?(?:\d{{5}}|\d{{3}}-\d{{3}})[)\]]?,?{_S})?"
_ZIP_BEFORE = re.compile(rf"[(\[]?(?<!\d)(?:우[ ]?\)?[ ]?)?(?:\d{{5}}|\d{{3}}-\d{{3}})[)\]]?,?{_S}$")
_START = r"(?:(?<![가-힣])|(?<=주소))"
_PROVINCE = rf"(?:{_START}(?:{PROVINCES}))"
_CITY = rf"(?:(?:{CITIES}|{COUNTIES}|{DISTRICTS})(?:{_S}(?:{DISTRICTS}))?)"
_EUP = r"(?:[가-힣]{1,4}(?:읍|면))"
_TOWN = r"(?:[가-힣]{1,5}\d?(?:\.\d)?(?:동|리|가)(?:\d가)?)"
_VILLAGE = r"(?:[가-힣]{1,4}\d?리(?!고|된|되|할|하|해|며|면|는|를))"
_NUMBER = rf"(?:(?:산{_S})?\d{{1,5}}(?:{_S}-{_S}\d{{1,4}})?(?:{_S}번지(?:{_S}\d{{1,3}}호)?)?)"
_ROAD = r"(?:(?:[가-힣][가-힣0-9·.]{0,11}|\d{3,4})(?:대로|로|길)(?:[ ]?\d{1,4}(?:번)?(?:가)?길)?)"
_ROAD_NUMBER = rf"{_ROAD}{_S}(?:지하{_S})?\d{{1,5}}(?:{_S}-{_S}\d{{1,4}})?"
_ESTATE = (
    r"(?:[가-힣A-Za-z0-9]{1,12}(?:[ ]?\d{1,2}차)?[ ]?(?:아파트|APT|apt|빌라|마을|타운|맨션|오피스텔|주택|빌라트|"
    r"팰리스|캐슬|하이츠|자이|푸르지오|"
    r"힐스테이트|래미안|편한세상|더샵|"
    r"아이파크|롯데캐슬|센트럴|리버뷰|파크뷰|고시원|원룸|기숙사|빌딩|타워|연립|하임|스위첸|부영|휴먼시아|단지|"
    r"그린빌|하우스|요양원|상가|위브|어울림|베르디움|데시앙|수자인|스타힐스|리슈빌|코아루|파라곤|꿈에그린|풍경채|"
    r"해링턴|비발디|센트레빌|유보라|써밋|포레나|엘크루|파밀리에|뜨란채|스카이뷰|"
    r"빌(?![가-힣]))(?:[ ]?\d{1,2}(?:단지|차))?)"
)
_UNIT = (
    rf"(?:{_S},?{_S}(?:제?\d{{1,4}}|[가-힣A-Za-z])[ ]?동)?(?:{_S},?{_S}(?:지하|반지하|B)?{_S}(?:\d{{1,4}}-)?"
    rf"\d{{1,5}}[ ]?(?:호|"
    rf"층)(?!선|"
    rf"기))(?:{_S}\d{{1,5}}호)?"
)
_NOTE = rf"(?:{_S}\([가-힣0-9A-Za-z ,.\n-]{{2,30}}\))?"
_HOUSE = rf"(?:{_ESTATE}|[가-힣A-Za-z]{{2,10}}(?:\d{{1,2}}(?:차|단지)?)?(?=[ ]?\d{{1,4}}동[ ]?\d))"
# A house of any name ends an address behind a label.
_NAMED_HOUSE = r"[가-힣A-Za-z]{2,10}(?=[ ]{0,3}(?:$|[\n,/(|]|tel|TEL|전화|연락|휴대))"
_TAIL = rf"(?:,?{_S}{_HOUSE})?(?:{_UNIT})?{_NOTE}(?:,?{_S}{_ESTATE})?(?:{_UNIT})?"
_LEAD = rf"(?:{_PROVINCE}{_S}(?:{_CITY}{_S})?|{_START}{_CITY}{_S}|{_START}(?:{SHORT}){_SP})"
_NOT_TOWN = (
    r"(?!(?:[가-힣]{0,3}병동|행동|활동|운동|이동|거동|작동|변동|자동|수동|노동|진동|박동|파동|유동|연동|가동|협동|"
    r"공동|감동|충동|시동|소동|능동|전동|심박동|관리|처리|정리|수리|분리|"
    r"원리|윤리|논리|생리|심리|조리|다리|머리|허리|소리|자리|꼬리|오리|우리|멀리|빨리|병리|물리|고리|거리|평가|"
    r"추가|증가|휴가|상가|허가|전문가|참가|인가|불가)(?![가-힣]))"
)


# From a province, city or district downward; searched only where one of these stands.
_PLACED: tuple[tuple[re.Pattern[str], float], ...] = (
    # At least a town, a road with number, or an estate.
    (
        re.compile(
            rf"{_LEAD}(?:{_EUP}{_S}|{_NOT_TOWN}{_TOWN}{_SP})?(?:{_ROAD_NUMBER}|"
            rf"{_NOT_TOWN}{_TOWN}(?:{_S}{_NUMBER}(?![\d.]{0, 6}[세년월일%]))?|{_ESTATE}){_TAIL}"
        ),
        0.9,
    ),
    (re.compile(rf"{_LEAD}{_EUP}(?![가-힣])"), 0.8),
    (re.compile(rf"(?<![가-힣]){_PROVINCE}{_S}{_CITY}(?:{_S}{_CITY})?(?=[^가-힣]|에|의|로|거주|소재|$)"), 0.6),
)
_PLACE = re.compile(rf"{PROVINCES}|{CITIES}|{COUNTIES}|{DISTRICTS}|{SHORT}")
# Without one of these on its line (or the next) no other rule can match.
_ESTATES = (
    *(
        "아파트",
        "APT",
        "apt",
        "빌라",
        "마을",
        "타운",
        "맨션",
        "오피스텔",
        "주택",
        "팰리스",
    ),
    *(
        "캐슬",
        "하이츠",
        "자이",
        "푸르지오",
        "힐스테이트",
        "래미안",
        "편한세상",
        "더샵",
        "아이파크",
        "센트럴",
    ),
    *(
        "리버뷰",
        "파크뷰",
        "고시원",
        "원룸",
        "기숙사",
        "빌딩",
        "타워",
        "연립",
        "하임",
        "스위첸",
    ),
    *(
        "부영",
        "휴먼시아",
        "단지",
        "그린빌",
        "하우스",
        "요양원",
        "상가",
        "위브",
        "어울림",
        "베르디움",
        "데시앙",
        "수자인",
        "스타힐스",
        "리슈빌",
        "코아루",
        "파라곤",
        "꿈에그린",
        "풍경채",
        "해링턴",
        "비발디",
        "유보라",
        "써밋",
        "포레나",
        "엘크루",
        "파밀리에",
        "뜨란채",
        "스카이뷰",
        "빌",
    ),
)
_LABELS = (
    *(
        "주소",
        "거주지",
        "사는 곳",
        "자택",
        "본적",
        "등록기준지",
        "방문지",
        "소재지",
        "출동장소",
        "배송지",
    ),
    *(
        "addr",
        "Addr",
        "ADDR",
    ),
)
_HINTS = (
    re.compile("|".join((*_ESTATES, *_LABELS, "번지", "거주", "사는", "살", "사시는", "지냄", "주민", "사심"))),
    re.compile(r"[동리가로길읍면호층][ \n]{0,3}\d"),
    re.compile(r"[읍면][ \n]"),
    re.compile(r"\d[ ]?[동호층]"),
)
_REACH = 60
_LONGEST_ZIP = 20


class AddressRecogniser(RuleRecogniser):
    """Addresses from the province, city, town, road or estate downward, to the unit."""

    ENTITIES = ("ADDRESS",)

    def find(self, text: str) -> Iterator[Found]:
        """Yield addresses that begin with a known place, then those told by their form, where one is hinted at."""
        for place in _PLACE.finditer(text):
            for pattern, score in _PLACED:
                match = pattern.match(text, place.start())
                if match:
                    code = _ZIP_BEFORE.search(text, max(0, match.start() - _LONGEST_ZIP), match.start())
                    yield Found(code.start() if code else match.start(), match.end(), "ADDRESS", score)
        for start, end in _hinted(text):
            for rule in self.RULES:
                yield from rule.find(text, start, end)

    RULES = (
        Rule(
            "ADDRESS",
            re.compile(rf"(?<![가-힣]){_EUP}{_SP}(?:{_ROAD_NUMBER}|{_NOT_TOWN}{_VILLAGE}(?:{_SP}{_NUMBER})?){_TAIL}"),
            0.75,
            needs=("읍", "면"),
        ),
        # Town and estate, estate and unit, road and number with a unit behind.
        Rule("ADDRESS", re.compile(rf"(?<![가-힣]){_NOT_TOWN}{_TOWN}{_SP}{_ESTATE}{_TAIL}"), 0.75, needs=_ESTATES),
        Rule("ADDRESS", re.compile(rf"(?<![가-힣A-Za-z0-9]){_ESTATE}{_UNIT}{_NOTE}"), 0.8, needs=_ESTATES),
        Rule(
            "ADDRESS",
            re.compile(rf"(?<![가-힣]){_ROAD_NUMBER}(?:,{_S}{_ESTATE})?{_UNIT}{_NOTE}"),
            0.7,
            needs=("호", "층"),
        ),
        Rule(
            "ADDRESS",
            re.compile(rf"(?<![가-힣]){_NOT_TOWN}{_TOWN}{_SP}{_NUMBER}{_UNIT}{_NOTE}"),
            0.7,
            needs=("호", "층"),
        ),
        Rule(
            "ADDRESS",
            re.compile(rf"(?<![가-힣]){_NOT_TOWN}{_TOWN}{_SP}(?:산{_S})?\d{{1,5}}(?:-\d{{1,4}})?번지"),
            0.7,
            needs=("번지",),
        ),
        Rule(
            "ADDRESS",
            re.compile(
                rf"(?<![가-힣])(?P<v>{_NOT_TOWN}{_TOWN}[ ][가-힣A-Za-z0-9]{{2,12}}?)(?:에서|에)[^\n.]{{0,12}}(?:거주|"
                rf"살|지냄)"
            ),
            0.6,
            needs=("거주", "살", "지냄"),
        ),
        Rule(
            "ADDRESS",
            re.compile(r"(?<![가-힣\d])(?:제?\d{1,4}|[가나다라마바사아자차카타파하])동[ ]?\d{2,5}호"),
            0.6,
            needs=("호",),
        ),
        # An estate of any name is told by its building and unit.
        Rule(
            "ADDRESS",
            re.compile(
                r"(?:주소[는가]?[ :]{0,3})?(?P<v>(?:[가-힣]{2,6}(?:지구|신도시|동|읍|면|"
                r"리)[ ])?[가-힣A-Za-z]{2,10}(?:\d{1,2}(?:차|단지)?)?[ ]?"
                r"\d{3,4}동[ ]?\d{3,4}호)"
            ),
            0.75,
            needs=("호",),
        ),
        # Behind a label, or before a word of living there.
        Rule(
            "ADDRESS",
            re.compile(
                rf"(?:주소지?|거주지|사는 곳|자택|본적|등록기준지|방문지|소재지|출동장소|배송지|address|addr)(?:는|"
                rf"가|를|"
                rf"은)?[ ]{{0,3}}[:=\"]{{0,2}}[ ]{{0,3}}"
                rf"(?P<v>{_ZIP}(?:{_ROAD_NUMBER}|{_EUP}(?:{_SP}{_TOWN})?|"
                rf"{_NOT_TOWN}{_TOWN}(?:{_SP}{_NUMBER}|[ ]{_NAMED_HOUSE})?|"
                rf"(?:[가-힣]{{2,6}}[ ])?{_ESTATE}){_TAIL})",
                re.IGNORECASE,
            ),
            0.85,
            needs=_LABELS,
        ),
        Rule(
            "ADDRESS",
            re.compile(
                rf"(?<![가-힣])(?P<v>{_NOT_TOWN}(?:{_TOWN}|{_EUP}|{_ESTATE}))(?:에|에서)?[ ]?(?:거주|사는|살며|"
                rf"살고|사시는|자택|주민|사심)"
            ),
            0.7,
            needs=("거주", "사는", "살", "사시는", "자택", "주민", "사심"),
        ),
    )


def _hinted(text: str) -> list[tuple[int, int]]:
    """Stretches of `text` in which an address is possible: each hint with the lines around it."""
    spans = sorted(
        (max(0, hint.start() - _REACH), min(len(text), hint.end() + _REACH))
        for pattern in _HINTS
        for hint in pattern.finditer(text)
    )
    joined: list[tuple[int, int]] = []
    for first, end in spans:
        start = text.rfind("\n", max(0, first - _REACH), first) + 1 or first
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return joined
