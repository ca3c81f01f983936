"""What a viewer draws of a parsed file: pieces, pages, filters, colours, comparisons. Pure functions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enclave.airlock.document import Document, Part, Table
from enclave.airlock.long_table import LongTableBuilder
from enclave.airlock.viewing.ask import Ask
from enclave.airlock.viewing.compare import compare
from enclave.airlock.viewing.highlight import LANGUAGES, highlight
from enclave.airlock.viewing.page import MOST_CELLS, MOST_CHARS, draw_page
from enclave.airlock.viewing.pieces import MOST, Piece, pieces
from enclave.airlock.viewing.visible import visible

NUMBERS = Table(
    ("지역", "n", "평균"),
    (
        ("서울", "120", "1.5"),
        ("부산", "8 (2%)", "-3"),
        ("대구", "1,024", ""),
        ("광주", "", "2"),
        ("울산", "3/120", "10"),
    ),
)


def numbers(ask: Ask, table: Table = NUMBERS) -> list[int]:
    return draw_page(Piece(kind="table", table=table), ask)["numbers"]  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("ask", "wanted"),
    [
        (Ask(), [0, 1, 2, 3, 4]),
        (Ask(sort=1), [4, 1, 0, 2, 3]),
        (Ask(sort=1, down=True), [3, 2, 0, 1, 4]),
        (Ask(sort=2), [1, 0, 3, 4, 2]),
        (Ask(sort=9), [0, 1, 2, 3, 4]),
        (Ask(find="<10"), [0, 1, 3, 4]),
        (Ask(find="<10", column=1), [1, 4]),
        (Ask(find=">= 100", column=1), [0, 2]),
        (Ask(find="=8", column=1), [1]),
        (Ask(find="!=서울", column=0), [1, 2, 3, 4]),
        (Ask(find="=서울"), [0]),
        (Ask(find="울"), [0, 4]),
        (Ask(find="서울"), [0]),
        (Ask(find="서울", column=7), []),
        (Ask(start=3), [3, 4]),
        (Ask(start=99), [4]),
        (Ask(find="울", sort=1, start=1), [0]),
    ],
    ids=str,
)
def test_rows_are_sorted_by_number_and_filtered_by_text_or_comparison(ask: Ask, wanted: list[int]) -> None:
    assert numbers(ask) == wanted


def test_a_cell_that_says_less_than_ten_in_words_is_found_by_its_text() -> None:
    assert numbers(Ask(find="<10", column=1), Table(("a", "n"), (("x", "<10"), ("y", "20")))) == [0]


@pytest.mark.parametrize("row", [0, 499, 500, 1199])
def test_the_page_with_a_given_row_holds_it_in_any_order(row: int) -> None:
    table = Table(("a", "n"), tuple((str(number), str(number * 7 % 1200)) for number in range(1200)))
    for ask in (Ask(row=row), Ask(row=row, sort=1), Ask(row=row, sort=1, down=True)):
        assert row in numbers(ask, table)


@given(st.lists(st.text(max_size=300_000, alphabet="ab"), min_size=1, max_size=8), st.integers(1, 400))
def test_turning_pages_shows_every_row_once_whatever_its_length(cells: list[str], columns: int) -> None:
    table = Table(("c",) * columns, tuple((cell,) + ("",) * (columns - 1) for cell in cells))
    start, seen = 0, []
    while start < len(cells):
        page = draw_page(Piece(kind="table", table=table), Ask(start=start))
        shown = page["numbers"]
        assert isinstance(shown, list)
        assert shown
        assert len(shown) == 1 or sum(len(cells[number]) for number in shown) <= MOST_CHARS
        assert len(shown) * columns <= max(MOST_CELLS, columns)
        seen += shown
        start += len(shown)
    assert seen == list(range(len(cells)))


def test_a_workbook_shows_every_sheet_and_what_cannot_be_opened_is_named() -> None:
    sheet = Part("시트 ‘x’", Document("table", (Table(("n",), (("1",),)),)))
    inner = Part("첨부 1", Document("refused"))
    note = Part("[1] 출력", Document("text", text="줄 하나"))
    found, left_out = pieces(Document("workbook", parts=(sheet, inner, note)), "a.xlsx")
    assert [(piece.kind, piece.path, piece.needed) for piece in found] == [
        ("table", ("시트 ‘x’",), True),
        ("refused", ("첨부 1",), True),
        ("text", ("[1] 출력",), True),
    ]
    assert left_out == 0


def test_a_table_inside_a_text_is_an_extra_view_that_need_not_be_opened() -> None:
    document = Document("text", (Table(("n",), (("1",),), "L3"),), "a\nb\nn\n1\n")
    assert [(piece.kind, piece.needed) for piece in pieces(document, "a.md")[0]] == [("text", True), ("table", False)]


def test_pieces_beyond_the_most_are_counted_and_not_forgotten() -> None:
    parts = tuple(Part(str(number), Document("text", text="x")) for number in range(MOST + 3))
    found, left_out = pieces(Document("notebook", parts=parts), "a.ipynb")
    assert (len(found), left_out) == (MOST, 3)


HOSTILE = [
    "\u202eabc",
    "x = '''",
    "<script>alert(1)</script>",
    "\tif x:\r",
    "a\x00b",
    "#" * 50,
    "`${}`",
    "'\\",
    "",
    "  ",
]


@pytest.mark.parametrize("ending", LANGUAGES)
def test_colouring_never_hides_or_alters_a_line(ending: str) -> None:
    shown = highlight(HOSTILE, f"a{ending}")
    assert ["".join(text for _, text in line) for line in shown] == [visible(line) for line in HOSTILE]


@given(st.lists(st.text(st.characters(blacklist_characters="\n")), min_size=1, max_size=6))
def test_python_in_any_state_comes_out_whole(lines: list[str]) -> None:
    shown = highlight(lines, "a.py")
    assert ["".join(text for _, text in line) for line in shown] == [visible(line) for line in lines]


def test_keywords_have_their_colour_and_unknown_endings_none() -> None:
    assert ("kn", "import") in highlight(["import os"], "a.py")[0]
    assert highlight(["import os"], "a.zzz") == [[("", "import os")]]


def piece(*rows: tuple[str, ...], path: tuple[str, ...] = ()) -> Piece:
    return Piece(kind="table", path=path, table=Table(rows[0], rows[1:]))


OLD = piece(("a", "n"), ("x", "1"), ("y", "2"), ("z", "3"))


@pytest.mark.parametrize(
    ("new", "wanted"),
    [
        (piece(("a", "n"), ("x", "1"), ("y", "9"), ("z", "3")), [("~", 3, 3)]),
        (piece(("a", "n"), ("x", "1"), ("z", "3")), [("-", 3, 0)]),
        (piece(("a", "n"), ("x", "1"), ("y", "2"), ("w", "7"), ("z", "3")), [("+", 0, 4)]),
        (piece(("a", "m"), ("x", "1"), ("y", "2"), ("z", "3")), [("~", 1, 1)]),
        (piece(("a", "n"), ("x", "1"), ("p", "8"), ("z", "3")), [("-", 3, 0), ("+", 0, 3)]),
    ],
    ids=["a cell", "a row gone", "a row more", "a header", "another row in its place"],
)
def test_a_comparison_names_the_rows_that_changed(new: Piece, wanted: list[tuple[str, int, int]]) -> None:
    (only,) = compare([OLD], [new])
    rows = only["rows"]
    assert isinstance(rows, list)
    assert [(row["mark"], row["old"], row["new"]) for row in rows if row["mark"] != "="] == wanted


def test_sheets_are_matched_by_name_and_new_and_lost_ones_are_told() -> None:
    old = [piece(("n",), ("1",), path=("A",)), piece(("n",), ("1",), path=("B",))]
    new = [piece(("n",), ("1",), path=("A",)), piece(("n",), ("1",), path=("C",))]
    assert {tuple(one["path"]): one["state"] for one in compare(old, new)} == {  # type: ignore[arg-type]
        ("A",): "same", ("C",): "new", ("B",): "gone",
    }  # fmt: skip


def test_two_pieces_of_one_name_are_not_taken_for_each_other() -> None:
    same = [piece(("n",), ("1",), path=("A",)), piece(("n",), ("2",), path=("A",))]
    assert [one["state"] for one in compare(same, same)] == ["same", "same"]


def test_what_is_too_long_to_compare_is_said_to_be_so() -> None:
    long = piece(("n",), *((str(number),) for number in range(6000)))
    (only,) = compare([long], [OLD])
    assert (only["state"], only["cut"], "rows" in only) == ("changed", True, False)


def long(table: Table) -> Piece:
    builder = LongTableBuilder(table.columns)
    builder.add([list(row) for row in table.rows])
    (piece,), _ = pieces(Document("table", long_tables=(builder.build(),)), "a.csv")
    return piece


@pytest.mark.parametrize(
    "ask",
    [
        Ask(), Ask(sort=1), Ask(sort=1, down=True), Ask(sort=2), Ask(find="<10"), Ask(find="<10", column=1),
        Ask(find="울", sort=0, down=True), Ask(find="서울", column=7), Ask(row=3), Ask(start=4),
        Ask(find="!=서울", column=0),
    ],
    ids=str,
)  # fmt: skip
def test_a_long_table_is_sorted_and_filtered_as_a_short_one(ask: Ask) -> None:
    assert draw_page(long(NUMBERS), ask) == draw_page(Piece(kind="table", table=NUMBERS), ask)


def test_every_row_of_a_long_table_can_be_reached() -> None:
    piece = long(Table(("n",), tuple((str(number % 7),) for number in range(5_000))))
    assert piece.units == 5_000
    assert {number for start in range(0, 5_000, 500) for number in draw_page(piece, Ask(start=start))["numbers"]} == {  # type: ignore[attr-defined]
        *range(5_000)
    }
