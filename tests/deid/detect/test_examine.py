"""What is masked with its doubts is what `scan` reports, and each doubt has its cause."""

from __future__ import annotations

import pytest

from deid.detect.examine import examine
from deid.detect.normalise import views
from deid.detect.reading import finds, sightings
from deid.detect.scan import scan
from deid.texts import DOUBTS

TEXTS = [
    "환자 김철수님(900101-1234568) 보호자 이영희 010-1234-5678, 2024-01-05 통화",
    "등록번호 : 0561341\t성명 : 김태희\t여/30\n담당의 : 백연우",
    "연락처 010-12\n34-5678 로 부탁드립니다",
    "특이 소견 없음",
    "",
]


@pytest.mark.parametrize("text", TEXTS)
def test_what_is_masked_is_what_scan_reports(text: str) -> None:
    seen = examine(text)
    assert [one.span for one in seen if one.doubt != "below-threshold"] == scan(text)
    assert {one.doubt for one in seen} <= {"", *DOUBTS}


def test_a_number_that_only_joined_lines_show_is_seen_in_one_view() -> None:
    doubts = {one.span.type: one.doubt for one in examine("연락처 02-123\n-4567 로 부탁드립니다")}
    assert doubts["PHONE"] == "single-view"


def test_a_strong_rule_needs_no_second_and_a_weak_find_stays_below() -> None:
    assert [one.doubt for one in examine("주민번호 900101-1234568")] == [""]
    assert all(one.span.score < 0.4 for one in examine("통화 4123-4567") if one.doubt == "below-threshold")


def test_each_find_is_counted_against_every_reading_that_holds_its_place() -> None:
    text = "\n".join([*TEXTS[:3], "성 명 : 김 보 람", "계좌 110-2\n34-567890"] * 3)
    readings = [view for view in views(text) if len(view.starts)]
    found = sightings(text)
    assert len({one.readings for one in found}) > 1
    for one in found:
        start, end = one.found.start, one.found.end
        assert one.readings == sum(view.starts[0] <= start and end <= view.ends[-1] for view in readings)
    assert [one.found for one in found] == finds(text)
