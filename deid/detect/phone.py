"""Telephone and fax numbers: mobile, land line, internet, personal and business numbers.

Source: 전기통신번호관리세칙 (과학기술정보통신부 고시): 01X mobile, 02/03X-06X areas, 070 internet, 050X personal, 080
free,
15XX/16XX/18XX nation-wide business numbers; +82 per ITU-T E.164. No check digit exists.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from deid.detect.found import Found
from deid.detect.recogniser import KoreanRecogniser, digits
from deid.detect.spoken import with_spoken_digits

_GAP = r"[ ]{0,2}[-./·)~_,]?[ ]{0,2}"
_STRONG_GAP = r"(?:[ ]{0,2}[-.·)/~_][ ]{0,2}|[ ]{1,2})"
_MOBILE = re.compile(rf"(?<![\d.])(?:\([ ]?)?(?:\+?82{_GAP}\(?0?\)?|0)1[016789]{_GAP}\d{{3,4}}{_GAP}\d{{4}}(?!\d)")
_LAND = re.compile(
    rf"(?<![\d.])(?:\([ ]?)?(?:\+?82{_GAP}\(?0?\)?|0)(?:2|3[1-3]|4[1-4]|5[1-5]|6[1-4]|70|50\d?|80|60)"
    rf"{_STRONG_GAP}\d{{3,4}}{_STRONG_GAP}\d{{4}}(?!\d)"
)
# A printer broke the line inside the number, and the line before ends in digits too.
_BROKEN = re.compile(rf"(?<![\d.-])01[016789]{_GAP}(?:\d\n?){{3,4}}{_GAP}(?:\d\n?){{3}}\d(?!\d)")
_SOLID = re.compile(r"(?<![\d.,-])0(?:2|3[1-3]|4[1-4]|5[1-5]|6[1-4]|70|50\d)\d{7,8}(?!\d|\.\d)")
_BUSINESS = re.compile(r"(?<![\d.-])1(?:5[2-9]|6[0-8]|8[0-9])\d[ ]?-[ ]?\d{4}(?![\d-])")
_LABELLED = re.compile(
    r"(?:전화(?:번호)?|연락처|휴대폰|핸드폰|휴대전화|팩스|(?<![A-Za-z])(?:TEL|FAX|HP|H\.P\.?|C\.P\.?|Phone|Mobile|"
    r"Cell)|☎|☏|콜백)"
    r"[ ]{0,3}[:=.)]?[ ]{0,3}(?P<v>[(]?\d{2,4}[)]?[ ]{0,2}[-./·)]?[ ]{0,2}\d{3,4}(?:[ ]{0,2}[-./·]?[ "
    r"]{0,2}\d{4})?)(?!\d)",
    re.IGNORECASE,
)
_MASKED = re.compile(r"(?<!\d)01[016789][ ]?[-.][ ]?(?:\d{3,4}[ ]?[-.][ ]?[*xX]{4}|[*xX]{3,4}[ ]?[-.][ ]?\d{4})")
_LEAST_DIGITS = 7


class PhoneRecogniser(KoreanRecogniser):
    """Korean telephone numbers in every notation, also spoken in Hangul digits."""

    ENTITIES = ("PHONE",)

    def find(self, text: str) -> Iterator[Found]:
        """Numbers by shape, and shorter ones behind a telephone label."""
        text = with_spoken_digits(text)
        for pattern, score in (
            (_MOBILE, 0.95),
            (_BROKEN, 0.9),
            (_LAND, 0.9),
            (_SOLID, 0.7),
            (_BUSINESS, 0.85),
            (_MASKED, 0.8),
        ):
            for match in pattern.finditer(text):
                yield Found(*match.span(), "PHONE", score)
        for match in _LABELLED.finditer(text):
            if len(digits(match["v"])) >= _LEAST_DIGITS:
                yield Found(*match.span("v"), "PHONE", 0.85)
