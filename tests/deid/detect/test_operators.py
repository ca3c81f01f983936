"""Operators: stand-ins that look like what they stand for, cannot be anybody's, and leave the sentence right."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from presidio_anonymizer.entities import InvalidParamError, OperatorConfig, RecognizerResult

from deid.detect.anonymizer import anonymizer
from deid.detect.operators.date_shift import shift
from deid.detect.operators.keyed import core_of
from deid.detect.operators.name import KoreanName
from deid.detect.operators.number import NUMBER_TYPES, KoreanNumber
from deid.detect.operators.particles import mended
from deid.detect.syllables import split_name

KEY, OTHER = b"k" * 16, b"q" * 16
NAMES = st.sampled_from(["김철수", "이영희", "남궁민수", "박준", "최한결", "정 미 경", "황보현", "응우옌반안"])


def name(value: str, key: bytes = KEY, **more: object) -> str:
    return KoreanName().operate(value, {"key": key, "entity_type": "NAME", **more})


def number(kind: str, value: str) -> str:
    return KoreanNumber().operate(value, {"key": KEY, "entity_type": kind})


def replaced(text: str, *values: tuple[str, str], days: int = 37) -> str:
    """Anonymise `text`, in which each (type, value) is a find at its first place."""
    results = [RecognizerResult(kind, text.index(value), text.index(value) + len(value), 0.9) for kind, value in values]
    operators = {
        "NAME": OperatorConfig("korean_name", {"key": KEY}),
        "DATE": OperatorConfig("korean_date_shift", {"days": days}),
        "DEFAULT": OperatorConfig("korean_placeholder", {}),
    }
    answer = anonymizer().anonymize(text, results, operators)
    assert all(answer.text[item.start : item.end] == item.text for item in answer.items)
    return str(answer.text)


@given(NAMES)
def test_a_name_becomes_another_name_the_same_for_every_spelling_and_for_one_key_only(value: str) -> None:
    stand_in = name(value)
    assert stand_in == name(value.replace("", "\u200b")) == name(" ".join(value))
    assert core_of(value) != stand_in
    assert split_name(stand_in)
    assert len({name(value, bytes([seed]) * 16) for seed in range(8)}) > 4


@given(NAMES, NAMES)
def test_a_surname_alone_is_that_of_the_whole_names_stand_in_and_no_two_surnames_meet(one: str, other: str) -> None:
    first, second = split_name(core_of(one)), split_name(core_of(other))
    if first and second:
        assert name(one).startswith(name(first[0]))
        assert (name(first[0]) == name(second[0])) == (first[0] == second[0]) or len(first[0]) != len(second[0])
        assert name(first[0]) != first[0]


def test_a_given_name_alone_is_that_of_the_person_in_the_text() -> None:
    text = "김철수 내원. 철수가 김 교수에게"
    answer = replaced(text, ("NAME", "김철수"), ("NAME", "철수가"[:2]))
    whole = name("김철수")
    assert answer.startswith(f"{whole} 내원")
    results = [
        RecognizerResult("NAME", 0, 3, 0.9),
        RecognizerResult("NAME", 8, 10, 0.9),
        RecognizerResult("NAME", 12, 13, 0.9),
    ]
    both = anonymizer().anonymize(text, results, {"NAME": OperatorConfig("korean_name", {"key": KEY})}).text
    assert re.fullmatch(rf"{whole} 내원\. {whole[1:]}[가이]+ {whole[0]} 교수에게", both)


@pytest.mark.parametrize(
    ("stand_in", "behind", "wanted"),
    [
        ("민호", "이 옴", "가 옴"),
        ("철민", "가 옴", "이 옴"),
        ("민호", "은", "는"),
        ("철민", "는", "은"),
        ("민호", "을 봄", "를 봄"),
        ("철민", "를 봄", "을 봄"),
        ("민호", "과 함께", "와 함께"),
        ("철민", "와 함께", "과 함께"),
        ("민호", "으로", "로"),
        ("철민", "로", "으로"),
        ("보라", "으로부터", "로부터"),
        ("한결", "으로", "로"),
        ("철민", "야", "아"),
        ("민호", "아", "야"),
        ("민호", "이랑", "랑"),
        ("철민", "랑", "이랑"),
        ("민호", "이라고 함", "라고 함"),
        ("철민", "라는", "이라는"),
        ("민호", "이가", "가"),
        ("철민", "이가", "이가"),
        ("철민", "가족", "가족"),
        ("민호", "님이", "님이"),
        ("민호", "이다", "이다"),
        ("민호", "의", "의"),
        ("철민", "는데", "는데"),
        ("Kim", "이", "이"),
        ("철민", "예요", "이에요"),
        ("민호", "이었", "였"),
        ("010-1234-5671", "으로", "로"),
        ("010-1234-5673", "로", "으로"),
    ],
)
def test_the_particle_follows_the_last_sound(stand_in: str, behind: str, wanted: str) -> None:
    written, right = mended(stand_in, behind)
    assert right + behind[len(written) :] == wanted


def test_honorifics_stay_and_the_rest_of_the_text_is_untouched() -> None:
    assert replaced("환자 김철수님, 보호자 박영희 씨", ("NAME", "김철수"), ("NAME", "박영희")) == (
        f"환자 {name('김철수')}님, 보호자 {name('박영희')} 씨"
    )


@pytest.mark.parametrize(
    ("kind", "value", "shape"),
    [
        ("RRN", "900101-1234568", r"\d\d(?:2[1-9]|3[0-2])\d\d-[1-4]\d{6}"),
        ("FRN", "900101-5234568", r"\d\d(?:2[1-9]|3[0-2])\d\d-[5-8]\d{6}"),
        ("RRN", "1234568", r"0\d{6}"),
        ("PHONE", "010-1234-5678", r"010-0\d{3}-\d{4}"),
        ("PHONE", "+82 10-1234-5678", r"\+82 10-0\d{3}-\d{4}"),
        ("PHONE", "02) 345-6789", r"02\) 0\d\d-\d{4}"),
        ("PHONE", "031-345-6789", r"039-0\d\d-\d{4}"),
        ("PHONE", "1588-1234", r"0\d{3}-\d{4}"),
        ("CARD", "4111-1111-1111-1111", r"0\d{3}(?:-\d{4}){3}"),
        ("BRN", "123-45-67890", r"000-\d\d-\d{5}"),
        ("BANK_ACCOUNT", "110-123-456789", r"000-\d{3}-\d{6}"),
        ("PASSPORT", "M12345678", r"X\d{8}"),
        ("DRIVER_LICENSE", "11-12-345678-90", r"00-\d\d-\d{6}-\d\d"),
        ("PLATE", "12가3456", r"00[가-힣]\d{4}"),
        ("EMAIL", "a.b@c.kr", r"user\d{6}@example\.invalid"),
        ("URL", "http://a.kr/1", r"https://example\.invalid/[0-9a-f]{8}"),
        ("IP", "10.1.2.3", r"192\.0\.2\.\d{1,3}"),
        ("MRN", "BG-0012345", r"[A-Z]{2}-\d{7}"),
        ("INS_NO", "1-2345678901", r"0-\d{10}"),
        ("ADDRESS", "서울 강남구 테헤란로 1, 3동 4호", r"가온시 나래구 다솜로 \d+, \d+동 \d+호"),
        ("LICENSE_NO", "12345", r"\d{5}"),
        ("PHONE", "공일공 일이삼사 오육칠팔", r"<전화번호>"),
        ("ORG", "명지병원", r"<기관>"),
    ],
)
def test_a_number_keeps_its_shape_in_a_range_that_nobody_has(kind: str, value: str, shape: str) -> None:
    stand_in = number(kind, value)
    assert re.fullmatch(shape, stand_in)
    assert stand_in == number(kind, value.replace("-", " - ")).replace(" - ", "-") or "-" not in value
    assert kind in NUMBER_TYPES or stand_in.startswith("<")


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("2024-03-05", "2024-04-11"),
        ("2024.3.5", "2024.4.11"),
        ("'24.3.5", "'24.4.11"),
        ("24/03/05", "24/04/11"),
        ("20240305", "20240411"),
        ("240305", "240411"),
        ("2024년 3월 5일", "2024년 4월 11일"),
        ("3월 5일", "4월 11일"),
        ("3/5", "4/11"),
        ("2024년 3월", "2024년 4월"),
        ("2024-03", "2024-04"),
        ("3/5/2024", "4/11/2024"),
        ("5 Mar 2024", "11 Apr 2024"),
        ("MAR 5, 2024", "APR 11, 2024"),
        ("2024-03-05(화)", "2024-04-11(목)"),
        ("2024. 3. 5. 화요일", "2024. 4. 11. 목요일"),
        ("3/5~3/9", "4/11~4/15"),
        ("2024-03-05 10:20", "2024-04-11 10:20"),
        ("95.12.31", "96.02.06"),
        ("２０２４．３．５", "2024.4.11"),
        ("3/5~9", "<날짜>"),
        ("2/30", "<날짜>"),
        ("이천이십사년 삼월 오일", "<날짜>"),
        ("지난 3/5일 5차", "<날짜>"),
    ],
)
def test_a_date_moves_in_its_own_form_or_is_masked(value: str, wanted: str) -> None:
    assert replaced(f"검사일 {value}, 끝", ("DATE", value)) == f"검사일 {wanted}, 끝"


@given(
    st.dates(date(1950, 1, 1), date(2049, 12, 31)),
    st.integers(-365, 365).filter(bool),
    st.sampled_from(["%Y-%m-%d", "%Y.%m.%d", "%Y%m%d", "%y/%m/%d", "%Y년 %m월 %d일"]),
)
def test_shifting_is_what_the_tables_do(day: date, days: int, form: str) -> None:
    moved = day + timedelta(days)
    if 1950 <= moved.year <= 2049:
        assert shift(day.strftime(form), days, 2023) == moved.strftime(form)


def test_a_weekday_behind_a_date_moves_with_it_and_a_date_without_year_takes_the_texts() -> None:
    text = "2024-02-20 입원, 2/28(수) 퇴원"
    assert replaced(text, ("DATE", "2024-02-20"), ("DATE", "2/28"), days=1) == "2024-02-21 입원, 2/29(목) 퇴원"


@pytest.mark.parametrize("operator", ["korean_name", "korean_number"])
def test_a_short_key_is_refused(operator: str) -> None:
    with pytest.raises(InvalidParamError, match="16 bytes"):
        anonymizer().anonymize(
            "김철수", [RecognizerResult("NAME", 0, 3, 0.9)], {"NAME": OperatorConfig(operator, {"key": b"x"})}
        )


def test_latin_and_hanja_names_become_names_in_the_same_letters() -> None:
    assert re.fullmatch(r"[A-Z][a-z]+ [A-Z]\. [A-Z][a-z]+", name("Maria L. Santos"))
    assert name("KIM CHULSOO").isupper()
    assert re.fullmatch(r"[\u4e00-\u9fff]{3}", name("金哲洙"))
    assert name("Kim Chulsoo") != name("Kim Chulsoo", OTHER)
