"""The structural check agrees with a strict reading of RFC 4180, wherever the chunks are cut."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deid.readers.csv_check import Broken, Checker


def check(data: bytes, fields: int, *, size: int = 7, limit: int = 1 << 20) -> tuple[Broken | None, int]:
    checker = Checker(fields, limit)
    for start in range(0, len(data), size):
        broken = checker.feed(data[start : start + size])
        if broken:
            return broken, checker.records
    return checker.end(), checker.records


FIELDS = st.lists(st.lists(st.text('ab",\n\r가 ', max_size=5), min_size=3, max_size=3), min_size=1, max_size=6)


@given(FIELDS, st.integers(1, 40), st.sampled_from(["\n", "\r\n"]))
def test_whatever_a_csv_writer_writes_is_well_formed(rows: list[list[str]], size: int, end: str) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator=end).writerows(rows)
    assert check(text.getvalue().encode(), 3, size=size) == (None, len(rows))


@given(st.text('a",\n', min_size=1, max_size=30), st.integers(1, 30))
def test_the_verdict_does_not_depend_on_where_the_chunks_are_cut(text: str, size: int) -> None:
    # The first fault found may differ when a chunk has several; whether there is one may not.
    whole, records = check(text.encode(), 2, size=1000)
    cut, cut_records = check(text.encode(), 2, size=size)
    assert (whole is None) == (cut is None)
    if whole is None:
        assert records == cut_records
        parsed = list(csv.reader(io.StringIO(text, newline=""), strict=True))
        assert all(len(row) == 2 for row in parsed)
        assert len(parsed) == records


@pytest.mark.parametrize(
    ("data", "code", "line"),
    [
        (b"a,b\n1,2\n1\n", "fields", 3),
        (b"a,b\n1,2\n1,2,3\n", "fields", 3),
        (b"a,b\n1,2\n\n1,2\n", "fields", 3),
        (b"a,b\n1,2\n1", "fields", 3),
        (b'a,b\n1,"2\n3,4\n', "quote", 2),
        (b'a,b\n1,x"2"\n', "quote", 2),
        (b'a,b\n"1"x,2\n', "quote", 2),
        (b"a,b\n1,2\n1,\x002\n", "nul", 3),
        (b"a,b\n1,2\n\xef\xbb\xbfa,b\n3,4\n", "mark", 3),
    ],
)
@pytest.mark.parametrize("size", [1, 3, 100])
def test_each_fault_has_its_line(data: bytes, code: str, line: int, size: int) -> None:
    broken, _ = check(data, 2, size=size)
    assert broken is not None
    assert (broken.code, broken.line) == (code, line)


def test_a_line_over_the_limit_is_refused_and_one_at_the_limit_is_not() -> None:
    line = b"x" * 98 + b",y"
    assert check(line + b"\n" + line + b"\n", 2, size=50, limit=100) == (None, 2)
    broken, _ = check(b"a,b\n" + line + b"z\n", 2, size=50, limit=100)
    assert broken == Broken("line", 2, 4)


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_another_separator_makes_the_comma_a_letter(separator: str) -> None:
    checker = Checker(2, 1 << 20, separator)
    assert checker.feed(f'a{separator}b\n"1{separator}"{separator}2,3\n'.encode()) is None
    assert (checker.end(), checker.records) == (None, 2)


def test_an_open_quote_does_not_swallow_the_file() -> None:
    data = b'a,b\n1,"2\n' + b"3,4\n" * 1000
    broken, _ = check(data, 2, size=50, limit=200)
    assert broken == Broken("quote", 2, 4)
