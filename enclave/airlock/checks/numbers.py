"""Reading the numbers of a table of results, and which columns hold counts; hidden cells are read in `gaps`."""

from __future__ import annotations

import re
import unicodedata
from math import isfinite

COUNT = re.compile(
    r"\s*([+-]?\d{1,3}(?:,\d{3})+|[+-]?\d+)(?:\.0*)?\s*(?:명|건|개|인|회|례)?\s*"
    r"(?:\([^()]{0,24}\)|\[[^\[\]]{0,24}\])?[*†‡§]{0,3}\s*"
)
# What stands around a number without changing it: 'n = 3', '"3"', '(3)', '~3'.
AROUND = re.compile(r"""\s*=?["']*\s*(?:[nN]\s*=\s*|[~≈]\s*)?([^"']*?)\s*["']*\s*""")
LONGEST_COUNT = 80
BRACKETED = re.compile(r"[\[(]\s*(\d[\d,]*)\s*[\])]")
OF_ALL = re.compile(r"\s*(\d[\d,]*)\s*/\s*\d[\d,]*\s*(?:\([^()]{0,24}\)|\[[^\[\]]{0,24}\])?\s*")
# A digit stands before any exponent: "E11" is diabetes.
NUMBER = re.compile(r"\s*[+-]?(?:(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?\s*")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Whole words of a column name that mean "how many".
COUNT_WORDS = _words("""
    n count counts cnt support freq frequency frequencies obs observations patient patients subject subjects person
    persons people cases events deaths participants num number total size records visits died dead deceased survivors
    men women males females individuals respondents enrolled
    건수 명 명수 환자수 대상자수 대상수 인원 인원수 빈도 빈도수 도수 건 사람수 사망수 발생수 발생건수
    수 총계 합계 계 총수 관측수 표본수 사례수 환자 대상자 사망 사망자 생존자
""")
NOT_COUNTS = _words("""
    mean avg average sd std se median min max pct percent percentage ratio rate p pvalue hr or rr ci lower upper
    year month day age score coef estimate beta z t auc weight bmi
    param params parameters feature features variables folds trees layers epochs iterations gain split splits cover
    importance items bins
    평균 표준편차 중앙값 최소 최대 비율 백분율 퍼센트 율 년 연도 월 일 나이 연령 점수 계수 하한 상한 순위
""")
TOTALS = _words("total totals all sum overall any subtotal 합계 총계 계 전체 소계 총합 누계 모두")
WORD = re.compile(r"[A-Za-z]+|[가-힣]+|%")
KOREAN_COUNT_END = re.compile(r"(?:환자|대상자|대상|사람|자|인원|건|명|사망|발생|관측|표본|사례|빈도|도|회)수$")


def words(name: str) -> list[str]:
    """Split a column name into its lower-case words: ``n_patients (명)`` gives ``n``, ``patients``, ``명``."""
    return [word.lower() for word in WORD.findall(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name))]


def is_count_name(name: str) -> bool:
    """Whether a name means "how many", as in ``n``, ``patient_count``, ``환자수``, ``건수``."""
    # "n (%)" holds counts with their share behind them
    found = words(re.sub(r"\([^()]*\)", " ", name)) or words(name)
    if any(word in NOT_COUNTS or word == "%" for word in found):
        return False
    if {"at", "risk"} <= set(found):
        return True  # "at_risk", "number at risk" of a survival table
    return any(word in COUNT_WORDS or KOREAN_COUNT_END.search(word) for word in found)


def is_measure_name(name: str) -> bool:
    """Whether a name says that the numbers are no counts (means, rates, years, ages …)."""
    if name.strip()[:1].isdigit():  # "2019년", "65-69세": a category of a cross table
        return "%" in name
    return any(word in NOT_COUNTS or word == "%" for word in words(name))


def is_total(label: str) -> bool:
    """Whether a row's or column's label names a total."""
    found = words(label)
    return bool(found) and all(word in TOTALS or word in COUNT_WORDS for word in found) and bool(TOTALS & set(found))


def read_count(cell: str) -> int | None:
    """Read a whole number as tables print it: ``1,234``, ``12명``, ``12 (3.4%)``, ``12.0``; None for anything else."""
    if len(cell) > LONGEST_COUNT:
        return None
    plain = unicodedata.normalize("NFKC", cell)
    if around := AROUND.fullmatch(plain):
        plain = around[1]
    if bracketed := BRACKETED.fullmatch(plain):
        plain = bracketed[1]
    found = COUNT.fullmatch(plain)
    return int(found[1].replace(",", "")) if found and len(found[1]) <= 20 else None  # noqa: PLR2004 - no such count


def read_share(cell: str) -> int | None:
    """Read the count before a stroke, ``3/120 (2.5%)``; None for anything else. For columns that are counts by name."""
    found = OF_ALL.fullmatch(unicodedata.normalize("NFKC", cell))
    return int(found[1].replace(",", "")) if found and len(found[1]) <= 20 else None  # noqa: PLR2004 - no such count


def read_number(cell: str) -> float | None:
    """Read any plain number that is finite; None for anything else."""
    if not NUMBER.fullmatch(cell):
        return None
    number = float(cell.replace(",", ""))
    return number if isfinite(number) else None
