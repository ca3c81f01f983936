"""The page of figures, in the language that was asked for."""

from __future__ import annotations

import json
import re

import pytest

from tests.enclave.portal.world import RISK, ROOT, World

MAIN = re.compile(r"<main.*?</main>", re.DOTALL)
SAID = {
    "ko": ("위험과 유용성, 처리 전과 후", "표로 보기", "항목별 처리와 이유", "남은 행과 환자", "혼자뿐인 환자의 비율"),
    "en": (
        "Risk and usefulness, before and after", "As a table", "Treatment of each column, and why",
        "Rows and patients that stayed", "patients alone in class",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("language", "other"), [("ko", "en"), ("en", "ko")])
def test_the_figures_are_told_in_the_language_asked_for(world: World, language: str, other: str) -> None:
    page = world.browser("suyeon").get(f"{ROOT}/snapshots/{world.snapshot_id}/figures", params={"lang": language})
    (main,) = MAIN.findall(page.text)
    assert [words for words in SAID[language] if words not in main] == []
    assert [words for words in SAID[other] if words in main] == []


def test_in_english_nothing_of_the_page_itself_is_korean(world: World) -> None:
    page = world.browser("suyeon").get(f"{ROOT}/snapshots/{world.snapshot_id}/figures", params={"lang": "en"})
    (main,) = MAIN.findall(page.text)
    # What the recipe calls its columns and values may be Korean; it stands in the figures of the run.
    of_the_run = set(re.findall(r"[가-힣]+", json.dumps(json.loads(RISK.read_text()), ensure_ascii=False)))
    assert set(re.findall(r"[가-힣]+", main)) - of_the_run == set()
