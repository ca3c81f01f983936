"""Words: what is typed finds exactly the texts that hold it, and the words of a block never rule such a text out."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.errors import EntryError
from audit.wording import MAX_TERMS, Term, stored_words, terms, words_of

LETTERS = "확인가나 aB9_/-.漢のÉ\n"


def found(text: str, typed: str) -> bool:
    stored = stored_words(text)
    return all(term.stored in stored for term in terms(typed))


def could_be_in(term: Term, words: set[str]) -> bool:
    begins = term.begins
    return term.words <= words and (begins is None or any(word.startswith(begins) for word in words))


@pytest.mark.parametrize(
    ("text", "typed", "is_found"),
    [
        ("최소빈도 10 충족", "빈도", True),
        ("최소빈도 10 충족", "도", True),
        ("최소빈도 10 충족", "최소 충족", True),
        ("최소빈도 10 충족", "충족빈도", False),
        ("egress.two-person", "two-person", True),
        ("egress.two-person", "EGRESS.two", True),
        ("egress.two-person", "person.two", False),
        ("egress.two-person", "gress", False),
        ("Table1.CSV", "table1", True),
        ("표2.csv", "2.csv", True),
        ("보고서v3최종", "v3", True),
        ("보고서v3최종", "최종", True),
        ("a_b", "b", False),
        ("100% 확인", "100%", True),
        ("1000 확인", "100%", False),
        ("한글", "\u1112\u1161\u11ab\u1100\u1173\u11af", True),
        ("ab" * 40, "ab" * 20, True),
        ("ab" * 40, "ab" * 39 + "x", False),
        ("가" * 40, "가" * 30, True),
    ],
)
def test_a_text_is_found_by_what_it_holds(text: str, typed: str, is_found: bool) -> None:
    try:
        assert found(text, typed) is is_found
    except EntryError:
        assert not is_found


@given(st.text(LETTERS, max_size=60), st.text(LETTERS, min_size=1, max_size=12))
def test_a_block_with_the_text_is_never_ruled_out(text: str, typed: str) -> None:
    try:
        asked = terms(typed)
    except EntryError:
        return
    stored = stored_words(text)
    for term in asked:
        if term.stored in stored:
            assert could_be_in(term, words_of(stored))


@given(st.text(LETTERS, max_size=60), st.integers(0, 59), st.integers(1, 12))
def test_any_piece_that_begins_a_word_finds_its_text(text: str, start: int, length: int) -> None:
    at = [match.start() for match in re.finditer(r"(?<![A-Za-z0-9É])[A-Za-z0-9É]{2}|[확인가나漢の]", text)]
    if at:
        piece = text[at[start % len(at)] :].split(maxsplit=1)[0][: length + 1]
        assert found(text, piece)


@pytest.mark.parametrize("typed", ["%", "_", "a", "' -- '", "x " * (MAX_TERMS + 1), "\u202e"])
def test_what_cannot_be_searched_is_refused_in_words(typed: str) -> None:
    with pytest.raises(EntryError) as refused:
        terms(typed)
    assert refused.value.code == "audit.search-text"


def test_punctuation_beside_a_word_is_looked_for_with_it() -> None:
    assert found("a 10 -- b", "10 --")
    assert not found("a 10 b", "10 --")
