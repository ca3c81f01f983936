"""Dates with at least month and day, and birth dates.

Source: 보건의료데이터 활용 가이드라인 (dates are shifted or coarsened); notations per KS X ISO 8601 and Korean custom
(2024. 1. 5., 24/1/5, 1월 5일, spoken in Hangul). Fractions and ratios look like short dates: a month/day pair is
refused beside words of grading, pressure and counts. Years alone, times and relative dates are left.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from deid.detect.found import Found
from deid.detect.recogniser import KoreanRecogniser, digits

_Y4 = r"(?:18|19|20)\d\d"
_M = r"(?:0?[1-9]|1[0-2])"
_D = r"(?:0?[1-9]|[12]\d|3[01])"
_FULL = re.compile(
    rf"(?<![\d./-]){_Y4}(?:[ ]?[-./·][ ]?{_M}[ ]?[-./·][ ]?{_D}(?:[ ]?\.(?!\d))?|"
    rf"[ ]?년[ \n]{{0,3}}{_M}[ ]?월[ \n]{{0,3}}{_D}[ ]?일)(?!\d|-\d\d)"
)
_SOLID = re.compile(r"(?<![\d.A-Za-z-])(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?![\dA-Za-z%]|\.\d)")
_SHORT_YEAR = re.compile(
    rf"(?<![\d./-])['`’]?\d\d[ ]?(?:([-./])[ ]?{_M}[ ]?\1[ ]?{_D}|"
    rf"년[ ]{{0,2}}{_M}[ ]?월[ ]{{0,2}}{_D}[ ]?일)(?![\d/-])(?!\.\d)"
)
_MONTH_DAY = re.compile(rf"(?<![\d.년]){_M}[ ]?월[ ]{{0,2}}{_D}[ ]?일(?!간|[가-힣]{0, 2}차|분)")
_SLASH = re.compile(
    rf"(?:(?<![\d./A-Za-z%+(-])\(?|(?<=[A-Za-z가-힣]\())(?P<v>{_M}/{_D})(?![\d/%A-Za-z]|[.,]\d|-\d|[ ]?(?:섭취|복용|"
    rf"절제|크기|알|컵|공기|점|회|배|명|개|정|병|갑|mmHg|ml|"
    rf"mL|시야|입방|HPF))"
)
# "7.11 예정", "03-14 09:30": digits that are a day only because of what follows them.
_DAY_AHEAD = re.compile(
    rf"(?<![\d.,/A-Za-z:-])(?:{_M}\.[ ]?{_D}\.?(?=[ ]?\([월화수목금토일]\)|[ ](?:나올|예정|예약|외래|방문|내원|수술|"
    rf"입원|퇴원|시행|검사일|f/u|RTC|OPD|부터|까지))|"
    rf"(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])(?=[ ](?:\d\d:\d\d|예정|외래|내원|수술|입원|퇴원|시행|f/u)|"
    rf"[ ]?\([월화수목금토일]\)))"
)
_ENGLISH = re.compile(
    rf"(?<![A-Za-z\d])(?:{_D}(?:st|nd|rd|th)?[ -](?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|"
    rf"Dec)[a-z]{{0,6}}\.?[ ,-]{{0,2}}(?:{_Y4}|\d\d)?|"
    rf"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{{0,6}}\.?[ -]{_D}(?:st|nd|rd|"
    rf"th)?(?:[ ,]{{1,2}}{_Y4})?)(?![\dA-Za-z])"
)
# The days of a stay, a dash between with or without spaces.
_DAY = (
    rf"(?:(?:18|19|20)?\d\d(?:([-./])[ ]?{_M}[ ]?\{{0}}[ ]?{_D}\.?|[ ]?년[ ]?{_M}[ ]?월[ ]?{_D}[ ]?일)|"
    r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]))"
)
_RANGE = re.compile(rf"(?<![\d./-])(?P<v>{_DAY.format(2)})[ ]?[-~][ ]?(?P<w>{_DAY.format(4)})(?![\d/-])")
_DASH = re.compile(r"[-~](?<=[\d.일 ].)(?=[ ]?(?:\d{8}|\d\d(?:\d\d)?[ ]?[-./년]))")
_LONGEST = 16
_MONTH_NAME = re.compile("Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec")
_SAID = r"(?:[일이삼사오육칠팔구]?십)?[일이삼사오육칠팔구]?"
_SPOKEN = re.compile(
    rf"(?:(?:천|이천)[ ]?(?:[일이삼사오육칠팔구]?백)?{_SAID}[ ]?년[ ]{{0,2}})?(?:십일|십이|일|이|삼|사|오|유|육|칠|"
    rf"팔|구|시|"
    rf"십)월[ ]{{0,2}}(?:이십|삼십|십)?[일이삼사오육칠팔구]?일(?![가-힣]{0, 2}차)"
)
_BIRTH_LABEL = r"(?:생년월일|생일|출생(?:일자?)?|생년|DOB|D\.O\.B\.?|birth(?:[ _-]?(?:date|day))?|date of birth|생월일)"
_BIRTH_SHORT = re.compile(
    rf"{_BIRTH_LABEL}[\"']?(?:은|는|이)?[ ]{{0,3}}[:=(]?[ ]{{0,3}}['\"]?(?P<v>\d{{6}}|\d{{8}}|"
    rf"\d\d[ ]?[-./][ ]?{_M}[ ]?[-./][ ]?{_D})(?!\d)",
    re.IGNORECASE,
)
_BIRTH_BEFORE = re.compile(rf"{_BIRTH_LABEL}[^\d\n]{{0,8}}$", re.IGNORECASE)
_BORN = re.compile(
    r"(?<![\d.-])(?P<v>\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])|"
    r"\d\d[ ]?년[ ]?(?:\d{1,2}[ ]?월[ ]?\d{1,2}[ ]?일)?)[ ]?생"
)
_ROW_BIRTH = re.compile(
    r"[,|;][ ]?(?:남|여|M|F)[ ]?[,|;][ ]?(?P<v>\d{6})(?=[ ]?[,|;])|[(/][ ]?(?P<w>\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|"
    r"[12]\d|3[01]))[ ]?(?=[)/,][ ]?[MF남여]?)"
)
_NOT_A_DATE = re.compile(
    r"(?:PHQ-?\d|GAD-?\d|ESS|GDS|MBI|BBS|FAC|HAM-?[AD]|Braden|SSRS|CES-?D|ADL|상지|하지|기억|회상|지남력|MMT|BBPS|척도|\bAS|pain|통증|"
    r"\bER|\bPR|\bAR|HER2|Allred|전이|림프절|LN|nodes?|근력|MRC|motor|power|grade|Gr|동공|pupils?|Apgar|시력|BP|혈압|"
    r"NRS|VAS|GCS|MMSE|Cr|"
    r"BUN|ALT|비율|"
    r"ratio|stage|교정|양성|score|점수|"
    r"OP|I/O|intake|V/A|나안|검체|개 중|명 중|반사|DTR|[0-9]/[0-9]{1,2}[,(][가-힣 ]{0,4}|총|"
    r"(?<!예)약|용량|tab|정|분획|슬라이드|"
    r"잔|병|갑)[ ):=.\n]{0,3}$",
    re.IGNORECASE,
)
_LISTED = re.compile(r"[ ]?[,~][ ]?")
_POSITIVE = re.compile(
    r"^[ ]?(?:일|~|-|부터|까지|에|f/u|예정|시행|검사|수술|입원|퇴원|방문|외래|월|화|수|목|금|토|일|\)|오전|오후|"
    r"\d\d:|RV|CT|MR|lab|경|이후|발생|진단|추적|재진|내원)",
    re.IGNORECASE,
)


class DateRecogniser(KoreanRecogniser):
    """Dates as DATE; those behind a birth label or before 생 as DATE_BIRTH."""

    ENTITIES = ("DATE", "DATE_BIRTH")

    def find(self, text: str) -> Iterator[Found]:
        """Full, short, spoken and English dates, then birth dates in the notations that need a label."""
        for pattern, score in _patterns(text):
            for match in pattern.finditer(text):
                yield _dated(text, *match.span(), score)
        yield from _ranges(text)
        for match in _SOLID.finditer(text):
            if _exists(match.group()):
                yield _dated(text, *match.span(), 0.75)
        last = -1
        for match in _SLASH.finditer(text):
            before = text[max(0, match.start() - 12) : match.start("v")]
            # "(9/3, 3/23)": the second of a list is what the first is.
            listed = last >= 0 and _LISTED.fullmatch(text[last : match.start("v")])
            if listed or not _NOT_A_DATE.search(before):
                yield _dated(text, *match.span("v"), 0.6)
                last = match.end("v")
        yield from _births(text)


def _patterns(text: str) -> Iterator[tuple[re.Pattern[str], float]]:
    """Patterns that can match in `text`, with their scores."""
    yield from ((_FULL, 0.9), (_SHORT_YEAR, 0.7), (_DAY_AHEAD, 0.6))
    if "월" in text:
        yield from ((_MONTH_DAY, 0.85), (_SPOKEN, 0.75))
    if _MONTH_NAME.search(text):
        yield _ENGLISH, 0.7


def _ranges(text: str) -> Iterator[Found]:
    for dash in _DASH.finditer(text):
        days = _RANGE.search(text, max(0, dash.start() - _LONGEST), dash.end() + _LONGEST)
        if days:
            yield from (_dated(text, *days.span(group), 0.75) for group in ("v", "w"))


def _births(text: str) -> Iterator[Found]:
    for pattern in (_BIRTH_SHORT, _BORN, _ROW_BIRTH):
        for match in pattern.finditer(text):
            group = "w" if match.groupdict().get("w") else "v"
            yield Found(*match.span(group), "DATE_BIRTH", 0.9)


def _dated(text: str, start: int, end: int, score: float) -> Found:
    birth = _BIRTH_BEFORE.search(text[max(0, start - 22) : start]) or re.match(
        r"[ ]?(?:출)?생(?![후성])", text[end : end + 3]
    )
    return Found(start, end, "DATE_BIRTH" if birth else "DATE", score)


def _exists(value: str) -> bool:
    number = digits(value)
    try:
        date(int(number[:4]), int(number[4:6]), int(number[6:8]))
    except ValueError:
        return False
    return True
