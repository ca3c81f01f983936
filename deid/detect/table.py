"""Identifiers in tables: a column's heading says what its cells are, so a rare name needs no other sign.

A table is a line whose cells (split by `|`, `,`, `;` or a tab) are headings, at least one of them of a personal kind,
and the lines below it with as many cells. Headings are compared whole; a sentence with commas is no heading.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from deid.detect.cues import ASKING, ROLES
from deid.detect.found import Found
from deid.detect.recogniser import KoreanRecogniser
from deid.detect.stopwords import is_common_word, is_inflected, is_listed
from deid.detect.syllables import given_score, split_name
from deid.detect.transcribed import looks_foreign

_HEADINGS: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "NAME",
        re.compile(
            rf"(?:{ASKING}|name|pt\.?[ _]?name|patient[ _]?name|pt[ _]?nm|pat[ _]?nm|nm|full[ _]?name)", re.IGNORECASE
        ),
    ),
    (
        "ROLE",
        re.compile(
            rf"(?:{ROLES}|[가-힣]{{1,5}}(?:의|자|인|의사|간호사)|doctor|attending|nurse|patient)", re.IGNORECASE
        ),
    ),
    (
        "MRN",
        re.compile(
            r"(?:환자|등록|차트|병록|병원|접수|검체|수진자?|병리|진료|내원|입원)?[ ]?(?:번호|ID|No\.?)|차트|(?:mrn|"
            r"pid|pt[ _]?no|"
            r"pt[ _]?id|patient[ _]?(?:id|no)|chart[ _]?no|reg[ _]?no|id)",
            re.IGNORECASE,
        ),
    ),
    ("DATE_BIRTH", re.compile(r"생년월일|생일|생년|dob|birth(?:[ _]?(?:date|dt|day))?", re.IGNORECASE)),
    ("RRN", re.compile(r"주민(?:등록)?번호|주민|rrn|ssn|외국인등록번호", re.IGNORECASE)),
    (
        "PHONE",
        re.compile(r"전화(?:번호)?|연락처\d?|휴대(?:폰|전화)|핸드폰|보호자연락처|hp|tel|phone|mobile", re.IGNORECASE),
    ),
    ("INS_NO", re.compile(r"(?:건강|의료)?보험(?:증)?(?:[ ]?번호)?|증번호|insurance(?:[ _]?no)?", re.IGNORECASE)),
    ("PASSPORT", re.compile(r"여권(?:[ ]?번호)?|passport(?:[ _]?no)?", re.IGNORECASE)),
    ("BANK_ACCOUNT", re.compile(r"(?:환불|입금|지급)?계좌(?:[ ]?번호)?|account(?:[ _]?no)?", re.IGNORECASE)),
    ("LICENSE_NO", re.compile(r"(?:의사)?면허(?:[ ]?번호)?|자격번호", re.IGNORECASE)),
    ("AGE90", re.compile(r"(?:만[ ]?)?(?:나이|연령)|age", re.IGNORECASE)),
    ("ADDRESS", re.compile(r"주소지?|거주지|자택|addr(?:ess)?", re.IGNORECASE)),
)
_SEPARATORS = "|,;"
_FEWEST = {"|": 2, ",": 3, ";": 3}
_LONGEST_HEADING = 12
_MOST_CELLS = 60
_BROKEN_LINES = 2
_HANGUL_NAME = re.compile(r"[가-힣]{2,6}(?:[ ][가-힣]{1,6}){0,3}|[가-힣](?:[ ][가-힣]{1,6}){1,3}")
_LATIN_NAME = re.compile(r"[A-Z][A-Za-z.'-]{0,20}(?:,?[ ][A-Z][A-Za-z.'-]{0,20}){0,4}")
_HANJA_NAME = re.compile(r"[\u4e00-\u9fff]{2,4}")
_BEHIND_NAME = re.compile(r"[ ]?(?:님|\(.{0,12}\)|M\.?D\.?|교수|선생님?|과장|간호사)?")
_CELLS = {
    "INS_NO": re.compile(r"\d[ ]?-?[ ]?\d{10}"),
    "PASSPORT": re.compile(r"[A-Z][A-Z0-9]\d{3}[A-Z0-9]\d{3,4}"),
    "BANK_ACCOUNT": re.compile(r"(?:[가-힣]{2,6}[ ]?)?\d[\d -]{8,18}\d"),
    "LICENSE_NO": re.compile(r"제?[ ]?\d{4,7}[ ]?호?"),
    "AGE90": re.compile(r"(?:만[ ]?)?(?:9\d|1[0-2]\d)[ ]?(?:세|살)?"),
    "MRN": re.compile(r"[A-Za-z]{0,4}[ -]{0,2}\d[\d -]{3,16}"),
    "DATE_BIRTH": re.compile(r"\d{6}|\d{8}|\d{2,4}[-./년][ ]?\d{1,2}[-./월][ ]?\d{1,2}[.일]?"),
    "RRN": re.compile(r"\d{6}[ ]?-?[ ]?[\d*]{1,7}"),
    "PHONE": re.compile(r"\+?[\d ().-]{7,20}"),
    "ADDRESS": re.compile(r"(?=.{0,60}[가-힣]{2}).{5,100}"),
}
_NOBODY = frozenset(
    {"없음", "미상", "무", "상동", "본인", "해당없음", "미정", "공란", "합계", "소계", "총계", "평균", "계"}
)
_LONGEST_GIVEN = 3
_SCORE = 0.85


class TableRecogniser(KoreanRecogniser):
    """Cells below a heading that asks for a name, a number, a birth date, a telephone number or an address."""

    ENTITIES = (
        "NAME",
        "MRN",
        "DATE_BIRTH",
        "RRN",
        "PHONE",
        "ADDRESS",
        "AGE90",
        "INS_NO",
        "PASSPORT",
        "BANK_ACCOUNT",
        "LICENSE_NO",
    )

    def find(self, text: str) -> Iterator[Found]:
        """Yield the cells of each table, read from its heading downward until a line has other cells."""
        columns: list[str | None] = []
        separator, start, odd = "", 0, 0
        for line in text.split("\n"):
            if separator and line.count(separator) == len(columns) - 1:
                yield from _cells(line, start, separator, columns)
            else:
                heading = _heading(line)
                # A cell that a line break split does not end the table; two other lines in a row do.
                odd = 0 if heading[0] else odd + 1
                if heading[0] or odd > _BROKEN_LINES:
                    separator, columns = heading
            start += len(line) + 1


def _heading(line: str) -> tuple[str, list[str | None]]:
    """Return the separator of a line of headings and the kind of each; ("", []) if it is none."""
    for separator in _SEPARATORS:
        count = line.count(separator)
        if _FEWEST[separator] <= count + 1 <= _MOST_CELLS:
            cells = [cell.strip(" \"'*") for cell in line.split(separator)]
            if all(len(cell) <= _LONGEST_HEADING and not any(c.isdigit() for c in cell[:-1]) for cell in cells):
                kinds = [_kind(cell) for cell in cells]
                wanted = 2 if separator == "," else 1
                if sum(kind is not None for kind in kinds) >= wanted and (separator != "|" or count > 1):
                    return separator, kinds
    return "", []


def _kind(cell: str) -> str | None:
    return next((kind for kind, pattern in _HEADINGS if pattern.fullmatch(cell)), None)


def _cells(line: str, start: int, separator: str, columns: list[str | None]) -> Iterator[Found]:
    for kind, cell in zip(columns, line.split(separator), strict=True):
        value = cell.strip(" \"'*")
        if kind and value and value not in _NOBODY:
            begin = start + cell.index(value)
            size = _name_size(value, asked=kind == "NAME") if kind in {"NAME", "ROLE"} else _size(value, kind)
            if size:
                yield Found(begin, begin + size, "NAME" if kind == "ROLE" else kind, _SCORE)
        start += len(cell) + 1


def _size(value: str, kind: str) -> int:
    return len(value) if _CELLS[kind].fullmatch(value) else 0


def _name_size(value: str, *, asked: bool) -> int:
    """How many characters of a cell are a name; under a role the cell must look like one."""
    for pattern in (_HANGUL_NAME, _LATIN_NAME, _HANJA_NAME):
        match = pattern.match(value)
        if match and _BEHIND_NAME.fullmatch(value, match.end()):
            word = match.group()
            if pattern is not _HANGUL_NAME:
                return match.end() if pattern is _HANJA_NAME or (asked and " " in word) else 0
            return match.end() if _is_name(word, asked=asked) else 0
    return 0


def _is_name(word: str, *, asked: bool) -> bool:
    plain = word.replace(" ", "")
    parts = split_name(plain)
    if parts is None or (" " in word and len(parts[1]) > _LONGEST_GIVEN):
        said = any(is_common_word(one) or is_inflected(one) for one in word.split())
        return looks_foreign(word) or (asked and " " in word and not said)
    # A short word of the list may still be somebody's name where the column asks for names only.
    likely = given_score(parts[1]) > 0 or len(parts[1]) == 2  # noqa: PLR2004 - syllables of the usual given name
    return likely and not (is_listed(plain) if asked else is_common_word(plain))
