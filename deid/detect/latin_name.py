"""Names in Latin letters and in Hanja inside Korean text.

Source of romanised surnames: 국어의 로마자 표기법 and the spellings used in passports (own compilation), with the usual
Chinese, Vietnamese and Japanese ones among foreign patients in Korea.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from deid.detect.found import Found
from deid.detect.stopwords import is_listed

_SURNAMES = (
    "Kim Lee Yi Rhee Park Pak Bak Choi Choe Jung Jeong Chung Kang Gang Cho Jo Yoon Yun Jang Chang Lim Im Rim "
    "Han Oh Seo Suh Shin Sin Kwon Gwon Hwang Ahn An Song Ryu Yoo Yu Hong Jeon Chun Ko Koh Go Moon Mun Yang Son "
    "Sohn "
    "Bae Pae Baek Paik Heo Hur Huh Nam Shim Sim Noh Roh No Ha Kwak Gwak Sung Seong Cha Joo Ju Woo Koo Ku Min "
    "Jin Na Ji Um Eom Chae Won Namgung Hwangbo Sunwoo "
    "Wang Li Zhang Liu Chen Zhao Huang Zhou Wu Xu Sun Zhu Ma Hu Guo He Lin Luo Liang Nguyen Tran Le Pham Hoang "
    "Huynh Phan Vu Dang Bui Do Ho Ngo Duong Ly Sato Suzuki Takahashi Tanaka Watanabe Ito Yamamoto Nakamura "
    "Kobayashi "
    "Santos Reyes Cruz Garcia Smith Johnson Williams Brown Jones Miller Davis Ivanov Petrov Kumar Singh Sharma "
    "Khan Ahmed Rahman Ali Bat Batbayar"
)
_SURNAME = "|".join(
    sorted({form for name in _SURNAMES.split() for form in (name, name.upper())}, key=len, reverse=True)
)
_WORD = r"(?:[A-Z][a-z]{1,14}(?:[-'][A-Za-z][a-z]{0,10})?|[A-Z]{2,12}(?:-[A-Z]{2,10})?|[A-Z]\.)"
_NAME = rf"(?:(?<![A-Za-z]){_WORD}(?![A-Za-z])(?:,?[ ]{_WORD}(?![A-Za-z])|,?[ ][A-Z]\.?[A-Z]\.?(?![A-Za-z])){{1,3}})"
_SURNAME_FIRST = re.compile(
    rf"(?<![A-Za-z_])(?:{_SURNAME}),?[ ](?:[A-Z][a-z]{{1,9}}(?:[- ]?[A-Za-z][a-z]{{0,9}}){{0,2}}|[A-Z]\.[ ]?[A-Z]\.|"
    rf"[A-Z]{{2,8}}(?:[- ][A-Z]{{2,8}})?)(?![A-Za-z])"
)
_SURNAME_LAST = re.compile(
    rf"(?<![A-Za-z])[A-Z][a-z]{{1,9}}(?:[- ]?[A-Za-z][a-z]{{1,9}})?[ ](?:[A-Z]\.[ ])?(?:{_SURNAME})(?![A-Za-z])"
)
_LABELLED = re.compile(
    r"(?:(?<![A-Za-z])(?:(?i:pt|patient|full|given|family)[ _.]{0,2}(?i:name)|(?i:name)|Pt\.?|Dr\.?|Prof\.?|"
    r"Mr\.?|Mrs\.?|Ms\.?|Surgeon|[Dd]aughter|[Ss]on|[Ww]ife|[Hh]usband|[Mm]other|[Ff]ather|[Ss]pouse|Ref|Attending|attending|Interpreter|Guardian|Nurse)|성명|이름|성함|환자명|영문(?:명|"
    r"성명|이름)?|"
    r"환자|대상자명|보호자|"
    r"수진자)"
    rf"[ ]{{0,2}}[:=.(]?[ ]{{0,3}}[\"']?(?P<v>{_NAME}|(?:{_SURNAME})(?![A-Za-z]))"
)
_TITLED = re.compile(
    rf"(?P<v>{_NAME}|(?<![A-Za-z])(?:{_SURNAME})),?[ ]{{0,2}}(?:님|씨|환자|교수|선생|과장|원장|간호사|산모|보호자|"
    rf"어르신|학생|Dr|M\.?D)"
)
_BESIDE = re.compile(
    rf"(?P<v>{_NAME})[ ]{{0,2}}(?=[(/,][ ]?(?:[MF남여][ /,)(]|\d{{1,3}}세|01\d|\d{{7,9}}|한글)|"
    r"[(/,][ ]?(?:fe)?male(?![a-z])|[ ]\d{7,9}(?=[ ][가-힣])|\|?[ ]?(?:DOB|D\.O\.B)|[MF]/\d|is an?[ ]\d)"
)
_PATTERNS = ((_SURNAME_FIRST, 0.6), (_SURNAME_LAST, 0.6), (_LABELLED, 0.8), (_TITLED, 0.8), (_BESIDE, 0.6))
_NOT_NAMES = re.compile(
    r"(?i)\b(?:PA|AP|CT|MRI?|MRA|LN|BP|HR|RR|BT|ICU|ER|OR|Lab|Chest|Brain|Abd\w{0,12}|No|Note|Progress|Report|Record|"
    r"Study|UID|Dx|Imp\w{0,12}|Plan|Hx|PHx|Op|Date|Unit|Ward|Room|Type|Stage|Grade|Finding\w{0,9}|Conclusion|Clinical|"
    r"Info|"
    r"Preop|Postop|Blood|Culture|Foley|Tube|Endo|GIA|Lot|Visit|Screening|Protocol|Version|Inclusion|Exclusion|"
    r"Follow|Up|Local|Address|Discharge|Admission|Summary|Disease|Syndrome|Test|Name|ID|Sex|Age|TEL|FAX|HP|DM|"
    r"HTN|AF|on|the|of|by|Reported|Read|Signed|Dictated|Verified|Performed|Dear|From|To|and|with)\b"
)
_HANJA = re.compile(r"[\u4e00-\u9fff]{2,4}(?![\u4e00-\u9fff])")
_HANJA_SURNAMES = frozenset(
    "金李朴崔鄭姜趙尹張林吳韓申徐權黃安宋柳洪全高文孫梁裵裴白曺許南沈劉盧河丁成車具郭禹朱任田羅辛閔兪池陳"
    "嚴元蔡千方楊孔玄康咸卞廉邊呂秋都魯石蘇愼馬薛吉宣周延魏表明奇房王琴玉陸印孟諸牟卓"
)


_IN_HANGUL = re.compile(r"[ ]?[(/][ ]?(?P<v>[가-힣]{1,8}(?:[ ][가-힣]{1,6}){0,2})(?=[ ]?[)/])")


# Where a name is possible at all: two capitalised words in a row, or one that is a surname.
_CAPITALISED = re.compile(r"[A-Z][A-Za-z'-]{0,20}\.?(?:,?[ ][A-Z][A-Za-z'.-]{0,20}){0,4}")
_KNOWN = frozenset(_SURNAME.split("|"))
_BEFORE, _BEHIND = 36, 20


def latin_names(text: str) -> Iterator[Found]:
    """Latin names with a known surname or a cue beside them, and Hanja names."""
    for start, end in _stretches(text):
        for pattern, score in _PATTERNS:
            for match in pattern.finditer(text, start, end):
                group = "v" if "v" in pattern.groupindex else 0
                begin, until = match.span(group)
                other = _NOT_NAMES.search(text, begin, until)
                # "Dr. Mina Novak Read by": the sentence goes on behind the name.
                name = text[begin : other.start() if other else until].rstrip(" ,.")
                if other is None or " " in name:
                    yield from _with_hangul(text, begin, until if other is None else begin + len(name), score)
    for match in _HANJA.finditer(text):
        if match.group()[0] in _HANJA_SURNAMES and not _is_hanja(text[match.start() - 1 : match.start()]):
            yield from _with_hangul(text, *match.span(), 0.6)


def _with_hangul(text: str, start: int, end: int, score: float) -> Iterator[Found]:
    """Yield a name, and its Hangul form in brackets behind it."""
    yield Found(start, end, "NAME", score)
    hangul = _IN_HANGUL.match(text, end)
    if hangul and not is_listed(hangul["v"]):
        yield Found(*hangul.span("v"), "NAME", score)


def _is_hanja(character: str) -> bool:
    return "\u4e00" <= character <= "\u9fff"


def _stretches(text: str) -> list[tuple[int, int]]:
    """Return what stands around capitalised words that may be a name; stretches that meet are one."""
    found: list[tuple[int, int]] = []
    for match in _CAPITALISED.finditer(text):
        words = match.group()
        if " " not in words and words not in _KNOWN:
            continue
        start, end = max(0, match.start() - _BEFORE), min(len(text), match.end() + _BEHIND)
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], end
        else:
            found.append((start, end))
    return found
