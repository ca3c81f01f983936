"""Seven ways to hide a number from a scanner; each must still be found, whole, in the unmodified text."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deid.detect.normalise import normalise
from deid.detect.scan import scan

WIDE = str.maketrans("0123456789-", "０１２３４５６７８９－")
SPOKEN = str.maketrans("0123456789", "공일이삼사오육칠팔구")
EVASIONS = {
    "full-width": lambda number: number.translate(WIDE),
    "zero-width": "\u200b".join,
    "split by a line break": lambda number: number[:-4] + "\n" + number[-4:],
    "split over cells": lambda number: number.replace("-", ","),
    "CP949 bytes read as Latin-1": lambda number: f"번호 {number} 끝".encode("cp949").decode("latin-1"),
    "UTF-16 bytes read as Latin-1": lambda number: f" {number} ".encode("utf-16-le").decode("latin-1"),
    "Hangul digits": lambda number: number.translate(SPOKEN),
}
NUMBERS = {"RRN": "900101-1234568", "PHONE": "010-2345-6789"}
FILLERS = st.lists(st.sampled_from(["", "\u200b", "\ufeff", "\u00ad", "\u2060"]), min_size=14, max_size=14)
SURROUNDINGS = st.text("가나다라마 환자께서는.\n", max_size=12)


@pytest.mark.parametrize("kind", NUMBERS)
@pytest.mark.parametrize("evasion", EVASIONS)
def test_a_hidden_number_is_found_whole(kind: str, evasion: str) -> None:
    hidden = EVASIONS[evasion](NUMBERS[kind])
    found = [hidden[span.start : span.end] for span in scan(hidden) if span.type == kind]
    plain = [normalise(value).text.translate(str.maketrans("공일이삼사오육칠팔구", "0123456789")) for value in found]
    assert ["".join(filter(str.isdecimal, value)) for value in plain] == [NUMBERS[kind].replace("-", "")]


@settings(max_examples=150, deadline=None)
@given(
    before=SURROUNDINGS, after=SURROUNDINGS, fillers=FILLERS, kind=st.sampled_from(sorted(NUMBERS)), wide=st.booleans()
)
def test_a_number_in_any_text_is_found_and_its_span_has_the_same_normal_form(
    before: str, after: str, fillers: list[str], kind: str, wide: bool
) -> None:
    number = NUMBERS[kind].translate(WIDE) if wide else NUMBERS[kind]
    hidden = "".join(character + filler for character, filler in zip(number, fillers, strict=False))
    text = f"{before} {hidden} {after}"
    covered = [normalise(text[span.start : span.end]).text for span in scan(text) if span.type == kind]
    assert NUMBERS[kind] in [value.strip() for value in covered]


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKD"])
def test_a_name_is_found_in_every_normal_form(form: str) -> None:
    text = unicodedata.normalize(form, "보호자 김서연님 면담")  # type: ignore[arg-type]
    assert [unicodedata.normalize("NFC", text[span.start : span.end]) for span in scan(text)] == ["김서연"]
