"""Hidden cells: what a reader can work out, found by the solver; what stays hidden is left alone."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enclave.airlock.hidden.exposed import Need, exposed
from enclave.airlock.hidden.system import Cell, Equation, Range, System
from enclave.airlock.report import Severity
from enclave.airlock.rules import CheckRules
from enclave.airlock.worker import inspect

RULES = CheckRules()


def rules_of(content: str, name: str = "t.csv") -> set[str]:
    return {finding.rule for finding in inspect(content.encode(), name, RULES).findings}


EXPOSED = {
    "one gap under a total": "region,n\nA,120\nB,*\nC,40\n합계,164\n",
    "one gap beside a total": "sex,yes,no,total\nF,120,*,124\nM,90,30,120\n",
    "step by step": "sex,a,b,total\nF,120,*,124\nM,*,40,46\nall,126,44,170\n",
    "two gaps with four people in both": "region,n\nA,120\nB,*\nC,*\n합계,124\n",
    "a square whose cells are nearly fixed": (
        "s,a,b,c,total\nF,*,*,40,53\nM,*,*,50,153\nK,20,30,60,110\ntotal,25,141,150,316\n"
    ),
    "a gap in a total": "region,n,m\nA,120,80\nB,*,20\nC,40,30\n합계,164,130\n",
    "subtotals": "구,환자수\n강남,121\n송파,*\n소계,125\n해운대,50\n수영,62\n소계,112\n합계,237\n",
    "a cube of two labels": (
        "region,sex,n\nA,F,120\nA,M,*\nA,total,124\nB,F,30\nB,M,60\nB,total,90\n"
        "total,F,150\ntotal,M,64\ntotal,total,214\n"
    ),
    "a pivot table with blanks": "region,sex,n\nA,F,120\n,M,*\nB,F,30\n,M,60\nAll,,214\n",
    "a total that is not called so": (
        "arm,none,mild,severe,enrolled\nX,120,30,20,170\nY,110,40,22,172\nZ,130,25,*,158\n"
    ),
    "a last row that is nearly the sum": "region,n\nA,1200\nB,*\nC,440\nKorea,1644\n",
    "a share beside the gap": "group,n,pct\nA,120,60.0\nB,76,38.0\nC,*,2.0\nall,200,100.0\n",
    "a share in the gap itself": "group,n (%)\nA,120 (60.0%)\nB,76 (38.0%)\nC,* (2.0%)\ntotal,200 (100%)\n",
    "a share of a whole that nobody prints": "group,n,pct\nA,120,40.0\nB,76,25.3\nC,*,2.0\n",
    "a share of the header's N": "group,cases (N=200),share\nA,120,60.0%\nB,76,38.0%\nC,*,2.0%\n",
}  # fmt: skip


@pytest.mark.parametrize("content", EXPOSED.values(), ids=EXPOSED.keys())
def test_a_gap_that_the_rest_gives_away_is_stopped(content: str) -> None:
    assert "cell.recoverable" in rules_of(content)


HIDDEN = {
    "two gaps with enough people in both": "region,n\nA,120\nB,<10\nC,*\n합계,168\n",
    "no total": "region,n\nA,120\nB,*\nC,40\n",
    "the gap holds many": "region,n\nA,120\nB,*\nC,40\n합계,400\n",
    "a square": "sex,a,b,total\nF,*,*,124\nM,*,*,46\nall,126,44,170\n",
    "rounded to five": "region,n\nA,120\nB,<10\nC,40\nD,85\nE,15\n합계,265\n",
    "rounded to the midpoint of six": "region,n\nA,123\nB,<10\nC,45\nD,81\nE,15\n합계,267\n",
    "a share of an unknown whole": "group,n,pct\nA,120,40\nB,76,25\nC,*,2\n",
    "totals of other people": "region,n\nA,120\nB,*\nC,90\n합계,150\n",
}


@pytest.mark.parametrize("content", HIDDEN.values(), ids=HIDDEN.keys())
def test_a_gap_that_stays_a_gap_is_left_alone(content: str) -> None:
    assert "cell.recoverable" not in rules_of(content)


def test_two_tables_of_one_file_that_share_a_margin_are_read_together() -> None:
    first = "region  F    M\nA  121  40\nB  80   *\nC  73   65\n"
    second = "region  young  old\nA  61   100\nB  44   40\nC  35   103\n"
    assert "cell.recoverable" not in rules_of(f"Table 1\n\n{first}\n", "t.txt")
    assert "cell.recoverable" in rules_of(f"Table 1\n\n{first}\nTable 2\n\n{second}\n", "t.txt")


def test_the_finding_names_the_cell_and_where_it_follows_from_but_never_its_value() -> None:
    report = inspect("region,n\nA,120\nB,*\nC,40\n합계,167\n".encode(), "t.csv", RULES)
    (finding,) = [each for each in report.findings if each.rule == "cell.recoverable"]
    assert (finding.place, finding.severity) == ("R3 C2 (n)", Severity.BLOCK)
    assert "R5 C2" in finding.en
    assert "7" not in finding.ko + finding.en + finding.sample


SHARES = {
    "of the row's n": "arm,n,response rate\nA,40,7.5%\nB,50,40.0%\n",
    "of the header's N": "symptom,percent (N=120)\nfever,45.0\nrash,2.5\ncough,30.8\n",
    "12.5 % of 8": "group,n,pct\nA,8,12.5\nB,40,25.0\n",
    "as fractions": "group,n,proportion\nA,80,0.025\nB,40,0.25\n",
}


@pytest.mark.parametrize("content", SHARES.values(), ids=SHARES.keys())
def test_a_share_that_stands_for_a_few_people_is_stopped(content: str) -> None:
    assert "cell.share" in rules_of(content)


HONEST_SHARES = {
    "many people": "arm,n,response rate\nA,400,37.5%\nB,500,40.0%\n",
    "a measure in per cent": "arm,n,HbA1c (%)\nA,143,7.1\nB,157,6.9\nC,151,7.3\n",
    "a share of something else": "region,n,mean ejection fraction (%)\nA,143,54.3\nB,157,56.1\nC,151,55.7\n",
}


@pytest.mark.parametrize("content", HONEST_SHARES.values(), ids=HONEST_SHARES.keys())
def test_a_share_of_many_people_or_of_something_else_is_left_alone(content: str) -> None:
    assert "cell.share" not in rules_of(content)


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[list[int]], set[tuple[int, int]]]:
    height, width = draw(st.integers(2, 3)), draw(st.integers(2, 3))
    body = [[draw(st.integers(0, 4)) for _ in range(width)] for _ in range(height)]
    places = st.sampled_from(list(itertools.product(range(height), range(width))))
    return body, draw(st.sets(places, min_size=1, max_size=5))


@given(tables())
def test_the_solver_finds_the_very_range_that_trying_all_tables_finds(
    drawn: tuple[list[list[int]], set[tuple[int, int]]],
) -> None:
    body, hidden = drawn
    system = margins_of(body, hidden)
    possible = list(every_table(body, sorted(hidden)))
    need = Need(min_cell=5, width=3)
    wanted = {}
    for number, place in enumerate(sorted(hidden)):
        values = [table[number] for table in possible]
        if not need.is_met(min(values), max(values)):
            wanted[Cell(0, *place)] = Range(min(values), max(values))
    single = {each.cell: each.range for each in exposed(system, need).exposed if each.cell in wanted}
    assert single == wanted


def margins_of(body: list[list[int]], hidden: set[tuple[int, int]]) -> System:
    height, width = len(body), len(body[0])
    ranges = {
        Cell(0, row, column): Range() if (row, column) in hidden else Range(value, value)
        for row, line in enumerate(body)
        for column, value in enumerate(line)
    }
    equations = []
    for row, line in enumerate(body):
        ranges[Cell(0, row, width)] = Range(sum(line), sum(line))
        equations.append(Equation((Cell(0, row, width),), tuple(Cell(0, row, column) for column in range(width))))
    for column in range(width):
        whole = sum(line[column] for line in body)
        ranges[Cell(0, height, column)] = Range(whole, whole)
        equations.append(Equation((Cell(0, height, column),), tuple(Cell(0, row, column) for row in range(height))))
    return System(ranges, frozenset(Cell(0, *place) for place in hidden), tuple(equations))


def every_table(body: list[list[int]], hidden: list[tuple[int, int]]) -> list[tuple[int, ...]]:
    rows = [sum(line) for line in body]
    columns = [sum(line[column] for line in body) for column in range(len(body[0]))]
    shown = [[0 if (r, c) in hidden else v for c, v in enumerate(line)] for r, line in enumerate(body)]
    found: list[tuple[int, ...]] = []

    def fill(place: int, table: list[list[int]], chosen: tuple[int, ...]) -> None:
        if place == len(hidden):
            fits = all(sum(line) == rows[r] for r, line in enumerate(table))
            if fits and all(sum(line[c] for line in table) == columns[c] for c in range(len(columns))):
                found.append(chosen)
            return
        row, column = hidden[place]
        for value in range(min(rows[row], columns[column]) + 1):
            table[row][column] = value
            fill(place + 1, table, (*chosen, value))
        table[row][column] = 0

    fill(0, shown, ())
    return found


def test_a_part_too_large_for_the_solver_is_stopped_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("enclave.airlock.hidden.exposed.MOST_CELLS", 1)
    assert "cell.unproven" in rules_of("region,n\nA,120\nB,*\nC,*\n합계,168\n")
