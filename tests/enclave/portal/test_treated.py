"""Every treatment is told in words on the pages, with its details, and named as the guideline names it."""

from __future__ import annotations

from pathlib import Path

import pytest

from deid.recipe_yaml import read
from deid.treatments.parse import PARSERS, parse_treatment
from deid.treatments.terms import terms
from enclave.portal.render import _treated
from enclave.portal.words import Language

RECIPES = {
    "{treatment: drop}": ("삭제", "항목 삭제"),
    "{treatment: keep}": ("그대로", "원본 유지"),
    "{treatment: keep, rare: {min_patients: 5, other: x}}": ("그대로 드문 값 5 명 미만은 x", "원본 유지 · 로컬 삭제"),
    "{treatment: suppress_rare}": ("그대로 드문 값 k 명 미만은 비움", "원본 유지 · 로컬 삭제"),
    "{treatment: pseudonym, domain: d}": ("가명번호로 바꿈", "일방향 암호화"),
    "{treatment: surrogate, kind: rrn, domain: d}": ("같은 형태의 대체값 (rrn, d)", "형태보존 암호화(양방향)"),
    "{treatment: date_shift, max_days: 9}": ("날짜 이동 (±9일)", "날짜 이동"),
    "{treatment: generalise, hierarchy: kcd8, level: 2, rare: {}}": (
        "범주화 (kcd8, 단계 2/4, 드문 값 k 명 미만은 비움)", "일반화(범주화) · 로컬 삭제",
    ),
    "{treatment: top_code, percentile: 99}": ("상한 백분위 99 (환자 기준)", "상단 코딩"),
    "{treatment: bottom_code, at: 3}": ("하한 3", "하단 코딩"),
    "{treatment: round, to: 5}": ("5 단위로 반올림", "일반 라운딩"),
    "{treatment: noise, within: 3}": ("잡음 추가 (고른 분포, 폭 3)", "잡음 추가"),
    "{treatment: micro_aggregate}": ("미세집계 (집단 k 명 이상)", "부분총계(미세집계)"),
    "{treatment: free_text}": ("글 속 식별정보 가림", "문자열 마스킹"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "told"), RECIPES.items())
def test_a_treatment_is_told_in_korean(text: str, told: tuple[str, str]) -> None:
    node = read(Path("t.yaml"), text.encode())
    words = parse_treatment(node, {name: value for name, (_, value) in node.pairs().items()}, node.pairs()).told()
    assert (_treated({"language": Language.KO}, words), terms(words)[0]) == told
    assert "{" not in _treated({"language": Language.EN}, words)


def test_no_treatment_is_forgotten() -> None:
    assert [word for word in PARSERS if not any(f"treatment: {word}" in text for text in RECIPES)] == []
