"""What `scan` promises: order, no overlaps, offsets into the text as given; Presidio's engine underneath."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from deid.detect.analyzer import analyzer
from deid.detect.found import Found
from deid.detect.operators.placeholder import PLACEHOLDERS
from deid.detect.scan import scan, settle

SPANS = st.lists(
    st.builds(
        lambda start, size, kind, score: Found(start, start + size, kind, score),
        st.integers(0, 30),
        st.integers(1, 9),
        st.sampled_from(["NAME", "RRN", "DATE"]),
        st.sampled_from([0.4, 0.7, 0.9]),
    ),
    max_size=8,
)
WORDS = st.lists(
    st.sampled_from(
        [
            "김철수님",
            "010-1234-5678",
            "900101-1234568",
            "광주 북구 설죽로 20",
            "2024.1.5",
            "이상 없음",
            "\n",
            ",",
            "(",
            "환자",
            "a@b.kr",
            "12가 3456",
        ]
    ),
    max_size=12,
)


@settings(deadline=None, max_examples=60)
@given(WORDS.map(" ".join) | st.text(max_size=40))
def test_found_spans_are_ordered_disjoint_and_inside_the_text(text: str) -> None:
    spans = scan(text)
    assert all(0 <= span.start < span.end <= len(text) for span in spans)
    assert all(first.end <= second.start for first, second in pairwise(spans))
    assert {span.type for span in spans} <= PLACEHOLDERS.keys()


@given(SPANS)
def test_settling_overlaps_neither_loses_nor_adds_a_character(spans: list[Found]) -> None:
    settled = settle(spans)
    assert {i for s in settled for i in range(s.start, s.end)} == {i for s in spans for i in range(s.start, s.end)}
    assert all(first.end <= second.start for first, second in pairwise(settled))


def test_the_surest_type_wins_an_overlap() -> None:
    assert settle([Found(0, 4, "NAME", 0.5), Found(2, 8, "RRN", 0.9)]) == [Found(0, 8, "RRN", 0.9)]


def test_an_empty_text_has_nothing_in_it() -> None:
    assert scan("") == []


def test_the_analyzer_is_presidios_for_korean_and_reports_offsets_of_the_unmodified_text() -> None:
    text = "전화 ０１０－１２３４－５６７８"
    results = analyzer().analyze(text=text, language="ko", entities=["PHONE"])
    assert [(result.entity_type, result.start, result.end) for result in results] == [("PHONE", 3, 16)]
    assert set(analyzer().get_supported_entities("ko")) == PLACEHOLDERS.keys() - {"DEPARTMENT", "WARD"}
