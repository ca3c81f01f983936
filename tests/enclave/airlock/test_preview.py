"""The door to safe views, through real sealed children: what is shown, and that nothing is cut or believed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from enclave.airlock import preview
from enclave.airlock.errors import PreviewFailed
from enclave.airlock.sealing.pool import SealedPool
from enclave.airlock.viewing.ask import Ask
from tests.enclave.airlock.test_image import png


@pytest.fixture(scope="module")
def pool() -> Iterator[SealedPool]:
    pool = SealedPool()
    yield pool
    pool.close()


@pytest.fixture(scope="module")
def liar() -> Iterator[SealedPool]:
    pool = SealedPool("lying_worker", folder=Path(__file__).parent)
    yield pool
    pool.close()


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "stored"
    path.write_text("n\n100\n")
    return path


def test_every_row_of_a_long_wide_table_can_be_reached_and_no_cell_is_cut(pool: SealedPool, tmp_path: Path) -> None:
    path = tmp_path / "t"
    head = ",".join(f"c{number}" for number in range(40))
    path.write_text(head + "\n" + "".join(f"<b>{row}</b>\u202e{'w' * 3000}{',x' * 39}\n" for row in range(700)))
    opened = preview.open_file(path, "table", name="a.csv", pool=pool)
    assert (opened.pieces[0].units, opened.pieces[0].columns, len(opened.pages[0].columns)) == (700, 40, 40)
    seen, page = [], opened.pages[0]
    while True:
        seen += page.numbers
        assert all(
            row[0] == f"<b>{number}</b>\\u202e{'w' * 3000}" for number, row in zip(page.numbers, page.rows, strict=True)
        )
        if page.next_start is None:
            break
        page = preview.turn_page(path, Ask(start=page.next_start), name="a.csv", pool=pool)
    assert seen == list(range(700))


@pytest.mark.parametrize(
    ("content", "kind", "name"),
    [
        ('[{"n": 100}]', "table", "x.json"),
        ("a\tb\n100\t200\n", "table", "x.tsv"),
        ("n\n100\n", "table", "x.csv"),
        ("a\x0cb\nline\n", "text", "x.txt"),
    ],
)
def test_a_view_reads_what_the_report_read(
    pool: SealedPool, tmp_path: Path, content: str, kind: str, name: str
) -> None:
    (tmp_path / "f").write_text(content)
    opened = preview.open_file(tmp_path / "f", kind, name=name, pool=pool)
    assert opened.kind == kind
    lines = ["".join(text for _, text in line) for line in opened.pages[0].lines]
    assert lines in ([], ["a", "b", "line"])


@pytest.mark.parametrize(
    ("content", "kind", "name"),
    [
        (b"%PDF-1.7", "table", "a.csv"),
        (b"", "text", "a.txt"),
        (b"n\n100\n", "picture", "a.csv"),
        (b"n\n100\n", "unknown", "a.csv"),
    ],
)
def test_what_cannot_be_shown_safely_is_not_shown(
    pool: SealedPool, tmp_path: Path, content: bytes, kind: str, name: str
) -> None:
    (tmp_path / "f").write_bytes(content)
    with pytest.raises(PreviewFailed):
        preview.open_file(tmp_path / "f", kind, name=name, pool=pool)


@pytest.mark.parametrize("piece", [1, -1, 10**9])
def test_a_piece_that_is_not_there_is_refused(pool: SealedPool, table: Path, piece: int) -> None:
    with pytest.raises(PreviewFailed):
        preview.turn_page(table, Ask(piece=piece), name="a.csv", pool=pool)
    with pytest.raises(PreviewFailed):
        preview.picture(table, piece, name="a.csv", pool=pool)


def test_a_picture_comes_back_as_a_new_png(pool: SealedPool, tmp_path: Path) -> None:
    (tmp_path / "p").write_bytes(png(icc_profile=b"x" * 100))
    drawn = preview.picture(tmp_path / "p", 0, name="a.png", pool=pool)
    assert drawn.png.startswith(preview.PNG_SIGNATURE)
    assert b"x" * 20 not in drawn.png


def test_two_rounds_are_compared_without_either_being_read_here(pool: SealedPool, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("지역,n\n서울,30\n부산,20\n")
    (tmp_path / "b").write_text("지역,n\n서울,30\n부산,25\n")
    (only,) = preview.compare(tmp_path / "a", tmp_path / "b", names=("t.csv", "t.csv"), pool=pool)
    assert [(row.mark, row.cells, row.was) for row in only.rows if row.mark != "="] == [
        ("~", ("부산", "25"), (None, "20"))
    ]


ANSWERS = ["nothing", "rubbish", "deep", "too much", "an exception", "another kind", "no pieces", "a page of no piece"]


@pytest.mark.parametrize("answer", ANSWERS)
def test_an_answer_that_is_no_view_is_not_shown(liar: SealedPool, table: Path, answer: str) -> None:
    with pytest.raises(PreviewFailed):
        preview.open_file(table, "table", name=answer, pool=liar)


def test_a_picture_that_is_none_is_not_shown(liar: SealedPool, table: Path) -> None:
    with pytest.raises(PreviewFailed):
        preview.picture(table, 0, name="script for a picture", pool=liar)


def test_cells_are_visible_text_whatever_the_child_sends(liar: SealedPool, table: Path) -> None:
    opened = preview.open_file(table, "table", name="numbers for cells", pool=liar)
    assert opened.pieces[0].path == ("\\u202e",)
    assert opened.pages[0].columns == ("1",)
    assert "\u202e" not in opened.pages[0].rows[0][0]
