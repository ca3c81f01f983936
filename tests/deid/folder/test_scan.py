"""The self-scan finds what was removed wherever it still is, and does not cry wolf."""

from __future__ import annotations

import random

import pytest

from deid.folder.needles import is_searchable
from deid.folder.scan import Hit, Scanner

NOISE = random.Random(7).randbytes(5000)


@pytest.mark.parametrize("encoding", ["utf-8", "cp949", "utf-16-le", "utf-16-be", "iso2022_kr"])
@pytest.mark.parametrize("shift", [0, 1])
def test_a_korean_name_is_found_in_every_encoding_at_every_offset(encoding: str, shift: int) -> None:
    data = NOISE[: 2000 + shift] + "홍길동".encode(encoding) + NOISE
    assert [hit.offset for hit in Scanner(["홍길동"]).find(data)] == [2000 + shift]


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("HONG^GILDONG", b"hong gildong"),
        ("HONG^GILDONG", b"Hong^Gildong"),
        ("P0012345", b"p0012345"),
        ("010-1234-5678", b"01012345678"),
        ("1.2.840.99.1", b"1.2.840.99.1"),
    ],
)
def test_spellings(value: str, written: bytes) -> None:
    assert list(Scanner([value]).find(b"\0\0" + written + b"\0")) == [Hit(2, "utf-8")]


def test_a_decomposed_name_is_found() -> None:
    import unicodedata

    assert list(Scanner(["홍길동"]).find(unicodedata.normalize("NFD", "홍길동").encode()))


def test_short_values_count_as_whole_words_and_never_inside_bulk() -> None:
    scanner = Scanner(["Park"])
    assert list(scanner.find(b"SPARKLING")) == []
    assert len(list(scanner.find(b"x Park^"))) == 1
    assert list(scanner.find(b"x Park^", ((0, 100),))) == []


@pytest.mark.parametrize(
    ("value", "expected"),
    [("1234", False), ("12345", True), ("김", False), ("김씨", True), ("Lee", False), ("Park", True), ("--", False)],
)
def test_what_is_too_short_to_mean_anything_is_not_searched(value: str, expected: bool) -> None:
    assert is_searchable(value) is expected


def test_many_values_in_noise_are_all_found_and_nothing_else() -> None:
    values = [f"PT{number:07d}" for number in range(500)]
    data = b"|".join([NOISE, *(value.encode() for value in values), NOISE])
    assert len(list(Scanner(values).find(data))) == 500
    assert list(Scanner([f"QT{number:07d}" for number in range(500)]).find(data)) == []


@pytest.mark.parametrize("data", [b"", b"a", b"abc"])
def test_tiny_files(data: bytes) -> None:
    assert list(Scanner(["abcdef"]).find(data)) == []
    assert list(Scanner([]).find(data)) == []
