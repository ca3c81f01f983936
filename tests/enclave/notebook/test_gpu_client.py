"""`ansim.gpu()`: where I stand, in words, in both languages, and what it asks of the portal."""

from __future__ import annotations

import pytest

from tests.enclave.notebook.test_client import Portal, importable, portal  # noqa: F401 - fixtures

TURN = {
    "state": "waiting",
    "here": False,
    "place": 2,
    "expected_at": "2026-11-28T05:00:00+00:00",
    "claim_by": None,
    "expires_at": None,
    "soon": False,
}
GRANTED = TURN | {
    "state": "granted",
    "place": None,
    "expected_at": None,
    "claim_by": "2026-11-28T05:30:00+00:00",
    "expires_at": "2026-11-28T07:00:00+00:00",
}


@pytest.mark.parametrize(
    ("turn", "korean", "english"),
    [
        (None, "신청한 GPU가 없습니다", "asked for no GPU"),
        (TURN, "대기 2번째, 예상 11-28 14:00", "number 2, expected 11-28 14:00"),
        (TURN | {"expected_at": None}, "쓸 수 있는 장치가 없음", "no device in service"),
        (GRANTED, "11-28 14:30까지 작업공간을 닫았다가", "open it again by 11-28 14:30"),
        (GRANTED | {"here": True}, "11-28 16:00까지 씁니다", "Yours until 11-28 16:00"),
        (GRANTED | {"here": True, "soon": True}, "지금 저장하세요", "Save your work now"),
        (TURN | {"state": "ending"}, "회수하고 있습니다", "being taken back"),
    ],
)
def test_it_says_where_i_stand_and_what_to_do(portal: Portal, turn, korean: str, english: str) -> None:  # noqa: F811
    import ansim

    portal.answer = {"profile": "whole", "turn": turn, "last": None}
    try:
        assert korean in repr(ansim.gpu())
        ansim.language("en")
        assert english in repr(ansim.gpu())
        assert english in ansim.gpu()._repr_html_()
    finally:
        ansim.language("ko")
    assert {path for _, path, _ in portal.asked} == {"/api/workspace/v1/gpu"}


def test_a_project_without_a_profile_says_so_and_the_last_turn_is_told(portal: Portal) -> None:  # noqa: F811
    import ansim

    portal.answer = {"profile": "none", "turn": None, "last": None}
    assert "배정되어 있지 않습니다" in repr(ansim.gpu())
    portal.answer = {"profile": "slice", "turn": None, "last": {"ko": "배정 시간이 끝남", "en": "the time was over"}}
    assert "배정 시간이 끝남" in repr(ansim.gpu())
