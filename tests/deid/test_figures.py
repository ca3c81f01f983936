"""Pictures of a run's risk: the same numbers in the drawing as in its table, nothing where nothing was measured."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from deid.figures import Figure, figures_of
from deid.report_words import LEARNED

RISK = json.loads((Path(__file__).parents[1] / "enclave/portal/risk.json").read_text(encoding="utf-8"))["visits"]
SVG = "{http://www.w3.org/2000/svg}"


def words_of(svg: str) -> list[str]:
    return [text.text or "" for text in ET.fromstring(svg).iter(f"{SVG}text")]


def figure(name: str, risk: dict[str, object] | None = None) -> Figure:
    return next(each for each in figures_of(risk or RISK) if each.name == name)


def test_every_part_of_the_risk_page_has_a_picture() -> None:
    assert [each.name for each in figures_of(RISK)] == [
        "kept", "sizes", "risks", "cost", "task", "utility", "texts-memo",
    ]  # fmt: skip


@pytest.mark.parametrize("made", figures_of(RISK), ids=lambda made: made.name)
def test_a_picture_is_well_formed_named_and_its_numbers_stand_in_a_table(made: Figure) -> None:
    for svg in made.svg:
        assert next(each.tag for each in ET.fromstring(svg)) == f"{SVG}title"
    assert made.svg[0] != made.svg[1]
    assert all(len(cells) == len(made.head) for _, cells in made.rows)


def test_the_drawn_risks_are_those_of_the_table_before_and_after() -> None:
    made, rows = figure("risks"), RISK
    drawn = words_of(made.svg[0])
    cells = dict(made.rows)
    for label in ("혼자뿐인 환자의 비율", "최대 위험 · 검사", "최대 위험 · 기자", "평균 위험 · 마케터"):
        told = next(each for words, each in cells.items() if words[0] == label)
        at = drawn.index(label)
        assert tuple(drawn[at + 1 : at + 4]) == told
    smallest = next(each for words, each in cells.items() if words[1] == "smallest class (patients)")
    assert smallest == tuple(str(rows[state]["smallest"]) for state in ("source", "generalised", "published"))


def test_what_was_not_measured_is_not_drawn() -> None:
    bare = RISK | {"published": None, "source": None, "generalised": None, "privacy": None, "texts": []}
    assert [each.name for each in figures_of(bare)] == ["kept", "utility"]


def test_a_column_with_an_evil_name_stays_text() -> None:
    evil = RISK | {"utility": [RISK["utility"][0] | {"column": "<script>x</script>"}]}
    made = figure("utility", evil)
    assert "<script" not in made.svg[0]
    assert "<script>x</script>" in words_of(made.svg[0])


def test_every_figure_that_a_run_learns_has_a_word() -> None:
    assert {key for facts in RISK["learned"].values() for key in facts} <= set(LEARNED)
