"""Known values in texts: any spelling and spacing, parts of them, and what only looks like them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deid.detect.known.kinds import KINDS, kind_of
from deid.detect.known.needles import needles
from deid.detect.known.profile import RecordNumbers, is_template
from deid.detect.known.search import Many, of_person
from deid.detect.known.squeezed import squeeze
from deid.detect.known.touched import Heads

PERSON = (
    ("name", "김철수"),
    ("rrn", "900101-1234568"),
    ("phone", "010-1234-5678"),
    ("address", "경기도 수원시 영통구 매영로 305, 105동 302호"),
    ("record", "0561341"),
    ("relative", "박 영희"),
    ("email", "chul.soo@mail.example"),
)


def seen(text: str, *values: tuple[str, str]) -> set[str]:
    return {text[found.start : found.end] for found in of_person(squeeze(text), values or PERSON)}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("환자 김 철 수 님", "김 철 수"),
        ("김\u200b철수님 내원", "김\u200b철수"),
        ("환자김철수님이", "김철수"),
        ("\u1100\u1175\u11b7\u110e\u1165\u11af\u1109\u116e 내원", "\u1100\u1175\u11b7\u110e\u1165\u11af\u1109\u116e"),
        ("철수가 아프다고 함", "철수"),
        ("철수야 하고 부름", "철수"),
        ("김 환자는 안정", "김"),
        ("김씨에게 설명", "김"),
        ("보호자 영희씨", "영희"),
        ("010) 1234 - 5678", "010) 1234 - 5678"),
        ("+82 10-1234-5678", "82 10-1234-5678"),
        ("1234-5678로 통화", "1234-5678"),
        ("０１０－１２３４－５６７８", "０１０－１２３４－５６７８"),
        ("공일공 일이삼사 오육칠팔", "공일공 일이삼사 오육칠팔"),
        ("010-1234-\n5678", "010-1234-\n5678"),
        ("휴대폰 뒷자리 5678", "5678"),
        ("5678번으로 연락", "5678"),
        ("뒤 1234568", "1234568"),
        ("900101 1234568", "900101 1234568"),
        ("1990년 1월 1일생", "1990년 1월 1일"),
        ("90.01.01 출생", "90.01.01"),
        ("매영로305 거주", "매영로305"),
        ("105동 302호", "105동 302호"),
        ("105-302 로 배송", "105-302"),
        ("No.0561341", "0561341"),
        ("챠트 561341", "561341"),
        ("CHUL.SOO@mail.example", "CHUL.SOO@mail.example"),
    ],
)
def test_a_value_is_found_however_it_is_written(text: str, wanted: str) -> None:
    assert wanted in seen(text)


@pytest.mark.parametrize(
    "text",
    [
        "철수하였다",
        "김치와 김",
        "오심으로 철수",
        "수혈 5678 mL",
        "체중 105.302",
        "305 mg 투여",
        "10561341",
        "12345680",
        "5678",
        "김. 철. 수. 로 시작",
        "매영로스",
        "90 101 회",
        "영희망 요양원",
        "전화함. 수축기 5678",
    ],
)
def test_what_only_looks_like_a_value_stays(text: str) -> None:
    assert seen(text) <= {"철수"} if text == "오심으로 철수" else not seen(text)


def test_many_people_at_once_give_what_each_gives_alone() -> None:
    text = squeeze("김철수 환자 보호자 박영희(010-1234-5678), 주치의 최민, 최 교수 회진. 면허 12345")
    everyone = [*PERSON, ("name", "최민"), ("licence", "12345"), ("name", "남궁 현")]
    assert set(Many(everyone).find(text)) == set(of_person(text, everyone))


@given(st.sampled_from(PERSON), st.data())
def test_nobody_who_could_be_in_a_text_is_left_out(value: tuple[str, str], data: st.DataObject) -> None:
    form = data.draw(st.sampled_from(needles(*value))).core
    text = (
        data.draw(st.sampled_from(["", "가 ", "환자 "]))
        + " ".join(form)
        + data.draw(st.sampled_from(["", " 님", " 1"]))
    )
    assert Heads([text]).touch([value])


def test_people_who_cannot_be_in_the_texts_are_not_touched() -> None:
    heads = Heads(["정기 진료, 약 처방함", "특이 소견 없음"])
    assert not heads.touch([("name", "김철수"), ("phone", "010-1234-5678"), ("record", "0561341")])


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (("hospital_no", "병원 번호"), "record"),
        (("name", "이름"), "name"),
        (("rrn", "주민등록번호"), "rrn"),
        (("phone", "전화번호"), "phone"),
        (("address", "주소"), "address"),
        (("g_name", "보호자 성명"), "relative"),
        (("g_tel", "보호자 전화"), "phone"),
        (("birth_date", "생년월일"), "birth_date"),
        (("x", "메모"), "other"),
    ],
)
def test_the_kind_of_a_column_is_told_by_its_words(words: tuple[str, ...], kind: str) -> None:
    assert kind_of(*words) == kind
    assert kind in KINDS


def test_a_providers_record_numbers_are_found_by_template_only() -> None:
    numbers = RecordNumbers(["BG-#######", "S@##-####"])
    text = "BG 1234567, bg-7654321, SB24-0012, BG-123456, XBG-1234567, S24-0012"
    assert [text[f.start : f.end] for f in numbers.find(squeeze(text))] == ["BG 1234567", "bg-7654321", "SB24-0012"]
    assert [is_template(one) for one in ("####", "AB###", "번호####", "#" * 41)] == [True, False, False, False]
