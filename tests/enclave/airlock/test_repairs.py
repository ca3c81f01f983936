"""One-step repairs: what comes out passes the check it was made for, loses no more than it must, and keeps the rest."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from enclave.airlock.checker import check
from enclave.airlock.errors import RepairFailed
from enclave.airlock.hidden.choose import choose
from enclave.airlock.hidden.exposed import Need, exposed
from enclave.airlock.hidden.system import Cell, Equation, Range, System
from enclave.airlock.repairing import repair
from enclave.airlock.repairs.refused import RepairRefused
from enclave.airlock.repairs.registry import make
from enclave.airlock.report import Verdict
from enclave.airlock.rules import CheckRules
from enclave.airlock.sealing.pool import SealedPool
from enclave.airlock.worker import inspect

RULES = CheckRules()
COUNTING = {"cell.small", "cell.recoverable", "cell.unproven", "cell.share"}


def mended(text: str, how: str, name: str = "t.csv") -> list[list[str]]:
    _, content = make(text.encode(), name, how, RULES)
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig")), delimiter="\t" if name.endswith("tsv") else ","))


def rules_of(content: bytes, name: str = "t.csv") -> set[str]:
    return {finding.rule for finding in inspect(content, name, RULES).findings}


@st.composite
def cross_tables(draw: st.DrawFn) -> str:
    height, width = draw(st.integers(2, 6)), draw(st.integers(2, 5))
    counts = st.one_of(st.integers(0, 9), st.integers(10, 60), st.integers(60, 2000))
    body = [[draw(counts) for _ in range(width)] for _ in range(height)]
    across, down = draw(st.booleans()), draw(st.booleans())
    head = ["region", *(f"group {number + 1}" for number in range(width)), *(["total"] if across else [])]
    lines = [[f"r{row}", *line, *([sum(line)] if across else [])] for row, line in enumerate(body)]
    if down:
        lines.append(["total", *(sum(line[column] for line in lines) for column in range(1, len(lines[0])))])
    return "".join(",".join(map(str, line)) + "\n" for line in [head, *lines])


@pytest.mark.parametrize("how", ["suppress", "round", "regroup"])
@given(table=cross_tables())
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
def test_what_comes_out_passes_the_check_it_was_made_for(how: str, table: str) -> None:
    try:
        ending, content = make(table.encode(), "t.csv", how, RULES)
    except RepairRefused:
        return  # said so, and made nothing
    assert ending == ".csv"
    assert rules_of(content) & COUNTING == set()


@given(table=cross_tables())
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
def test_suppression_changes_no_cell_but_to_a_star_and_hides_every_small_count(table: str) -> None:
    try:
        after = mended(table, "suppress")
    except RepairRefused:
        return
    for before, now in zip(csv.reader(io.StringIO(table)), after, strict=True):
        for old, new in zip(before, now, strict=True):
            assert new in {old, "*"}
            assert new == "*" or not (old.isdigit() and 0 < int(old) < RULES.min_cell)


@given(table=cross_tables())
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
def test_regrouping_loses_nobody(table: str) -> None:
    try:
        after = mended(table, "regroup")
    except RepairRefused:
        return
    before = list(csv.reader(io.StringIO(table)))
    for column in range(1, len(before[0])):
        sums = [sum(int(row[column]) for row in rows[1:] if row[0] != "total") for rows in (before, after)]
        assert sums[0] == sums[1]


@st.composite
def small_systems(draw: st.DrawFn) -> tuple[System, dict[Cell, int], frozenset[Cell]]:
    height, width = draw(st.integers(2, 3)), draw(st.integers(2, 3))
    values = {Cell(0, r, c): draw(st.integers(1, 40)) for r in range(height) for c in range(width)}
    equations = []
    for row in range(height):
        parts = tuple(Cell(0, row, column) for column in range(width))
        values[Cell(0, row, width)] = sum(values[cell] for cell in parts)
        equations.append(Equation((Cell(0, row, width),), parts))
    for column in range(width):
        parts = tuple(Cell(0, row, column) for row in range(height))
        values[Cell(0, height, column)] = sum(values[cell] for cell in parts)
        equations.append(Equation((Cell(0, height, column),), parts))
    small = frozenset(cell for cell, value in values.items() if value < 10)
    system = System({cell: Range(value, value) for cell, value in values.items()}, frozenset(), tuple(equations))
    return system, {cell: value for cell, value in values.items() if cell not in small}, small


@given(small_systems())
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
def test_no_smaller_choice_of_cells_protects(drawn: tuple[System, dict[Cell, int], frozenset[Cell]]) -> None:
    system, shown, small = drawn
    need = Need.of(10)
    chosen = choose(system, shown, small, need) - small
    inner = [cell for cell in shown if all(cell not in equation.left for equation in system.equations)]
    if not small or any(cell not in inner for cell in chosen):
        return  # a total had to go: cells and totals cost differently
    for size in range(len(chosen)):
        for fewer in itertools.combinations(inner, size):
            assert exposed(system.hiding(small | set(fewer)), need).exposed


def test_a_table_without_totals_loses_the_small_count_alone() -> None:
    assert mended("region,n\nA,120\nB,4\nC,41\n", "suppress") == [
        ["region", "n"],
        ["A", "120"],
        ["B", "*"],
        ["C", "41"],
    ]


def test_under_a_total_the_smallest_other_cell_goes_too() -> None:
    after = mended("region,n\nA,120\nB,4\nC,41\nD,77\ntotal,242\n", "suppress")
    assert [row[1] for row in after] == ["n", "120", "*", "*", "77", "242"]


def test_the_percentage_of_a_hidden_count_goes_with_it() -> None:
    after = mended("group,n,pct\nA,121,60.5\nB,75,37.5\nC,4,2.0\ntotal,200,100\n", "suppress")
    assert after[3] == ["C", "*", "*"]
    assert rules_of("\n".join(map(",".join, after)).encode()) & COUNTING == set()


def test_rounding_keeps_the_form_and_hides_what_it_cannot_round() -> None:
    after = mended(
        "지역,환자수,평균나이\n서울,1203,51.2\n부산,88,49.1\n대구,3,60.0\n울산,12,55.5\n광주,31,50.0\n제주,46,1.0\n",
        "round",
    )
    assert [row[1] for row in after] == ["환자수", "1205", "90", "<10", "10", "30", "45"]
    assert [row[2] for row in after[1:3]] == ["51.2", "49.1"]


def test_bands_merge_with_their_smaller_neighbour_and_keep_their_names() -> None:
    after = mended("연령대,환자수\n50-59세,120\n60-69세,44\n70-79세,31\n80-89세,4\n계,199\n", "regroup")
    assert [row[0] for row in after] == ["연령대", "50-59세", "60-69세", "70-89세", "계"]
    assert [row[1] for row in after] == ["환자수", "120", "44", "35", "199"]


def test_categories_merge_into_others() -> None:
    after = mended("지역,환자수\n서울,120\n부산,4\n대구,44\n울산,7\n합계,175\n", "regroup")
    assert after[1:] == [["서울", "120"], ["대구", "44"], ["기타", "11"], ["합계", "175"]]


def test_tabs_stay_tabs() -> None:
    assert make(b"region\tn\nA\t120\nB\t4\n", "t.tsv", "suppress", RULES) == (".tsv", b"region\tn\nA\t120\nB\t*\n")


REFUSED = {
    "an unknown repair": ("region,n\nA,120\n", "t.csv", "wish", "repair.unknown"),
    "no table": ("a sentence\n", "t.txt", "suppress", "repair.one-table"),
    "two tables": ('{"a": [{"n": 120}, {"n": 4}], "b": [{"n": 12}]}', "t.json", "suppress", "repair.one-table"),
    "nothing left to merge": ("region,n\nA,120\nB,4\n", "t.csv", "regroup", "repair.too-few-groups"),
    "no categories": ("region,sex,n\nA,F,120\nB,M,4\n", "t.csv", "regroup", "repair.no-groups"),
    "no file of this kind": ('{"n": ', "t.json", "suppress", "parse.json"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "name", "how", "code"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_repaired_is_refused_with_a_reason(content: str, name: str, how: str, code: str) -> None:
    with pytest.raises(RepairRefused) as caught:
        make(content.encode(), name, how, RULES)
    assert caught.value.rule == code


def test_each_finding_offers_the_repairs_that_fit_its_file() -> None:
    (finding,) = inspect(b"region,n\nA,120\nB,4\n", "t.csv", RULES).findings
    assert finding.repairs == ("suppress", "regroup", "round")
    (finding,) = inspect(b"region  n\nA  120\nB  44\nC  4\n", "t.txt", RULES).findings
    assert finding.repairs == ()


@pytest.fixture(scope="module")
def pool() -> Iterator[SealedPool]:
    pool = SealedPool()
    yield pool
    pool.close()


def test_the_door_repairs_in_a_sealed_child_and_checks_the_result_in_another(pool: SealedPool, tmp_path: Path) -> None:
    path = tmp_path / "stored"
    path.write_text("region,n\nA,121\nB,4\nC,41\ntotal,166\n")
    assert check(path, "표.csv", RULES, pool=pool).verdict is Verdict.BLOCK
    made = repair(path, "표.csv", "suppress", RULES, pool=pool)
    assert (made.name, made.report.verdict) == ("표.repaired.csv", Verdict.PASS)
    assert made.content == b"region,n\nA,121\nB,*\nC,*\ntotal,166\n"
    assert path.read_text().startswith("region,n\nA,121\nB,4")


def test_the_door_says_why_there_is_no_repair(pool: SealedPool, tmp_path: Path) -> None:
    path = tmp_path / "stored"
    path.write_text("region,n\nA,121\nB,4\n")
    with pytest.raises(RepairFailed) as caught:
        repair(path, "t.csv", "regroup", RULES, pool=pool)
    assert caught.value.code == "repair.too-few-groups"


LIES = {
    "an ending of its own": '{"ending": ".exe", "content": ""}',
    "no base64": '{"ending": ".csv", "content": "***"}',
    "nothing": "{}",
    "no object": "[]",
    "a refusal of numbers": '{"refused": {"rule": 1, "ko": 2, "en": 3}}',
}


@pytest.mark.parametrize("answer", LIES.values(), ids=LIES.keys())
def test_a_child_that_answers_anything_else_has_made_nothing(answer: str, tmp_path: Path) -> None:
    liar = SealedPool("lying_worker", folder=Path(__file__).parent)
    path = tmp_path / "stored"
    path.write_text("x")
    try:
        with pytest.raises(RepairFailed):
            repair(path, answer, "suppress", RULES, pool=liar)
    finally:
        liar.close()
