"""The normaliser undoes disguises and keeps the way back to the unmodified text."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deid.detect.normalise import normalise, views

TEXTS = st.text(alphabet=st.characters(codec="utf-8"), max_size=60) | st.text(
    "가각김철수0123456789- \n\u200b  \ufeff０１－—ᄀ", max_size=60
)


@pytest.mark.parametrize(
    ("given_text", "normal"),
    [
        ("０１０－１２３４", "010-1234"),
        ("010—1234–5", "010-1234-5"),
        ("880101\u00a0-\u00a01", "880101 - 1"),
        ("88\u200b01\ufeff01", "880101"),
        (unicodedata.normalize("NFD", "김철수님"), "김철수님"),
        ("\u0661\u0662", "12"),
        ("1。2：3", "1.2:3"),
        ("８\x00８", "88"),
        ("김\u00ad철수", "김철수"),
        ("ＫＩＭ　Ａ", "KIM A"),
        ("a\tb\r\nc", "a b\nc"),
        ("", ""),
    ],
)
def test_a_disguise_is_undone(given_text: str, normal: str) -> None:
    assert normalise(given_text).text == normal


@given(TEXTS)
def test_offsets_of_every_view_are_ordered_and_inside_the_text(text: str) -> None:
    for view in views(text):
        assert len(view.text) == len(view.starts) == len(view.ends)
        assert all(0 <= start < end <= len(text) for start, end in zip(view.starts, view.ends, strict=True))
        assert list(view.starts) == sorted(view.starts)
        assert list(view.ends) == sorted(view.ends)


@given(TEXTS)
def test_each_character_stands_for_original_characters_with_the_same_normal_form(text: str) -> None:
    for view in views(text):
        for place, character in enumerate(view.text):
            start, end = view.original(place, place + 1)
            assert character in normalise(text[start:end]).text


@given(TEXTS)
def test_normalising_twice_changes_nothing(text: str) -> None:
    once = normalise(text).text
    assert normalise(once).text == once


def test_a_break_inside_a_number_is_joined_in_one_of_the_views() -> None:
    found = [view for view in views("전화 010-1234\n-5678 끝") if "010-1234-5678" in view.text]
    place = found[0].text.index("010-1234-5678")
    assert found[0].original(place, place + 13) == (3, 17)


def test_a_hard_wrapped_name_is_joined_in_one_of_the_views() -> None:
    text = "오늘 담당 교수님께 설명을 들은 뒤 보호자 김\n철수 님이 동의서를 쓰고 입원 수속을 하였음\n끝"
    assert any("보호자 김철수 님" in view.text for view in views(text))


def test_lines_of_different_length_are_left_alone() -> None:
    assert len(views("첫 줄\n둘째 줄은 더 길다\n셋")) == 1
