"""Tables as statistical tools print them, and how people write numbers: what is read, and what is no number."""

from __future__ import annotations

import pytest

from enclave.airlock.checks.gaps import is_hidden, read_bound
from enclave.airlock.checks.numbers import read_number
from enclave.airlock.parsers.aligned import aligned_tables
from enclave.airlock.parsers.data_lines import data_lines
from enclave.airlock.parsers.text import all_tables
from enclave.airlock.rules import CheckRules


@pytest.mark.parametrize("text", ["E11", "e3", "-E5", "", ".", "-", "1e999", "-1e400", "1E", "1,23"])
def test_codes_and_numbers_beyond_all_bounds_are_no_numbers(text: str) -> None:
    assert read_number(text) is None


@pytest.mark.parametrize(
    ("text", "value"), [("1e3", 1000), (".5", 0.5), ("12.", 12), ("1,234.5", 1234.5), ("-2E-2", -0.02)]
)
def test_numbers_in_their_usual_spellings_are_read(text: str, value: float) -> None:
    assert read_number(text) == value


@pytest.mark.parametrize(
    ("text", "bound"),
    [
        ("<10", 10), ("< 3", 3), ("＜10", 10), ("n<10", 10), ("10 미만", 10), ("10명 미만", 10), ("9 이하", 10),
        ("≤9", 10), ("≦9", 10), ("1-9", 10), ("1~9", 10), ("0–9", 10), ("1 to 4", 5), ("under 10", 10),
        ("fewer than 10", 10), ("(<10)", 10), ("<10*", 10),
    ],
)  # fmt: skip
def test_a_bound_is_read_in_all_its_spellings(text: str, bound: int) -> None:
    assert is_hidden(text)
    assert read_bound(text) == bound


@pytest.mark.parametrize("text", ["*", "…", "－", "(c)", "[REDACTED]", "<NA>", "마스킹", "Suppressed", "S", "", " "])
def test_a_mark_or_a_word_hides_without_a_bound(text: str) -> None:
    assert is_hidden(text)
    assert read_bound(text) is None


@pytest.mark.parametrize("text", ["12", "0", "3 (2%)", "10-19", "65-69", "2-9", "A", "남", "grade 3", "1,234", "②"])
def test_counts_and_labels_hide_nothing(text: str) -> None:
    assert not is_hidden(text)


def test_stata_bars_rules_and_totals_make_one_table() -> None:
    text = """
       sex |         1          2 |     Total
-----------+----------------------+----------
    Female |        60          3 |        63
      Male |        71         31 |       102
-----------+----------------------+----------
     Total |       131         34 |       165
"""
    (table,) = aligned_tables(text, CheckRules())
    assert table.columns == ("sex", "1", "2", "Total")
    assert table.rows == (("Female", "60", "3", "63"), ("Male", "71", "31", "102"), ("Total", "131", "34", "165"))


def test_outer_labels_printed_once_stand_in_every_row_and_wide_letters_line_up() -> None:
    text = "ward     sex   n\n내과     F    40\n         M    50\n재활의학과 F    30\n         M     7\n"
    tables = list(aligned_tables(text, CheckRules()))
    assert [row[-1] for row in tables[0].rows] == ["40", "50", "30", "7"]
    assert [row[0] for row in tables[0].rows] == ["내과", "내과", "재활의학과", "재활의학과"]


def test_columns_named_by_numbers_keep_their_names() -> None:
    text = "         0    1\n  I    120   23\n  II    98   27\n  III   60   22\n"
    assert [table.columns for table in all_tables(text, CheckRules())] == [("", "0", "1")]


def test_a_header_is_found_over_a_blank_line_and_over_the_line_of_the_index() -> None:
    report = (
        "              precision   support\n\n           0       0.97       148\n           1       0.75        14\n"
    )
    (table,) = aligned_tables(report, CheckRules())
    assert table.columns == ("", "precision", "support")
    curve = "          KM_estimate\ntimeline\n3              0.975\n6              0.950\n9              0.925\n"
    (table,) = aligned_tables(curve, CheckRules())
    assert table.columns == ("timeline", "KM_estimate")


@pytest.mark.parametrize("line", ["x = 1 2", "(1, 2, 3)", "for i in 3 4 5:", "a b 3", "y = f(1, 2)"])
def test_lines_of_code_are_no_lines_of_data(line: str) -> None:
    assert list(data_lines(f"{line}\n" * 20)) == []


def test_lines_of_data_are_found_with_where_they_begin() -> None:
    assert list(data_lines("datalines;\n" + "61 M 1.05\n\n" * 20 + ";\n")) == [(1, 60)]
    assert list(data_lines("INSERT INTO t VALUES (61, 'M');\n" * 20)) == [(0, 40)]
