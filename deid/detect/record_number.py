"""Record numbers of one person's file: hospital, chart, specimen, accession, certificate and receipt numbers (MRN).

There is no common format: 의료법 시행규칙 제14조 leaves numbering to each hospital. So a number is taken by what stands
before it (a label that ends in 번호, No, ID, ...), by a layout with a letter that laboratory systems use, or by its
place right behind a patient's name. Numbers of things (lot, kit, drug code, UID, approval) are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from deid.detect.found import Found
from deid.detect.recogniser import KoreanRecogniser

_VALUE = r"(?P<v>[A-Za-z]{0,4}[ ]?-?[ ]?\d(?:[ ]{0,2}-[ ]{0,2}(?=\d)|\d|(?<=\d)[A-Z](?=\d)){3,16})(?![\d])"
_KOREAN_LABEL = re.compile(
    r"(?P<l>(?:등록|환자|차트|챠트|병록|병력|진료|접수|검체|병리|조직|세포|검사|검진|수진자?|연|문서|발급|관리|"
    r"내원|입원|외래|교부|처방전?|동의서|의뢰|예약|"
    r"산정특례|바코드|고유|개인|대상자?|회원|고객|신청|수납|영수증|판독|촬영|영상|오더|원무|케이스|사례|사건|상담|"
    r"의무기록|EMR|OCS|PACS|증명서?|"
    r"진단서|소견서|신고|발행|일련|분만|수술|투석|헌혈|혈액|인증|원부|장애인?(?:등록)?|복지|수급자?|학|군|사)"
    r"[ ]?(?:등록|접수|관리|고유)?[ ]?(?:번호|[Nn][Oo]\.?|넘버|#|ID|id|코드)|사번|학번|군번|차트|챠트|병록|등록|"
    r"접수(?=[ ]?[:=])|번호)"
    rf"(?:은|는|이|가)?[\"']?[ ]{{0,3}}[:=.#/(\[|>]?[ ]{{0,3}}[\"']?(?:제|No\.?|#)?[ ]{{0,2}}{_VALUE}",
    re.IGNORECASE,
)
_LATIN_LABEL = re.compile(
    r"(?<![A-Za-z])(?:MRN|PID|(?:pt|pat|chart|reg|hosp|patient|spcm|ord|acc)[_]?(?:no|id|num)|Pa?t\.?[ ._]{0,2}(?:ID|"
    r"No\.?|#)|Patient[ _]?(?:ID|No\.?|Number)|Unit[ ]?No\.?|"
    r"Hosp(?:ital)?\.?[ ]?(?:No|ID|#)\.?|Chart[ ]?(?:No\.?|#|ID)?|Acc(?:ession)?"
    r"[ ._]?(?:No\.?|#|Number)|Acc#|Specimen(?:[ _]?(?:ID|No\.?))?|Case[ ]?No\.?|Reg(?:istration)?[ ._]?No\.?|"
    r"Record[ ]?No\.?|Barcode|Sample[ ]?(?:ID|No\.?)|Path[ ]?No\.?"
    r"|Use?r(?:[ _]?(?:id|no))?(?=[\"' ]{0,2}[:=])|uid(?=[\"' ]{0,2}[:=])|"
    r"No\.(?=[ ]{0,2}(?:[A-Z]-)?\d{2}-?\d{4})|Visit[ ]?(?:No|ID)\.?|Encounter[ ]?(?:ID|No\.?)|"
    r"Order[ ]?(?:No|ID)\.?|Reg\.?(?=[ ]?[:#]?[ ]?\d{6})|(?<=\")no(?=\"[ ]?:[ ]?\"?\d{6})|"
    r"ID)[\"']?[ ]{0,3}[:=.#(|>]?[ ]{0,3}[\"']?" + _VALUE,
    re.IGNORECASE,
)
_LATIN_WORD = re.compile(r"[A-Za-z]{2,20}")
_LATIN_STARTS = (
    *("mrn", "pid", "pt", "pat", "chart", "reg", "hosp", "spcm", "ord", "acc", "unit", "specimen", "case", "record"),
    *("barcode", "sample", "path", "visit", "encounter", "id", "us", "uid", "no"),
)
_OTHER_LABEL = re.compile(
    r"(?:제조|로트|배치|lot|kit|uid|승인|약품|제품|성분|모델|장비|module|시리얼|serial|S/N|품목|물품|자재|"
    r"(?<!바)코드|보험(?![ ]?접수)|주민|전화|"
    r"계좌|사업자|여권|면허|카드|무작위배정|배정|SCR|"
    r"프로토콜|IRB|과제|연구|우편)"
    r"[가-힣A-Za-z .:=#_]{0,8}$",
    re.IGNORECASE,
)
_LAYOUT = re.compile(
    r"(?<![A-Za-z0-9-])(?:[A-Z]{1,2}[ ]?-[ ]?\d{5,8}|[A-Z]{1,3}\d{2,8}[ ]?-[ ]?\d{3,7}|[A-Z]{1,2}\d{8,12}|"
    r"\d{2,4}-[A-Z]{1,3}-\d{3,7}|\d{8}[ ]?-[ ]?\d{4,5})(?![A-Za-z0-9-])"
)
_BESIDE = re.compile(
    r"(?:[가-힣]{2,4}|[MF여남]|세)[ ]?님?[ ]?[/(,|][ ]{0,2}(?P<v>(?:[A-Z]-?)?\d{6,10}|\d{2}-\d{6})(?![\d%가-힣-]|\.\d)|"
    r"(?:[MF남여]\s?/\s?\d{1,3}세?|\d{1,3}세?\s?/\s?[MF남여])[ ,/(#]{1,3}(?P<w>(?:[A-Z]-?)?\d{6,10}|\d{2}-\d{6})"
    r"(?![\d.%-])|"
    r"[가-힣]{2,4}[ ]{1,2}(?P<x>\d{2}-\d{6})(?![\d%가-힣-]|\.\d)"
)
# Behind a bracket behind a name ("(B형) 12345678"), or behind a name in Latin letters.
_BRACKETED = re.compile(r"\)[ ](?P<v>\d{7,9})(?![\d%-]|[.,]\d)(?=[ ]?(?:[가-힣\n]|$))")
_LATIN_NAMED = re.compile(r"[A-Z][a-z]{1,14}[ ][A-Z][a-z]{1,14}(?:[ ]\(|\(|[ ])(?P<v>\d{7,9})(?=\)|[ ][가-힣])")
_ROW = re.compile(
    r"(?m)^[ ]{0,2}(?:\d{1,2}[.)][ ]?)?(?P<v>(?:[A-Z]-?)?\d{6,10})(?=[ ]{0,2}[,|\t;/ ][ ]{0,2}[가-힣A-Z])"
)
_HASH = re.compile(r"[(\[ ]#[ ]?(?P<v>\d{6,10})(?![\d.%-])")
_LETTERED = re.compile(r"(?<![가-힣])[가-힣]{2,4}[ ](?P<v>[A-Z]\d{7})(?![\dA-Za-z-])(?=[ ]?(?:$|[\n,/]|[가-힣]))")
_SLASHED = re.compile(r"/[ ]?(?P<v>(?:[A-Z]-?)?\d{6,10})(?=[ ]?/)")
# Without a label only in running text: behind a Hangul word, not in a table of numbers.
_BARE = re.compile(r"(?<=[가-힣][ ])(?P<v>\d{7,9})(?![A-Za-z0-9_%-]|[.,]\d)")

# What a number needs that only a bare `"id"` announces.
_RECORD_DIGITS = 6


class RecordNumberRecogniser(KoreanRecogniser):
    """Record numbers by label, by laboratory layout, behind a name, or first in a row of a list."""

    ENTITIES = ("MRN",)

    def find(self, text: str) -> Iterator[Found]:
        """Numbers with at least four digits; numbers of things are refused by their own label."""
        for word in _LATIN_WORD.finditer(text):
            if word.group().lower().startswith(_LATIN_STARTS):
                match = _LATIN_LABEL.match(text, word.start())
                if match and _is_of_a_person(text, *match.span("v")) and not _is_of_an_object(match):
                    yield Found(*match.span("v"), "MRN", 0.8)
        for pattern, score in (
            (_KOREAN_LABEL, 0.8),
            (_LAYOUT, 0.6),
            (_BESIDE, 0.6),
            (_ROW, 0.6),
            (_BRACKETED, 0.5),
            (_LATIN_NAMED, 0.5),
            (_HASH, 0.6),
            (_LETTERED, 0.5),
            (_SLASHED, 0.5),
            (_BARE, 0.45),
        ):
            for match in pattern.finditer(text):
                group = next((name for name in ("v", "w", "x") if match.groupdict().get(name)), 0)
                start, end = match.span(group)
                if _is_of_a_person(text, start, end):
                    yield Found(start, end, "MRN", score)


def _is_of_a_person(text: str, start: int, end: int) -> bool:
    if _OTHER_LABEL.search(text[max(0, start - 22) : start]):
        return False
    return text[end : end + 1] not in {"원", "명", "건", "정", "회", "개", "점"}


def _is_of_an_object(match: re.Match[str]) -> bool:
    """Whether it is the `"id"` of a thing in JSON (a figure's parts count `p1001`, `p1002`), too short for a record."""
    label = match.string[match.start() : match.start("v")]
    return label.lower().startswith(('id"', "id'")) and sum(map(str.isdigit, match["v"])) < _RECORD_DIGITS
