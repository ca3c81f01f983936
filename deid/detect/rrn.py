"""Resident and foreigner registration numbers (주민등록번호, 외국인등록번호, 국내거소신고번호).

Source: 주민등록법 시행규칙 제2조 (thirteen digits: birth date, century and sex, ...); 출입국관리법 시행규칙 for 5-8 in
place seven. Since October 2020 digits eight to thirteen are random, so nine in ten new numbers fail the old check
digit: the check raises the score and never dismisses. The birth date must exist in its century.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from deid.detect.found import Found
from deid.detect.recogniser import KoreanRecogniser, digits
from deid.detect.spoken import with_spoken_digits

_CENTURY = {
    "9": 1800,
    "0": 1800,
    "1": 1900,
    "2": 1900,
    "5": 1900,
    "6": 1900,
    "3": 2000,
    "4": 2000,
    "7": 2000,
    "8": 2000,
}
_RANDOM_SCORE = 0.85
_PARTIAL_SCORE = 0.8
_WEIGHTS = (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)
_BIRTH = r"\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
_SEPARATOR = r"[ ]{0,2}[-./·_~][ ]{0,2}|[ ]?"
_FULL = re.compile(rf"(?<![\d.])(?<!\d-){_BIRTH}(?:{_SEPARATOR})\d{{7}}(?!\d)(?!-\d)")
_MASKED = re.compile(rf"(?<!\d){_BIRTH}[ ]?[-./·][ ]?[0-9](?:[*xXＸ●○•#?]{{6}}|[*xX]{{3,6}}|\d{{0,5}}[*xX●○]{{1,6}})")
# Birth date and tail in neighbouring cells: numbers of a table look the same, so the check digit must hold.
_CELLS = re.compile(rf"(?<![\d.-]){_BIRTH}[ ]?[\"']?[,;|][\"']?[ ]?\d{{7}}(?![\d.-])")
_HALF = re.compile(rf"(?<!\d){_BIRTH}[ ]?-[ ]?[1-8](?![\d*.,/-])(?=[ ),/\n]|$)")
_LABELLED = re.compile(
    r"(?:주민(?:등록)?(?:번호)?|외국인(?:등록)?(?:번호)?|거소(?:신고)?번호|RRN|ARC(?: no\.?)?|"
    r"주민No)[ ]{0,3}[:=(]?[ ]{0,3}"
    r"(?P<v>\d{6}[ ]{0,2}[-./·]?[ ]{0,2}[\d*]{1,7})(?!\d)",
    re.IGNORECASE,
)


def real_birth_date(number: str) -> bool:
    """Whether the first seven of `number`'s digits name a calendar date in the century that digit seven says."""
    try:
        date(_CENTURY[number[6]] + int(number[:2]), int(number[2:4]), int(number[4:6]))
    except ValueError:
        return False
    return True


def check_digit(first_twelve: str, *, foreigner: bool = False) -> int:
    """Digit thirteen by the rule before October 2020; foreigners' numbers add two."""
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, first_twelve, strict=True))
    return ((13 if foreigner else 11) - total % 11) % 10


class RrnRecogniser(KoreanRecogniser):
    """RRN and FRN, whole, split, spoken or with the tail starred; checksum only raises the score."""

    ENTITIES = ("RRN", "FRN")

    def find(self, text: str) -> Iterator[Found]:
        """Numbers whose birth date exists; labelled ones even if it does not."""
        text = with_spoken_digits(text)
        for pattern, whole in ((_FULL, True), (_CELLS, True), (_MASKED, False), (_HALF, False)):
            for match in pattern.finditer(text):
                number = digits(match.group())
                score = _score(number) if whole else _PARTIAL_SCORE
                if real_birth_date(number) and (pattern is not _CELLS or score > _RANDOM_SCORE):
                    yield Found(*match.span(), _kind(number), score)
        for match in _LABELLED.finditer(text):
            yield Found(*match.span("v"), _kind(digits(match["v"]).ljust(7, "1")), 0.9)


def _kind(number: str) -> str:
    return "FRN" if number[6] in "5678" else "RRN"


def _score(number: str) -> float:
    valid = check_digit(number[:12], foreigner=number[6] in "5678") == int(number[12])
    return 0.99 if valid else _RANDOM_SCORE
