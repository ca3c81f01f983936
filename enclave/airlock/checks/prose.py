"""Numbers of people in sentences, logs and settings: pointed at, since nobody can tell what a sentence means."""

from __future__ import annotations

import re
from collections.abc import Iterator

from enclave.airlock.checks.findings import line_place, warn
from enclave.airlock.document import Document
from enclave.airlock.report import Finding

SHOWN_EACH, LONGEST_LINE = 10, 2_000
PEOPLE = r"(?:patients?|subjects?|persons?|people|participants?|cases?|deaths?|women|men|events?)"
NUMERALS = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "한": 1, "두": 2, "세": 3, "네": 4, "다섯": 5, "여섯": 6, "일곱": 7, "여덟": 8, "아홉": 9,
}  # fmt: skip
KEYS = rf"{PEOPLE}|tp|fp|tn|fn|n|support|환자|대상자|사망자?|증례"
WORDED = "|".join(NUMERALS)
NUMBERS = (
    re.compile(rf"(?i)(?<![\d.,–-])(\d)\s+(?:\w+\s+)?{PEOPLE}\b"),
    re.compile(r"(?<![\d.,])(\d)\s*(?:명|건|례)(?![\d월])"),
    re.compile(r"(?i)\bn\s*=\s*(\d)(?![\d,.])"),
    re.compile(rf"(?i)\b({WORDED})\s+(?:\w+\s+)?{PEOPLE}\b"),
    re.compile(rf"(?<![가-힣])({WORDED})\s?명(?![령사])"),
    re.compile(r"(?<![\d/.,])(\d)\s*/\s*\d{2,6}\s*\(\s*\d+(?:\.\d+)?\s*%"),
    # "number of events = 4", n_deaths: 3, "fp": 3
    re.compile(rf"(?i)(?:\b|_)(?:{KEYS})(?:[_ ]?수)?[\"']?\s*[=:]\s*(\d)(?!\d|[.,]\d|%)"),
)  # fmt: skip
# "40명 중 … 5.0%", "of 40 patients … 5.0%"
SHARES = (
    re.compile(
        r"(?<![\d,])(\d{1,3}(?:,\d{3}){1,3}|\d{1,9})\s*명\s*(?:중(?!앙)|가운데)[^.%\d]{0,40}(\d+(?:\.\d+)?)\s*%"
    ),
    re.compile(
        rf"(?i)\bof\s+(?:the\s+)?(\d{{1,3}}(?:,\d{{3}}){{1,3}}|\d{{1,9}})\s+(?:\w{{1,20}}\s+)?{PEOPLE}\b[^.%\d]{{0,60}}(\d+(?:\.\d+)?)\s*%"
    ),
)


def check_prose(document: Document, min_cell: int) -> list[Finding]:
    """Point at numbers of people below ``min_cell`` in sentences."""
    lines = document.text.splitlines() if document.is_prose else []
    found = [line for line, text in enumerate(lines) if "|" not in text and _is_few(text[:LONGEST_LINE], min_cell)]
    return [
        warn(
            "cell.prose",
            f"글에 기준 {min_cell}명 미만의 인원이 적혀 있습니다. 필요한지 확인하고 범위로 바꾸세요.",
            f"A sentence tells of fewer than {min_cell} people. Is it needed? Say a range instead.",
            place=line_place(line),
        )
        for line in found[:SHOWN_EACH]
    ]


def _is_few(text: str, min_cell: int) -> bool:
    return any(0 < value < min_cell for value in (*_counts(text), *_shares(text)))


def _counts(text: str) -> Iterator[float]:
    for pattern in NUMBERS:
        for found in pattern.finditer(text):
            said = found[1].lower()
            yield NUMERALS.get(said) or int(said)


def _shares(text: str) -> Iterator[float]:
    for pattern in SHARES:
        for found in pattern.finditer(text):
            yield round(int(found[1].replace(",", "")) * float(found[2]) / 100, 6)
