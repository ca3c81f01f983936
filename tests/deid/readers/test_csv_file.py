"""Every broken source file: a clear error with its place, nothing published, nothing left behind."""

from __future__ import annotations

import csv
import io
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deid.errors import DeidError, RecipeError, SourceError
from deid.readers.csv_file import whole_records
from deid.readers.letters import Utf8
from tests.deid.factory import HEAD, PEOPLE, Hospital, gates, table, visits

TEXT = HEAD + gates(k=1) + PEOPLE
ROWS = [("A1", "김철수", "M", 31, "2020-01-01", 5), ("A2", "이영희", "F", 42, "2020-02-01", 6)]
GOOD = visits(ROWS)


def refused(clinic: Hospital, text: str = TEXT) -> DeidError:
    with pytest.raises(DeidError) as caught:
        clinic.run(text)
    assert clinic.left_behind() == []
    for value in ("김철수", "이영희", "A1", "A2", "XX"):
        assert value not in str(caught.value) + caught.value.en
    return caught.value


@pytest.mark.parametrize(
    ("data", "code", "line"),
    [
        (b"", "empty", 0),
        (b"no,name,sex,age,day,amount\n", "empty", 0),
        (GOOD.encode() + b"A3,x,M,1\n", "broken-fields", 4),
        (GOOD.encode() + b"A3,x,M,1,2020-01-01,5,6,7\nA4", "broken-fields", 4),
        (GOOD.encode() + b'A3,"x,M,1,2020-01-01,5\n', "broken-quote", 4),
        (GOOD.encode("cp949"), "encoding", 2),
        (GOOD.encode("utf-8-sig"), "encoding", 1),
        (GOOD.encode("utf-16"), "encoding", 1),
        (GOOD.replace("name", "sex").encode(), "header", 1),
        (GOOD.replace("\n", ",1\n").replace("amount,1", "amount,extra").encode(), "untreated-column", 1),
        (GOOD.replace(",31,", ",XX,").encode(), "value", 2),
        (GOOD.replace("2020-02-01", "2020-02-31").encode(), "value", 3),
        (GOOD.replace(",6\n", ",6.5\n").encode(), "value", 3),
        (GOOD.replace("\nA2", "\n").encode(), "no-patient", 3),
        (GOOD.encode() + b"A3,\0,M,1,2020-01-01,5\n", "broken-nul", 4),
    ],
)
def test_a_broken_file_is_refused_with_its_line(clinic: Hospital, data: bytes, code: str, line: int) -> None:
    clinic.write("visits.csv", data)
    error = refused(clinic)
    assert error.code == f"deid.source-{code}"
    assert isinstance(error, SourceError)
    assert error.line == line


def test_a_column_of_the_recipe_that_the_file_lacks_is_shown_in_the_recipe(clinic: Hospital) -> None:
    clinic.write("visits.csv", GOOD.replace("amount", "sum"))
    error = refused(clinic)
    assert isinstance(error, RecipeError)
    assert error.code == "deid.recipe-unknown-column"
    assert TEXT.splitlines()[error.line - 1].strip().startswith("amount:")


def test_a_wrong_byte_is_named_by_its_offset(clinic: Hospital) -> None:
    data = GOOD.encode() * 1 + b"A3,\xb1\xe8,M,1,2020-01-01,5\n"
    clinic.write("visits.csv", data)
    error = refused(clinic)
    assert isinstance(error, SourceError)
    assert (error.offset, error.line) == (data.index(b"\xb1"), 4)
    assert "cp949" in error.remedy_ko


@pytest.mark.parametrize("declared", ["utf-8", "cp949"])
def test_a_character_cut_off_at_the_end_is_refused(clinic: Hospital, declared: str) -> None:
    data = GOOD.encode(declared)[:-1] + "가".encode(declared)[:-1]
    clinic.write("visits.csv", data)
    error = refused(clinic, TEXT.replace("subject: no", f"encoding: {declared}\n    subject: no"))
    assert error.code == "deid.source-encoding"


def test_utf8_declared_as_cp949_is_refused_and_never_read_as_other_letters(clinic: Hospital) -> None:
    # Chosen so that its UTF-8 bytes are also valid CP949: the trap that silently writes mojibake.
    name = "박간"
    assert name.encode().decode("cp949") != name
    clinic.write("visits.csv", GOOD.replace("김철수", name).replace("이영희", name))
    error = refused(clinic, TEXT.replace("subject: no", "encoding: cp949\n    subject: no"))
    assert error.code == "deid.source-encoding"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949"])
def test_each_encoding_gives_the_same_table(clinic: Hospital, encoding: str) -> None:
    clinic.write("visits.csv", visits([("가", "이름", "여", 31, "2020-01-01", 5)] * 9).encode(encoding))
    text = TEXT.replace("subject: no", f"encoding: {encoding}\n    subject: no")
    frame = table(clinic.run(text), "visits")
    assert frame["sex"].to_list() == ["여"] * 9
    assert frame["age"].to_list() == ["30-39"] * 9


def test_a_repeated_key_is_refused_where_the_recipe_says_unique(clinic: Hospital) -> None:
    clinic.write(
        "visits.csv", visits([*ROWS, ("A3", "x", "F", 1, "2020-01-01", 1), ("A1", "y", "F", 2, "2020-01-01", 1)])
    )
    error = refused(clinic, TEXT.replace("subject: no", "subject: no\n    unique: [no]"))
    assert isinstance(error, SourceError)
    assert (error.code, error.line) == ("deid.source-duplicate-key", 5)
    clinic.run(TEXT)  # without the demand it is an ordinary second visit


def test_a_key_of_several_columns_is_refused_only_when_all_repeat(clinic: Hospital) -> None:
    text = TEXT.replace("subject: no", "subject: no\n    unique: [no, day]")
    clinic.write("visits.csv", visits([*ROWS, ("A1", "x", "M", 31, "2020-03-01", 1)]))
    clinic.run(text)
    clinic.write("visits.csv", visits([*ROWS, ("A1", "x", "M", 31, "2020-01-01", 1)]))
    with pytest.raises(SourceError) as caught:
        clinic.run(text)
    assert (caught.value.code, caught.value.line) == ("deid.source-duplicate-key", 4)


@pytest.mark.parametrize("encoding", ["utf-8", "cp949"])
def test_a_gigabyte_in_one_line_is_refused_after_the_limit_and_not_after_the_gigabyte(
    clinic: Hospital, encoding: str
) -> None:
    path = clinic.write("visits.csv", GOOD.encode(encoding))
    os.truncate(path, 1 << 30)  # a sparse file: the rest reads as NUL bytes
    with path.open("r+b") as file:
        file.seek(len(GOOD.encode(encoding)))
        file.write(b"A" * (3 << 20))
    error = refused(clinic, TEXT.replace("subject: no", f"encoding: {encoding}\n    subject: no"))
    # Had the file been read beyond the limit, the NUL bytes at three megabytes would have been met first or as well.
    assert isinstance(error, SourceError)
    assert (error.code, error.line) == ("deid.source-broken-line", 4)


def test_the_limit_on_a_line_is_the_recipes(clinic: Hospital) -> None:
    clinic.write("visits.csv", visits([("A1", "김" * 40, "M", 31, "2020-01-01", 5)]))
    clinic.run(TEXT)
    small = TEXT + "limits: {line_bytes: 100}\n"
    with pytest.raises(SourceError) as caught:
        clinic.run(small)
    assert caught.value.code == "deid.source-broken-line"


def test_more_rows_than_the_limit_are_refused(clinic: Hospital) -> None:
    clinic.write("visits.csv", visits(ROWS))
    assert refused(clinic, TEXT + "limits: {rows: 1}\n").code == "deid.source-rows"


def test_a_link_a_folder_and_nothing_are_not_source_files(clinic: Hospital, tmp_path: Path) -> None:
    assert refused(clinic).code == "deid.source-missing"
    (tmp_path / "elsewhere.csv").write_text(GOOD)
    (clinic.source / "visits.csv").symlink_to(tmp_path / "elsewhere.csv")
    assert refused(clinic).code == "deid.source-missing"
    (clinic.source / "visits.csv").unlink()
    (clinic.source / "visits.csv").mkdir()
    assert refused(clinic).code == "deid.source-kind"


def test_a_fifo_does_not_hang_the_run(clinic: Hospital) -> None:
    os.mkfifo(clinic.source / "visits.csv")
    assert refused(clinic).code == "deid.source-kind"


def test_a_file_that_changes_after_it_was_checked_is_refused(clinic: Hospital) -> None:
    from deid import engine
    from tests.deid.factory import NOW

    path = clinic.write("visits.csv", GOOD)

    def meddle(step: engine.Step) -> None:
        if step.en == "writing":
            with path.open("a") as file:
                file.write("A9,z,F,9,2020-01-01,1\n")

    with pytest.raises(SourceError) as caught:
        engine.run(clinic.recipe(TEXT), clinic.source, clinic.out, clinic.keys, now=NOW, progress=meddle)
    assert caught.value.code == "deid.source-changed"
    assert clinic.left_behind() == []


def test_a_line_is_found_behind_quoted_newlines(clinic: Hospital) -> None:
    clinic.write("visits.csv", GOOD + 'A3,"two\nlines",M,1,2020-01-01,5\nA4,x,M,XX,2020-01-01,5\n')
    error = refused(clinic)
    assert isinstance(error, SourceError)
    assert (error.code, error.line) == ("deid.source-value", 6)


def test_an_output_folder_that_cannot_be_written_is_named(clinic: Hospital) -> None:
    clinic.write("visits.csv", GOOD)
    clinic.out.write_text("a file stands in the way")
    with pytest.raises(DeidError) as caught:
        clinic.run(TEXT)
    assert caught.value.code == "deid.output"


@given(st.binary(max_size=60) | st.text(max_size=20).map(str.encode), st.integers(1, 9))
def test_the_quick_check_of_utf8_agrees_with_decoding_wherever_chunks_are_cut(data: bytes, size: int) -> None:
    judge = Utf8("visits.csv")

    def check() -> None:
        for start in range(0, len(data), size):
            judge.feed(data[start : start + size], 1)
        judge.end(1)

    expected = wrong_byte(data)
    if expected is None:
        check()
        return
    with pytest.raises(SourceError) as caught:
        check()
    assert caught.value.offset == expected


def wrong_byte(data: bytes) -> int | None:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start
    return None


FIELDS = st.text('a",\n', max_size=4)


@given(st.lists(st.lists(FIELDS, min_size=2, max_size=2), min_size=1, max_size=12), st.integers(1, 40), st.booleans())
def test_records_are_cut_where_they_end_and_never_within_quotes(
    rows: list[list[str]], size: int, unended: bool
) -> None:
    lines = [",".join('"' + field.replace('"', '""') + '"' for field in row) for row in rows]
    text = "\n".join(lines) + ("" if unended else "\n")
    found = list(whole_records(io.BytesIO(text.encode()), size))
    assert b"".join(found).decode() == text
    assert [row for part in found for row in csv.reader(io.StringIO(part.decode(), newline=""))] == rows
    assert all(part.count(b'"') % 2 == 0 for part in found)
